"""Anything that shows something → Frames. The one door that engines and scorers use."""

import os
from io import BufferedIOBase, BytesIO
from os import PathLike
from typing import Final

import numpy as np
from PIL import Image

from beholder.errors import MediaError, UsageError
from beholder.media import arrays
from beholder.media.animations import read_pillow
from beholder.media.files import open_file
from beholder.media.frames import Frames, Picture
from beholder.media.images import preview, read_still
from beholder.media.sampling import FrameRule
from beholder.media.sniff import HEAD, Kind, sniff
from beholder.media.videos import read_clip

Source = str | PathLike[str] | bytes | Image.Image | np.ndarray
"""A path, the bytes of a file, a Pillow image or an array."""

_WHOLE: Final = frozenset(["jpeg", "heif"])
"""Readers that want all bytes at once."""


def read(source: Source, rule: FrameRule) -> Frames:
    """Open a picture or a clip by what it holds, whatever its name says.

    A still is decoded at once; a clip is decoded as its pictures are read.

    Raises:
        MediaError: when it cannot be judged: one sentence on why and what to do.
        UsageError: for an array or an object that is no picture.
    """
    if isinstance(source, np.ndarray):
        return arrays.read_array(source)
    if isinstance(source, Image.Image):
        return arrays.read_image(source)
    if isinstance(source, bytes):
        return _read_bytes(source, rule)
    if not isinstance(source, str | PathLike):
        raise UsageError(
            f"got {type(source).__name__}; allowed are a path, bytes, a Pillow image"
            " and a NumPy array"
        )
    return _read_path(os.fspath(source), rule)


def _read_bytes(data: bytes, rule: FrameRule) -> Frames:
    if not data:
        raise MediaError("there are no bytes (0 bytes were given): read the file again")
    kind = sniff(data[:HEAD])
    if kind.family == "clip":
        return read_clip(data, kind, rule)
    return _read_still(BytesIO(data), kind, rule)


def _read_path(path: str, rule: FrameRule) -> Frames:
    file = open_file(path)
    try:
        kind = sniff(_head(file))
        if kind.family == "still":
            return _read_still(file, kind, rule)
    except BaseException:
        file.close()
        raise
    file.close()
    return read_clip(path, kind, rule)


def _head(file: BufferedIOBase) -> bytes:
    head = file.read(HEAD)
    file.seek(0)
    return head


def _read_still(file: BufferedIOBase, kind: Kind, rule: FrameRule) -> Frames:
    if kind.reader in _WHOLE:
        frames = read_still(file, kind)
        file.close()
        return frames
    return read_pillow(file, kind, rule)


def thumbnail(path: str | PathLike[str], longest: int) -> Image.Image:
    """A small upright sRGB preview; of a clip or an animation, its middle frame.

    Args:
        path: A picture or a clip.
        longest: Its longest side in pixels will be at most this.

    Raises:
        MediaError: as `read`.
    """
    picture = _small_jpeg(os.fspath(path), longest) or _one(path)
    image = Image.fromarray(picture.pixels)
    image.thumbnail((longest, longest), Image.Resampling.BICUBIC, reducing_gap=2.0)
    return image


def _small_jpeg(path: str, longest: int) -> Picture | None:
    with open_file(path) as file:
        kind = sniff(_head(file))
        if kind.reader != "jpeg":
            return None
        return preview(file, kind, longest)


def _one(path: str | PathLike[str]) -> Picture:
    frames = read(path, FrameRule(1))
    try:
        return next(iter(frames.pictures))
    finally:
        frames.close()
