"""Calibration of predicted spread: right, too sure, too unsure, and bad input."""

import math

import numpy as np
import pytest
from scipy import stats

from beholder.metrics.calibration import Forecast, calibrate
from beholder.metrics.intervals import Draws

DRAWS = Draws(200)


def forecast(error, factor, n=400, seed=0):
    random = np.random.default_rng(seed)
    opinions = random.uniform(1.5, 4.5, n)
    deviations = random.uniform(0.4, 1.0, n)
    scores = opinions + error * random.normal(size=n)
    return Forecast(scores, deviations * factor, opinions, deviations)


def test_a_perfect_forecast_holds_what_it_says_and_has_ratio_one():
    found = calibrate(forecast(0.0, 1.0), draws=DRAWS)
    assert [each.votes for each in found.coverage] == pytest.approx(
        [each.expected for each in found.coverage]
    )
    assert found.error == pytest.approx(0.0, abs=1e-12)
    assert found.ratio.value == pytest.approx(1.0)
    assert found.srcc == pytest.approx(1.0)


@pytest.mark.parametrize(("factor", "sure"), [(0.5, True), (2.0, False)])
def test_a_model_that_is_too_sure_or_too_unsure_is_told(factor, sure):
    found = calibrate(forecast(0.2, factor), draws=DRAWS)
    assert all((each.votes < each.expected) == sure for each in found.coverage)
    assert found.ratio.value == pytest.approx(factor)
    assert all(each.low <= each.votes <= each.high for each in found.coverage)


def test_coverage_of_votes_is_what_counting_drawn_votes_gives():
    truth = forecast(0.3, 0.8)
    random = np.random.default_rng(5)
    votes = random.normal(truth.opinions[:, None], truth.deviations[:, None], (400, 2000))
    half = stats.norm.ppf(0.9) * truth.spreads
    counted = np.mean(np.abs(votes - truth.scores[:, None]) <= half[:, None])
    assert calibrate(truth, [0.8], DRAWS).coverage[0].votes == pytest.approx(counted, abs=3e-3)


def test_items_without_any_deviation_are_held_or_not():
    middle, zero = np.array([1.0, 2.0, 3.0]), np.zeros(3)
    found = calibrate(Forecast(middle + 0.5, np.array([1.0, 1.0, 0.1]), middle, zero), [0.9], DRAWS)
    assert found.coverage[0].votes == pytest.approx(2 / 3)
    assert "all raters agree" in found.ratio.reason


@pytest.mark.parametrize(
    ("spreads", "deviations", "part"),
    [
        ([1.0, math.nan], [1.0, 1.0], "1 of 2 items lacks"),
        ([1.0, 0.0], [1.0, 1.0], "1 of 2 items has a spread of 0"),
        ([1.0, 1.0], [1.0, -1.0], "1 of 2 items has"),
    ],
)
def test_what_cannot_be_calibrated_says_why(spreads, deviations, part):
    two = np.array([2.0, 3.0])
    found = calibrate(Forecast(two, np.array(spreads), two, np.array(deviations)), draws=DRAWS)
    assert part in found.reason
    assert found.coverage == ()
    assert math.isnan(found.error)
