"""Files of several pictures, by Pillow: animations are clips, pages are pictures without time."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import replace
from io import BufferedIOBase
from itertools import accumulate
from typing import Final

from PIL import ImageFile

from beholder.errors import MediaError
from beholder.media import limits
from beholder.media.frames import Frames, Picture
from beholder.media.images import (
    damage_explained,
    decode,
    lazily,
    open_pillow,
    orientation,
    single,
)
from beholder.media.sampling import FrameRule
from beholder.media.sniff import Kind

_SHORTEST_MS: Final = 10
"""A frame that claims to be shown no longer than this is shown for `_USUAL_MS`, as browsers do."""
_USUAL_MS: Final = 100.0
_TIMED_BY_DECODING: Final = {"webp", "avif"}
_REDUCED_OR_MASK: Final = 0b101
"""Bits of TIFF's NewSubfileType: a smaller copy of another page, a transparency mask."""


def read_pillow(file: BufferedIOBase, kind: Kind, rule: FrameRule) -> Frames:
    """Read whatever Pillow opens: one picture, an animation, or pages.

    Takes over `file`: it is closed at once for a still, and by `Frames.close` otherwise.

    Raises:
        MediaError: when it is too large or damaged.
    """
    with damage_explained(kind):
        image = open_pillow(file, kind)
        if kind.reader == "tiff":
            frames = _pages(image, kind, rule)
            return _closing(frames, file)
        first = 1 if getattr(image, "default_image", False) else 0
        total = getattr(image, "n_frames", 1)
        if total - first > 1:
            frames = _animation(image, kind, rule, range(first, total))
            return _closing(frames, file)
        picture, notes = decode(image)
    file.close()
    return single(picture, notes)


def _closing(frames: Frames, file: BufferedIOBase) -> Frames:
    """Frames that hold the file open until they are read or closed."""
    if isinstance(frames.pictures, tuple):
        file.close()
        return frames
    return replace(frames, pictures=_then_close(frames.pictures, file), close=file.close)


def _then_close(pictures: Iterable[Picture], file: BufferedIOBase) -> Iterator[Picture]:
    try:
        yield from pictures
    finally:
        file.close()


def _pages(image: ImageFile.ImageFile, kind: Kind, rule: FrameRule) -> Frames:
    pages, (width, height) = _full_pages(image)
    chosen = [pages[index] for index in rule.pick(len(pages))]
    if len(pages) == 1:
        image.seek(pages[0])
        picture, notes = decode(image)
        return single(picture, notes)
    pictures = lazily(image, kind, [(page, None) for page in chosen])
    notes = (f"{len(pages)} pages",)
    return Frames("image", width, height, None, pictures, notes)


def _full_pages(image: ImageFile.ImageFile) -> tuple[list[int], tuple[int, int]]:
    """The pages that are neither thumbnails nor masks, and the size of the first."""
    pages, size = list[int](), image.size
    for index in range(limits.PAGES):
        try:
            image.seek(index)
        except EOFError:
            break
        if not int(getattr(image, "tag_v2", {}).get(254, 0)) & _REDUCED_OR_MASK:
            limits.check_size(*image.size)
            size = size if pages else image.size
            pages.append(index)
    else:
        raise MediaError(f"it has more than {limits.PAGES} pages: split it")
    return pages or [0], size


def _animation(image: ImageFile.ImageFile, kind: Kind, rule: FrameRule, indices: range) -> Frames:
    width, height = image.size
    if orientation(image) >= 5:
        height, width = width, height
    if width * height * len(indices) > limits.ANIMATION_PIXELS:
        raise MediaError(
            f"this animation has {len(indices)} frames of {width}×{height};"
            f" {limits.ANIMATION_PIXELS // (width * height)} frames of that size are allowed:"
            " save it as a video"
        )
    shown = [_shown_ms(image, kind, index) for index in indices]
    starts = list(accumulate(shown, initial=0))
    seconds = starts.pop() / 1000
    chosen: list[tuple[int, float | None]] = [
        (indices[bisect_right(starts, moment * 1000 + 1e-6) - 1], moment)
        for moment in rule.times(seconds)
    ]
    pictures = lazily(image, kind, chosen)
    return Frames("video", width, height, seconds, pictures)


def _shown_ms(image: ImageFile.ImageFile, kind: Kind, index: int) -> float:
    image.seek(index)
    if kind.reader in _TIMED_BY_DECODING:
        image.load()
    duration = float(image.info.get("duration", 0) or 0)
    return duration if duration > _SHORTEST_MS else _USUAL_MS


def middle(file: BufferedIOBase, kind: Kind) -> Picture:
    """The picture that stands for the whole file."""
    frames = read_pillow(file, kind, FrameRule(1))
    try:
        return next(iter(frames.pictures))
    finally:
        frames.close()
