"""Votes → opinions: means, z-scores, removal of bias, and maximum likelihood.

Each function is given votes that count (screening comes before) and returns an opinion an item.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from scipy import sparse, stats

from beholder._counting import counted
from beholder.errors import TableError
from beholder.metrics.value import CONFIDENCE, Interval, quantile
from beholder.studies.votes import Votes

FLOOR: Final = 1e-8
"""Added to the variance of a rater, as in P.913's own script."""
TOLERANCE: Final = 1e-8
"""Change of all opinions together at which the iteration ends."""
MOST_ROUNDS: Final = 10_000
_ONE_RATER: Final = "one rater alone: bias cannot be told from quality; use --method mos"
COLLAPSED: Final = 1e-3
"""A rater whose inconsistency is this share of the median is fitted without error."""


@dataclass(frozen=True)
class Raters:
    """What is estimated of each rater, on the scale of the votes."""

    bias: Float[ndarray, " raters"]
    """How much higher than others the rater votes."""
    inconsistency: Float[ndarray, " raters"]
    """Standard deviation of what bias does not explain (divisor n)."""


@dataclass(frozen=True)
class Opinions:
    """What people think of each item; NaN where the votes do not say."""

    mean: Float[ndarray, " items"]
    error: Float[ndarray, " items"]
    """Standard error of `mean`; the 95 % interval is ± 1.96 of it, as in BT.500."""
    deviation: Float[ndarray, " items"]
    """Standard deviation of the votes as they entered the mean (divisor n - 1)."""
    raters: Raters

    def interval(self, item: int) -> Interval:
        """Return the 95 % interval of an item's opinion."""
        half = quantile(CONFIDENCE) * float(self.error[item])
        return Interval(float(self.mean[item]) - half, float(self.mean[item]) + half)


def mean_opinion(votes: Votes) -> Opinions:
    """Return mean opinion scores with s/√n as standard error (ITU-R BT.500, ITU-T P.910).

    >>> from beholder.levels.scale import Scale
    >>> from beholder.studies.votes import Vote, gather
    >>> given = [Vote("ann", "a", 3.0), Vote("bob", "a", 4.0), Vote("cy", "a", 5.0)]
    >>> found = mean_opinion(gather(given, Scale(1.0, 5.0)))
    >>> found.mean.tolist(), found.deviation.tolist()
    ([4.0], [1.0])
    """
    mean = votes.item_mean(votes.value)
    deviation = votes.item_deviation(votes.value)
    residual = votes.value - mean[votes.item]
    raters = Raters(votes.rater_mean(residual), votes.rater_deviation(residual, ddof=0))
    return Opinions(mean, deviation / np.sqrt(_at_least_one(votes)), deviation, raters)


def z_scores(votes: Votes) -> Votes:
    """Turn votes into z-scores: less the rater's mean, over the rater's deviation (divisor n - 1).

    Raises:
        TableError: when a rater has one vote or only equal ones.
    """
    deviation = votes.rater_deviation(votes.value)
    flat = ~(deviation > 0) & (votes.per_rater > 0)
    if np.any(flat):
        names = ", ".join(repr(votes.raters[rater]) for rater in np.flatnonzero(flat)[:3])
        raise TableError(
            f"{counted(int(flat.sum()), 'rater')} ({names}) with one vote or only equal ones: no"
            " z-score exists; take them out or use --method mos"
        )
    mean = votes.rater_mean(votes.value)
    return votes.with_values((votes.value - mean[votes.rater]) / deviation[votes.rater])


def without_bias(votes: Votes) -> Votes:
    """Take each rater's bias, the mean of vote - mean opinion, off the votes (ITU-T P.913).

    Raises:
        TableError: when groups of raters share no item, so that their biases cannot be told.
    """
    if len(votes.raters) < 2:
        raise TableError(_ONE_RATER)
    check_connected(votes)
    return votes.with_values(votes.value - rater_bias(votes)[votes.rater])


def rater_bias(votes: Votes) -> Float[ndarray, " raters"]:
    """Return the mean of vote - mean opinion of each rater."""
    return votes.rater_mean(votes.value - votes.item_mean(votes.value)[votes.item])


def maximum_likelihood(votes: Votes) -> Opinions:
    """Recover opinions with each rater's bias and inconsistency by alternating projection.

    Votes are opinion + bias + inconsistency · normal (Li and others 2020, arXiv 2004.02067; ITU-T
    P.910 and P.913). Opinions are means of votes without bias, weighted by 1/inconsistency²; mean
    bias is 0. The standard error is that of an item's residuals, as in P.913's script.

    Raises:
        TableError: when groups of raters share no item, when a rater has fewer than two votes or
            no item has two, or when the likelihood has no maximum.
    """
    check_connected(votes)
    _check_enough(votes)
    opinion, bias = _alternate(votes)
    residual = votes.value - opinion[votes.item] - bias[votes.rater]
    raters = Raters(bias, votes.rater_deviation(residual, ddof=0))
    _check_no_collapse(votes, raters)
    # An item with one vote has no residual of its own: nothing is known of its error.
    spread = np.where(votes.per_item > 1, votes.item_deviation(residual, ddof=0), math.nan)
    error = spread / np.sqrt(_at_least_one(votes))
    return Opinions(opinion, error, votes.item_deviation(residual), raters)


def model_error(votes: Votes, raters: Raters) -> Float[ndarray, " items"]:
    """Return the standard error that the model itself gives an opinion: 1/√Σ inconsistency⁻²."""
    weight = 1 / (raters.inconsistency**2)[votes.rater]
    return np.asarray(1 / np.sqrt(np.bincount(votes.item, weight, minlength=len(votes.items))))


def inconsistency_interval(votes: Votes, raters: Raters) -> tuple[Interval, ...]:
    """Return the 95 % interval of each rater's inconsistency, from χ² with n degrees of freedom."""
    tail = (1 - CONFIDENCE) / 2
    n = votes.per_rater
    low = raters.inconsistency * np.sqrt(n / stats.chi2.ppf(1 - tail, n))
    high = raters.inconsistency * np.sqrt(n / stats.chi2.ppf(tail, n))
    return tuple(Interval(float(a), float(b)) for a, b in zip(low, high, strict=True))


def check_connected(votes: Votes) -> None:
    """Raise unless every rater is joined to every other by items that raters share."""
    labels = _groups(votes)
    if labels.max() == 0:
        return
    sizes = np.bincount(labels)
    examples = " | ".join(
        repr(votes.raters[int(np.flatnonzero(labels == group)[0])]) for group in range(2)
    )
    raise TableError(
        f"the raters fall into {len(sizes)} groups that share no item (e.g. {examples}): their"
        " biases cannot be told from their items; use --method mos, or judge the groups apart"
    )


def _groups(votes: Votes) -> ndarray:
    """Return, for each rater who voted, the connected group of the rater."""
    raters, items = len(votes.raters), len(votes.items)
    ones = np.ones(len(votes))
    size = raters + items
    graph = sparse.coo_array((ones, (votes.rater, raters + votes.item)), shape=(size, size))
    labels = sparse.csgraph.connected_components(graph, directed=False)[1]
    voted = votes.per_rater > 0
    return np.asarray(np.unique(labels[:raters][voted], return_inverse=True)[1])


def _alternate(votes: Votes) -> tuple[ndarray, ndarray]:
    opinion = votes.item_mean(votes.value)
    bias = votes.rater_mean(votes.value - opinion[votes.item])
    items = len(votes.items)
    for _ in range(MOST_ROUNDS):
        before = opinion
        residual = votes.value - opinion[votes.item] - bias[votes.rater]
        spread = votes.rater_deviation(residual, ddof=0)
        weight = (1 / (spread**2 + FLOOR))[votes.rater]
        above = np.bincount(votes.item, weight * (votes.value - bias[votes.rater]), items)
        opinion = above / np.bincount(votes.item, weight, items)
        bias = votes.rater_mean(votes.value - opinion[votes.item])
        if float(np.linalg.norm(opinion - before)) < TOLERANCE:
            break
    else:
        raise TableError(
            f"the maximum of the likelihood was not found in {MOST_ROUNDS} rounds:"
            " there are too few votes for the number of raters; use --method p913"
        )
    shift = float(np.mean(bias))
    return opinion + shift, bias - shift


def _check_enough(votes: Votes) -> None:
    if len(votes.raters) < 2:
        raise TableError(_ONE_RATER)
    few = votes.per_rater < 2
    if np.any(few):
        names = ", ".join(repr(votes.raters[rater]) for rater in np.flatnonzero(few)[:3])
        raise TableError(
            f"{counted(int(few.sum()), 'rater')} ({names}) with fewer than two votes: neither bias"
            " nor inconsistency can be told; take them out or use --method mos"
        )
    if np.all(votes.per_item < 2):
        raise TableError(
            "every item has one vote: what is bias and what is quality cannot be told;"
            " use --method mos"
        )


def _check_no_collapse(votes: Votes, raters: Raters) -> None:
    """Raise when a rater is fitted without error: the likelihood grows without end there."""
    middle = float(np.median(raters.inconsistency))
    flat: Bool[ndarray, " raters"] = raters.inconsistency < COLLAPSED * middle
    if middle > 0 and np.any(flat):
        name = votes.raters[int(np.flatnonzero(flat)[0])]
        raise TableError(
            f"the likelihood has no maximum: opinions can follow rater {name!r} without any error;"
            " there are too few votes an item for --method mle, use p913 or mos"
        )


def _at_least_one(votes: Votes) -> Float[ndarray, " items"]:
    return np.asarray(np.maximum(votes.per_item, 1).astype(np.float64))


METHODS: Final[Mapping[str, str]] = {
    "mos": "mean of the votes",
    "zscore": "mean of z-scores",
    "bt500": "mean of the votes of raters that BT.500 does not reject",
    "p913": "bias taken off, raters screened after BT.500, mean",
    "mle": "maximum likelihood of opinion, bias and inconsistency",
}
"""Method → what it does, in words."""
