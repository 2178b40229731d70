"""Differences of two models: recorded tests, papers' examples, verdicts, and bad input."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from beholder.metrics.difference import (
    Dependent,
    compare,
    items_needed,
    meng,
    steiger,
    williams,
    zou,
)
from beholder.metrics.intervals import Draws

CASES = "1_correlations/dependent_differences.json"


def test_recorded_tests_come_out(golden):
    checked = 0
    for case in golden(CASES)["cases"]:
        for measure in ("plcc", "srcc"):
            if "meng_z" not in (recorded := case.get(measure) or {}):
                continue
            r = Dependent(recorded["r_a"], recorded["r_b"], recorded["r_ab"], recorded["n"])
            for test, name in ((meng, "meng_z"), (steiger, "steiger_z"), (williams, "williams_t")):
                found = test(r)
                assert found.statistic == pytest.approx(recorded[name], abs=1e-9)
                p = recorded[name[:-2] + "_p"]
                assert found.p == pytest.approx(p, rel=1e-6)
            interval = meng(r).interval
            assert [interval.low, interval.high] == pytest.approx(
                recorded["meng_ci95_dz"], abs=1e-9
            )
            interval = zou(r)
            assert [interval.low, interval.high] == pytest.approx(
                recorded["zou_ci95_diff"], abs=1e-9
            )
            checked += 1
    assert checked >= 9


@pytest.mark.parametrize("measure", ["plcc", "srcc"])
def test_recorded_paired_bootstraps_come_out(measure, golden, vector):
    for case in golden(CASES)["cases"]:
        if "bootstrap" not in case:
            continue
        recorded = case["bootstrap"][measure]
        draws = Draws(case["bootstrap"]["B"], case["bootstrap"]["seed"])
        a, b, mos = (vector(case[name]) for name in ("pred_a", "pred_b", "mos"))
        found = compare(measure, a, b, mos, draws)
        assert [found.low, found.high] == pytest.approx(recorded["ci95"], abs=1e-9)
        assert found.p == pytest.approx(recorded["p_two_sided"], abs=1e-9)
        separated = recorded["ci95"][0] > 0 or recorded["ci95"][1] < 0
        assert (found.verdict == "better") == separated
        mirrored = compare(measure, b, a, mos, Draws(200))
        assert mirrored.verdict != "better"
        assert mirrored.value == -found.value


def test_the_examples_of_the_papers_come_out():
    assert meng(Dependent(0.63, -0.03, -0.19, 15)).statistic == pytest.approx(1.68, abs=5e-3)
    interval = zou(Dependent(0.396, 0.179, 0.088, 66))
    assert [interval.low, interval.high] == pytest.approx([-0.093, 0.517], abs=5e-4)


def test_a_model_against_itself_is_not_separable_and_no_number_of_items_helps():
    random = np.random.default_rng(1)
    x, y = random.normal(size=(2, 40))
    found = compare("srcc", x, x, y, Draws(200))
    assert (found.value, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)
    assert found.verdict == "not separable"
    assert found.needed is None
    for test in (meng, steiger, williams):
        assert math.isnan(test(Dependent(0.5, 0.5, 1.0, 40)).statistic)
    assert math.isnan(zou(Dependent(0.5, 0.5, 1.0, 40)).low)


def test_a_smaller_error_is_better():
    random = np.random.default_rng(2)
    truth = random.uniform(1, 5, 200)
    near, far = truth + random.normal(0, 0.2, 200), truth + random.normal(0, 0.8, 200)
    assert compare("rmse", near, far, truth, Draws(300)).verdict == "better"
    assert compare("mae", far, near, truth, Draws(300)).verdict == "worse"


def test_the_number_of_items_that_is_asked_for_is_enough():
    random = np.random.default_rng(3)

    def models(n):
        truth = random.normal(size=n)
        return truth, truth + random.normal(0, 0.6, n), truth + random.normal(0, 0.75, n)

    truth, a, b = models(4000)
    needed = compare("plcc", a, b, truth, Draws(300)).needed
    assert needed is not None
    verdicts = []
    for _ in range(40):
        truth, a, b = models(needed)
        verdicts.append(compare("plcc", a, b, truth, Draws(200)).verdict)
    assert 0.6 <= verdicts.count("better") / 40 <= 0.98


@given(st.floats(1e-4, 0.5), st.floats(1e-4, 0.5), st.integers(10, 10_000))
def test_half_the_difference_needs_four_times_the_items(value, deviation, n):
    once, half = items_needed(value, deviation, n), items_needed(value / 2, deviation, n)
    assert once is not None
    assert half is not None
    assert 4 * once - 4 <= half <= 4 * once


@pytest.mark.parametrize(
    ("a", "b", "y", "part"),
    [
        ([1.0, 2.0], [2.0, 1.0], [1.0, 2.0], "2 pairs"),
        ([1.0, 2.0, 3.0], [4.0, 4.0, 4.0], [1.0, 2.0, 3.0], "all predictions are 4"),
        ([1.0, 2.0, math.nan], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0], "1 of 3"),
    ],
)
def test_what_cannot_be_compared_says_why(a, b, y, part):
    found = compare("srcc", np.array(a), np.array(b), np.array(y), Draws(20))
    assert part in found.reason
    assert found.verdict == "not separable"
    assert math.isnan(found.value)
    assert math.isnan(found.p)


def test_models_compared_on_one_scene_have_a_difference_and_no_verdict():
    random = np.random.default_rng(4)
    a, b, y = random.normal(size=(3, 20))
    found = compare("srcc", a, b, y, Draws(20, scenes=["one"] * 20))
    assert not math.isnan(found.value)
    assert found.verdict == "not separable"
    assert found.reason


def test_more_power_needs_more_items_by_the_formula():
    z = stats.norm.ppf
    for power in (0.5, 0.8, 0.95):
        expected = 200 * ((z(0.975) + z(power)) * 0.01 / 0.02) ** 2
        assert items_needed(0.02, 0.01, 200, power) == math.ceil(expected)
    assert items_needed(-0.02, 0.01, 200) == items_needed(0.02, 0.01, 200)
