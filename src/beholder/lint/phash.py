"""A perceptual hash: 64 signs of the lowest frequencies of a small grey picture.

After C. Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions" (2010).
Pictures whose hashes differ in few places look alike; how few was measured, see `docs/lint.md`.
"""

from typing import Final

import numpy as np
from jaxtyping import Float, Int, UInt8, UInt64
from PIL import Image

SIDE: Final = 32
"""Side of the small picture."""
LOW: Final = 8
"""Frequencies a side that are looked at, the mean level and the pure first ones included."""
FLAT: Final = 2.0
"""Below this standard deviation (of 255) a picture has nothing to hash."""
NEAR: Final = 8
"""At most so many of 64 signs differ between pictures that look the same."""
NONE: Final = 65
"""More than two hashes can differ."""
_AT_ONCE: Final = 2**22
"""Pairs compared at once: memory is bounded by it."""


def _cosines() -> Float[np.ndarray, "low side"]:
    """The first rows of the orthonormal DCT-II."""
    k, x = np.arange(LOW)[:, None], np.arange(SIDE)[None, :]
    rows: Float[np.ndarray, "low side"] = np.cos(np.pi * k * (2 * x + 1) / (2 * SIDE))
    rows *= np.sqrt(2 / SIDE)
    rows[0] /= np.sqrt(2)
    return rows


_COSINES: Final = _cosines()


def of(pixels: UInt8[np.ndarray, "height width 3"]) -> int | None:
    """Return the hash of a picture; None where it is too flat to have one."""
    grey = Image.fromarray(pixels).convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    small = np.asarray(grey, dtype=np.float64)
    if small.std() < FLAT:
        return None
    low = _COSINES @ small @ _COSINES.T
    signs = (low > np.median(low.ravel()[1:])).ravel()
    return int.from_bytes(np.packbits(signs).tobytes(), "big")


def nearest(
    hashes: UInt64[np.ndarray, " n"], groups: Int[np.ndarray, " n"]
) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"]]:
    """Return for each hash the nearest one of another group, and in how many signs it differs.

    Where there is no other group the distance is 65. Memory does not grow with n squared.
    """
    index = np.zeros(len(hashes), dtype=np.int64)
    distance = np.full(len(hashes), NONE, dtype=np.int64)
    step = max(1, _AT_ONCE // max(len(hashes), 1))
    for start in range(0, len(hashes), step):
        block = slice(start, start + step)
        apart = _ones(hashes[block, None] ^ hashes[None, :])
        apart[groups[block, None] == groups[None, :]] = NONE
        index[block] = apart.argmin(axis=1)
        distance[block] = apart.min(axis=1)
    return index, distance


def _ones(bits: UInt64[np.ndarray, "rows columns"]) -> UInt8[np.ndarray, "rows columns"]:
    """Count the ones of each number (SWAR: pairs, fours, bytes, sum of bytes)."""
    one, two, four = (
        np.uint64(mask) for mask in (0x5555555555555555, 0x3333333333333333, 0x0F0F0F0F0F0F0F0F)
    )
    bits = bits - ((bits >> np.uint64(1)) & one)
    bits = (bits & two) + ((bits >> np.uint64(2)) & two)
    bits = (bits + (bits >> np.uint64(4))) & four
    return ((bits * np.uint64(0x0101010101010101)) >> np.uint64(56)).astype(np.uint8)
