"""What iris sees of a window: statistics of log-DCT coefficients in cells, no training involved.

A window of 64×64 pixels is cut into 4 cells of 32×32. Blocks of 8×8 at every fourth pixel are
transformed (DCT-II, orthonormal), and a cell is described by the mean and the standard deviation,
over its 7×7 blocks, of log(|c| + 0.004) for every coefficient of luma and the 16 lowest of each
chroma. The same is done once for the whole window at half resolution, and for its luma at a
quarter (mean only), and shared by its 4 cells. `EXTRAS` more numbers say what logarithms hide:
blockiness, flatness, clipping, mean colour. Pixels are in 0..1, Y Cb Cr of ITU-R BT.601.
"""

import math
from functools import cache
from typing import Final

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

EPSILON: Final = 0.004
"""About one step of an 8-bit pixel: what lies below it is not seen."""
LUMA: Final = 8
"""Coefficients kept along each side of a luma block."""
CHROMA: Final = 4
"""Coefficients kept along each side of a chroma block."""
EXTRAS: Final = 12
SCALE: Final = 2 * LUMA**2 + 4 * CHROMA**2
"""Numbers of one view of a cell: mean and deviation of luma and of two chromas."""
CELL: Final = 2 * SCALE + LUMA**2 + EXTRAS
"""Numbers a cell."""
CHUNK: Final = 12
"""Windows worked on at once, so that all fits into the cache."""
BINS: Final = 16
OVERALL: Final = BINS + 10
"""Numbers for the whole picture."""


def describe(
    windows: UInt8[np.ndarray, "windows 64 64 3"],
) -> tuple[Float[Tensor, "cells 460"], Float[Tensor, " 26"]]:
    """Return the statistics of every cell, four a window, and those of the picture as a whole.

    >>> cells, overall = describe(np.zeros((1, 64, 64, 3), np.uint8))
    >>> tuple(cells.shape), tuple(overall.shape)
    ((4, 460), (26,))
    """
    with torch.inference_mode():
        parts = [_describe(part) for part in torch.split(torch.from_numpy(windows), CHUNK)]
        cells = torch.cat([part[0] for part in parts])
        return cells.clone(), whole(torch.cat([part[1] for part in parts], 2))


def _describe(
    windows: UInt8[Tensor, "windows 64 64 3"],
) -> tuple[Float[Tensor, "cells 460"], Float[Tensor, "3 16 windows 16"]]:
    """Return the statistics of the cells, and the windows at a quarter."""
    rgb = cut(windows)
    planes = luma_chroma(rgb)
    half = joined(halved(planes))
    quarter = halved(half)
    shared = torch.cat([view(half), means(log_dct(quarter[0], LUMA), LUMA)], 1)
    cells = [view(planes), shared.repeat_interleave(4, 0), extras(planes[0], rgb)]
    cells.append(planes.mean((1, 3)).T)
    return torch.cat(cells, 1), quarter


def cut(windows: UInt8[Tensor, "windows 64 64 3"]) -> Float[Tensor, "3 32 cells 32"]:
    """Cut windows into their four cells, colours in 0..1.

    The cell stands between row and column, so that both passes of a transform are one product.
    """
    parts = windows.view(-1, 2, 32, 2, 32, 3).permute(5, 2, 0, 1, 3, 4)
    cells = torch.empty(parts.shape, dtype=torch.float32)
    return cells.copy_(parts).flatten(2, 4).mul_(1 / 255)


def luma_chroma(rgb: Float[Tensor, "3 rows n columns"]) -> Float[Tensor, "3 rows n columns"]:
    """Return Y in 0..1 and Cb, Cr in -0.5..0.5 (ITU-R BT.601)."""
    red, green, blue = rgb
    out = torch.empty_like(rgb)
    luma = torch.mul(red, 0.299, out=out[0]).add_(green, alpha=0.587).add_(blue, alpha=0.114)
    torch.sub(blue, luma, out=out[1]).mul_(0.5 / 0.886)
    torch.sub(red, luma, out=out[2]).mul_(0.5 / 0.701)
    return out


def halved(planes: Float[Tensor, "3 rows n columns"]) -> Float[Tensor, "3 fewer n fewer"]:
    """Average squares of 2×2 pixels."""
    rows = planes[:, 0::2] + planes[:, 1::2]
    return (rows[..., 0::2] + rows[..., 1::2]).mul_(0.25)


def joined(cells: Float[Tensor, "3 16 cells 16"]) -> Float[Tensor, "3 32 windows 32"]:
    """Put the four halved cells of each window together again."""
    parts = cells.view(3, 16, -1, 2, 2, 16).permute(0, 3, 1, 2, 4, 5)
    return parts.reshape(3, 32, -1, 32)


def view(planes: Float[Tensor, "3 32 n 32"]) -> Float[Tensor, "n 192"]:
    """Return mean and deviation of the log-DCT of 32×32 squares of Y, Cb, Cr."""
    parts = [mean_and_deviation(log_dct(planes[0], LUMA), LUMA)]
    parts += [mean_and_deviation(log_dct(chroma, CHROMA), CHROMA) for chroma in planes[1:]]
    return torch.cat(parts, 1)


def log_dct(
    squares: Float[Tensor, "side n side"], kept: int
) -> Float[Tensor, "positions_kept n positions_kept"]:
    """Return log(|c| + 0.004) of all 8×8 blocks at every fourth pixel.

    Row 'kept * p + u' holds frequency u of the blocks at position p; columns likewise.
    """
    matrix = _transform(squares.shape[0], kept)
    both = (matrix.T @ squares.flatten(1)).view(-1, squares.shape[2]) @ matrix
    return both.abs_().add_(EPSILON).log_().view(len(matrix.T), -1, len(matrix.T))


def means(
    logs: Float[Tensor, "positions_kept n positions_kept"], kept: int
) -> Float[Tensor, "n kept_kept"]:
    """Return the mean of each coefficient over a square's blocks."""
    rows = logs.view(-1, kept, *logs.shape[1:]).mean(0).flatten(0, 1)
    both = rows @ _average(logs.shape[0] // kept, kept)
    return both.view(kept, -1, kept).transpose(0, 1).flatten(1)


def mean_and_deviation(
    logs: Float[Tensor, "positions_kept n positions_kept"], kept: int
) -> Float[Tensor, "n twice_kept_kept"]:
    """Return mean and standard deviation of each coefficient; `logs` is overwritten.

    The deviation is no less than 0.03, so that rounding does not show in flat cells.
    """
    mean = means(logs, kept)
    square = means(logs.square_(), kept)
    deviation = square.sub_(mean.square()).clamp_(min=1e-3).sqrt_()
    return torch.cat([mean, deviation], 1)


def extras(
    luma: Float[Tensor, "32 cells 32"], rgb: Float[Tensor, "3 32 cells 32"]
) -> Float[Tensor, "cells 9"]:
    """Return blockiness and activity in x and y, flatness, clipping and saturation."""
    across, down = luma.diff(dim=2).abs_(), luma.diff(dim=0).abs_()
    flat = (_share(across < 1e-3) + _share(down < 1e-3)) / 2
    strongest = torch.maximum(torch.maximum(rgb[0], rgb[1]), rgb[2])
    weakest = torch.minimum(torch.minimum(rgb[0], rgb[1]), rgb[2])
    parts = [
        *_steps(across.mean(0)),
        *_steps(down.mean(2).T),
        flat,
        _share(strongest < 0.04),
        _share(weakest > 0.96),
        _share(strongest > 0.995),
        strongest.sub_(weakest).mean((0, 2)),
    ]
    return torch.stack(parts, 1)


def whole(quarter: Float[Tensor, "3 16 windows 16"]) -> Float[Tensor, " 26"]:
    """Return the luma histogram of the picture and the mean and spread of its colours."""
    luma = quarter[0].flatten()
    bins = (luma * BINS).long().clamp_(0, BINS - 1)
    share = torch.bincount(bins, minlength=BINS) / luma.numel()
    flat = quarter.flatten(1)
    mean, spread = flat.mean(1), flat.std(1, correction=0)
    colour = torch.hypot(flat[1], flat[2])
    within = quarter[0].transpose(0, 1).flatten(1).std(1, correction=0)
    rest = torch.stack(
        [colour.mean(), colour.std(correction=0), within.mean(), within.sqrt().mean()]
    )
    return torch.cat([share.sqrt(), mean, spread, rest])


def transposed() -> Int[Tensor, " 460"]:
    """Return where each statistic of a cell goes when the picture is transposed."""
    places, first = torch.arange(CELL), 0
    views = [LUMA, LUMA, CHROMA, CHROMA, CHROMA, CHROMA]
    for side in (*views, *views, LUMA):
        square = torch.arange(side * side).view(side, side)
        places[first : first + side * side] = first + square.T.flatten()
        first += side * side
    places[first : first + 4] = first + torch.tensor([2, 3, 0, 1])
    return places


def _share(pixels: Bool[Tensor, "rows cells columns"]) -> Float[Tensor, " cells"]:
    """Return the share of a cell's pixels for which something holds."""
    return pixels.sum((0, 2), dtype=torch.float32) / (pixels.shape[0] * pixels.shape[2])


def _steps(
    differences: Float[Tensor, "cells 31"],
) -> tuple[Float[Tensor, " cells"], Float[Tensor, " cells"]]:
    """Return how much larger steps on the 8-pixel grid are than others, and the log of all."""
    on_grid = differences[:, 7::8].mean(1)
    everywhere = differences.mean(1)
    blockiness = torch.log((on_grid + EPSILON) / (everywhere + EPSILON))
    return blockiness, torch.log(everywhere + EPSILON)


@cache
def _transform(side: int, kept: int) -> Float[Tensor, "side positions_kept"]:
    """Return the DCT of all 8-pixel pieces at every fourth pixel of a row as one matrix."""
    positions = (side - 8) // 4 + 1
    matrix = torch.zeros(side, positions, kept, dtype=torch.float64)
    for u in range(kept):
        norm = math.sqrt((1 if u == 0 else 2) / 8)
        for x in range(8):
            value = norm * math.cos((2 * x + 1) * u * math.pi / 16)
            for position in range(positions):
                matrix[4 * position + x, position, u] = value
    return matrix.flatten(1).float()


@cache
def _average(positions: int, kept: int) -> Float[Tensor, "positions_kept kept"]:
    """Return the matrix that averages over positions."""
    return torch.eye(kept).repeat(positions, 1) / positions
