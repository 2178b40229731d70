"""The median of every measure over many test parts, for methods that are reported so.

Scores are given and nothing is trained: the spread over test parts shows how much a published
median depends on the draw. It is no interval of the measure; the bootstrap gives that.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from beholder.datasets import splits
from beholder.evaluation.measuring import MEASURES, points
from beholder.evaluation.sample import Sample
from beholder.metrics.intervals import percentiles
from beholder.metrics.value import UNKNOWN, Value

TEST_SHARE: Final = 0.2


@dataclass(frozen=True)
class Plan:
    """How rows are divided: `times` random draws of a fifth, `folds` folds, or both."""

    times: int = 0
    folds: int = 0
    seed: int = 0

    @property
    def count(self) -> int:
        """How many test parts there are."""
        return (self.times or 1) * self.folds if self.folds else self.times


@dataclass(frozen=True)
class OverSplits:
    """Every measure over the test parts."""

    values: Mapping[str, Value]
    """Median, and the 2.5th and 97.5th percentile over the parts."""
    parts: int
    smallest: int
    """Files in the smallest part."""
    largest: int
    by_scene: bool
    """Whether no scene is on both sides."""
    folds: int
    """Folds of each division; 0 for random draws of a fifth."""


def over_splits(sample: Sample, plan: Plan) -> OverSplits:
    """Return every measure over the test parts of a plan; the curve is fitted to each part.

    Raises:
        UsageError: when there are too few files or scenes to divide.
    """
    sample = sample.scored()
    tests = [sample.take(test) for test in _tests(sample, plan)]
    found = [points(test.scores, test.opinions) for test in tests]
    values = {name: _over(np.array([each[name] for each in found])) for name in MEASURES}
    sizes = [len(test) for test in tests]
    return OverSplits(values, len(tests), min(sizes), max(sizes), bool(sample.scenes), plan.folds)


def _tests(sample: Sample, plan: Plan) -> Iterator[np.ndarray]:
    scenes = sample.scenes or [str(number) for number in range(len(sample))]
    if not plan.folds:
        found = splits.repeated_by_scene(scenes, plan.times, plan.seed, TEST_SHARE)
        yield from (test for _, test in found)
        return
    for time in range(plan.times or 1):
        for _, test in splits.k_fold_by_scene(scenes, plan.folds, plan.seed + time):
            yield test


def _over(found: Float[ndarray, " parts"]) -> Value:
    finite = found[np.isfinite(found)]
    if not len(finite):
        return Value(math.nan, reason=f"it exists in none of {len(found)} test parts")
    lacking = len(found) - len(finite)
    reason = f"it does not exist in {lacking} of {len(found)} test parts" if lacking else ""
    interval = percentiles(found)
    if interval is UNKNOWN and not reason:
        reason = "one test part only"
    return Value(float(np.median(finite)), interval.low, interval.high, reason)
