"""Krasula's analysis: recorded numbers, small cases by hand, sampled pairs, and bad input."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from beholder.metrics.krasula import (
    contest,
    gaps,
    pairings,
    proportions,
    resolve,
    significance,
)

STATS = Path(__file__).parents[3] / "shared" / "fixtures" / "stats"

NAMES = {
    "auc_different": "AUC_DS",
    "auc_better": "AUC_BW",
    "correct": "CC_0",
    "threshold": "THR",
}


def test_recorded_analyses_come_out(golden):
    for case in golden("1_correlations/krasula_synthetic.json")["cases"]:
        votes = np.array(case["votes"])
        chosen = pairings(len(votes))
        raters = np.full(len(votes), votes.shape[1])
        signs = significance(votes.mean(axis=1), votes.std(axis=1, ddof=1), raters, chosen)
        recorded = case["pairs_unique_i_lt_j"]
        models = [gaps(np.array(each), chosen) for each in case["predictions"]]
        for number, gap in enumerate(models):
            found = resolve(gap, signs)
            assert (found.pairs, found.different) == (
                recorded["n_pairs"],
                recorded["n_significant"],
            )
            for name, theirs in NAMES.items():
                assert getattr(found, name) == pytest.approx(recorded[theirs][number], abs=1e-9)
        check_contests(models, signs, recorded)


def check_contests(models, signs, recorded):
    for i, a in enumerate(models):
        for j, b in enumerate(models):
            if i == j:
                continue
            found = contest(a, b, signs)
            assert found.auc_different == pytest.approx(recorded["pDS_DL"][i][j], abs=1e-9)
            assert found.auc_better == pytest.approx(recorded["pBW_DL"][i][j], abs=1e-9)
            different = signs != 0
            right = [float(np.mean(each[different] * signs[different] > 0)) for each in (a, b)]
            twice = proportions(right[0], right[1], 2 * int(different.sum()))
            assert twice == pytest.approx(recorded["pCC0_b"][i][j], abs=1e-9)
            assert found.correct >= twice


def test_the_toyama_pairs_come_out(golden):
    recorded = golden("third_party/toyama_expected.json")
    with (STATS / "third_party" / "toyama_pairs.csv").open() as file:
        rows = np.array([[float(cell) for cell in row] for row in list(csv.reader(file))[1:]])
    signs = rows[:, 0].astype(np.int64)
    for number in range(5):
        found = resolve(np.ascontiguousarray(rows[:, 1 + number]), signs)
        for name, theirs in NAMES.items():
            assert getattr(found, name) == pytest.approx(recorded[theirs][number], abs=1e-9)
    check_contests([np.ascontiguousarray(rows[:, k]) for k in (1, 2, 3, 4, 5)], signs, recorded)


def test_a_case_by_hand_comes_out():
    signs = np.array([1, -1, 1, 0, 0])
    found = resolve(np.array([3.0, -1.0, -0.5, 0.8, -0.2]), signs)
    assert found.auc_different == pytest.approx(5 / 6)
    assert found.correct == pytest.approx(2 / 3)
    assert found.auc_better == pytest.approx(8 / 9)
    assert found.threshold == pytest.approx(0.2 + 0.95 * 0.6)


def test_equal_scores_count_as_wrong():
    assert resolve(np.array([0.0, 1.0]), np.array([1, 1])).correct == 0.5


def test_two_standard_errors_make_a_difference_and_no_spread_makes_any_gap_one():
    chosen = pairings(3)
    opinions, raters = np.array([3.0, 3.5, 3.5]), np.array([8, 8, 8])
    assert significance(opinions, np.full(3, 0.49), raters, chosen).tolist() == [-1, -1, 0]
    assert significance(opinions, np.full(3, 0.51), raters, chosen).tolist() == [0, 0, 0]
    assert significance(opinions, np.zeros(3), raters, chosen).tolist() == [-1, -1, 0]


def test_a_sample_of_pairs_holds_each_pair_at_most_once_and_is_seeded():
    for n, most in ((40, 779), (40, 1), (2000, 5000)):
        chosen = pairings(n, most, seed=3)
        assert np.all(chosen.first < chosen.second)
        assert np.all((chosen.first >= 0) & (chosen.second < n))
        assert len(set(zip(chosen.first.tolist(), chosen.second.tolist(), strict=True))) == most
        assert chosen.possible == n * (n - 1) // 2
        assert np.array_equal(chosen.second, pairings(n, most, seed=3).second)
    assert len(pairings(40, 780).first) == 780


def test_a_model_against_itself_is_equal():
    random = np.random.default_rng(1)
    gap = random.normal(size=60)
    signs = random.integers(-1, 2, 60)
    found = contest(gap, gap, signs)
    assert (found.auc_different, found.auc_better, found.correct) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("signs", "part"),
    [([0, 0, 0], "tell no pair apart"), ([1, -1, 1], "tell every pair apart"), ([], "no pair")],
)
def test_when_people_tell_nothing_or_everything_apart_it_is_said(signs, part):
    gap = np.arange(1.0, 1.0 + len(signs))
    found = resolve(gap, np.array(signs, dtype=np.int64))
    assert part in found.reason
    assert math.isnan(found.auc_different)
    assert math.isnan(contest(gap, gap, np.array(signs, dtype=np.int64)).auc_different)
