"""Frames: what every backbone sees. Upright sRGB pixels, in order of time, read one by one."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import UInt8

Media = Literal["image", "video"]


@dataclass(frozen=True)
class Picture:
    """One upright picture in sRGB."""

    pixels: UInt8[np.ndarray, "height width 3"]
    seconds: float | None = None
    """When it is shown; None for a still or a page."""


@dataclass(frozen=True)
class Frames:
    """The pictures of one input.

    `pictures` is read once, front to back: a clip is decoded as it is read, so memory does not
    grow with its length. Reading may raise `MediaError`.
    """

    media: Media
    width: int
    """Upright width in pixels."""
    height: int
    """Upright height in pixels."""
    seconds: float | None
    """Duration of a clip or an animation; None for a still or for pages."""
    pictures: Iterable[Picture] = field(repr=False)
    notes: tuple[str, ...] = ()
    """What was done that is not plain: `ICC profile converted`, `alpha on white`, …"""
    close: Callable[[], None] = field(default=lambda: None, repr=False)
    """Frees what an unfinished reading holds open."""
