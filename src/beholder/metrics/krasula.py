"""Krasula's analysis: does a model tell different from similar, and better from worse?

Krasula, Fliegel, Le Callet and Klíma 2016 (DOI 10.1109/QoMEX.2016.7498936). Pairs of items are
sorted by people into significantly different and similar ones; a model should give large
differences to the first, small ones to the second, and the right sign. The number of raters and
the deviation of their votes enter, which a correlation with the mean opinion throws away.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from scipy import stats

THRESHOLD: Final = 2.0
"""Standard errors by which two mean opinions must differ to be different (Krasula: 2)."""
LEAST_DEVIATION: Final = 1e-8
"""Stands for the standard error of two items without any."""
SIMILAR_QUANTILE: Final = 95.0
MOST_PAIRS: Final = 1_000_000
"""More pairs than this are not gone through: a seeded sample of them is."""


@dataclass(frozen=True)
class Pairings:
    """Pairs of items, i < j, each once."""

    first: Int[ndarray, " pairs"]
    second: Int[ndarray, " pairs"]
    possible: int
    """How many pairs there are; more than are here when they were sampled."""


@dataclass(frozen=True)
class Resolution:
    """How well one model resolves what people resolve. NaN where there are no such pairs."""

    auc_different: float
    """Probability that a different pair gets a larger |difference| than a similar one."""
    auc_better: float
    """Probability that a pair is ordered more as people do than its mirror image is."""
    correct: float
    """CC_0: share of different pairs whose order is right; equal scores count as wrong."""
    threshold: float
    """THR: the |difference| that 95 % of similar pairs stay under."""
    pairs: int
    different: int
    """Pairs people tell apart."""
    reason: str = ""


@dataclass(frozen=True)
class Contest:
    """Two-sided p values for two models being equal."""

    auc_different: float
    auc_better: float
    correct: float


def pairings(n: int, most: int = MOST_PAIRS, seed: int = 0) -> Pairings:
    """Return every pair i < j of n items, or a seeded sample of them without repeats.

    >>> pairings(3).second.tolist()
    [1, 2, 2]
    """
    possible = n * (n - 1) // 2
    if possible <= most:
        first, second = np.triu_indices(n, 1)
        return Pairings(first, second, possible)
    random = np.random.Generator(np.random.PCG64(seed))
    number = np.sort(random.choice(possible, size=most, replace=False, shuffle=False))
    second = ((1 + np.sqrt(1 + 8 * number.astype(np.float64))) // 2).astype(np.int64)
    second -= second * (second - 1) // 2 > number
    second += (second + 1) * second // 2 <= number
    return Pairings(number - second * (second - 1) // 2, second, possible)


def significance(
    opinions: Float[ndarray, " n"],
    deviations: Float[ndarray, " n"],
    raters: Float[ndarray, " n"] | Int[ndarray, " n"],
    chosen: Pairings,
) -> Int[ndarray, " pairs"]:
    """Return 1 where people find the first item better, -1 the second, 0 where they cannot tell.

    `deviations` are standard deviations of votes (divisor one less than `raters`). A pair differs
    when its means are more than two standard errors apart.

    >>> two = np.array([0.5, 0.5])
    >>> significance(np.array([4.0, 3.0]), two, np.array([20, 20]), pairings(2)).tolist()
    [1]
    """
    squares = deviations**2 / raters
    error = np.sqrt(squares[chosen.first] + squares[chosen.second])
    error = np.where(error == 0, LEAST_DEVIATION, error)
    z = (opinions[chosen.first] - opinions[chosen.second]) / error
    return np.sign(np.where(np.abs(z) > THRESHOLD, z, 0.0)).astype(np.int64)


def gaps(predicted: Float[ndarray, " n"], chosen: Pairings) -> Float[ndarray, " pairs"]:
    """Return the difference of the scores of each pair."""
    return np.asarray(predicted[chosen.first] - predicted[chosen.second])


def resolve(gap: Float[ndarray, " pairs"], significant: Int[ndarray, " pairs"]) -> Resolution:
    """Return how well a model's differences follow what people tell apart.

    >>> found = resolve(np.array([2.0, -1.5, 0.2, 0.1]), np.array([1, -1, 0, 0]))
    >>> found.auc_different, found.auc_better, found.correct, round(found.threshold, 3)
    (1.0, 1.0, 1.0, 0.195)
    """
    different = significant != 0
    signed = gap[different] * significant[different]
    apart, alike = np.abs(gap[different]), np.abs(gap[~different])
    reason = ""
    if not len(apart):
        reason = "people tell no pair apart: more raters or more different items are needed"
    elif not len(alike):
        reason = "people tell every pair apart: nothing is similar to compare with"
    return Resolution(
        auc_different=_auc(apart, alike),
        auc_better=_auc(signed, -signed),
        correct=float(np.mean(signed > 0)) if len(signed) else math.nan,
        threshold=float(np.percentile(alike, SIMILAR_QUANTILE)) if len(alike) else math.nan,
        pairs=len(gap),
        different=len(apart),
        reason=reason,
    )


def contest(
    a: Float[ndarray, " pairs"],
    b: Float[ndarray, " pairs"],
    significant: Int[ndarray, " pairs"],
) -> Contest:
    """Test whether two models resolve equally well: DeLong for the areas, proportions for CC_0.

    Pairs that share an item are taken as independent, as everywhere in the field, so that these
    p values are too small; `difference.compare` draws items and has no such flaw. CC_0 is tested
    over the pairs people tell apart, each counted once (vmaf counts each twice).
    """
    different = significant != 0
    sign = significant[different]
    areas = [np.abs(each) for each in (a, b)]
    signed = [each[different] * sign for each in (a, b)]
    positive = [each[different] for each in areas]
    negative = [each[~different] for each in areas]
    right = [float(np.mean(each > 0)) if len(each) else math.nan for each in signed]
    return Contest(
        auc_different=delong(positive, negative),
        auc_better=delong(signed, [-each for each in signed]),
        correct=proportions(right[0], right[1], len(sign)),
    )


def delong(
    positive: Sequence[Float[ndarray, " m"]], negative: Sequence[Float[ndarray, " k"]]
) -> float:
    """Return the p value for two areas under the ROC curve on the same cases being equal.

    DeLong, DeLong and Clarke-Pearson 1988 (DOI 10.2307/2531595), by midranks as Sun and Xu 2014
    (DOI 10.1109/LSP.2014.2337313).
    """
    m, k = len(positive[0]), len(negative[0])
    if m < 2 or k < 2:
        return math.nan
    parts = [_placements(each, other) for each, other in zip(positive, negative, strict=True)]
    gap = float(np.mean(parts[0][0]) - np.mean(parts[1][0]))
    over_positive, over_negative = (parts[0][side] - parts[1][side] for side in (0, 1))
    variance = float(np.var(over_positive, ddof=1) / m + np.var(over_negative, ddof=1) / k)
    if variance == 0:
        return 1.0 if gap == 0 else 0.0
    return float(2 * stats.norm.sf(abs(gap) / math.sqrt(variance)))


def _placements(
    positive: Float[ndarray, " m"], negative: Float[ndarray, " k"]
) -> tuple[Float[ndarray, " m"], Float[ndarray, " k"]]:
    """Return, for each case, the share of the other kind on its right side; ties count half."""
    together = stats.rankdata(np.concatenate([positive, negative]))
    m, k = len(positive), len(negative)
    of_positive = (together[:m] - stats.rankdata(positive)) / k
    of_negative = 1 - (together[m:] - stats.rankdata(negative)) / m
    return of_positive, of_negative


def _auc(positive: Float[ndarray, " m"], negative: Float[ndarray, " k"]) -> float:
    """Return the probability that a positive lies above a negative; ties count half."""
    m, k = len(positive), len(negative)
    if not m or not k:
        return math.nan
    ranks = stats.rankdata(np.concatenate([positive, negative]))
    return float((np.sum(ranks[:m]) - m * (m + 1) / 2) / (m * k))


def proportions(first: float, second: float, n: int) -> float:
    """Return the two-sided p value of two shares, each of n, being equal: pooled normal test.

    >>> round(proportions(0.9, 0.8, 100), 4)
    0.0477
    """
    if n == 0:
        return math.nan
    pooled = (first + second) / 2
    error = math.sqrt(2 * pooled * (1 - pooled) / n)
    if error == 0:
        return 1.0
    return float(2 * stats.norm.sf(abs(first - second) / error))
