"""JPEG: headers read by hand, plain pictures decoded by libjpeg-turbo without the GIL.

The fast path gives the very pixels that Pillow's full decode gives (a test holds it); what is
not plain (CMYK, 12 bit, lossless, damage) goes to Pillow.
"""

from dataclasses import dataclass, field
from io import BytesIO
from typing import Final

import numpy as np
import simplejpeg
from jaxtyping import UInt8
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from beholder.errors import MediaError
from beholder.media import limits
from beholder.media.orientation import exif_orientation

_PLAIN: Final = {0xC0, 0xC1, 0xC2}
"""Baseline, extended and progressive, all Huffman coded."""
_FRAMES: Final = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE: Final = {0x01, *range(0xD0, 0xD9)}
_SCAN_PIXELS: Final = 2**33
"""Most pixels of all passes of a progressive picture together."""


@dataclass(frozen=True)
class Header:
    """What the segments before the first scan say."""

    width: int
    height: int
    process: int
    """The frame marker: 0xC0 baseline, 0xC2 progressive, …"""
    precision: int
    components: int
    exif: bytes = field(default=b"", repr=False)
    profile: bytes | None = field(default=None, repr=False)

    @property
    def plain(self) -> bool:
        """Whether the fast path reads it."""
        return (
            self.process in _PLAIN
            and self.precision == 8
            and (self.components == 3 or (self.components == 1 and self.profile is None))
        )

    @property
    def orientation(self) -> int:
        """EXIF orientation, 1 to 8."""
        return exif_orientation(self.exif)


def header(data: bytes) -> Header:
    """Read the segments up to the first scan.

    Raises:
        MediaError: when the file ends before its size is told, or the size is over the limit.
    """
    exif, chunks, frame = b"", list[bytes](), b""
    at, process = 2, 0
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            at = _next_marker(data, at)
            continue
        marker = data[at + 1]
        if marker == 0xFF or marker in _ALONE:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in {0xD9, 0xDA}:
            break
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        body = data[at + 4 : at + 2 + length]
        if marker in _FRAMES and not frame:
            frame, process = body, marker
        elif marker == 0xE1 and body.startswith(b"Exif\0\0"):
            exif = exif or body
        elif marker == 0xE2 and body.startswith(b"ICC_PROFILE\0"):
            chunks.append(body[12:])
        at += 2 + max(length, 2)
    if len(frame) < 6:
        raise MediaError("this JPEG ends before its size is told: copy or download it again")
    height, width = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")
    limits.check_size(width, height)
    return Header(width, height, process, frame[0], frame[5], exif, _join(chunks))


def _next_marker(data: bytes, at: int) -> int:
    found = data.find(b"\xff", at)
    return len(data) if found < 0 else found


def _join(chunks: list[bytes]) -> bytes | None:
    """Put the pieces of a profile in order; a profile with a piece missing is left broken."""
    if not chunks:
        return None
    return b"".join(chunk[2:] for chunk in sorted(chunks, key=lambda chunk: chunk[:1]))


def fast(data: bytes, head: Header, least: int = 0) -> UInt8[np.ndarray, "height width 3"] | None:
    """Decode a plain picture; None when it must go to Pillow.

    With `least` it may come out smaller, by a factor the decoder likes, but no side below that.
    """
    if not head.plain:
        return None
    try:
        if head.components == 1:
            grey = simplejpeg.decode_jpeg(data, "GRAY", min_height=least, min_width=least)
            return np.repeat(np.asarray(grey), 3, axis=2)
        return np.asarray(simplejpeg.decode_jpeg(data, "RGB", min_height=least, min_width=least))
    except ValueError:
        return None


def check_passes(data: bytes, head: Header) -> None:
    """Refuse a picture that would be painted over and over.

    Raises:
        MediaError: with the number of passes.
    """
    passes = data.count(b"\xff\xda")
    if passes > 20 and passes * head.width * head.height > _SCAN_PIXELS:
        raise MediaError(
            f"this JPEG paints its {head.width}×{head.height} pixels {passes} times,"
            " which no camera does: save it again with a picture editor"
        )


def with_pillow(data: bytes) -> Image.Image:
    """Decode by Pillow: slower, forgiving, every kind. Raises what Pillow raises."""
    image = JpegImageFile(BytesIO(data))
    image.load()
    return image
