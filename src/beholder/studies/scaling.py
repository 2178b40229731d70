"""Wins → a scale: Bradley-Terry and Thurstone Case V by maximum likelihood, with intervals.

P(i beats j) is F(sᵢ - sⱼ), F the logistic function (Bradley and Terry 1952, DOI 10.2307/2334029) or
the normal one (Thurstone 1927; Case V with the deviation of a difference as unit). Only differences
are known, so the scale has mean 0.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy import special, stats

from beholder.errors import TableError
from beholder.metrics.value import CONFIDENCE, Interval, quantile
from beholder.studies.comparisons import check_comparable

TOLERANCE: Final = 1e-10
MOST_STEPS: Final = 200


@dataclass(frozen=True)
class Slopes:
    """log F and its first two derivatives at a difference."""

    value: Float[ndarray, "items items"]
    first: Float[ndarray, "items items"]
    second: Float[ndarray, "items items"]


def logistic(d: Float[ndarray, "items items"]) -> Slopes:
    """Return log 1/(1 + e⁻ᵈ) and its derivatives."""
    lost = special.expit(-d)
    return Slopes(special.log_expit(d), lost, -special.expit(d) * lost)


def normal(d: Float[ndarray, "items items"]) -> Slopes:
    """Return log Φ(d) and its derivatives."""
    value = special.log_ndtr(d)
    ratio = np.exp(stats.norm.logpdf(d) - value)
    return Slopes(value, ratio, -ratio * (d + ratio))


LINKS: Final[Mapping[str, Callable[[Float[ndarray, "items items"]], Slopes]]] = {
    "bradley-terry": logistic,
    "thurstone": normal,
}


@dataclass(frozen=True)
class Scaling:
    """The place of each item on a scale with mean 0."""

    score: Float[ndarray, " items"]
    covariance: Float[ndarray, "items items"]
    """Pseudo-inverse of the observed information; its diagonal is the square of the error."""
    log_likelihood: float

    @property
    def error(self) -> Float[ndarray, " items"]:
        """Standard error of each score about the mean of all."""
        return np.asarray(np.sqrt(np.diagonal(self.covariance)))

    def interval(self, item: int) -> Interval:
        """Return the 95 % interval of an item's score."""
        half = quantile(CONFIDENCE) * float(self.error[item])
        return Interval(float(self.score[item]) - half, float(self.score[item]) + half)

    def difference_error(self, a: int, b: int) -> float:
        """Return the standard error of the difference of two items, whatever the scale's zero."""
        c = self.covariance
        return math.sqrt(max(0.0, float(c[a, a] + c[b, b] - 2 * c[a, b])))


def scale(
    method: str, wins: Float[ndarray, "items items"], items: Sequence[str] | None = None
) -> Scaling:
    """Fit `bradley-terry` or `thurstone` by Newton's method.

    Raises:
        TableError: when no finite maximum exists, with the items that are the reason.

    >>> wins = np.array([[0.0, 3.0], [1.0, 0.0]])
    >>> found = scale("bradley-terry", wins)
    >>> round(float(found.score[0] - found.score[1]), 6) == round(math.log(3), 6)
    True
    """
    names = items or [str(number) for number in range(len(wins))]
    check_comparable(wins, names)
    link = LINKS[method]
    count = len(wins)
    score = np.zeros(count)
    gauge = np.full((count, count), 1 / count)
    for _ in range(MOST_STEPS):
        here = link(score[:, None] - score[None, :])
        step = np.linalg.solve(_information(wins, here) + gauge, _gradient(wins, here))
        score = _improved(link, wins, score, step)
        if float(np.max(np.abs(step))) < TOLERANCE:
            break
    else:
        raise TableError(f"{method} did not converge in {MOST_STEPS} steps: too few comparisons")
    here = link(score[:, None] - score[None, :])
    information = _information(wins, here)
    return Scaling(
        score - score.mean(),
        covariance=np.asarray(np.linalg.inv(information + gauge) - gauge),
        log_likelihood=float(np.sum(wins * here.value)),
    )


def _gradient(wins: Float[ndarray, "items items"], here: Slopes) -> Float[ndarray, " items"]:
    moved = wins * here.first
    return np.asarray(moved.sum(axis=1) - moved.sum(axis=0))


def _information(
    wins: Float[ndarray, "items items"], here: Slopes
) -> Float[ndarray, "items items"]:
    bent = -wins * here.second
    both = bent + bent.T
    return np.asarray(np.diag(both.sum(axis=1)) - both)


def _improved(
    link: Callable[[Float[ndarray, "items items"]], Slopes],
    wins: Float[ndarray, "items items"],
    score: Float[ndarray, " items"],
    step: Float[ndarray, " items"],
) -> Float[ndarray, " items"]:
    """Go a whole step, or as much of it as does not lower the likelihood."""

    def likelihood(at: Float[ndarray, " items"]) -> float:
        return float(np.sum(wins * link(at[:, None] - at[None, :]).value))

    before = likelihood(score)
    for halving in range(40):
        moved = score + step / 2**halving
        if likelihood(moved) >= before - 1e-9 * abs(before):
            return np.asarray(moved)
    return score
