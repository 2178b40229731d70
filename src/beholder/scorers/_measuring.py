"""Measuring pictures one by one: what methods that ask no questions have in common.

A clip is measured frame by frame; its value is the mean of its frames.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8

from beholder.errors import MediaError
from beholder.media.frames import Frames, Picture
from beholder.scorers._asking import segments
from beholder.scorers.align import worst
from beholder.scorers.base import Encoded, Rating

Pixels = UInt8[np.ndarray, "height width 3"]
TASKS = ("quality",)


@dataclass(frozen=True)
class Reading:
    """What a method measured of one picture."""

    value: float
    """Higher is better."""
    details: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Least:
    """The smallest picture that can be measured, in pixels."""

    shorter: int
    longer: int

    def check(self, pixels: Pixels, method: str) -> None:
        """Refuse a smaller picture.

        Raises:
            MediaError: with its size and the smallest.
        """
        height, width = pixels.shape[:2]
        if min(height, width) < self.shorter or max(height, width) < self.longer:
            raise MediaError(
                f"the picture is {width}×{height} pixels; {method} needs at least "
                f"{self.shorter} on the shorter and {self.longer} on the longer side"
            )


def encode(
    frames: Frames, least: Least, method: str, prepare: Callable[[Picture], Any] | None = None
) -> Encoded:
    """Read the frames in full size, and prepare each for measuring; else keep its pixels.

    Raises:
        MediaError: when they are too small.
    """
    times, parts = [], []
    for picture in frames.pictures:
        least.check(picture.pixels, method)
        times.append(picture.seconds)
        parts.append(prepare(picture) if prepare else picture.pixels)
    return Encoded(frames.media, tuple(times), tuple(parts))


def rate(
    inputs: Sequence[Encoded], measure: Callable[[Any], Reading], segment: float | None = None
) -> list[Rating]:
    """Measure a batch: one rating an input, in order; a timeline has an entry every `segment`."""
    return [_rate(each, measure, segment) for each in inputs]


def _rate(given: Encoded, measure: Callable[[Any], Reading], segment: float | None) -> Rating:
    try:
        return _rating(given.times, [measure(part) for part in given.parts], segment)
    except torch.OutOfMemoryError:
        return Rating(
            math.nan,
            error="the device has not enough memory to measure it in full size: make it smaller, "
            "or use --device cpu",
        )


def _rating(
    times: Sequence[float | None], readings: Sequence[Reading], segment: float | None
) -> Rating:
    if not all(math.isfinite(each.value) for each in readings):
        return Rating(
            math.nan,
            error="the distance is not a number: the statistics of pristine pictures are singular; "
            "fit them on more pictures",
        )
    details: dict[str, Any] = {
        name: _mean([each.details[name] for each in readings]) for name in readings[0].details
    }
    moments = [
        (seconds, [each.value])
        for seconds, each in zip(times, readings, strict=True)
        if seconds is not None
    ]
    timeline = [(seconds, row[0]) for seconds, row in segments(moments, segment)]
    return Rating(
        _mean([each.value for each in readings]),
        timeline=timeline,
        worst=worst(timeline) if segment else None,
        details=details,
    )


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
