"""How well a taught model follows the opinions of a part: set by set, with intervals.

It is the finished folder that is measured, opened as `beholder score` opens it, and beside it what
it was taught from: did teaching help?
"""

import math
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from jaxtyping import Float

from beholder.engine.journal import Journal
from beholder.engine.rater import Rater
from beholder.engine.run import Run
from beholder.media.items import Item, printable
from beholder.metrics.correlation import MEASURES as CORRELATIONS
from beholder.metrics.correlation import reason_for
from beholder.metrics.difference import Difference, compare
from beholder.metrics.intervals import Draws, estimate
from beholder.metrics.value import Value
from beholder.training.lesson import Lesson

MEASURES: Final = ("srcc", "plcc")
REPLICATES: Final = 2000
FEW_SCENES: Final = 10
"""With fewer scenes than this their bootstrap is known to give intervals that are too narrow."""
Vector = Float[np.ndarray, " n"]
Tick = Callable[[], None]


@dataclass(frozen=True)
class Rated:
    """One lesson and what a model said of it."""

    lesson: Lesson
    score: float
    """NaN exactly when there is an error."""
    error: str = ""


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
    before: Mapping[str, float] = field(default_factory=dict)
    """Measure → value before it was taught, over the same files; empty where not measured."""
    gains: Mapping[str, Difference] = field(default_factory=dict)
    """Measure → paired difference, after minus before."""

    def record(self) -> dict[str, Any]:
        """Return it as JSON: what is not there is null."""
        known = {"n": self.n, "failed": self.failed, "scenes": self.scenes, "error": self.error}
        numbers = {name: _plain(value) for name, value in self.values.items()}
        before = {name: _number(value) for name, value in self.before.items()}
        gains = {name: _plain(gain) for name, gain in self.gains.items()}
        return {**known, **numbers, "before": before, "gain": gains}


def rate(rater: Rater, lessons: Sequence[Lesson], tick: Tick = lambda: None) -> list[Rated]:
    """Rate lessons, in their order; a file that cannot be judged has an error."""
    found: dict[int, Rated] = {}
    for task in dict.fromkeys(lesson.task for lesson in lessons):
        places = [place for place, lesson in enumerate(lessons) if lesson.task == task]
        items = [Item(printable(lessons[n].name), str(lessons[n].path)) for n in places]
        size = 8 if rater.device == "cpu" else 32
        workers = len(os.sched_getaffinity(0))
        with closing(Journal(None)) as journal:
            due = Run(rater, journal, [task], size, workers).rows(items)
            for place, each in zip(places, due, strict=True):
                score, error = each.row["score"], str(each.row["error"] or "")
                found[place] = Rated(
                    lessons[place], math.nan if score is None else float(score), error
                )
                tick()
    return [found[place] for place in range(len(lessons))]


def agreement(lessons: Sequence[Lesson], scores: Sequence[float], seed: int) -> dict[str, Value]:
    """Return measure → value with its 95 % interval, of lessons of one set.

    The log of a run and its final table both take theirs from here.
    """
    draws, (said, opinions) = _draws(lessons, seed), _vectors(lessons, scores)
    return {name: estimate(name, said, opinions, draws) for name in MEASURES}


def measure(
    after: Sequence[Rated], names: Sequence[str], seed: int, before: Sequence[Rated] = ()
) -> dict[str, Measured]:
    """Say how well scores follow opinions, set by set; `names` are those of the sets."""
    sets = sorted({each.lesson.set for each in after})
    return {names[number]: _measured(number, after, before, seed) for number in sets}


def _measured(number: int, after: Sequence[Rated], before: Sequence[Rated], seed: int) -> Measured:
    rows = [each for each in after if each.lesson.set == number]
    good = [each for each in rows if not each.error]
    lessons = [each.lesson for each in good]
    draws = _draws(lessons, seed)
    return Measured(
        n=len(good),
        failed=len(rows) - len(good),
        scenes=draws.units(len(good)) if draws.scenes else 0,
        values=agreement(lessons, [each.score for each in good], seed),
        error=next((each.error for each in rows if each.error), ""),
        **_gained(number, after, before, seed),
    )


def _gained(
    number: int, after: Sequence[Rated], before: Sequence[Rated], seed: int
) -> dict[str, Any]:
    """Compare after with before over the files that both could score."""
    pairs = [
        (new, old)
        for new, old in zip(after, before, strict=False)
        if new.lesson.set == number and not new.error and not old.error
    ]
    if not pairs:
        return {}
    lessons = [new.lesson for new, _ in pairs]
    scores, opinions = _vectors(lessons, [new.score for new, _ in pairs])
    earlier, _ = _vectors(lessons, [old.score for _, old in pairs])
    draws = _draws(lessons, seed)
    gains = {name: compare(name, scores, earlier, opinions, draws) for name in MEASURES}
    values = {name: _point(name, earlier, opinions) for name in MEASURES}
    return {"before": values, "gains": gains}


def _point(name: str, scores: Vector, opinions: Vector) -> float:
    there = not reason_for(name, scores, opinions)
    return CORRELATIONS[name](scores, opinions) if there else math.nan


def _draws(lessons: Sequence[Lesson], seed: int) -> Draws:
    scenes = [each.scene for each in lessons]
    return Draws(REPLICATES, seed, scenes if any(scenes) else None)


def _vectors(lessons: Sequence[Lesson], scores: Sequence[float]) -> tuple[Vector, Vector]:
    opinions = np.array([each.opinion for each in lessons], dtype=np.float64)
    return np.array(scores, dtype=np.float64), opinions


def _plain(value: Value | Difference) -> dict[str, Any]:
    numbers = {"value": value.value, "low": value.low, "high": value.high}
    return {name: _number(each) for name, each in numbers.items()} | {"reason": value.reason}


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
