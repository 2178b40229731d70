"""Agreement: recorded ICC and alpha with intervals, cases by hand, and bad input."""

import math

import numpy as np
import pytest

from beholder.metrics.intervals import Draws
from beholder.studies.agreement import LEVELS, icc, krippendorff

FEW = Draws(replicates=20)


def matrix_of(case):
    return np.array(
        [
            [math.nan if cell is None else float(cell) for cell in row]
            for row in case["votes_stimuli_x_raters"]
        ]
    )


def test_recorded_icc_and_intervals_come_out(golden):
    for case in golden("5_interrater/interrater.json")["cases"]:
        found = icc(matrix_of(case))
        if not case.get("icc_hand"):
            assert f"{case['n_missing']} of" in found.single.reason
            continue
        assert found.single.value == pytest.approx(case["icc_hand"]["ICC2_1"], abs=1e-9)
        assert found.mean.value == pytest.approx(case["icc_hand"]["ICC2_k"], abs=1e-9)
        for value, name in ((found.single, "ICC2_1"), (found.mean, "ICC2_k")):
            interval = case["icc2_ci95_hand"][name]
            assert [value.low, value.high] == pytest.approx(interval, abs=1e-9)


@pytest.mark.parametrize("level", LEVELS)
def test_recorded_alphas_come_out(level, golden):
    for case in golden("5_interrater/interrater.json")["cases"]:
        found = krippendorff(matrix_of(case), level, FEW)
        assert found.value == pytest.approx(case[f"krippendorff_{level}"], abs=1e-9)


def test_perfect_agreement_is_one_and_chance_is_about_nought():
    same = np.repeat(np.arange(1.0, 6.0)[:, None], 4, axis=1)
    for level in LEVELS:
        assert krippendorff(same, level, FEW).value == pytest.approx(1.0)
    chance = np.random.default_rng(1).integers(1, 6, (400, 5)).astype(float)
    for level in LEVELS:
        found = krippendorff(chance, level, Draws(200))
        assert abs(found.value) < 0.05
        assert found.low < found.value < found.high


def test_items_with_one_vote_do_not_count():
    votes = np.array([[1.0, 1.0], [2.0, 3.0], [5.0, 5.0]])
    more = np.vstack([votes, [[4.0, math.nan], [math.nan, 1.0]]])
    for level in LEVELS:
        assert krippendorff(more, level, FEW).value == krippendorff(votes, level, FEW).value


@pytest.mark.parametrize(
    ("votes", "part"),
    [
        ([[1.0, math.nan], [math.nan, 2.0]], "0 items have two votes"),
        ([[3.0, 3.0], [3.0, 3.0]], "every vote is the same"),
    ],
)
def test_what_has_no_alpha_says_why(votes, part):
    found = krippendorff(np.array(votes), "interval", FEW)
    assert math.isnan(found.value)
    assert part in found.reason


@pytest.mark.parametrize(
    ("votes", "part"),
    [
        ([[1.0], [2.0]], "2 items and 1 raters are too few"),
        ([[1.0, math.nan], [2.0, 3.0]], "1 of 4 votes are missing"),
        ([[2.0, 2.0], [2.0, 2.0]], "every vote is the same"),
    ],
)
def test_what_has_no_icc_says_why(votes, part):
    found = icc(np.array(votes))
    assert math.isnan(found.single.value)
    assert math.isnan(found.mean.value)
    assert part in found.single.reason
