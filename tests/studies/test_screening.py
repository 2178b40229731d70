"""Screening: recorded rejections under every reading of BT.500, cases by hand, conventions."""

import numpy as np
import pytest

from beholder.levels.scale import Scale
from beholder.studies.recovery import mean_opinion, without_bias, z_scores
from beholder.studies.screening import (
    Conventions,
    bt500,
    by_correlation,
    correlations,
    nobody,
    outlying,
)
from beholder.studies.votes import Vote, gather

SUREAL = Conventions(ddof=0, cast_only=False, skip_unanimous=False)
READINGS = {
    "sd_ddof0_denominator_all_cells": SUREAL,
    "sd_ddof0_denominator_votes_cast": Conventions(0, cast_only=True, skip_unanimous=False),
    "sd_ddof1_denominator_votes_cast": Conventions(1, cast_only=True, skip_unanimous=False),
    "sd_ddof1_denominator_votes_cast_skip_unanimous": Conventions(),
}


def rejected(screening):
    return np.flatnonzero(screening.rejected).tolist()


@pytest.mark.parametrize("name", READINGS)
def test_recorded_counts_and_rejections_come_out_under_every_reading(name, studies):
    for case, votes in studies:
        recorded = case["results"]["_ours_bt500"][name]
        if not recorded["same_rejections_if_limits_moved_by_1e-9"]:
            continue
        found = outlying(votes, READINGS[name])
        assert found.above.tolist() == recorded["P"], case["name"]
        assert found.below.tolist() == recorded["Q"], case["name"]
        assert rejected(bt500(votes, READINGS[name])) == recorded["rejected"], case["name"]


@pytest.mark.parametrize(
    ("name", "prepare"),
    [("SR_MOS", lambda v: v), ("BR_SR_MOS", without_bias), ("ZS_SR_MOS", z_scores)],
)
def test_recorded_screened_opinions_come_out_under_sureals_reading(name, prepare, studies, vector):
    for case, votes in studies:
        if recorded := case["results"].get(name):
            prepared = prepare(votes)
            screening = bt500(prepared, SUREAL)
            assert screening.rejected.tolist() == recorded["observer_rejected"]
            found = mean_opinion(prepared.of_raters(~screening.rejected))
            assert found.mean == pytest.approx(vector(recorded["quality_scores"]), abs=1e-9)
            assert found.error == pytest.approx(
                vector(recorded["quality_scores_std"]), abs=1e-9, nan_ok=True
            )


def test_recorded_rejections_by_correlation_come_out(studies, vector):
    for case, votes in studies:
        recorded = case["results"]["SR_MOS_PCC"]
        screening = by_correlation(votes)
        assert screening.rejected.tolist() == recorded["observer_rejected"]
        found = mean_opinion(votes.of_raters(~screening.rejected))
        assert found.mean == pytest.approx(vector(recorded["quality_scores"]), abs=1e-9)


def test_a_unanimous_item_counts_against_nobody():
    found = [Vote(f"r{r}", f"i{i}", 3.0) for r in range(6) for i in range(4)]
    votes = gather(found, Scale(1.0, 5.0))
    assert outlying(votes).above.tolist() == [0] * 6
    assert outlying(votes, SUREAL).above.tolist() == [4] * 6
    assert rejected(bt500(votes)) == []


def test_limits_are_inclusive_and_do_not_hang_on_rounding():
    # Votes on one item have kurtosis 3 and one vote exactly at two deviations (divisor n - 1).
    shift = np.array([0.1, 0.2, 0.3])
    for offset in shift:
        values = np.array([0.0, 1.0, -1.0, 2.0, -2.0]) + offset
        votes = gather(
            [Vote(f"r{n}", "i", float(v)) for n, v in enumerate(values)], Scale(-10.0, 10.0)
        )
        assert outlying(votes).above.tolist() == [0, 0, 0, 0, 0]


def test_a_rejection_says_how_many_votes_lie_on_which_side(panel):
    votes, _ = panel(r04="careless")
    screening = bt500(votes)
    assert screening.rejected[4]
    assert "of 40 votes outlying" in screening.reasons[4]
    assert screening.reasons[0] == ""


def test_votes_that_are_all_the_same_are_rejected_by_correlation_with_a_reason(panel):
    votes, _ = panel(r05="constant")
    screening = by_correlation(votes)
    assert rejected(screening) == [5]
    assert "all equal ones" in screening.reasons[5]
    assert np.isnan(correlations(votes)[5])


def test_nobody_is_rejected_by_nobody(panel):
    votes, _ = panel(r05="careless")
    assert rejected(nobody(votes)) == []
