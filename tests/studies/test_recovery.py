"""Votes to opinions: recorded studies, cases by hand, and what cannot be told."""

import math

import numpy as np
import pytest

from beholder.errors import TableError
from beholder.levels.scale import Scale
from beholder.studies import recovery
from beholder.studies.recovery import (
    inconsistency_interval,
    maximum_likelihood,
    mean_opinion,
    model_error,
    rater_bias,
    without_bias,
    z_scores,
)
from beholder.studies.votes import Vote, gather


def same(found, recorded, vector, tolerance=1e-9):
    assert found == pytest.approx(vector(recorded), abs=tolerance, nan_ok=True)


def table(*rows):
    """Votes of a matrix of items and raters; None is missing."""
    found = [
        Vote(f"r{rater}", f"i{item}", float(value), where=f"{item},{rater}")
        for item, row in enumerate(rows)
        for rater, value in enumerate(row)
        if value is not None
    ]
    return gather(found, Scale(1.0, 5.0))


def test_recorded_mean_opinions_come_out(studies, vector):
    for case, votes in studies:
        recorded = case["results"]["MOS"]
        found = mean_opinion(votes)
        same(found.mean, recorded["quality_scores"], vector)
        same(found.error, recorded["quality_scores_std"], vector)
        same(found.deviation, recorded["quality_ambiguity"], vector)
        half = [found.interval(item).high - found.mean[item] for item in range(len(votes.items))]
        # sureal rounds the quantile to 1.95996
        assert half == pytest.approx(
            vector(recorded["quality_scores_ci95_halfwidth"]), rel=3e-6, nan_ok=True
        )


def test_recorded_z_scores_come_out(studies, vector):
    for case, votes in studies:
        if recorded := case["results"].get("ZS_MOS"):
            found = mean_opinion(z_scores(votes))
            same(found.mean, recorded["quality_scores"], vector)
            same(found.error, recorded["quality_scores_std"], vector)


def test_recorded_removal_of_bias_comes_out(studies, vector):
    for case, votes in studies:
        if recorded := case["results"].get("BR_MOS"):
            found = mean_opinion(without_bias(votes))
            same(found.mean, recorded["quality_scores"], vector)
            same(found.error, recorded["quality_scores_std"], vector)
            same(rater_bias(votes), recorded["observer_bias"], vector)


def test_recorded_maximum_likelihood_comes_out(studies, vector):
    for case, votes in studies:
        recorded = case["results"]["MLE_CO_AP2"]
        found = maximum_likelihood(votes)
        same(found.mean, recorded["quality_scores"], vector, 1e-6)
        same(found.error, recorded["quality_scores_std"], vector, 1e-6)
        same(found.raters.bias, recorded["observer_bias"], vector, 1e-6)
        same(found.raters.inconsistency, recorded["observer_inconsistency"], vector, 1e-6)
        intervals = inconsistency_interval(votes, found.raters)
        low, high = recorded["observer_inconsistency_ci95"]
        below = [
            v - each.low for v, each in zip(found.raters.inconsistency, intervals, strict=True)
        ]
        above = [
            each.high - v for v, each in zip(found.raters.inconsistency, intervals, strict=True)
        ]
        same(below, low, vector, 1e-6)
        same(above, high, vector, 1e-6)


def test_the_recorded_error_of_the_model_comes_out(studies, vector):
    for case, votes in studies:
        if recorded := case["results"].get("MLE_CO_AP"):
            found = maximum_likelihood(votes)
            error = model_error(votes, found.raters)
            same(error, recorded["quality_scores_std"], vector, 1e-6)


def test_maximum_likelihood_is_nearer_to_the_truth_than_the_mean(golden, studies, vector):
    case, votes = studies[0]
    truth = vector(case["truth"]["quality"])
    distance = [
        float(np.sqrt(np.mean((found.mean - truth) ** 2)))
        for found in (mean_opinion(votes), maximum_likelihood(votes))
    ]
    recorded = case["rmse_to_truth"]
    assert distance == pytest.approx([recorded["MOS"], recorded["MLE_CO_AP2"]], abs=1e-6)
    assert distance[1] < distance[0]


def test_a_mean_opinion_by_hand_comes_out():
    found = mean_opinion(table([5, 4, 3], [1, None, 2]))
    assert found.mean.tolist() == [4.0, 1.5]
    assert found.deviation.tolist() == pytest.approx([1.0, math.sqrt(0.5)])
    assert found.error.tolist() == pytest.approx([1 / math.sqrt(3), 0.5])


def test_one_vote_has_a_mean_and_no_interval():
    found = mean_opinion(table([5]))
    assert found.mean.tolist() == [5.0]
    assert math.isnan(found.error[0])
    assert math.isnan(found.interval(0).low)


def test_bias_is_found_and_taken_off():
    quality = np.array([1.5, 2.0, 2.5, 3.0, 3.5])
    votes = table(*([q, q + 1.0, q - 0.4] for q in quality))
    found = mean_opinion(without_bias(votes))
    assert found.deviation == pytest.approx(np.zeros(5), abs=1e-12)
    assert np.diff(found.mean) == pytest.approx(np.diff(quality))
    assert rater_bias(votes) == pytest.approx([-0.2, 0.8, -0.6])


def test_unanimous_votes_are_fitted_without_error():
    found = maximum_likelihood(table([2, 2, 2], [4, 4, 4]))
    assert found.mean.tolist() == pytest.approx([2.0, 4.0])
    assert found.raters.inconsistency.tolist() == pytest.approx([0.0, 0.0, 0.0])


def test_an_item_with_one_vote_has_no_interval_under_maximum_likelihood(panel):
    votes, _ = panel()
    kept = np.ones(len(votes), dtype=bool)
    kept[(votes.item == 0) & (votes.rater != 0)] = False
    found = maximum_likelihood(votes.where(kept))
    assert math.isfinite(found.mean[0])
    assert math.isnan(found.error[0])


@pytest.mark.parametrize("recover", [without_bias, maximum_likelihood])
def test_raters_who_never_overlap_are_refused_by_name(recover):
    votes = table([1, 2, None, None], [2, 4, None, None], [None, None, 3, 4], [None, None, 3, 1])
    with pytest.raises(TableError, match=r"2 groups that share no item \(e\.g\. 'r0' \| 'r2'\)"):
        recover(votes)


def test_a_single_rater_is_refused():
    for recover in (without_bias, maximum_likelihood):
        with pytest.raises(TableError, match="one rater alone"):
            recover(table([1], [2], [3]))


def test_a_rater_with_one_vote_is_refused_by_name():
    with pytest.raises(TableError, match=r"1 rater \('r2'\) with fewer than two votes"):
        maximum_likelihood(table([1, 2, 3], [2, 3, None], [4, 4, None]))


def test_one_vote_an_item_is_refused():
    votes = gather([Vote("a", f"{n}", 3.0) for n in range(2)], Scale(1.0, 5.0))
    with pytest.raises(TableError, match="one rater alone"):
        maximum_likelihood(votes)


def test_a_likelihood_without_maximum_is_refused_not_answered():
    random = np.random.default_rng(0)
    rows = random.integers(1, 6, (10, 4)).astype(float).tolist()
    with pytest.raises(TableError, match=r"can follow rater 'r\d' without any error"):
        maximum_likelihood(table(*rows))


def test_a_rater_without_variety_has_no_z_score_and_is_named():
    with pytest.raises(TableError, match=r"1 rater \('r1'\) with one vote or only equal ones"):
        z_scores(table([1, 3], [2, 3], [5, 3]))


def test_every_method_has_words():
    assert set(recovery.METHODS) == {"mos", "zscore", "bt500", "p913", "mle"}
