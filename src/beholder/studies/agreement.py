"""How far raters agree: intraclass correlation and Krippendorff's alpha, with intervals.

Both are computed on the matrix of items and raters; repeated votes of a rater are averaged first.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy import stats

from beholder.metrics.intervals import Draws, percentiles
from beholder.metrics.value import CONFIDENCE, Value

LEVELS: Final = ("nominal", "ordinal", "interval")
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


def krippendorff(
    matrix: Float[ndarray, "items raters"], level: str = "interval", draws: Draws = ALPHA_DRAWS
) -> Value:
    """Return Krippendorff's alpha; NaN cells are missing, items with one vote do not count.

    1 - observed/expected disagreement (Krippendorff 2004, chapter 11). `level` says what a
    difference is: any (`nominal`), the number of votes between (`ordinal`), its square
    (`interval`). The interval is a bootstrap over items.

    >>> votes = np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 4.0]])
    >>> round(krippendorff(votes, draws=Draws(replicates=2)).value, 4)
    0.878
    """
    there = np.isfinite(matrix)
    paired = matrix[there.sum(axis=1) > 1]
    if len(paired) < 2:
        return Value(math.nan, reason=f"{len(paired)} items have two votes or more: too few")
    value = _alpha(paired, level)
    if math.isnan(value):
        return Value(math.nan, reason="every vote is the same: there is nothing to agree on")
    drawn = [
        _alpha(np.repeat(paired, counts, axis=0), level) for counts in draws.counts(len(paired))
    ]
    interval = percentiles(np.array(drawn))
    return Value(value, interval.low, interval.high)


def _alpha(matrix: Float[ndarray, "items raters"], level: str) -> float:
    """Return alpha, every level as an interval one: over ranks if ordinal, sides if nominal."""
    there = np.isfinite(matrix)
    values = matrix[there]
    item = np.nonzero(there)[0]
    sizes = there.sum(axis=1)
    if level == "nominal":
        return _nominal_alpha(values, item, sizes)
    if level == "ordinal":
        values = stats.rankdata(values)
    total = len(values)
    means = np.bincount(item, weights=values, minlength=len(sizes)) / sizes
    squares = np.bincount(item, weights=(values - means[item]) ** 2, minlength=len(sizes))
    observed = float(np.sum(2 * sizes * squares / (sizes - 1))) / total
    expected = 2 * float(np.sum((values - values.mean()) ** 2)) / (total - 1)
    return 1 - observed / expected if expected > 0 else math.nan


def _nominal_alpha(values: Float[ndarray, " votes"], item: ndarray, sizes: ndarray) -> float:
    categories, kind = np.unique(values, return_inverse=True)
    counts = np.zeros((len(sizes), len(categories)))
    np.add.at(counts, (item, kind), 1)
    total = len(values)
    apart = sizes**2 - np.sum(counts**2, axis=1)
    observed = float(np.sum(apart / (sizes - 1))) / total
    expected = float(total**2 - np.sum(counts.sum(axis=0) ** 2)) / (total * (total - 1))
    return 1 - observed / expected if expected > 0 else math.nan


def _why_no_icc(matrix: Float[ndarray, "items raters"]) -> str:
    n, k = matrix.shape
    if gaps := int(np.sum(~np.isfinite(matrix))):
        return f"{gaps} of {n * k} votes are missing: it needs every rater on every item"
    if n < 2 or k < 2:
        return f"{n} items and {k} raters are too few: it needs two of each"
    return ""


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
