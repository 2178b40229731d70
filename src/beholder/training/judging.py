"""How well a learner follows people on lessons it was not taught."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import torch
from torch.utils.data import DataLoader

from beholder.scorers.base import Encoded, Rating
from beholder.training.batches import Opened, Opener, Sample, together
from beholder.training.lesson import Lesson
from beholder.training.measuring import MEASURES, agreement

Judge = Callable[[Sequence[Encoded], str], Sequence[Rating]]
"""A scorer's `judge`."""


def values(
    lessons: Sequence[Lesson], opener: Opener, judge: Judge, batch: int, workers: int = 0
) -> list[float]:
    """Return the score of every lesson, in order; NaN where there is none.

    Raises:
        MediaError: when one cannot be opened.
    """
    found: list[float] = []
    for samples in batches(lessons, opener, batch, workers):
        of_batch = [math.nan] * len(samples)
        for task in dict.fromkeys(each.lesson.task for each in samples):
            chosen = [i for i, each in enumerate(samples) if each.lesson.task == task]
            shown = [each.example for each in samples if each.lesson.task == task]
            rated = judge([each for each in shown if each is not None], task)
            for place, rating in zip(chosen, rated, strict=True):
                of_batch[place] = rating.value
        found += of_batch
    return found


def batches(
    lessons: Sequence[Lesson], opener: Opener, batch: int, workers: int = 0
) -> Iterator[list[Sample]]:
    """Open lessons in order, in worker processes; epoch 0 is asked about."""
    loader: DataLoader[Sample] = DataLoader(
        Opened(lessons, opener),
        batch_size=batch,
        sampler=[(0, row) for row in range(len(lessons))],
        num_workers=workers,
        collate_fn=together,
        generator=torch.Generator(),
    )
    for each in loader:
        yield each["samples"]


def follows(lessons: Sequence[Lesson], scores: Sequence[float], seed: int) -> Mapping[str, float]:
    """Return `srcc` and `plcc` with their 95 % intervals; of several sets the plain means.

    Opinions of different sets are never compared. With several sets, `srcc/N` and `plcc/N` are
    those of set N, and the means have no interval. Intervals are those of the final table.
    """
    places = [(each.set, each.task) for each in lessons]
    of_sets = {place: _one(lessons, scores, seed, place) for place in dict.fromkeys(places)}
    if len(of_sets) == 1:
        return next(iter(of_sets.values()))
    found: dict[str, float] = {}
    for name in MEASURES:
        found[name] = float(np.mean([each[name] for each in of_sets.values()]))
        found |= {f"{name}/{number}": each[name] for (number, _), each in of_sets.items()}
    return found


def _one(
    lessons: Sequence[Lesson], scores: Sequence[float], seed: int, place: tuple[int, str]
) -> dict[str, float]:
    rows = [row for row, each in enumerate(lessons) if (each.set, each.task) == place]
    of_set = agreement([lessons[row] for row in rows], [scores[row] for row in rows], seed)
    found: dict[str, float] = {}
    for name, value in of_set.items():
        found |= {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high}
    return found
