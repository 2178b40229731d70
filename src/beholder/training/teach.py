"""Teaching: the loop of transformers' Trainer over lessons, from a checkpoint where there is one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from beholder.prompts import Prompt
from beholder.training.config import Config
from beholder.training.learners.base import Learner
from beholder.training.lesson import Lesson

Ask = Callable[[Lesson, int, int], Prompt]
"""(lesson, epoch, row of the lesson) → what is asked; depends on nothing else but a seed."""
Tell = Callable[[Mapping[str, float]], None]
"""Is called on the main process after every optimiser step with `step` and `steps` (of all), and
with every line of the history as it is made; for the bar in the terminal."""


@dataclass(frozen=True)
class Taught:
    """What came of it; the weights of `learner.network` are those of the best step."""

    history: Sequence[Mapping[str, float]]
    """Lines of the log, in order: `step`, `epoch`, and `loss`, `loss/NAME`, `rate` or `srcc`,
    `srcc_low`, `srcc_high`, `plcc`, … of the validation part."""
    best: int
    """The step with the best validation; the last where there is no validation part."""
    steps: int
    """Optimiser steps made in all."""
    done: bool
    """False when it was stopped before the end; the same call goes on."""


def fit(  # noqa: PLR0913 - the seam between what is taught and how
    learner: Learner,
    train: Sequence[Lesson],
    validation: Sequence[Lesson],
    config: Config,
    folder: Path,
    ask: Ask,
    tell: Tell = lambda line: None,
) -> Taught:
    """Teach a learner; checkpoints lie in `folder / "checkpoints"`, from where it goes on."""
    raise NotImplementedError
