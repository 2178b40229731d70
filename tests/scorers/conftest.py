"""A backbone that says what a table says: scorers are tested by hand, without a network."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
import torch

from beholder.backbones.base import Backbone
from beholder.media.frames import Frames, Picture


class Table(Backbone):
    """Pictures are numbered by their first pixel; the table has a row of logits for each.

    A whole clip is answered by the mean of its frames plus `whole`.
    """

    def __init__(self, rows: Sequence[Mapping[str, float]], whole: Mapping[str, float]) -> None:
        self.rows = rows
        self.whole = whole
        self.asked: list[tuple[str, tuple[str, ...]]] = []
        self.encoded = 0

    def settings(self):
        return {"architecture": "table"}

    def encode(self, pictures):
        self.encoded += 1
        return tuple(int(each.pixels[0, 0, 0]) for each in pictures)

    def logits(self, examples, prompt, candidates):
        self.asked.append((prompt.question, tuple(candidates)))
        bonus = self.whole if "video" in prompt.question else {}
        return torch.tensor(
            [
                [
                    sum(self.rows[i][word] for i in each) / len(each) + bonus.get(word, 0.0)
                    for word in candidates
                ]
                for each in examples
            ],
            dtype=torch.float64,
        )


@pytest.fixture
def table():
    def make(*rows: Mapping[str, float], whole: Mapping[str, float] | None = None) -> Table:
        return Table(rows, whole or {})

    return make


@pytest.fixture
def still():
    """The maker of stills: number → Frames."""

    def make(number: int = 0) -> Frames:
        return Frames("image", 4, 4, None, [_picture(number, None)])

    return make


@pytest.fixture
def clip():
    """The maker of clips, two frames a second by default: numbers → Frames."""

    def make(*numbers: int, per_second: float = 2.0) -> Frames:
        pictures = [_picture(number, at / per_second) for at, number in enumerate(numbers)]
        return Frames("video", 4, 4, len(numbers) / per_second, pictures)

    return make


def _picture(number: int, seconds: float | None) -> Picture:
    return Picture(np.full((4, 4, 3), number, np.uint8), seconds)
