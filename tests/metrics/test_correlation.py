"""Correlations and errors: by hand, against scipy, against recorded numbers, and bad input."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from beholder.metrics.correlation import (
    MEASURES,
    krcc,
    mae,
    pairs,
    plcc,
    reason_for,
    rmse,
    srcc,
    why_not,
)

levels = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=3, max_size=40)


def test_recorded_correlations_come_out(golden, vector):
    recorded_as = {"krcc": "krcc_tau_b", "rmse": "rmse_raw", "mae": "mae_raw"}
    for case in golden("1_correlations/cases.json")["cases"]:
        both = pairs(vector(case["pred"]), vector(case["mos"]))
        assert len(both.predicted) == case["n_used"]
        assert both.dropped == case["n"] - case["n_used"]
        for name, measure in MEASURES.items():
            if case["n_used"] < 3 and name not in ("rmse", "mae"):
                continue
            found = measure(both.predicted, both.opinions)
            expected = float(case[recorded_as.get(name, name)])
            assert found == pytest.approx(expected, abs=1e-9, nan_ok=True), case["name"]


@given(levels)
def test_ties_of_any_kind_agree_with_scipy(values):
    x, y = np.array(values, dtype=float).T
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        assert math.isnan(srcc(x, y))
        return
    assert srcc(x, y) == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-9)
    assert plcc(x, y) == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-9)
    assert krcc(x, y) == pytest.approx(stats.kendalltau(x, y).statistic, abs=1e-9)


def test_a_table_by_hand_comes_out():
    x, y = np.array([1.0, 2.0, 2.0, 4.0]), np.array([1.0, 3.0, 2.0, 2.0])
    assert srcc(x, y) == pytest.approx(2.25 / 4.5)
    assert plcc(x, y) == pytest.approx(1 / math.sqrt(4.75 * 2))
    assert krcc(x, y) == pytest.approx((3 - 1) / 5)
    assert rmse(x, y) == pytest.approx(math.sqrt(5 / 4))
    assert mae(x, y) == pytest.approx(3 / 4)


def test_the_sign_follows_the_direction_and_nothing_is_turned_round():
    x = np.arange(5.0)
    for measure in (srcc, plcc, krcc):
        assert measure(x, -x) == pytest.approx(-1.0)


@pytest.mark.parametrize(
    ("x", "y", "part"),
    [
        ([1.0], [2.0], "1 pair is too few"),
        ([1.0, 2.0], [2.0, 1.0], "2 pairs are too few"),
        ([], [], "0 pairs are too few"),
        ([1.0, 2.0, 3.0], [2.5, 2.5, 2.5], "all opinions are 2.5"),
        ([0.1, 0.1, 0.1], [1.0, 2.0, 3.0], "all predictions are 0.1"),
        ([0.3, 0.1 + 0.2, 0.3], [1.0, 2.0, 3.0], "all predictions are 0.3"),
        ([1.0, math.nan, 3.0, 4.0], [1.0, 2.0, math.inf, 4.0], "2 of 4 pairs"),
    ],
)
def test_what_cannot_be_correlated_is_nan_and_says_why(x, y, part):
    x, y = np.array(x, dtype=float), np.array(y, dtype=float)
    assert part in why_not(x, y)
    for name in ("srcc", "plcc", "krcc"):
        assert math.isnan(MEASURES[name](x, y))
        assert reason_for(name, x, y) == why_not(x, y)


def test_an_error_needs_one_pair_only_and_takes_constants():
    one, two = np.array([1.0]), np.array([3.0])
    assert rmse(one, two) == mae(one, two) == 2.0
    assert not reason_for("rmse", one, two)
    empty = np.array([], dtype=float)
    assert math.isnan(rmse(empty, empty))
    assert "0 pairs are too few: an error needs at least 1" in reason_for("mae", empty, empty)


def test_huge_and_tiny_numbers_are_correlated_all_the_same():
    x = np.array([1.0, 2.0, 3.0, 5.0])
    y = np.array([1.0, 3.0, 2.0, 4.0])
    for factor in (1e-150, 1e150):
        assert plcc(x * factor, y) == pytest.approx(plcc(x, y))
