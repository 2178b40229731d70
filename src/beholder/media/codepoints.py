"""What PNG and AVIF say about their colours by numbers of ITU-T H.273, which Pillow does not read.

HEIC says it through libheif, clips through FFmpeg.
"""

from dataclasses import dataclass
from io import BufferedIOBase
from typing import Final

from beholder.errors import MediaError
from beholder.media import hdr
from beholder.media.sniff import Kind

_FRONT: Final = 2**16
"""Bytes from the start of a file in which the numbers stand."""


@dataclass(frozen=True)
class CodePoints:
    """Primaries and transfer function; 2 is unspecified."""

    primaries: int = 2
    transfer: int = 2


def code_points(file: BufferedIOBase, kind: Kind) -> CodePoints:
    """The numbers that a file states, looked up near its start."""
    file.seek(0)
    front = file.read(_FRONT)
    file.seek(0)
    if kind.reader == "png":
        at = front[: front.find(b"IDAT")].find(b"\0\0\0\4cICP")
        return CodePoints(front[at + 8], front[at + 9]) if at >= 0 else CodePoints()
    at = front.find(b"colrnclx")
    if kind.reader != "avif" or at < 0 or at + 12 > len(front):
        return CodePoints()
    numbers = front[at + 8 : at + 12]
    return CodePoints(int.from_bytes(numbers[:2], "big"), int.from_bytes(numbers[2:], "big"))


def refuse_hdr(points: CodePoints, kind: Kind) -> None:
    """Refuse what Pillow would show at 8 bits with the wrong brightness.

    Raises:
        MediaError: for PQ and HLG.
    """
    if points.transfer in {int(transfer) for transfer in hdr.Transfer}:
        name = hdr.Transfer(points.transfer).name
        raise MediaError(
            f"this {kind.name} is HDR ({name}), which is read from HEIC and clips only:"
            " export it for standard range (sRGB)"
        )
