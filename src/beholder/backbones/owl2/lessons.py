"""Sentences with pictures in them: the whole forward pass, every position, with or without labels.

This is what training uses, and what agreement with the reference is measured on. Rating goes the
short way (`model.py`). Both use the same layers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from beholder.backbones.owl2.layout import Layout, Span, plan
from beholder.backbones.owl2.network import Network
from beholder.errors import ModelError

PLACEHOLDER: Final = -200
"""The id that stands for a picture, or for all frames of a clip."""
IGNORED: Final = -100
"""The label of a token that is not learned."""


@dataclass(frozen=True)
class Lesson:
    """One sequence: token ids with placeholders, and the pictures that take their places."""

    ids: Sequence[int]
    pictures: Sequence[Float[Tensor, "frames 3 side side"]] = ()
    """One entry a placeholder, normalised: one picture, or the frames of a clip."""
    labels: Sequence[int] | None = None
    """One a token: its own id where it is learned, `IGNORED` elsewhere."""


def read(
    network: Network, lessons: Sequence[Lesson]
) -> tuple[Float[Tensor, "tokens width"], Layout]:
    """Return the state of every token of a batch, and where each lies.

    Raises:
        ModelError: when placeholders and pictures do not match.
    """
    rows = tuple(_spans(network, each) for each in lessons)
    text = [number for each in lessons for number in each.ids if number != PLACEHOLDER]
    parts = [network.words(torch.tensor(text, dtype=torch.long, device=network.device))]
    pictures = [frames for each in lessons for frames in each.pictures]
    if pictures:
        pixels = torch.cat(pictures).to(network.device, network.dtype)
        parts.insert(0, network.see(pixels).flatten(0, 1))
    layout = plan(rows, 0, network.device)
    return network.read(torch.cat(parts), layout), layout


def logits(network: Network, lessons: Sequence[Lesson]) -> Float[Tensor, "batch longest words"]:
    """Return the logits at every position of every row; those of padding mean nothing."""
    states, layout = read(network, lessons)
    return layout.to_rows(network.lm_head(states))


@dataclass(frozen=True)
class Supervised:
    """What is said where the learned tokens of a batch are due, row after row."""

    logits: Float[Tensor, "tokens words"]
    """In float32."""
    labels: Int[Tensor, " tokens"]
    counts: tuple[int, ...]
    """Learned tokens of each row."""


def supervised(network: Network, lessons: Sequence[Lesson]) -> Supervised:
    """Read a batch; only positions that are followed by a learned token go through the head.

    Raises:
        ModelError: when nothing is to be learned, or labels do not match ids.
    """
    states, layout = read(network, lessons)
    rows = [_supervised(network, each) for each in lessons]
    asked = [row * layout.longest + place for row, (at, _) in enumerate(rows) for place in at]
    labels = [label for _, of_row in rows for label in of_row]
    if not labels:
        raise ModelError("no token of this batch has a label: nothing can be learned from it")
    places = torch.tensor(asked, device=network.device)
    said = network.lm_head(states[layout.tokens[places]]).float()
    there = torch.tensor(labels, device=network.device)
    return Supervised(said, there, tuple(len(of_row) for _, of_row in rows))


def loss(network: Network, lessons: Sequence[Lesson]) -> Float[Tensor, ""]:
    """Return the mean cross-entropy over all learned tokens of a batch, in float32.

    Raises:
        ModelError: when nothing is to be learned, or labels do not match ids.
    """
    said = supervised(network, lessons)
    return functional.cross_entropy(said.logits, said.labels)


def _spans(network: Network, lesson: Lesson) -> tuple[Span, ...]:
    placeholders = sum(number == PLACEHOLDER for number in lesson.ids)
    if placeholders != len(lesson.pictures):
        raise ModelError(
            f"a sentence with {placeholders} places for pictures got {len(lesson.pictures)}"
        )
    waiting = iter(lesson.pictures)
    spans: list[Span] = []
    text = 0
    for number in [*lesson.ids, PLACEHOLDER]:
        if number != PLACEHOLDER:
            text += 1
            continue
        if text:
            spans.append(Span(text))
        text = 0
        frames = next(waiting, None)
        if frames is not None:
            spans.append(Span(len(frames) * network.config.tokens, is_image=True))
    return tuple(spans)


def _supervised(network: Network, lesson: Lesson) -> tuple[list[int], list[int]]:
    """Return the places in its row before learned tokens, and those tokens."""
    if lesson.labels is None or len(lesson.labels) != len(lesson.ids):
        got = None if lesson.labels is None else len(lesson.labels)
        raise ModelError(f"{len(lesson.ids)} tokens need as many labels, got {got}")
    places: list[int] = []
    labels: list[int] = []
    place = 0
    waiting = iter(lesson.pictures)
    for number, label in zip(lesson.ids, lesson.labels, strict=True):
        if number == PLACEHOLDER:
            place += len(next(waiting)) * network.config.tokens
            continue
        if label != IGNORED and place > 0:
            places.append(place - 1)
            labels.append(label)
        place += 1
    return places, labels
