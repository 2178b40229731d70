"""What comes out of a run: a folder that `beholder score --model` opens, measured and described."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from beholder import __version__
from beholder._modes import as_new
from beholder.engine.rater import load
from beholder.errors import UsageError
from beholder.recipes import recipe as recipes
from beholder.training import card, curve
from beholder.training import folder as places
from beholder.training.card import Facts
from beholder.training.config import Config
from beholder.training.learners.base import Kept, Learner
from beholder.training.lesson import Lesson
from beholder.training.measuring import Measured, Rated, measure, rate
from beholder.training.mixture import Mixture
from beholder.training.teach import Taught

Tick = Callable[[], None]
PARTS = ("validation", "test")


@dataclass(frozen=True)
class Outcome:
    """A finished run."""

    folder: Path
    best: int
    steps: int
    measured: Mapping[str, Mapping[str, Measured]]
    """Part → set → how well it follows people."""


def keep(learner: Learner, mixture: Mixture, config: Config, folder: Path) -> None:
    """Write the weights, and the recipe by which they are opened."""
    sets = {each.set.task: None for each in mixture.divided}
    names = ", ".join(each.set.name for each in mixture.divided)
    learner.save(
        folder,
        Kept(
            name=config.name or folder.resolve().name,
            licence=config.licence,
            about=f"Taught from {learner.recipe.name} with {names}",
            tasks=tuple(sets),
            merge=config.adapter.merge,
        ),
    )
    as_new(path for path in folder.iterdir() if path.is_file())


def finish(
    mixture: Mixture, taught: Taught, config: Config, folder: Path, tick: Tick = lambda: None
) -> Outcome:
    """Measure what was kept, draw its course, write its card.

    Raises:
        UsageError: when not one file of a part can be scored.
        TableError: when the disk does not take it.
    """
    rater = load(str(folder), device=config.train.device)
    result, fingerprint = rater.recipe, rater.fingerprint
    parts = {part: lessons for part in PARTS if (lessons := mixture.lessons[part])}
    after = {part: rate(rater, lessons, tick) for part, lessons in parts.items()}
    del rater
    before = _before(config, parts.get("test", ()), tick)
    names = [each.set.name for each in mixture.divided]
    measured = {
        part: measure(rows, names, config.seed, before if part == "test" else ())
        for part, rows in after.items()
    }
    _check(measured)
    facts = Facts(
        config=config,
        origin=recipes.load(config.model),
        result=result,
        fingerprint=fingerprint,
        data=mixture.record(),
        measured=measured,
        best=taught.best,
        steps=taught.steps,
        history=taught.history,
        version=__version__,
    )
    places.write(folder / places.CURVE, curve.draw(taught.history, taught.best, result.name))
    places.write(folder / places.CARD, card.text(facts))
    places.write(folder / places.METRICS, _metrics(facts))
    return Outcome(folder, taught.best, taught.steps, measured)


def _before(config: Config, lessons: Sequence[Lesson], tick: Tick) -> list[Rated]:
    """Rate the test part with what was taught further; nothing where it refuses the task."""
    tasks = {lesson.task for lesson in lessons}
    if not config.keep.before or not tasks <= set(recipes.load(config.model).prompts):
        return []
    return rate(load(config.model, device=config.train.device), lessons, tick)


def _check(measured: Mapping[str, Mapping[str, Measured]]) -> None:
    for part, sets in measured.items():
        for name, found in sets.items():
            if not found.n:
                raise UsageError(f"no file of {name}, {part}, could be scored: {found.error}")


def _metrics(facts: Facts) -> str:
    record: dict[str, Any] = {
        "format": 1,
        "model": facts.result.name,
        "fingerprint": facts.fingerprint,
        "data": facts.data["fingerprint"],
        "best": facts.best,
        "steps": facts.steps,
        "parts": {
            part: {name: found.record() for name, found in sets.items()}
            for part, sets in facts.measured.items()
        },
        "history": [
            {key: None if math.isnan(value) else value for key, value in line.items()}
            for line in facts.history
        ],
    }
    return json.dumps(record, indent=1, ensure_ascii=False) + "\n"
