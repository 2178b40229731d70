"""How much one input may ask for. Checked from the header, before anything is decoded."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from threading import BoundedSemaphore
from typing import Final

from beholder.errors import MediaError

PIXELS: Final = 2**28
"""Most pixels of one picture: 268 million, e.g. 16,384 × 16,384."""
HEAVY_PIXELS: Final = 64_000_000
"""A picture above this is decoded alone, so that memory does not grow with the workers."""
ANIMATION_PIXELS: Final = 2**33
"""Most pixels of all frames of an animation together."""
PACKETS: Final = 4_000_000
"""Most packets of a clip that are looked at to find out how long it is (about 18 hours)."""

BYTES: Final = 2**31
"""Most bytes of a picture file that must be read whole (JPEG, HEIC, WebP, AVIF)."""
PAGES: Final = 10_000
"""Most pages of a document that are looked at."""

_heavy = BoundedSemaphore(1)


def check_size(width: int, height: int) -> None:
    """Refuse a picture that has no pixels or too many.

    >>> check_size(16_384, 16_384)

    Raises:
        MediaError: with the size and the limit.
    """
    if width < 1 or height < 1:
        raise MediaError(f"its header says {width}×{height} pixels; at least 1×1 is needed")
    if width * height > PIXELS:
        raise MediaError(
            f"its header says {width}×{height} = {width * height / 1e6:.0f} megapixels;"
            f" at most {PIXELS / 1e6:.0f} are read: make it smaller first"
        )


def read_all(file: BufferedIOBase) -> bytes:
    """The whole file.

    Raises:
        MediaError: when it is larger than any picture of its kind can be.
    """
    data = file.read(BYTES + 1)
    check_bytes(len(data))
    return data


def check_bytes(count: int) -> None:
    """Refuse a file that is larger than any picture of its kind can be.

    Raises:
        MediaError: with the limit.
    """
    if count > BYTES:
        raise MediaError(
            f"the file is larger than {BYTES / 2**30:.0f} GiB, which no picture of its kind is:"
            " check where it comes from"
        )


@contextmanager
def decoding(width: int, height: int) -> Iterator[None]:
    """Hold the one place for heavy pictures while such a picture is decoded."""
    if width * height <= HEAVY_PIXELS:
        yield
        return
    with _heavy:
        yield
