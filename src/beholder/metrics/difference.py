"""Whether one model follows opinions better than another on the same items.

Two models judged on the same items are dependent: their two intervals may overlap and the models
still differ. So the difference itself gets an interval, by the paired bootstrap or in closed form.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy import stats

from beholder.metrics.correlation import ERRORS, MEASURES, reason_for
from beholder.metrics.intervals import ORDINARY, Draws, fisher, percentiles, replicate
from beholder.metrics.value import CONFIDENCE, UNKNOWN, Interval, quantile

BETTER: Final = "better"
WORSE: Final = "worse"
NOT_SEPARABLE: Final = "not separable"
POWER: Final = 0.8
"""Probability with which the stated number of items would show a difference of this size."""


@dataclass(frozen=True)
class Dependent:
    """Three correlations over the same n items: of a and of b with opinions, and of a with b."""

    a: float
    b: float
    ab: float
    n: int


@dataclass(frozen=True)
class Test:
    """A test statistic, its two-sided p value, and an interval of what was tested."""

    __test__ = False  # not a case for pytest

    statistic: float
    p: float
    interval: Interval = UNKNOWN


@dataclass(frozen=True)
class Difference:
    """The paired difference of a measure, a minus b, and what it says about a."""

    measure: str
    value: float
    low: float
    high: float
    p: float
    n: int
    """Items both models were judged on."""
    verdict: str
    """`better`, `worse` or `not separable`: what can be said of a against b."""
    needed: int | None
    """Items needed to show a difference of this size with a power of 0.8; None if it is 0."""
    reason: str = ""
    """Why the difference or its interval is missing; empty when both are there."""


def compare(
    measure: str,
    a: Float[ndarray, " n"],
    b: Float[ndarray, " n"],
    opinions: Float[ndarray, " n"],
    draws: Draws = ORDINARY,
) -> Difference:
    """Compare two models by the paired bootstrap: one set of draws for both.

    Errors count the other way round: a smaller RMSE is better. Items in which a model has a gap
    must be taken out of all three vectors first.

    >>> truth = np.arange(40.0)
    >>> rough = truth + 15 * np.sin(truth)
    >>> compare("srcc", truth, rough, truth, Draws(replicates=200)).verdict
    'better'
    >>> compare("srcc", truth, truth, truth, Draws(replicates=200)).verdict
    'not separable'
    """
    n = len(opinions)
    if reason := reason_for(measure, a, opinions) or reason_for(measure, b, opinions):
        nan = math.nan
        return Difference(measure, nan, nan, nan, nan, n, NOT_SEPARABLE, None, reason)
    function = MEASURES[measure]
    value = function(a, opinions) - function(b, opinions)
    drawn = replicate(measure, a, opinions, draws) - replicate(measure, b, opinions, draws)
    interval = percentiles(drawn) if draws.units(n) > 1 else UNKNOWN
    if interval is UNKNOWN:
        reason = "too few replicates exist for an interval"
        nan = math.nan
        return Difference(measure, value, nan, nan, nan, n, NOT_SEPARABLE, None, reason)
    return Difference(
        measure,
        value,
        interval.low,
        interval.high,
        p=bootstrap_p(drawn),
        n=n,
        verdict=verdict(measure, interval),
        needed=items_needed(value, float(np.nanstd(drawn, ddof=1)), n),
    )


def verdict(measure: str, interval: Interval) -> str:
    """Say what an interval of a difference means; one that holds 0 separates nothing.

    >>> verdict("srcc", Interval(0.01, 0.05)), verdict("rmse", Interval(0.01, 0.05))
    ('better', 'worse')
    """
    if not (interval.low > 0 or interval.high < 0):
        return NOT_SEPARABLE
    more = interval.low > 0
    return BETTER if more != (measure in ERRORS) else WORSE


def items_needed(value: float, deviation: float, n: int, power: float = POWER) -> int | None:
    """Return how many items would show a difference of this size at 95 %, with that power.

    The standard error falls with √n: n · ((z₀.₉₇₅ + z_power) · se / |difference|)².

    >>> items_needed(0.02, 0.01, 100)
    197
    """
    if value == 0 or deviation == 0 or math.isnan(deviation):
        return None
    factor = quantile(CONFIDENCE) + float(stats.norm.ppf(power))
    return math.ceil(n * (factor * deviation / abs(value)) ** 2)


def bootstrap_p(drawn: Float[ndarray, " replicates"]) -> float:
    """Return twice the smaller share of differences on one side of 0, counting one more of each.

    Davison and Hinkley 1997, chapter 4: min(1, 2·(count + 1)/(replicates + 1)).
    """
    finite = drawn[np.isfinite(drawn)]
    if not len(finite):
        return math.nan
    side = min(int(np.sum(finite <= 0)), int(np.sum(finite >= 0)))
    return min(1.0, 2 * (side + 1) / (len(finite) + 1))


def meng(r: Dependent, confidence: float = CONFIDENCE) -> Test:
    """Test z(a) - z(b) after Meng, Rosenthal and Rubin 1992 (DOI 10.1037/0033-2909.111.1.172).

    >>> round(meng(Dependent(0.63, -0.03, -0.19, 15)).statistic, 2)
    1.68
    """
    if _degenerate(r):
        return Test(math.nan, math.nan)
    mean_square = (r.a**2 + r.b**2) / 2
    f = min(1.0, (1 - r.ab) / (2 * (1 - mean_square)))
    h = (1 - f * mean_square) / (1 - mean_square)
    error = math.sqrt(2 * (1 - r.ab) * h / (r.n - 3))
    gap, half = math.atanh(r.a) - math.atanh(r.b), quantile(confidence) * error
    return Test(gap / error, _two_sided(gap / error), Interval(gap - half, gap + half))


def steiger(r: Dependent) -> Test:
    """Test z(a) - z(b) after Steiger 1980, mean correlation (DOI 10.1037/0033-2909.87.2.245)."""
    if _degenerate(r):
        return Test(math.nan, math.nan)
    square = ((r.a + r.b) / 2) ** 2
    above = r.ab * (1 - 2 * square) - 0.5 * square * (1 - 2 * square - r.ab**2)
    spread = 2 - 2 * above / (1 - square) ** 2
    if spread <= 0:
        return Test(math.nan, math.nan)
    z = (math.atanh(r.a) - math.atanh(r.b)) * math.sqrt((r.n - 3) / spread)
    return Test(z, _two_sided(z))


def williams(r: Dependent) -> Test:
    """Test a - b by Williams' t with n - 3 degrees of freedom (Williams 1959; Steiger 1980)."""
    if _degenerate(r):
        return Test(math.nan, math.nan)
    determinant = 1 - r.a**2 - r.b**2 - r.ab**2 + 2 * r.a * r.b * r.ab
    mean = (r.a + r.b) / 2
    below = 2 * determinant * (r.n - 1) / (r.n - 3) + mean**2 * (1 - r.ab) ** 3
    if below <= 0:
        return Test(math.nan, math.nan)
    t = (r.a - r.b) * math.sqrt((r.n - 1) * (1 + r.ab) / below)
    return Test(t, float(2 * stats.t.sf(abs(t), r.n - 3)))


def zou(r: Dependent, confidence: float = CONFIDENCE) -> Interval:
    """Return the interval of a - b after Zou 2007 (DOI 10.1037/1082-989X.12.4.399).

    >>> interval = zou(Dependent(0.396, 0.179, 0.088, 66))
    >>> round(interval.low, 3), round(interval.high, 3)
    (-0.093, 0.517)
    """
    if _degenerate(r):
        return UNKNOWN
    of_a, of_b = fisher(r.a, r.n, confidence), fisher(r.b, r.n, confidence)
    squares = 1 - r.a**2 - r.b**2 - r.ab**2
    c = ((r.ab - r.a * r.b / 2) * squares + r.ab**3) / ((1 - r.a**2) * (1 - r.b**2))
    down, up = (r.a - of_a.low, of_b.high - r.b), (of_a.high - r.a, r.b - of_b.low)
    gap = r.a - r.b
    return Interval(gap - _joined(*down, c), gap + _joined(*up, c))


def _joined(first: float, second: float, c: float) -> float:
    return math.sqrt(max(0.0, first**2 + second**2 - 2 * c * first * second))


def _degenerate(r: Dependent) -> bool:
    """Tell whether the closed forms are 0/0: too few items, or a perfect correlation."""
    correlations = (r.a, r.b, r.ab)
    return r.n < 4 or any(math.isnan(each) or abs(each) >= 1 for each in correlations)


def _two_sided(z: float) -> float:
    return float(2 * stats.norm.sf(abs(z)))
