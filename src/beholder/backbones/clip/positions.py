"""Positions of the tokens of a picture of another size than a tower was taught."""

from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

KINDS: Final = ("grid", "table", "none")
"""`grid`: interpolated over the grid of patches. `table`: the whole table resized as if it were a
picture, the class token's row included, as the code of CLIP-IQA does. `none`: no positions at all,
as in the published CLIP-IQA, which can then see any size."""


def positions(
    table: Float[Tensor, "tokens width"], height: int, width: int, kind: str = "grid"
) -> Float[Tensor, "longer width"]:
    """Return the positions of a class token and `height` × `width` patches; `kind` is of `KINDS`.

    >>> positions(torch.ones(5, 2), 3, 4).shape
    torch.Size([13, 2])
    """
    count = height * width + 1
    if kind == "none":
        return table.new_zeros(count, table.shape[1])
    if kind == "table":
        return table if len(table) == count else _resized(table, count)
    side = round((len(table) - 1) ** 0.5)
    if (height, width) == (side, side):
        return table
    grid = table[1:].T.reshape(1, -1, side, side)
    grid = functional.interpolate(grid, (height, width), mode="bicubic")
    return torch.cat([table[:1], grid[0].flatten(1).T])


def _resized(table: Tensor, count: int) -> Tensor:
    size = (count, table.shape[1])
    return functional.interpolate(table[None, None], size, mode="bicubic")[0, 0]
