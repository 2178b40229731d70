"""What comes out of a run: a folder that `beholder score --model` opens, measured and described."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from beholder import __version__
from beholder.engine.rater import Rater, load
from beholder.errors import UsageError
from beholder.media.reading import read
from beholder.media.sampling import FrameRule
from beholder.recipes.recipe import Recipe
from beholder.training import card, curve
from beholder.training import folder as places
from beholder.training.config import Config
from beholder.training.learners.base import Kept, Learner
from beholder.training.lesson import Lesson
from beholder.training.measuring import Measured, measure
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


def rehearse(learner: Learner, lessons: Sequence[Lesson]) -> None:
    """Ask about one lesson of each kind: what cannot be asked is told before the first step.

    Raises:
        MediaError: when it cannot be looked at.
        ModelError: when the model does not know the words.
    """
    firsts = {(each.task, each.media): each for each in reversed(lessons)}
    for (task, _), lesson in firsts.items():
        frames = read(str(lesson.path), FrameRule.parse(learner.recipe.frames))
        try:
            encoded = learner.encode(frames)
        finally:
            frames.close()
        learner.scorer().judge([encoded], task)


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


def finish(
    origin: Recipe,
    mixture: Mixture,
    taught: Taught,
    config: Config,
    folder: Path,
    tick: Tick = lambda: None,
) -> Outcome:
    """Measure what was kept, draw its course, write its card.

    Raises:
        UsageError: when not one file of a part can be scored.
        TableError: when the disk does not take it.
    """
    rater = load(str(folder), device=config.train.device)
    names = [each.set.name for each in mixture.divided]
    measured = {
        part: measure(rater, lessons, names, config.seed, tick)
        for part in PARTS
        if (lessons := mixture.lessons[part])
    }
    for part, sets in measured.items():
        for name, found in sets.items():
            if not found.n:
                raise UsageError(f"no file of {name}, {part}, could be scored: {found.error}")
    svg = curve.draw(taught.history, taught.best, rater.recipe.name)
    places.write(folder / places.CURVE, svg)
    facts = card.Facts(
        config=config,
        origin=origin,
        result=rater.recipe,
        data=mixture.record(),
        measured=measured,
        best=taught.best,
        steps=taught.steps,
        version=__version__,
    )
    places.write(folder / places.CARD, card.text(facts))
    places.write(folder / places.METRICS, _metrics(rater, mixture, taught, measured))
    return Outcome(folder, taught.best, taught.steps, measured)


def _metrics(
    rater: Rater,
    mixture: Mixture,
    taught: Taught,
    measured: Mapping[str, Mapping[str, Measured]],
) -> str:
    record: dict[str, Any] = {
        "format": 1,
        "model": rater.recipe.name,
        "fingerprint": rater.fingerprint,
        "data": mixture.fingerprint,
        "best": taught.best,
        "steps": taught.steps,
        "parts": {
            part: {name: found.record() for name, found in sets.items()}
            for part, sets in measured.items()
        },
        "history": [
            {key: None if math.isnan(value) else value for key, value in line.items()}
            for line in taught.history
        ],
    }
    return json.dumps(record, indent=1, ensure_ascii=False) + "\n"
