"""Which pixels iris looks at: windows of 64×64 on an even grid, of views of several sizes.

The first view is the picture as it is. Where the shorter side has at least `HALF` pixels there is
one at half size, and in pictures above `LARGE` pixels one at a quarter where it has `QUARTER`, so
that large pictures are seen as a screen would show them, too. A view of few windows is covered
whole; of others some are taken, evenly in both directions, always the same ones: fewer of large
pictures, so that looking stays quick beside decoding. A side below 64 pixels is first continued by
its mirror image, as often as needed.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import UInt8

SIDE: Final = 64
"""Side of a window in pixels."""
HALF: Final = 256
QUARTER: Final = 1536
LARGE: Final = 2_000_000
MOST: Final = {1: 144, 2: 64}
"""Windows taken at most, by how much the view is reduced."""
MOST_OF_LARGE: Final = {1: 24, 2: 12, 4: 12}
PHASE: Final = 8
"""Windows start at multiples of this many pixels, so that they lie on the grid of JPEG blocks."""


@dataclass(frozen=True)
class View:
    """One size at which a picture is looked at."""

    factor: int
    """Squares of so many pixels on a side are averaged."""
    most: int
    """Windows taken at most."""


def views(height: int, width: int, *, every: bool = False) -> tuple[View, ...]:
    """Return the views of a picture, the native one first; `every` window of them if asked.

    >>> [view.factor for view in views(255, 4000)], [view.factor for view in views(3000, 4000)]
    ([1], [1, 2, 4])
    >>> [view.most for view in views(3000, 4000)], views(600, 640, every=True)[0].most
    ([24, 12, 12], 100)
    """
    most = MOST_OF_LARGE if height * width > LARGE else MOST
    if every:
        count = math.ceil(height / SIDE) * math.ceil(width / SIDE)
        most = dict.fromkeys(most, count)
    least = {1: 0, 2: HALF, 4: QUARTER}
    kept = [factor for factor in most if min(height, width) >= least[factor]]
    return tuple(View(factor, most[factor]) for factor in kept)


def counts(height: int, width: int, most: int) -> tuple[int, int]:
    """Return how many rows and columns are taken; of a turned picture the same, if it is no square.

    >>> counts(384, 512, 96), counts(1000, 1500, 96), counts(3000, 4000, 24), counts(10, 9000, 96)
    ((6, 8), (8, 12), (4, 6), (1, 96))
    """
    if height > width:
        columns, rows = counts(width, height, most)
        return rows, columns
    rows, columns = math.ceil(height / SIDE), math.ceil(width / SIDE)
    if rows * columns <= most:
        return rows, columns
    taken_rows = max(1, math.isqrt(most * rows // columns))
    taken_columns = min(columns, most // taken_rows)
    return min(rows, most // taken_columns), taken_columns


def starts(length: int, count: int) -> list[int]:
    """Return where `count` windows begin along a side of `length` >= 64 pixels.

    Each lies in the middle of an equal part of the side, moved outwards to the grid of 8 pixels, so
    that a mirrored side of a multiple of 16 pixels has the same windows (of 8 if they are even).

    >>> starts(128, 2), starts(1000, 3), starts(100, 1)
    ([0, 64], [128, 464, 808], [16])
    """
    last = (length - SIDE) // PHASE * PHASE
    found = []
    for k in range((count + 1) // 2):
        middle = length * (2 * k + 1) / (2 * count) - SIDE / 2
        found.append(int(max(middle, 0)) // PHASE * PHASE)
    return found + [last - start for start in reversed(found[: count // 2])]


def take(
    pixels: UInt8[np.ndarray, "height width 3"], view: View
) -> UInt8[np.ndarray, "windows 64 64 3"]:
    """Copy the windows of a view out of a picture, row by row.

    Of a reduced view, each window is made from its own pixels alone: squares are averaged and
    rounded, rows and columns left over are not seen. Both sides must hold one window.
    """
    pixels = _at_least_one_window(pixels)
    height, width = (length // view.factor for length in pixels.shape[:2])
    rows, columns = counts(height, width, view.most)
    lefts, side = starts(width, columns), SIDE * view.factor
    windows = np.empty((rows, columns, SIDE, SIDE, 3), np.uint8)
    for row, top in enumerate(starts(height, rows)):
        band = pixels[view.factor * top :][:side]
        for column, left in enumerate(lefts):
            square = band[:, view.factor * left :][:, :side]
            windows[row, column] = _averaged(square, view.factor)
    return windows.reshape(-1, SIDE, SIDE, 3)


def _averaged(
    square: UInt8[np.ndarray, "larger larger 3"], factor: int
) -> UInt8[np.ndarray, "64 64 3"]:
    if factor == 1:
        return square
    lines = square[0::factor].astype(np.uint16)
    for row in range(1, factor):
        lines += square[row::factor]
    total = lines[:, 0::factor].copy()
    for column in range(1, factor):
        total += lines[:, column::factor]
    whole: UInt8[np.ndarray, "64 64 3"] = ((total + factor**2 // 2) // factor**2).astype(np.uint8)
    return whole


def _at_least_one_window(
    pixels: UInt8[np.ndarray, "height width 3"],
) -> UInt8[np.ndarray, "taller wider 3"]:
    """Continue sides below 64 pixels by mirror images on the lower and right edge."""
    missing = [max(0, SIDE - length) for length in pixels.shape[:2]]
    if not any(missing):
        return pixels
    return np.pad(pixels, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="symmetric")
