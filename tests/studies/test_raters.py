"""Planted raters are found: the careless one, the biased one, the one upside down, the constant."""

import math

import numpy as np
import pytest

from beholder.levels.scale import Scale
from beholder.studies.raters import with_others
from beholder.studies.study import rate
from beholder.studies.votes import Vote, gather

WORDS = {
    "careless": "scatter more",
    "upside down": "run against the others'",
    "biased": "below the others'",
    "constant": "are the same",
}


@pytest.mark.parametrize("method", ["mos", "bt500", "p913", "mle"])
@pytest.mark.parametrize("kind", WORDS)
def test_a_planted_rater_is_noted_and_nobody_else(kind, method, panel):
    votes, _ = panel(3, r07=kind)
    study = rate(votes, method)
    noted = {row.rater: row.reason for row in study.raters if "BT.500" not in row.reason}
    assert WORDS[kind] in study.raters[7].reason
    assert [rater for rater, reason in noted.items() if reason and rater != "r07"] == []


def test_several_planted_raters_are_told_apart(panel):
    votes, _ = panel(5, r01="careless", r04="biased", r09="upside down")
    reasons = {row.rater: row.reason for row in rate(votes, "mle").raters if row.reason}
    assert set(reasons) == {"r01", "r04", "r09"}
    assert WORDS["careless"] in reasons["r01"]
    assert WORDS["biased"] in reasons["r04"]
    assert WORDS["upside down"] in reasons["r09"]


def test_the_planted_raters_of_the_recorded_studies_are_noted(studies):
    words = {"biased": "the others'", "careless": "scatter more", "swapped": "run against"}
    for case, votes in studies:
        for rater, kind in (case.get("truth") or {}).get("special_raters", {}).items():
            if kind in words:
                rows = rate(votes, "mle").raters
                assert words[kind] in rows[int(rater)].reason, case["name"]


@pytest.mark.parametrize("seed", range(5))
def test_honest_raters_are_seldom_noted(seed, panel):
    votes, _ = panel(seed)
    assert sum(bool(row.reason) for row in rate(votes, "mle").raters) <= 1


def test_the_bias_of_the_biased_and_the_scatter_of_the_careless_are_measured(panel):
    votes, _ = panel(6, r02="biased", r03="careless")
    rows = rate(votes, "mle").raters
    assert rows[2].bias == pytest.approx(-1.0, abs=0.35)
    others = [row.inconsistency for row in rows if row.rater not in ("r02", "r03")]
    assert rows[3].inconsistency > 1.7 * max(others)


def test_raters_who_never_overlap_have_no_bias_that_could_be_told():
    found = [Vote(f"r{n % 3}", f"i{n}", 1.0 + n % 5, where="made") for n in range(30)]
    votes = gather(found, Scale(1.0, 5.0))
    assert with_others(votes).n.tolist() == [0, 0, 0]
    study = rate(votes, "mos")
    assert all(math.isnan(row.bias) and math.isnan(row.inconsistency) for row in study.raters)
    assert all(row.reason == "" for row in study.raters)
    assert any("30 items have one vote" in note for note in study.notes)


def test_correlation_with_others_leaves_the_own_votes_out():
    matrix = np.array([[1.0, 2.0, 1.0], [2.0, 3.0, 5.0], [4.0, 4.0, 3.0], [5.0, 3.0, 4.0]])
    found = [Vote(f"r{r}", f"i{i}", float(matrix[i, r])) for i in range(4) for r in range(3)]
    r = with_others(gather(found, Scale(1.0, 5.0))).r
    for rater in range(3):
        others = np.delete(matrix, rater, axis=1).mean(axis=1)
        assert r[rater] == pytest.approx(np.corrcoef(matrix[:, rater], others)[0, 1])
