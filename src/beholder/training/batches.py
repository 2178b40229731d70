"""From lessons to batches: which come together, and each opened in a worker process."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch.utils.data import Dataset, Sampler

from beholder.errors import BeholderError, MediaError
from beholder.media.frames import Frames
from beholder.media.reading import read
from beholder.media.sampling import FrameRule
from beholder.prompts import Prompt
from beholder.scorers.base import Encoded
from beholder.training.cache import Cache
from beholder.training.lesson import Lesson
from beholder.training.order import order

Place = tuple[int, int]
"""Epoch and row of a lesson."""
POOL = 50
"""Batches' worth of lessons among which those of like length are sought."""


@dataclass(frozen=True)
class Sample:
    """A lesson, opened."""

    lesson: Lesson
    prompt: Prompt
    example: Encoded | None
    error: str = ""
    """Why there is no example."""


@dataclass(frozen=True)
class Opener:
    """How a lesson is opened and what is asked about it: what a worker process is given."""

    encode: Callable[[Frames], Encoded]
    rule: FrameRule
    ask: Callable[[Lesson, int, int], Prompt]
    cache: Cache | None = None

    def open(self, lesson: Lesson, epoch: int, row: int) -> Sample:
        """Open one lesson; one that cannot be opened says why."""
        prompt = self.ask(lesson, epoch, row)
        try:
            if self.cache:
                example = self.cache.get(lesson.path, lambda: self._example(lesson.path))
            else:
                example = self._example(lesson.path)
            return Sample(lesson, prompt, example)
        except (BeholderError, OSError) as error:
            return Sample(lesson, prompt, None, f"{lesson.path}: {error}")

    def _example(self, path: Path) -> Encoded:
        frames = read(path, self.rule)
        try:
            return self.encode(frames)
        finally:
            frames.close()


class Opened(Dataset[Sample]):
    """Lessons that are opened when they are asked for, by epoch and row."""

    def __init__(self, lessons: Sequence[Lesson], opener: Opener) -> None:
        self.lessons = lessons
        self.opener = opener

    def __len__(self) -> int:
        return len(self.lessons)

    def __getitem__(self, place: Place) -> Sample:
        """Return a lesson, opened."""
        epoch, row = place
        return self.opener.open(self.lessons[row], epoch, row)


@dataclass(frozen=True)
class Order:
    """The rows of each epoch; depends on the seed and the number of the epoch alone."""

    lessons: Sequence[Lesson]
    weights: Sequence[float]
    """How often each data set is drawn."""
    seed: int
    batch: int
    by_length: bool = False
    """Whether lessons of like length share a batch."""
    in_pairs: bool = False
    """Whether two of one set follow each other, so that every batch has pairs."""

    def rows(self, epoch: int) -> list[int]:
        """Return the rows of an epoch, in order."""
        rows = order(self.lessons, self.weights, self.seed, epoch).tolist()
        if self.by_length:
            random = np.random.default_rng([self.seed, epoch, 1])
            rows = grouped(rows, [_length(each) for each in self.lessons], self.batch, random)
        return (
            paired(rows, [(each.set, each.task) for each in self.lessons])
            if self.in_pairs
            else rows
        )


class Rows(Sampler[Place]):
    """An order as torch's data loader asks for it."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.epoch = 0
        self._count = len(order.rows(0))

    def set_epoch(self, epoch: int) -> None:
        """Give the rows of this epoch from now on."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Place]:
        epoch = self.epoch
        return ((epoch, row) for row in self.order.rows(epoch))


def together(samples: Sequence[Sample]) -> dict[str, list[Sample]]:
    """Make a batch.

    Raises:
        MediaError: when a lesson could not be opened.
    """
    broken = [each.error for each in samples if each.error]
    if broken:
        raise MediaError(f"{broken[0]} (it is taught, so the run stops: mend or leave out its row)")
    return {"samples": list(samples)}


def paired(rows: Sequence[int], groups: Sequence[object]) -> list[int]:
    """Move rows as little as it takes for two of one group to follow each other.

    >>> paired([0, 1, 2, 3, 4], ["a", "b", "a", "b", "a"])
    [0, 2, 1, 3, 4]
    """
    waiting: dict[object, int] = {}
    moved: list[int] = []
    for row in rows:
        first = waiting.pop(groups[row], None)
        if first is None:
            waiting[groups[row]] = row
        else:
            moved += [first, row]
    return moved + list(waiting.values())


def grouped(
    rows: Sequence[int], lengths: Sequence[float], batch: int, random: np.random.Generator
) -> list[int]:
    """Sort rows by length within pools of fifty batches, longest first, and shuffle the batches."""
    batches: list[list[int]] = []
    for start in range(0, len(rows), POOL * batch):
        pool = sorted(rows[start : start + POOL * batch], key=lambda row: -lengths[row])
        batches += [pool[at : at + batch] for at in range(0, len(pool), batch)]
    partial = [batches.pop()] if batches and len(batches[-1]) < batch else []
    shuffled = [batches[at] for at in random.permutation(len(batches))] + partial
    return [row for each in shuffled for row in each]


def _length(lesson: Lesson) -> float:
    """Return how long a lesson is, as far as is known: stills are 0, clips are longer."""
    if lesson.media == "image":
        return 0.0
    try:
        return 1.0 + float(lesson.details.get("seconds", 0.0))
    except (TypeError, ValueError):
        return 1.0
