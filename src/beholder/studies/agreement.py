"""How far raters agree: intraclass correlation and Krippendorff's alpha, with intervals.

Both are computed on the matrix of items and raters; repeated votes of a rater are averaged first.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from scipy import stats

from beholder._counting import counted
from beholder.metrics.intervals import Draws, percentiles
from beholder.metrics.value import CONFIDENCE, Value
from beholder.studies.votes import Votes

LEVELS: Final = ("nominal", "ordinal", "interval")
ROUNDING: Final = 1e-12
ALPHA_DRAWS: Final = Draws(replicates=1000)


@dataclass(frozen=True)
class Icc:
    """ICC(2,1) and ICC(2,k) of Shrout and Fleiss: two-way random raters, absolute agreement."""

    single: Value
    """How far one rater's votes can stand for everybody's."""
    mean: Value
    """How far the mean of these k raters can."""
    k: int


@dataclass(frozen=True)
class _Squares:
    """Mean squares of the two-way analysis of variance of n items and k raters."""

    items: float
    raters: float
    error: float
    n: int
    k: int


def icc(matrix: Float[ndarray, "items raters"]) -> Icc:
    """Return ICC(2,1) and ICC(2,k) of a complete matrix.

    Shrout and Fleiss 1979 (DOI 10.1037/0033-2909.86.2.420); intervals with Satterthwaite's degrees
    of freedom as McGraw and Wong 1996 (DOI 10.1037/1082-989X.1.1.30).

    >>> table = np.array([[9.0, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9]])
    >>> round(icc(table).single.value, 2)
    0.33
    """
    n, k = matrix.shape
    if reason := _why_no_icc(matrix):
        return Icc(Value(math.nan, reason=reason), Value(math.nan, reason=reason), k)
    squares = _mean_squares(matrix)
    rows, columns, error = squares.items, squares.raters, squares.error
    below = rows + (k - 1) * error + k * (columns - error) / n
    mean_below = rows + (columns - error) / n
    if below <= 0 or mean_below <= 0:
        reason = "every vote is the same: there is nothing to agree on"
        return Icc(Value(math.nan, reason=reason), Value(math.nan, reason=reason), k)
    single = (rows - error) / below
    low, high = _icc_interval(squares, single)
    reason = "raters differ by constants only: no interval" if math.isnan(low) else ""
    mean = (rows - error) / mean_below
    return Icc(
        Value(single, low, high, reason),
        Value(mean, _stepped_up(low, k), _stepped_up(high, k), reason),
        k,
    )


def icc_of(votes: Votes) -> Icc:
    """Return the ICC of a study; repeated votes of a rater are averaged first."""
    cells, filled = len(votes.items) * len(votes.raters), len(votes.averaged())
    if filled < cells:
        # The matrix of a crowd is large and nearly empty: it is not built to be refused.
        reason = _gaps(cells - filled, cells)
        return Icc(Value(math.nan, reason=reason), Value(math.nan, reason=reason), 0)
    return icc(votes.matrix())


def krippendorff(
    item: Int[ndarray, " votes"],
    value: Float[ndarray, " votes"],
    level: str = "interval",
    draws: Draws = ALPHA_DRAWS,
) -> Value:
    """Return Krippendorff's alpha; items with one vote do not count.

    1 - observed/expected disagreement over pairs of votes on an item (Krippendorff 2004, chapter
    11). `level` says what a difference is: any (`nominal`), the votes that lie between, squared
    (`ordinal`), the difference squared (`interval`). The interval is a bootstrap over items.

    >>> item, value = np.array([0, 0, 1, 1, 2, 2]), np.array([1.0, 1.0, 2.0, 2.0, 3.0, 4.0])
    >>> round(krippendorff(item, value, draws=Draws(replicates=2)).value, 4)
    0.878
    """
    sizes = np.bincount(item)
    paired = sizes[item] > 1
    group, value = np.unique(item[paired], return_inverse=True)[1], value[paired]
    count = int(group.max()) + 1 if len(group) else 0
    if count < 2:
        return Value(
            math.nan,
            reason=f"{counted(count, 'item has', 'items have')} two votes or more: too few",
        )
    cells = _cells(group, value)
    alpha = _alpha(cells, level, np.ones(count))
    if math.isnan(alpha):
        return Value(math.nan, reason="every vote is the same: there is nothing to agree on")
    drawn = [_alpha(cells, level, counts.astype(np.float64)) for counts in draws.counts(count)]
    interval = percentiles(np.array(drawn))
    return Value(alpha, interval.low, interval.high)


def krippendorff_of(votes: Votes, level: str = "interval", draws: Draws = ALPHA_DRAWS) -> Value:
    """Return alpha of a study; repeated votes of a rater are averaged first."""
    own = votes.averaged()
    return krippendorff(own.item, own.value, level, draws)


@dataclass(frozen=True)
class _Cells:
    """How often each item got each value: short, whatever the number of votes."""

    item: Int[ndarray, " cells"]
    kind: Int[ndarray, " cells"]
    """Place of the value among all values in order."""
    times: Float[ndarray, " cells"]
    values: Float[ndarray, " kinds"]
    sizes: Float[ndarray, " items"]
    """Votes of each item."""


def _cells(item: Int[ndarray, " votes"], value: Float[ndarray, " votes"]) -> _Cells:
    values, kind = np.unique(value, return_inverse=True)
    cell, times = np.unique(item * len(values) + kind, return_counts=True)
    return _Cells(
        cell // len(values),
        cell % len(values),
        times.astype(np.float64),
        values,
        np.bincount(item).astype(np.float64),
    )


def _alpha(cells: _Cells, level: str, counts: Float[ndarray, " items"]) -> float:
    """Return alpha when each item is there `counts` times."""
    times = counts[cells.item] * cells.times
    totals = np.bincount(cells.kind, times, len(cells.values))
    total = float(totals.sum())
    if level == "nominal":
        own = np.bincount(cells.item, cells.times**2, len(cells.sizes))
        observed = float(counts @ ((cells.sizes**2 - own) / (cells.sizes - 1))) / total
        expected = (total**2 - float(totals @ totals)) / (total - 1) / total
    else:
        # The ordinal distance of two values is the distance of the middles of their ranks.
        places = np.cumsum(totals) - totals / 2 if level == "ordinal" else cells.values
        x = (places - float(totals @ places) / total)[cells.kind]
        sums, squares = (
            np.bincount(cells.item, cells.times * each, len(cells.sizes)) for each in (x, x**2)
        )
        within = (squares - sums**2 / cells.sizes) * cells.sizes / (cells.sizes - 1)
        observed = 2 * float(counts @ within) / total
        expected = 2 * float(counts @ squares) / (total - 1)
    return 1 - observed / expected if expected > ROUNDING else math.nan


def _why_no_icc(matrix: Float[ndarray, "items raters"]) -> str:
    n, k = matrix.shape
    if gaps := int(np.sum(~np.isfinite(matrix))):
        return _gaps(gaps, n * k)
    if n < 2 or k < 2:
        few = f"{counted(n, 'item')} and {counted(k, 'rater')}"
        return f"{few} are too few: it needs two of each"
    return ""


def _gaps(gaps: int, cells: int) -> str:
    missing = "is missing" if gaps == 1 else "are missing"
    return f"{gaps} of {cells} votes {missing}: it needs every rater on every item"


def _mean_squares(matrix: Float[ndarray, "items raters"]) -> _Squares:
    n, k = matrix.shape
    middle = matrix.mean()
    of_items, of_raters = matrix.mean(axis=1) - middle, matrix.mean(axis=0) - middle
    rest = matrix - middle - of_items[:, None] - of_raters[None, :]
    return _Squares(
        items=k * float(np.sum(of_items**2)) / (n - 1),
        raters=n * float(np.sum(of_raters**2)) / (k - 1),
        error=float(np.sum(rest**2)) / ((n - 1) * (k - 1)),
        n=n,
        k=k,
    )


def _icc_interval(squares: _Squares, single: float) -> tuple[float, float]:
    n, k = squares.n, squares.k
    if squares.error <= 0:
        return math.nan, math.nan
    ratio = squares.raters / squares.error
    share = n * (1 + (k - 1) * single) - k * single
    above = (k - 1) * (n - 1) * (k * single * ratio + share) ** 2
    freedom = above / ((n - 1) * k**2 * single**2 * ratio**2 + share**2)
    point = 0.5 + CONFIDENCE / 2
    upper = float(stats.f.ppf(point, n - 1, freedom))
    lower = float(stats.f.ppf(point, freedom, n - 1))
    rest = k * squares.raters + (k * n - k - n) * squares.error
    low = n * (squares.items - upper * squares.error) / (upper * rest + n * squares.items)
    high = n * (lower * squares.items - squares.error) / (rest + n * lower * squares.items)
    return low, high


def _stepped_up(single: float, k: int) -> float:
    """Return the reliability of a mean of k from that of one (Spearman-Brown)."""
    return single * k / (1 + single * (k - 1))
