"""Agreement: recorded ICC and alpha with intervals, cases by hand, and bad input."""

import math

import numpy as np
import pytest

from beholder.levels.scale import Scale
from beholder.metrics.intervals import Draws
from beholder.studies.agreement import LEVELS, icc, icc_of, krippendorff, krippendorff_of
from beholder.studies.votes import Vote, gather

FEW = Draws(replicates=20)


def matrix_of(case):
    return np.array(
        [
            [math.nan if cell is None else float(cell) for cell in row]
            for row in case["votes_stimuli_x_raters"]
        ]
    )


def alpha(matrix, level, draws):
    item, _ = np.nonzero(np.isfinite(matrix))
    return krippendorff(item, matrix[np.isfinite(matrix)], level, draws)


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
        found = alpha(matrix_of(case), level, FEW)
        assert found.value == pytest.approx(case[f"krippendorff_{level}"], abs=1e-9)


def test_perfect_agreement_is_one_and_chance_is_about_nought():
    same = np.repeat(np.arange(1.0, 6.0)[:, None], 4, axis=1)
    for level in LEVELS:
        assert alpha(same, level, FEW).value == pytest.approx(1.0)
    chance = np.random.default_rng(1).integers(1, 6, (400, 5)).astype(float)
    for level in LEVELS:
        found = alpha(chance, level, Draws(200))
        assert abs(found.value) < 0.05
        assert found.low < found.value < found.high


def test_items_with_one_vote_do_not_count():
    votes = np.array([[1.0, 1.0], [2.0, 3.0], [5.0, 5.0]])
    more = np.vstack([votes, [[4.0, math.nan], [math.nan, 1.0]]])
    for level in LEVELS:
        assert alpha(more, level, FEW).value == alpha(votes, level, FEW).value


@pytest.mark.parametrize(
    ("votes", "part"),
    [
        ([[1.0, math.nan], [math.nan, 2.0]], "0 items have two votes"),
        ([[3.0, 3.0], [3.0, 3.0]], "every vote is the same"),
    ],
)
def test_what_has_no_alpha_says_why(votes, part):
    found = alpha(np.array(votes), "interval", FEW)
    assert math.isnan(found.value)
    assert part in found.reason


@pytest.mark.parametrize(
    ("votes", "part"),
    [
        ([[1.0], [2.0]], "2 items and 1 rater are too few"),
        ([[1.0, math.nan], [2.0, 3.0]], "1 of 4 votes is missing"),
        ([[2.0, 2.0], [2.0, 2.0]], "every vote is the same"),
    ],
)
def test_what_has_no_icc_says_why(votes, part):
    found = icc(np.array(votes))
    assert math.isnan(found.single.value)
    assert math.isnan(found.mean.value)
    assert part in found.single.reason


@pytest.mark.parametrize("level", LEVELS)
def test_the_interval_of_alpha_is_that_of_drawing_items(level):
    votes = np.random.default_rng(3).integers(1, 4, (25, 3)).astype(float)
    found = alpha(votes, level, Draws(60, 5))
    drawn = [
        alpha(np.repeat(votes, counts, axis=0), level, Draws(1)).value
        for counts in Draws(60, 5).counts(25)
    ]
    assert [found.low, found.high] == pytest.approx(np.percentile(drawn, [2.5, 97.5]))


def test_repeated_votes_of_a_rater_are_averaged():
    cells = [("a", "x", 1.0), ("a", "y", 5.0), ("b", "x", 2.0), ("b", "y", 4.0)]
    once = gather([Vote(*cell) for cell in cells], Scale(1.0, 5.0))
    twice = gather(
        [
            Vote(rater, item, value + shift, session)
            for rater, item, value in cells
            for session, shift in (
                ("1", -0.5 if value > 1 else 0.0),
                ("2", 0.5 if value > 1 else 0.0),
            )
            if value + shift <= 5
        ],
        Scale(1.0, 5.0),
    )
    assert len(twice) == 7
    assert twice.averaged().value.tolist() == [1.0, 2.0, 4.5, 4.0]
    assert icc_of(once).k == 2
    assert krippendorff_of(once, "interval", FEW).value > 0.8


def test_a_crowd_is_refused_an_icc_without_a_matrix():
    found = [Vote(f"r{n}", f"i{n // 2}", float(1 + n % 5)) for n in range(20_000)]
    votes = gather(found, Scale(1.0, 5.0))
    assert "199980000 of 200000000 votes are missing" in icc_of(votes).single.reason
    assert not math.isnan(krippendorff_of(votes, "ordinal", FEW).value)
