"""From human opinions to what a model is taught: hard levels and soft labels.

Hard levels follow the rule that reproduces every label Q-Align published; soft labels follow
DeQA-Score (arXiv 2501.11561). The order of operations is part of both rules.
"""

import math
from collections.abc import Sequence
from typing import Final

from beholder.levels.scale import WEIGHTS

INTERPOLATE_BELOW: Final = 0.2
"""DeQA-Score: under this standard deviation the label is interpolated between two levels."""
MAX_SHIFT: Final = 0.1
"""DeQA-Score: above this error of the mean the label is interpolated between two levels."""


def hard_level(opinion: float, low: float, high: float) -> int:
    """Return how many of the four inner edges of [low, high] an opinion reaches: 0 bad … 4 best.

    Bins are equal, closed on the left, open on the right; the width is computed first.

    >>> [hard_level(x, 0.0, 94.0) for x in (18.7, 18.8, 56.4, 75.2)]
    [0, 1, 2, 4]
    """
    width = (high - low) / 5
    return sum(opinion >= low + k * width for k in (1, 2, 3, 4))


def soft_label(mean: float, deviation: float, density: str = "pdf") -> list[float]:
    """Return the probability of each level, best first, for a mean opinion on the 1-5 scale.

    `density` is `pdf` (normal density at the level) or `cdf` (mass of the level's unit interval).
    The masses are moved so that they sum to 1 and keep the mean, then cut at 0 and, unlike the
    original, normalised again.

    >>> [round(p, 3) for p in soft_label(3.0, 0.8)]
    [0.022, 0.229, 0.499, 0.229, 0.022]
    >>> soft_label(3.25, 0.0)
    [0.0, 0.25, 0.75, 0.0, 0.0]
    """
    if deviation < INTERPOLATE_BELOW:
        return _between(mean)
    raw = [_mass(weight, mean, deviation, density) for weight in WEIGHTS]
    total = math.fsum(raw)
    first = math.fsum(w * p for w, p in zip(WEIGHTS, raw, strict=True))
    alpha = (mean - 3) / (first - 3 * total + 1e-9)
    if abs(first - 3 * total) < 1e-9:
        alpha = 1 / total
    beta = (1 - alpha * total) / 5
    masses = [max(alpha * p + beta, 0.0) for p in raw]
    shift = abs(math.fsum(w * p for w, p in zip(WEIGHTS, masses, strict=True)) - mean)
    return _between(mean) if shift > MAX_SHIFT else _normalised(masses)


def _mass(weight: float, mean: float, deviation: float, density: str) -> float:
    if density == "pdf":
        distance = (weight - mean) / deviation
        return math.exp(-0.5 * distance**2) / (deviation * math.sqrt(2 * math.pi))
    scaled = deviation * math.sqrt(2)
    upper = math.erf((weight + 0.5 - mean) / scaled)
    return 0.5 * (upper - math.erf((weight - 0.5 - mean) / scaled))


def _between(mean: float) -> list[float]:
    mean = min(max(mean, 1.0), 5.0)
    return [max(0.0, 1.0 - abs(weight - mean)) for weight in WEIGHTS]


def _normalised(masses: Sequence[float]) -> list[float]:
    total = math.fsum(masses)
    return [mass / total for mass in masses]
