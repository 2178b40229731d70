"""Patches of a picture, and which of a clean picture's are worth remembering: sharp and colourful.

As GRepQ chooses them (arXiv 2312.04838), after NIQE; colourfulness is Hasler and Süsstrunk's, of
absolute differences and without its factor. Samples are from 0 to 1.
"""

from typing import Final

import torch
from jaxtyping import Bool, Float, UInt8
from numpy import ndarray
from torch import Tensor
from torch.nn import functional

SHARP: Final = 0.75
"""A patch is sharp above this share of the sharpest of its picture."""
COLOURFUL: Final = 0.8
"""A sharp patch is colourful above this share of the most colourful of them."""
_GREY: Final = (0.2989, 0.587, 0.114)
_WINDOW: Final = 7


def patches(
    pixels: UInt8[ndarray, "height width 3"], side: int, stride: int
) -> UInt8[Tensor, "patches 3 side side"]:
    """Return every whole patch of a picture, row by row."""
    planes = torch.tensor(pixels).permute(2, 0, 1)
    grid = planes.unfold(1, side, stride).unfold(2, side, stride)
    return grid.permute(1, 2, 0, 3, 4).flatten(0, 1)


def worth_keeping(given: Float[Tensor, "patches 3 h w"]) -> Bool[Tensor, " patches"]:
    """Tell which patches of one clean picture are sharp, and of those colourful."""
    kept = near_the_best(sharpness(given), SHARP)
    colours = torch.where(kept, colourfulness(given), 0.0)
    return kept & near_the_best(colours, COLOURFUL)


def near_the_best(values: Float[Tensor, " patches"], share: float) -> Bool[Tensor, " patches"]:
    """Tell which values are above a share of the highest.

    >>> near_the_best(torch.tensor([1.0, 3.5, 4.0]), 0.75).tolist()
    [False, True, True]
    """
    return values > share * values.max()


def sharpness(given: Float[Tensor, "patches 3 h w"]) -> Float[Tensor, " patches"]:
    """Return the sum of the standard deviations of grey around every pixel."""
    grey = (given * torch.tensor(_GREY).view(3, 1, 1)).sum(1, keepdim=True)
    places = torch.arange(_WINDOW) - (_WINDOW - 1) / 2
    line = torch.exp(-(places**2) / (2 * (_WINDOW / 6) ** 2))
    window = torch.outer(line, line)
    window = (window / window.sum())[None, None]
    mean, square = (functional.conv2d(x, window, padding=_WINDOW // 2) for x in (grey, grey**2))
    return (square - mean**2).abs().sqrt().sum((1, 2, 3))


def colourfulness(given: Float[Tensor, "patches 3 h w"]) -> Float[Tensor, " patches"]:
    """Return how far and how variedly red leaves green, and yellow blue."""
    red, green, blue = given.unbind(1)
    apart = torch.stack([(red - green).abs(), ((red + green) / 2 - blue).abs()]).flatten(2)
    found: Tensor = apart.std(2).norm(dim=0) + apart.mean(2).norm(dim=0)
    return found
