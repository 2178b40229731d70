"""From an opinion to what is taught: the word, and the probability of every word.

Three level rules: `hard` bins (Q-Align), `soft` labels from mean and deviation (DeQA-Score), and
`votes`, the shares that people's votes have.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from beholder.datasets.opinions import Opinion
from beholder.errors import TableError
from beholder.levels.scale import LEVELS
from beholder.levels.targets import hard_level, soft_label

TRIMMED: Final = 0.001
"""Share of the opinions at either end that Q-Align's bounds leave out."""
EDGE: Final = 1e-8
"""DeQA-Score: an opinion so near an edge lies on it."""
ROUNDED: Final = 0.02
"""Shares of votes may miss 1 by this much."""


@dataclass(frozen=True)
class Target:
    """What is taught about one picture or clip."""

    level: int
    """Index of the word, best first."""
    probabilities: tuple[float, ...]
    """One a word, best first; they sum to 1."""


@dataclass(frozen=True)
class Rule:
    """How the opinions of one data set become levels. Higher opinions are better."""

    labels: str
    """`hard`, `soft` or `votes`."""
    low: float
    """The opinion at which `bad` begins, or that is worth 1 (soft)."""
    high: float
    """The opinion at which `excellent` ends, or that is worth 5 (soft)."""
    outside: str = "clip"
    """What becomes of opinions outside: `drop` or `clip`."""
    density: str = "pdf"

    def target(self, opinion: float, row: Opinion) -> Target | None:
        """Return what is taught for an opinion, already turned so that higher is better.

        None for an opinion outside the bounds that is to be dropped: they are closed below and
        open above, as the published lists are.

        Raises:
            TableError: when the row lacks what the rule needs.
        """
        if self.labels == "votes":
            return of_votes(row)
        if self.outside == "drop" and not self.low <= opinion < self.high:
            return None
        if self.labels == "hard":
            return one_hot(4 - hard_level(opinion, self.low, self.high))
        if row.std is None or row.std < 0:
            what = "no standard deviation" if row.std is None else f"the deviation {row.std:g}"
            raise TableError(
                f"row {row.row}, {row.path}, has {what}: soft labels need the column `std` with"
                " the standard deviation of the votes; without it take labels = hard"
            )
        share = (min(max(opinion, self.low), self.high) - self.low) / (self.high - self.low)
        deviation = 4 * row.std / (self.high - self.low)
        masses = soft_label(1 + 4 * share, deviation, self.density)
        return Target(4 - lower_level(opinion, self.low, self.high), tuple(masses))


def one_hot(level: int) -> Target:
    """Return the target that is one word alone.

    >>> one_hot(1).probabilities
    (0.0, 1.0, 0.0, 0.0, 0.0)
    """
    return Target(level, tuple(float(level == place) for place in range(len(LEVELS))))


def lower_level(opinion: float, low: float, high: float) -> int:
    """Return the level of an opinion by DeQA-Score, 0 bad … 4 excellent: an edge belongs below.

    >>> [lower_level(x, 0.0, 100.0) for x in (20.0, 20.1, 80.0, 100.0)]
    [0, 1, 3, 4]
    """
    width = (high - low) / 5
    return sum(opinion > low + k * width + EDGE for k in (1, 2, 3, 4))


def of_votes(row: Opinion) -> Target:
    """Return the shares of the votes; the word is the one most voted for, the better of two.

    Raises:
        TableError: when there are none, one is negative, or they do not sum to 1.

    >>> of_votes(Opinion("a.png", 4.5, probabilities=dict(zip(LEVELS, (0.5, 0.5, 0, 0, 0))))).level
    0
    """
    shares = [row.probabilities.get(word, math.nan) for word in LEVELS]
    total = sum(shares)
    if not abs(total - 1) <= ROUNDED or min(shares) < 0:
        held = ", ".join(f"{share:g}" for share in shares) if row.probabilities else "none"
        raise TableError(
            f"row {row.row}, {row.path}: labels = votes needs the columns p_excellent to p_bad"
            f" with shares from 0 to 1 that sum to 1, got {held}"
        )
    return Target(shares.index(max(shares)), tuple(share / total for share in shares))


def trimmed(opinions: Sequence[float]) -> tuple[float, float]:
    """Return the bounds of Q-Align's bins: the ends without a thousandth of the opinions each.

    The lower is the (k+1)-th smallest, the upper the k-th largest, with k = 0.001·n; inferred from
    the published labels, see `docs/train.md`.

    >>> trimmed([float(n) for n in range(5000)])
    (5.0, 4995.0)
    """
    k = int(TRIMMED * len(opinions))
    ordered = np.sort(np.asarray(opinions, dtype=np.float64))
    return float(ordered[k]), float(ordered[-max(k, 1)])
