"""Which pixels iris looks at: windows of 64×64 on an even grid, read straight from the picture.

A picture of up to `MOST` windows is covered whole. Of a larger one, `MOST` windows or a few less
are taken, evenly in both directions, always the same ones; above `LARGE` pixels fewer, so that
looking stays quick beside decoding. A side below 64 pixels is first
continued by its mirror image, as often as needed. A picture whose shorter side is over 256 pixels
is also looked at in half size, with a weight that grows to a half at 512 pixels.
"""

import math
from typing import Final

import numpy as np
from jaxtyping import UInt8

SIDE: Final = 64
"""Side of a window in pixels."""
MOST: Final = 96
"""Windows taken of one picture at most: 0.39 megapixels."""
MOST_HALF: Final = 48
"""Windows taken of the picture at half size at most; each comes from 128×128 pixels."""
LARGE: Final = 2_000_000
"""Pixels above which fewer windows are taken: `MOST_OF_LARGE` and `MOST_HALF_OF_LARGE`."""
MOST_OF_LARGE: Final = 36
MOST_HALF_OF_LARGE: Final = 24
PHASE: Final = 8
"""Windows start at multiples of this many pixels, so that they lie on the grid of JPEG blocks."""


def counts(height: int, width: int, most: int | None = None) -> tuple[int, int]:
    """Return how many rows and columns of windows are taken.

    >>> counts(384, 512), counts(1000, 1500), counts(3000, 4000), counts(10, 30_000)
    ((6, 8), (8, 12), (5, 7), (1, 96))
    """
    if most is None:
        most = MOST_OF_LARGE if height * width > LARGE else MOST
    rows, columns = math.ceil(height / SIDE), math.ceil(width / SIDE)
    if rows * columns <= most:
        return rows, columns
    shrink = math.sqrt(most / (rows * columns))
    taken_rows = min(max(1, int(rows * shrink)), most)
    taken_columns = min(columns, most // taken_rows)
    return min(rows, most // taken_columns), taken_columns


def weight_of_half(height: int, width: int) -> float:
    """Return how much the view at half size counts.

    >>> weight_of_half(256, 4000), weight_of_half(512, 512), weight_of_half(3000, 4000)
    (0.0, 0.5, 0.5)
    """
    return 0.5 * min(max(math.log2(min(height, width) / 256), 0.0), 1.0)


def starts(length: int, count: int) -> list[int]:
    """Return where `count` windows begin along a side of `length` >= 64 pixels.

    Each lies in the middle of an equal part of the side, moved down to a multiple of 8.

    >>> starts(128, 2), starts(1000, 3)
    ([0, 64], [128, 464, 800])
    """
    middles = (length * (2 * k + 1) / (2 * count) - SIDE / 2 for k in range(count))
    return [int(min(max(m, 0), length - SIDE)) // PHASE * PHASE for m in middles]


def take_half(
    pixels: UInt8[np.ndarray, "height width 3"], most: int | None = None
) -> UInt8[np.ndarray, "windows 64 64 3"]:
    """Copy the windows of the picture at half size, each made from 128×128 pixels alone.

    Squares of 2×2 pixels are averaged and rounded; an odd last row or column is left out. Both
    sides must be at least 128 pixels.
    """
    height, width = (length // 2 for length in pixels.shape[:2])
    if most is None:
        most = MOST_HALF_OF_LARGE if 4 * height * width > LARGE else MOST_HALF
    rows, columns = counts(height, width, most)
    lefts = starts(width, columns)
    windows = np.empty((rows * columns, SIDE, SIDE, 3), np.uint8)
    number = 0
    for top in starts(height, rows):
        band = pixels[2 * top : 2 * (top + SIDE)]
        for left in lefts:
            square = band[:, 2 * left : 2 * (left + SIDE)].astype(np.uint16)
            lines = square[0::2] + square[1::2]
            windows[number] = (lines[:, 0::2] + lines[:, 1::2] + 2) >> 2
            number += 1
    return windows


def take(
    pixels: UInt8[np.ndarray, "height width 3"], most: int | None = None
) -> UInt8[np.ndarray, "windows 64 64 3"]:
    """Copy the windows out of a picture, row by row."""
    pixels = _at_least_one_window(pixels)
    height, width = pixels.shape[:2]
    rows, columns = counts(height, width, most)
    lefts = starts(width, columns)
    windows = np.empty((rows * columns, SIDE, SIDE, 3), np.uint8)
    number = 0
    for top in starts(height, rows):
        band = pixels[top : top + SIDE]
        for left in lefts:
            windows[number] = band[:, left : left + SIDE]
            number += 1
    return windows


def _at_least_one_window(
    pixels: UInt8[np.ndarray, "height width 3"],
) -> UInt8[np.ndarray, "taller wider 3"]:
    """Continue sides below 64 pixels by mirror images on the lower and right edge."""
    missing = [max(0, SIDE - length) for length in pixels.shape[:2]]
    if not any(missing):
        return pixels
    return np.pad(pixels, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="symmetric")
