"""Correlations and errors of predictions against opinions: one number a pair of vectors.

Every function takes vectors without gaps: `pairs` takes out pairs with a gap and counts them.
A number that does not exist is NaN, and `why_not` says why in words.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy import stats

from beholder._counting import counted

LEAST: Final = 3
"""Pairs without which no correlation is given: two points always lie on a line."""
ROUNDING: Final = 1e-13
"""Vectors whose deviations are this small, relative to their mean, differ by rounding alone."""


@dataclass(frozen=True)
class Pairs:
    """Predictions and opinions that are both there, and how many were not."""

    predicted: Float[ndarray, " n"]
    opinions: Float[ndarray, " n"]
    dropped: int
    """Pairs in which at least one number was missing or infinite."""


def pairs(predicted: Float[ndarray, " n"], opinions: Float[ndarray, " n"]) -> Pairs:
    """Keep the pairs in which both numbers are finite, in their order.

    >>> pairs(np.array([1.0, math.nan, 3.0]), np.array([1.0, 2.0, 3.0])).dropped
    1
    """
    both = np.isfinite(predicted) & np.isfinite(opinions)
    return Pairs(predicted[both], opinions[both], int(both.size - both.sum()))


def why_not(predicted: Float[ndarray, " n"], opinions: Float[ndarray, " n"]) -> str:
    """Say why no correlation exists; empty when one does.

    >>> why_not(np.array([1.0, 2.0]), np.array([1.0, 2.0]))
    '2 pairs are too few: a correlation needs at least 3'
    >>> why_not(np.array([1.0, 2.0, 4.0]), np.array([3.0, 3.0, 3.0]))
    'all opinions are 3: a constant cannot be correlated'
    """
    if reason := why_no_error(predicted, opinions, LEAST):
        return reason
    for name, values in (("predictions", predicted), ("opinions", opinions)):
        mean = float(np.mean(values))
        if float(np.linalg.norm(values - mean)) <= ROUNDING * abs(mean):
            return f"all {name} are {mean:g}: a constant cannot be correlated"
    return ""


def why_no_error(
    predicted: Float[ndarray, " n"], opinions: Float[ndarray, " n"], least: int = 1
) -> str:
    """Say why no mean error exists; empty when one does."""
    count = len(predicted)
    gaps = count - int((np.isfinite(predicted) & np.isfinite(opinions)).sum())
    if gaps:
        told = counted(gaps, f"of {count} pairs holds", f"of {count} pairs hold")
        return f"{told} a number that is missing or infinite"
    if count < least:
        noun = "a correlation" if least == LEAST else "an error"
        told = counted(count, "pair is", "pairs are")
        return f"{told} too few: {noun} needs at least {least}"
    return ""


def srcc(predicted: Float[ndarray, " n"], opinions: Float[ndarray, " n"]) -> float:
    """Return Spearman's rank correlation: Pearson's of average ranks (Spearman 1904).

    >>> round(srcc(np.array([1.0, 2.0, 3.0, 9.0]), np.array([1.0, 3.0, 2.0, 4.0])), 12)
    0.8
    """
    if why_not(predicted, opinions):
        return math.nan
    return _cut(stats.spearmanr(predicted, opinions).statistic)


def plcc(predicted: Float[ndarray, " n"], opinions: Float[ndarray, " n"]) -> float:
    """Return Pearson's linear correlation.

    >>> round(plcc(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0])), 12)
    1.0
    """
    if why_not(predicted, opinions):
        return math.nan
    return _cut(stats.pearsonr(predicted, opinions).statistic)


def krcc(predicted: Float[ndarray, " n"], opinions: Float[ndarray, " n"]) -> float:
    """Return Kendall's rank correlation tau-b, which corrects for ties (Kendall 1945).

    >>> round(krcc(np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 3.0, 2.0, 4.0])), 12)
    0.666666666667
    """
    if why_not(predicted, opinions):
        return math.nan
    return _cut(stats.kendalltau(predicted, opinions, method="asymptotic").statistic)


def rmse(predicted: Float[ndarray, " n"], opinions: Float[ndarray, " n"]) -> float:
    """Return the root of the mean squared error (divisor n), on the scale both are stated on.

    >>> rmse(np.array([1.0, 2.0]), np.array([1.0, 4.0])) ** 2
    2.0000000000000004
    """
    if why_no_error(predicted, opinions):
        return math.nan
    return float(np.sqrt(np.mean((predicted - opinions) ** 2)))


def mae(predicted: Float[ndarray, " n"], opinions: Float[ndarray, " n"]) -> float:
    """Return the mean absolute error, on the scale both are stated on.

    >>> mae(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    1.0
    """
    if why_no_error(predicted, opinions):
        return math.nan
    return float(np.mean(np.abs(predicted - opinions)))


Measure = Callable[[Float[ndarray, " n"], Float[ndarray, " n"]], float]

MEASURES: Final[Mapping[str, Measure]] = {
    "srcc": srcc,
    "plcc": plcc,
    "krcc": krcc,
    "rmse": rmse,
    "mae": mae,
}
"""Name → function, in the order in which reports show them."""
ERRORS: Final = ("rmse", "mae")
"""Measures of which less is better."""


def reason_for(
    measure: str, predicted: Float[ndarray, " n"], opinions: Float[ndarray, " n"]
) -> str:
    """Say why a measure does not exist for these vectors; empty when it does."""
    if measure in ERRORS:
        return why_no_error(predicted, opinions)
    return why_not(predicted, opinions)


def _cut(value: float) -> float:
    """Take off what rounding put beyond ±1."""
    return float(min(1.0, max(-1.0, value)))
