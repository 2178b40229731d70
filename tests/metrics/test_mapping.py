"""Logistic fits: recorded optima, known curves, flat valleys, and bad input."""

import math

import numpy as np
import pytest

from beholder.metrics import mapping
from beholder.metrics.correlation import plcc, rmse
from beholder.metrics.mapping import CURVES, fit, line


@pytest.mark.parametrize("name", CURVES)
def test_recorded_fits_are_found(name, golden, vector):
    for case in golden("1_correlations/cases.json")["cases"]:
        if not (recorded := case.get(name)):
            continue
        x, y = vector(case["pred"]), vector(case["mos"])
        curve = fit(name, x, y)
        assert curve.well_conditioned == recorded["well_conditioned"], case["name"]
        assert curve.error <= recorded["lm_sse"] * (1 + 1e-4)
        if not recorded["well_conditioned"]:
            continue
        assert curve.parameters == pytest.approx(recorded["params_global"], rel=1e-4)
        fitted = curve(x)
        assert plcc(fitted, y) == pytest.approx(recorded["plcc"], abs=1e-7)
        assert rmse(fitted, y) == pytest.approx(recorded["rmse"], rel=1e-7)
        assert fitted[:5] == pytest.approx(recorded["fitted_first5"], rel=1e-6)
        assert curve.condition == pytest.approx(recorded["jacobian_condition_scaled"], rel=1e-4)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_known_curve_is_found_on_any_range_and_in_both_directions(scale, sign):
    x = np.linspace(-2.0, 3.0, 60)
    truth = np.array([2.0 * sign, 1.5 / scale, 0.4 * scale, 0.3 * sign / scale, 3.0])
    y = mapping.logistic5(x * scale, truth)
    curve = fit("logistic5", x * scale, y)
    assert curve.parameters == pytest.approx(truth, rel=1e-5)
    assert curve.monotone
    assert curve.error == pytest.approx(0.0, abs=1e-12)


def test_the_fitted_correlation_is_no_less_than_the_raw_one():
    random = np.random.default_rng(5)
    x = random.normal(size=80)
    y = np.tanh(2 * x) + random.normal(0, 0.2, 80)
    for name in CURVES:
        assert plcc(fit(name, x, y)(x), y) >= plcc(x, y) - 1e-9


def test_a_straight_relation_is_told_to_leave_the_parameters_open():
    random = np.random.default_rng(1)
    x = random.uniform(1, 5, 300)
    y = x + random.normal(0, 0.01, 300)
    assert not fit("logistic4", x, y).well_conditioned


def test_a_curve_that_turns_is_told():
    x = np.linspace(0.0, 1.0, 40)
    y = mapping.logistic5(x, np.array([4.0, 30.0, 0.5, -3.0, 3.0]))
    assert not fit("logistic5", x, y).monotone


def test_the_same_vectors_give_the_same_fit():
    random = np.random.default_rng(2)
    x, y = random.normal(size=(2, 50))
    assert fit("logistic4", x, y) == fit("logistic4", x, y)


def test_the_line_to_draw_covers_the_scores():
    x = np.linspace(10.0, 20.0, 30)
    curve = fit("logistic4", x, np.tanh(x - 15) + 0.01 * np.sin(7 * x))
    drawn = line(curve, x, steps=11)
    assert drawn.x.tolist() == pytest.approx(list(range(10, 21)))
    assert drawn.y == pytest.approx(curve(drawn.x))


@pytest.mark.parametrize(
    ("name", "x", "y", "part"),
    [
        ("logistic4", [1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 5.0], "4 pairs are too few to fit 4"),
        ("logistic5", [1.0, 2.0, 2.0, 1.0, 2.0, 1.0], [1.0, 2, 3, 4, 5, 6], "2 distinct scores"),
        ("logistic4", [1.0] * 9, list(range(9)), "all predictions are 1"),
        ("logistic5", [math.nan] * 9, list(range(9)), "9 of 9 pairs"),
    ],
)
def test_what_cannot_be_fitted_says_why_and_maps_to_nan(name, x, y, part):
    x, y = np.array(x, dtype=float), np.array(y, dtype=float)
    curve = fit(name, x, y)
    assert part in curve.reason
    assert curve.parameters == ()
    assert not curve.well_conditioned
    assert np.all(np.isnan(curve(x)))
