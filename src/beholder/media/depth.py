"""Every sample type → 8 bit. Scaled from the range it stands for, never clipped."""

import numpy as np
from jaxtyping import Float, Int, Num, UInt8
from PIL import Image

from beholder.errors import MediaError


def from_sixteen(samples: Num[np.ndarray, "*shape"]) -> UInt8[np.ndarray, "*shape"]:
    """0…65535 → 0…255, to the nearest level.

    >>> from_sixteen(np.array([0, 257, 65535], dtype=np.uint16)).tolist()
    [0, 1, 255]
    """
    return ((samples.astype(np.uint32) + 128) // 257).astype(np.uint8)


def from_unit(samples: Float[np.ndarray, "*shape"]) -> UInt8[np.ndarray, "*shape"]:
    """0.0…1.0 → 0…255, to the nearest level.

    Raises:
        MediaError: when a sample is not a number or outside 0 to 1, because then nobody has said
            which value is white.
    """
    low, high = (float(samples.min()), float(samples.max())) if samples.size else (0.0, 0.0)
    if not (low >= 0.0 and high <= 1.0):
        raise MediaError(
            f"its samples are floats from {low:g} to {high:g}; 0 (black) to 1 (white) is allowed:"
            " scale them or save as 8 or 16 bit"
        )
    levels: np.ndarray = np.rint(samples.astype(np.float32, copy=False) * np.float32(255))
    return levels.astype(np.uint8)


def from_long(samples: Int[np.ndarray, "*shape"]) -> UInt8[np.ndarray, "*shape"]:
    """32-bit integers that hold 16-bit values → 8 bit.

    Raises:
        MediaError: when they hold more, because then nobody has said which value is white.
    """
    low, high = int(samples.min()), int(samples.max())
    if low < 0 or high > 65535:
        raise MediaError(
            f"its samples are 32-bit integers from {low} to {high}; 0 to 65535 is allowed:"
            " scale them or save as 8 or 16 bit"
        )
    return from_sixteen(samples)


def grey(image: Image.Image) -> Image.Image:
    """A deep grey picture (I;16, I, F) as 8-bit grey."""
    samples = np.asarray(image)
    if image.mode == "F":
        eight = from_unit(samples)
    elif image.mode == "I":
        eight = from_long(samples)
    else:
        eight = from_sixteen(samples)
    return Image.fromarray(eight)
