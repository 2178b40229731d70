"""Several inputs → one batch for the model: padded on the left, pixels side by side."""

from collections.abc import Iterator, Mapping, Sequence

import torch
from jaxtyping import Int
from torch import Tensor
from torch.nn.functional import pad

MOST_TOKENS = 32_768
"""The most tokens, padding included, that go through the model together."""


def chunks(lengths: Sequence[int], most: int = MOST_TOKENS) -> Iterator[list[int]]:
    """Cut inputs into batches of like length that hold at most `most` tokens, or one input.

    >>> list(chunks([5, 100, 6, 90], most=200))
    [[0, 2], [3, 1]]
    """
    batch: list[int] = []
    for i in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        if batch and (len(batch) + 1) * lengths[i] > most:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def left_padded(rows: Sequence[Sequence[int]], fill: int) -> Int[Tensor, "batch tokens"]:
    """Return rows of unequal length as a matrix whose last column is the last token of each.

    >>> left_padded([[1, 2, 3], [4]], 0).tolist()
    [[1, 2, 3], [0, 0, 4]]
    """
    longest = max(len(row) for row in rows)
    return torch.tensor([[fill] * (longest - len(row)) + list(row) for row in rows])


def side_by_side(features: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Join what was seen of several inputs along the first dimension.

    Where other dimensions differ (tiles of a picture, rows, columns), zeros are added at the end.
    """
    return {name: _joined([each[name] for each in features]) for name in features[0]}


def _joined(parts: Sequence[Tensor]) -> Tensor:
    if parts[0].ndim < 2:
        return torch.cat(list(parts))
    sizes = [max(lengths) for lengths in zip(*(part.shape[1:] for part in parts), strict=True)]
    return torch.cat([_grown(part, sizes) for part in parts])


def _grown(part: Tensor, sizes: Sequence[int]) -> Tensor:
    missing = [(0, size - now) for size, now in zip(sizes, part.shape[1:], strict=True)]
    flat = [number for pair in reversed(missing) for number in pair]
    return pad(part, flat) if any(flat) else part
