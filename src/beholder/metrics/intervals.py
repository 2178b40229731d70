"""Intervals of a correlation: analytic ones, and the seeded bootstrap by item or by scene.

The bootstrap counts how often each item is drawn instead of copying it, so that ranks of many
replicates at once are sums over the counts: thousands of replicates of 10,000 pairs take seconds.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from scipy import stats

from beholder.metrics.correlation import MEASURES, reason_for
from beholder.metrics.value import CONFIDENCE, UNKNOWN, Interval, Value, quantile

CHUNK: Final = 30_000
"""Counts that are held at a time."""
MOST_BY_SIGNS: Final = 300
"""Up to this many items Kendall's correlation is a product with matrices of signs."""
LEAST_FINITE: Final = 0.5
"""Share of replicates that must exist for their percentiles to be an interval."""


def fisher(r: float, n: int, confidence: float = CONFIDENCE) -> Interval:
    """Return Fisher's z interval of Pearson's correlation, se = 1/√(n-3) (Fisher 1921).

    >>> interval = fisher(0.9, 103)
    >>> round(interval.low, 4), round(interval.high, 4)
    (0.8555, 0.9313)
    """
    return _by_tanh(r, 1.0, n - 3, confidence)


def bonett_wright(r: float, n: int, confidence: float = CONFIDENCE) -> Interval:
    """Return the interval of Spearman's correlation, se = √((1+r²/2)/(n-3)).

    Bonett and Wright 2000, DOI 10.1007/BF02294183.
    """
    return _by_tanh(r, 1 + r**2 / 2, n - 3, confidence)


def fieller(r: float, n: int, confidence: float = CONFIDENCE) -> Interval:
    """Return the interval of Spearman's correlation, se = √(1.06/(n-3)).

    Fieller, Hartley and Pearson 1957, DOI 10.1093/biomet/44.3-4.470.
    """
    return _by_tanh(r, 1.06, n - 3, confidence)


def fieller_kendall(r: float, n: int, confidence: float = CONFIDENCE) -> Interval:
    """Return the interval of Kendall's correlation, se = √(0.437/(n-4)) (Fieller et al. 1957)."""
    return _by_tanh(r, 0.437, n - 4, confidence)


ANALYTIC: Final[Mapping[str, Callable[[float, int, float], Interval]]] = {
    "srcc": bonett_wright,
    "plcc": fisher,
    "krcc": fieller_kendall,
}
"""Measure → the analytic interval that reports show beside the bootstrap."""


def _by_tanh(r: float, numerator: float, freedom: int, confidence: float) -> Interval:
    if math.isnan(r) or abs(r) >= 1 or freedom < 1:
        return UNKNOWN
    middle, half = math.atanh(r), quantile(confidence) * math.sqrt(numerator / freedom)
    return Interval(math.tanh(middle - half), math.tanh(middle + half))


@dataclass(frozen=True)
class Draws:
    """How a bootstrap draws: how many replicates, from which seed, items or whole scenes."""

    replicates: int = 2000
    seed: int = 0
    scenes: Sequence[str] | None = None
    """Content group of each item; given, whole groups are drawn (cluster bootstrap), as items of
    one scene are not independent. An item whose scene is empty is a scene of its own."""

    def counts(self, n: int) -> Iterator[Int[ndarray, " n"]]:
        """Yield, replicate by replicate, how often each of n items is drawn.

        Row b is drawn by `Generator(PCG64(seed)).integers(0, n, size=n)`, n being the number of
        scenes if scenes are drawn.
        """
        random = np.random.Generator(np.random.PCG64(self.seed))
        if self.scenes is None:
            for _ in range(self.replicates):
                yield np.bincount(random.integers(0, n, size=n), minlength=n)
            return
        assert len(self.scenes) == n
        scene_of = np.unique(_named(self.scenes), return_inverse=True)[1]
        groups = int(scene_of.max()) + 1
        for _ in range(self.replicates):
            drawn = np.bincount(random.integers(0, groups, size=groups), minlength=groups)
            yield drawn[scene_of]

    def units(self, n: int) -> int:
        """Return how many independent things are drawn: items, or scenes."""
        return n if self.scenes is None else len(set(_named(self.scenes)))


def _named(scenes: Sequence[str]) -> list[str]:
    return [name or f"\0{number}" for number, name in enumerate(scenes)]


ORDINARY: Final = Draws()
"""2000 replicates by item, from seed 0."""


def replicate(
    measure: str, predicted: Float[ndarray, " n"], opinions: Float[ndarray, " n"], draws: Draws
) -> Float[ndarray, " replicates"]:
    """Return a measure on every replicate; NaN where a replicate is constant."""
    if reason_for(measure, predicted, opinions):
        return np.full(draws.replicates, math.nan)
    statistic = _ON_COUNTS[measure](predicted, opinions)
    return np.concatenate([statistic(counts) for counts in _chunks(draws, len(predicted))])


def percentiles(values: Float[ndarray, " replicates"], confidence: float = CONFIDENCE) -> Interval:
    """Return the percentile interval of replicates; those that are NaN are left out.

    Linear interpolation between order statistics, as numpy.percentile. Unknown when less than half
    of the replicates exist.
    """
    finite = values[np.isfinite(values)]
    if len(finite) < max(2, LEAST_FINITE * len(values)):
        return UNKNOWN
    tail = 50 * (1 - confidence)
    low, high = np.percentile(finite, [tail, 100 - tail])
    return Interval(float(low), float(high))


def estimate(
    measure: str,
    predicted: Float[ndarray, " n"],
    opinions: Float[ndarray, " n"],
    draws: Draws = ORDINARY,
) -> Value:
    """Return a measure with its 95 % bootstrap interval, or why there is none.

    >>> x = np.arange(30.0)
    >>> estimate("plcc", x, x + np.sin(x), Draws(replicates=200)).reason
    ''
    """
    if reason := reason_for(measure, predicted, opinions):
        return Value(math.nan, reason=reason)
    value = MEASURES[measure](predicted, opinions)
    units = draws.units(len(predicted))
    if units < 2:
        return Value(value, reason="one scene only: no other can be drawn for an interval")
    interval = percentiles(replicate(measure, predicted, opinions, draws))
    lacking = "too many replicates are constant for an interval"
    return Value(value, interval.low, interval.high, lacking if interval is UNKNOWN else "")


_Counts = Float[ndarray, "rows n"]
_Statistic = Callable[[_Counts], Float[ndarray, " rows"]]


def _chunks(draws: Draws, n: int) -> Iterator[_Counts]:
    """Yield the counts of some replicates at a time, one replicate a row."""
    counts = draws.counts(n)
    while rows := list(islice(counts, max(1, CHUNK // n))):
        yield np.array(rows, dtype=np.float64)


def _plcc_on_counts(x: Float[ndarray, " n"], y: Float[ndarray, " n"]) -> _Statistic:
    x, y = _standardised(x), _standardised(y)
    return lambda counts: _pearson(counts, x[None], y[None])


def _srcc_on_counts(x: Float[ndarray, " n"], y: Float[ndarray, " n"]) -> _Statistic:
    first, second = _groups(x), _groups(y)
    return lambda counts: _pearson(counts, _ranks(counts, first), _ranks(counts, second))


def _krcc_on_counts(x: Float[ndarray, " n"], y: Float[ndarray, " n"]) -> _Statistic:
    first, second = _groups(x), _groups(y)
    if len(x) <= MOST_BY_SIGNS:
        signs = [np.sign(np.subtract.outer(each, each)).astype(float) for each in (first, second)]
        both, untied = signs[0] * signs[1], [np.abs(each) for each in signs]
        return lambda counts: _kendall(counts, both, untied)
    return lambda counts: np.array([_kendall_of_one(row, first, second) for row in counts])


def _rmse_on_counts(x: Float[ndarray, " n"], y: Float[ndarray, " n"]) -> _Statistic:
    squares = (x - y) ** 2
    return lambda counts: np.sqrt(counts @ squares / counts.sum(axis=1))


def _mae_on_counts(x: Float[ndarray, " n"], y: Float[ndarray, " n"]) -> _Statistic:
    errors = np.abs(x - y)
    return lambda counts: counts @ errors / counts.sum(axis=1)


_ON_COUNTS: Final[Mapping[str, Callable[..., _Statistic]]] = {
    "srcc": _srcc_on_counts,
    "plcc": _plcc_on_counts,
    "krcc": _krcc_on_counts,
    "rmse": _rmse_on_counts,
    "mae": _mae_on_counts,
}


def _standardised(values: Float[ndarray, " n"]) -> Float[ndarray, " n"]:
    centred = values - np.mean(values)
    return np.asarray(centred / np.max(np.abs(centred)))


def _groups(values: Float[ndarray, " n"]) -> Int[ndarray, " n"]:
    """Return the place of each value among the distinct ones, in order."""
    return np.asarray(np.unique(values, return_inverse=True)[1])


def _ranks(counts: _Counts, group: Int[ndarray, " n"]) -> Float[ndarray, "rows n"]:
    """Return the average rank of each item in each replicate; equal values share a group."""
    rows, groups = len(counts), int(group.max()) + 1
    place = group + groups * np.arange(rows)[:, None]
    sizes = np.bincount(place.ravel(), counts.ravel(), rows * groups).reshape(rows, groups)
    return np.asarray((np.cumsum(sizes, axis=1) - (sizes - 1) / 2)[:, group])


def _pearson(
    counts: _Counts, x: Float[ndarray, "xs n"], y: Float[ndarray, "ys n"]
) -> Float[ndarray, " rows"]:
    """Return Pearson's correlation of each replicate; NaN where a vector is constant."""
    constant = _constant(counts, x) | _constant(counts, y)
    total = counts.sum(axis=1, keepdims=True)
    x, y = (each - np.sum(counts * each, axis=1, keepdims=True) / total for each in (x, y))
    xy, xx, yy = (np.einsum("ij,ij,ij->i", counts, *both) for both in ((x, y), (x, x), (y, y)))
    below = np.sqrt(np.where(constant, 1.0, xx * yy))
    return np.where(constant, math.nan, np.clip(xy / below, -1.0, 1.0))


def _constant(counts: _Counts, x: Float[ndarray, "xs n"]) -> Bool[ndarray, " rows"]:
    drawn = counts > 0
    low = np.min(np.where(drawn, x, math.inf), axis=1)
    return np.asarray(low == np.max(np.where(drawn, x, -math.inf), axis=1))


def _kendall(
    counts: _Counts, both: Float[ndarray, "n n"], untied: Sequence[Float[ndarray, "n n"]]
) -> Float[ndarray, " rows"]:
    """Return tau-b of each replicate from the signs of all pairs."""
    above, first, second = (
        np.sum((counts @ each) * counts, axis=1) for each in (both, untied[0], untied[1])
    )
    constant = (first == 0) | (second == 0)
    below = np.sqrt(np.where(constant, 1.0, first)) * np.sqrt(np.where(constant, 1.0, second))
    return np.where(constant, math.nan, np.clip(above / below, -1.0, 1.0))


def _kendall_of_one(
    counts: Float[ndarray, " n"], first: Int[ndarray, " n"], second: Int[ndarray, " n"]
) -> float:
    times = counts.astype(np.int64)
    left, right = np.repeat(first, times), np.repeat(second, times)
    if np.all(left == left[0]) or np.all(right == right[0]):
        return math.nan
    return float(stats.kendalltau(left, right, method="asymptotic").statistic)
