"""The median of every measure over many test parts, for methods that are reported so.

The parts are drawn, or those that the authors of a method published.

Scores are given and nothing is trained: the spread over test parts shows how much a published
median depends on the draw. It is no interval of the measure; the bootstrap gives that.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from beholder.datasets import splits
from beholder.errors import UsageError
from beholder.evaluation.joining import join_plain, plain_paths
from beholder.evaluation.measuring import MEASURES, points
from beholder.evaluation.sample import Sample
from beholder.metrics.intervals import percentiles
from beholder.metrics.value import UNKNOWN, Value

TEST_SHARE: Final = 0.2
Rows = Int[np.ndarray, " rows"]


@dataclass(frozen=True)
class Listed:
    """The files of a published test part."""

    origin: str
    """The file it was read from."""
    paths: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """How rows are divided: `times` random draws of a fifth, `folds` folds, both, or by lists."""

    times: int = 0
    folds: int = 0
    seed: int = 0
    lists: tuple[Listed, ...] = ()
    """Test parts that somebody published; they go alone."""

    @property
    def count(self) -> int:
        """How many test parts there are."""
        if self.lists:
            return len(self.lists)
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
    """Folds of each division; 0 for random draws of a fifth, and for lists."""
    lists: int = 0
    """Published lists that the parts are of; 0 where they were drawn."""
    lacking: int = 0
    """Files that the lists name and that have no opinion or no score, over all lists."""


def over_splits(sample: Sample, plan: Plan) -> OverSplits:
    """Return every measure over the test parts of a plan; the curve is fitted to each part.

    Raises:
        UsageError: when there are too few files or scenes to divide, or a list names none of them.
    """
    sample = sample.scored()
    numbers = [*_listed(sample, plan.lists)] if plan.lists else [*_drawn(sample, plan)]
    tests = [sample.take(each) for each in numbers]
    found = [points(test.scores, test.opinions) for test in tests]
    values = {name: _over(np.array([each[name] for each in found])) for name in MEASURES}
    sizes = [len(test) for test in tests]
    named = sum(len(set(plain_paths(each.paths))) for each in plan.lists)
    return OverSplits(
        values=values,
        parts=len(tests),
        smallest=min(sizes),
        largest=max(sizes),
        by_scene=all(_is_by_scene(sample, each) for each in numbers),
        folds=0 if plan.lists else plan.folds,
        lists=len(plan.lists),
        lacking=named - sum(sizes) if plan.lists else 0,
    )


def _drawn(sample: Sample, plan: Plan) -> Iterator[Rows]:
    scenes = sample.scenes or [str(number) for number in range(len(sample))]
    if not plan.folds:
        found = splits.repeated_by_scene(scenes, plan.times, plan.seed, TEST_SHARE)
        yield from (test for _, test in found)
        return
    for time in range(plan.times or 1):
        for _, test in splits.k_fold_by_scene(scenes, plan.folds, plan.seed + time):
            yield test


def _listed(sample: Sample, lists: Sequence[Listed]) -> Iterator[Rows]:
    """Yield the rows that each list names, found by path as scores are."""
    ours = plain_paths(sample.paths)
    for each in lists:
        named = list(dict.fromkeys(plain_paths(each.paths)))
        matches = join_plain(named, ours).matches
        if not matches:
            raise UsageError(
                f"no path of {each.origin} has an opinion and a score: the list says"
                f" {named[0]!r}, the opinions {ours[0]!r}; make the paths alike"
            )
        yield np.array(sorted(match.score for match in matches))


def _is_by_scene(sample: Sample, test: Rows) -> bool:
    """Tell whether scenes are known and none is on both sides."""
    inside = set(test.tolist())
    tested = {sample.scenes[row] for row in inside} if sample.scenes else set()
    others = {scene for row, scene in enumerate(sample.scenes) if row not in inside}
    return bool(tested) and not tested & others


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
