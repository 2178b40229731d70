"""Which lessons an epoch holds, and in which order: from the seed and the number of the epoch."""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from beholder.training.lesson import Lesson


def order(
    lessons: Sequence[Lesson], weights: Sequence[float], seed: int, epoch: int
) -> Int[np.ndarray, " rows"]:
    """Return the rows of one epoch, shuffled; `weights` say how often each set is drawn.

    A weight of 2 shows every row twice; one of 0.5 shows half of the rows, others each epoch.

    >>> from pathlib import Path
    >>> lessons = [Lesson(Path(), "", "", n % 2, 0.0, 0.0, 0, ()) for n in range(4)]
    >>> sorted(order(lessons, [1.0, 0.5], seed=0, epoch=0).tolist())
    [0, 1, 2]
    """
    random = np.random.default_rng([seed, epoch])
    sets = np.array([lesson.set for lesson in lessons], dtype=np.int64)
    chosen = []
    for number, weight in enumerate(weights):
        rows = np.flatnonzero(sets == number)
        whole = math.floor(weight)
        part = round((weight - whole) * len(rows))
        chosen += [np.tile(rows, whole), np.sort(random.permutation(rows)[:part])]
    return random.permutation(np.concatenate(chosen))
