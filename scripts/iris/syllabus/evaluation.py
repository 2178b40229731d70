"""How well iris follows the labels: rank correlations with intervals, by group; ladders; spread."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.stats import rankdata

Column = Float[np.ndarray, " n"]


@dataclass(frozen=True)
class Correlation:
    """A Spearman rank correlation with a 95 % interval from resampling contents."""

    value: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def spearman(first: Column, second: Column) -> float:
    """Return the rank correlation; ties share their rank; NaN when one side is constant."""
    a, b = rankdata(first), rankdata(second)
    a, b = a - a.mean(), b - b.mean()
    scale = np.sqrt((a * a).sum() * (b * b).sum())
    return float((a * b).sum() / scale) if scale > 0 else float("nan")


def correlation(
    first: Column, second: Column, unit: np.ndarray, rounds: int = 400, seed: int = 0
) -> Correlation:
    """Return the rank correlation with an interval; whole units (contents) are resampled."""
    rng = np.random.default_rng(seed)
    names, where = np.unique(unit, return_inverse=True)
    members = [np.flatnonzero(where == k) for k in range(len(names))]
    values = []
    for _ in range(rounds):
        drawn = np.concatenate([members[k] for k in rng.integers(len(names), size=len(names))])
        values.append(spearman(first[drawn], second[drawn]))
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return Correlation(spearman(first, second), float(low), float(high), len(first))


def moments(logits: Float[np.ndarray, "n 5"], temperature: float) -> tuple[Column, Column]:
    """Return score and spread on 1-5 of level logits, best level first."""
    x = logits / temperature
    p = np.exp(x - x.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    worth = np.arange(5, 0, -1)
    mean = p @ worth
    return mean, np.sqrt(np.maximum(p @ worth**2 - mean**2, 0))


def coverage(score: Column, spread: Column, label: Column) -> float:
    """Return how often score ± 1.96 spread holds the label."""
    return float((np.abs(label - score) <= 1.96 * spread).mean())


def best_temperature(logits: Float[np.ndarray, "n 5"], label: Column, target: float) -> float:
    """Return the temperature whose coverage is nearest to a target."""
    tried = np.geomspace(0.4, 2.5, 60)
    return float(min(tried, key=lambda t: abs(coverage(*moments(logits, t), label) - target)))
