"""Whether a predicted spread says how far people's votes lie apart.

A rating that says 3.6 ± 0.7 claims that its votes scatter so. If it is right, the range
score ± z·spread holds as many votes as a normal distribution puts there: half of them for
z = 0.674, 95 % for z = 1.96. Fewer held means the model is too sure; more, too unsure.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy import stats

from beholder._counting import counted
from beholder.metrics.correlation import srcc
from beholder.metrics.intervals import ORDINARY, Draws, percentiles
from beholder.metrics.value import Interval, Value, quantile

LEVELS_CHECKED: Final = (0.5, 0.68, 0.8, 0.9, 0.95)
"""Probabilities at which what is expected is held against what is observed."""


@dataclass(frozen=True)
class Forecast:
    """What a model says and what people said, on one scale: score ± spread, mean ± deviation."""

    scores: Float[ndarray, " n"]
    spreads: Float[ndarray, " n"]
    """Predicted standard deviation of single votes."""
    opinions: Float[ndarray, " n"]
    """Mean opinions."""
    deviations: Float[ndarray, " n"]
    """Standard deviation of the votes each opinion is the mean of."""


@dataclass(frozen=True)
class Coverage:
    """One level: how much score ± z·spread should hold, and how much it does."""

    expected: float
    votes: float
    """Share of people's votes held, taking each item's votes as normal(opinion, deviation)."""
    opinions: float
    """Share of mean opinions held; above `expected`, since a mean scatters less than its votes."""
    low: float
    high: float
    """Bootstrap interval of `votes`."""


@dataclass(frozen=True)
class Calibration:
    """How the predicted spread follows the raters' own."""

    coverage: tuple[Coverage, ...]
    error: float
    """Mean |expected - observed| over the levels, for votes."""
    ratio: Value
    """Geometric mean of spread / deviation over items: under 1 is too sure, over 1 too unsure."""
    srcc: float
    """Rank correlation of spread with deviation: does it know which items people disagree on?"""
    n: int
    reason: str = ""
    """Why there is no calibration; empty when there is one."""


def calibrate(
    forecast: Forecast,
    levels: Sequence[float] = LEVELS_CHECKED,
    draws: Draws = ORDINARY,
) -> Calibration:
    """Hold predicted spreads against raters' deviations, with bootstrap intervals.

    >>> one = np.full(50, 0.7)
    >>> middle = np.linspace(1.5, 4.5, 50)
    >>> found = calibrate(Forecast(middle, one, middle, one), [0.5])
    >>> round(found.coverage[0].votes, 6), round(found.ratio.value, 6)
    (0.5, 1.0)
    """
    n = len(forecast.scores)
    if reason := _why_not(forecast):
        nan = Value(math.nan, reason=reason)
        return Calibration((), math.nan, nan, math.nan, n, reason)
    held = np.array([_held(forecast, level) for level in levels])
    coverage = tuple(
        _coverage(forecast, level, votes, interval)
        for level, votes, interval in zip(levels, held, _intervals(held, draws), strict=True)
    )
    return Calibration(
        coverage,
        error=float(np.mean([abs(each.expected - each.votes) for each in coverage])),
        ratio=_ratio(forecast, draws),
        srcc=srcc(forecast.spreads, forecast.deviations),
        n=n,
    )


def _why_not(forecast: Forecast) -> str:
    parts = (forecast.scores, forecast.spreads, forecast.opinions, forecast.deviations)
    gaps = int(np.sum(~np.all([np.isfinite(part) for part in parts], axis=0)))
    of = f"of {len(parts[0])} items"
    if gaps:
        told = counted(gaps, f"{of} lacks", f"{of} lack")
        return f"{told} a score, a spread, an opinion or a deviation"
    if len(parts[0]) < 2:
        return f"{counted(len(parts[0]), 'item is', 'items are')} too few for a calibration"
    if wrong := int(np.sum((forecast.spreads <= 0) | (forecast.deviations < 0))):
        told = counted(wrong, f"{of} has", f"{of} have")
        return f"{told} a spread of 0 or a negative deviation"
    return ""


def _held(forecast: Forecast, level: float) -> Float[ndarray, " n"]:
    """Return the share of each item's votes within score ± z·spread."""
    half = quantile(level) * forecast.spreads
    gap = forecast.scores - forecast.opinions
    inside = (np.abs(gap) <= half).astype(np.float64)
    scale = np.where(forecast.deviations > 0, forecast.deviations, 1.0)
    share = stats.norm.cdf((gap + half) / scale) - stats.norm.cdf((gap - half) / scale)
    return np.asarray(np.where(forecast.deviations > 0, share, inside))


def _coverage(
    forecast: Forecast, level: float, votes: Float[ndarray, " n"], interval: Interval
) -> Coverage:
    half = quantile(level) * forecast.spreads
    inside = np.abs(forecast.scores - forecast.opinions) <= half
    share = float(np.mean(votes))
    return Coverage(level, share, float(np.mean(inside)), interval.low, interval.high)


def _ratio(forecast: Forecast, draws: Draws) -> Value:
    there = forecast.deviations > 0
    if not np.any(there):
        return Value(math.nan, reason="in every item all raters agree: no deviation to compare")
    logs = np.zeros(there.shape)
    logs[there] = np.log(forecast.spreads[there] / forecast.deviations[there])
    interval = _intervals(logs[None], draws, there.astype(np.float64))[0]
    value = math.exp(float(np.sum(logs)) / int(there.sum()))
    return Value(value, math.exp(interval.low), math.exp(interval.high))


def _intervals(
    values: Float[ndarray, "k n"], draws: Draws, weights: Float[ndarray, " n"] | None = None
) -> list[Interval]:
    """Return the bootstrap interval of the weighted mean of each row."""
    n = values.shape[1]
    weights = np.ones(n) if weights is None else weights
    means = [
        values @ counts / (weights @ counts) for counts in draws.counts(n) if weights @ counts > 0
    ]
    return [percentiles(row) for row in np.array(means).T]
