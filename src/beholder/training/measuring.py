"""How well a taught model follows the opinions of a part: set by set, with intervals.

It is the finished folder that is measured, opened as `beholder score` opens it.
"""

import math
import os
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from beholder.engine.journal import Journal
from beholder.engine.rater import Rater
from beholder.engine.run import Run
from beholder.media.items import Item, printable
from beholder.metrics.intervals import Draws, estimate
from beholder.metrics.value import Value
from beholder.training.lesson import Lesson

MEASURES: Final = ("srcc", "plcc")
REPLICATES: Final = 2000
Tick = Callable[[], None]


@dataclass(frozen=True)
class Measured:
    """One set in one part."""

    n: int
    """Files with a score."""
    failed: int
    scenes: int
    """Scenes that the bootstrap draws; 0 where it draws files."""
    values: Mapping[str, Value]
    """Measure → value with its 95 % interval."""
    error: str = ""
    """What was wrong with the first file that failed."""

    def record(self) -> dict[str, Any]:
        """Return it as JSON: what is not there is null."""
        known = {"n": self.n, "failed": self.failed, "scenes": self.scenes, "error": self.error}
        numbers = {name: _plain(value) for name, value in self.values.items()}
        return {**known, **numbers}


def _plain(value: Value) -> dict[str, Any]:
    numbers = {"value": value.value, "low": value.low, "high": value.high}
    known = {key: None if math.isnan(each) else each for key, each in numbers.items()}
    return {**known, "reason": value.reason}


def measure(
    rater: Rater,
    lessons: Sequence[Lesson],
    names: Sequence[str],
    seed: int,
    tick: Tick = lambda: None,
) -> dict[str, Measured]:
    """Rate lessons and say how well the scores follow, set by set; `names` are those of the sets.

    A file that cannot be judged counts as failed.
    """
    rows: dict[int, list[tuple[Lesson, float, str]]] = defaultdict(list)
    for task in dict.fromkeys(lesson.task for lesson in lessons):
        asked = [lesson for lesson in lessons if lesson.task == task]
        items = [Item(printable(lesson.name), str(lesson.path)) for lesson in asked]
        size = 8 if rater.device == "cpu" else 32
        workers = len(os.sched_getaffinity(0))
        with closing(Journal(None)) as journal:
            due = Run(rater, journal, [task], size, workers).rows(items)
            for lesson, each in zip(asked, due, strict=True):
                score = each.row["score"]
                found = float("nan") if score is None else float(score)
                rows[lesson.set].append((lesson, found, str(each.row["error"] or "")))
                tick()
    return {names[number]: _measured(found, seed) for number, found in sorted(rows.items())}


def _measured(rows: Sequence[tuple[Lesson, float, str]], seed: int) -> Measured:
    good = [(lesson, score) for lesson, score, error in rows if not error]
    scores = np.array([score for _, score in good], dtype=np.float64)
    opinions = np.array([lesson.opinion for lesson, _ in good], dtype=np.float64)
    scenes = [lesson.scene for lesson, _ in good]
    draws = Draws(REPLICATES, seed, scenes if any(scenes) else None)
    return Measured(
        n=len(good),
        failed=len(rows) - len(good),
        scenes=draws.units(len(good)) if any(scenes) else 0,
        values={name: estimate(name, scores, opinions, draws) for name in MEASURES},
        error=next((error for _, _, error in rows if error), ""),
    )
