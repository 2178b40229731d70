"""Where the tokens of a batch lie: one table for all sequences, image tokens first, then text.

Most of a decoder layer does not care which sequence a token is in, and half of it only whether the
token is of an image. So a batch is one table without padding, in which the two-way modules are two
slices; attention alone sees padded rows, to and from which tokens go by index. All of it is
known from the lengths, so nothing waits for the device.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Span:
    """A run of tokens of one kind."""

    length: int
    is_image: bool = False


@dataclass(frozen=True)
class Layout:
    """The table of a batch and the rows that attention sees."""

    images: int
    """Image tokens; they are the first of the table, in reading order, and text follows."""
    lengths: tuple[int, ...]
    """Tokens of each row."""
    positions: Int[Tensor, " tokens"]
    """The position of each token of the table in its sequence, what it remembers included."""
    tokens: Int[Tensor, " places"]
    """For each place of the padded rows, its token in the table; padding repeats a row's last."""
    places: Int[Tensor, " tokens"]
    """For each token of the table, its place in the padded rows."""
    last: Int[Tensor, " batch"]
    """The last token of each row."""

    @property
    def longest(self) -> int:
        """Tokens of the longest row."""
        return max(self.lengths)

    @property
    def is_ragged(self) -> bool:
        """Whether rows differ in length."""
        return len(set(self.lengths)) > 1

    def to_rows(self, table: Float[Tensor, "tokens width"]) -> Float[Tensor, "batch longest width"]:
        """Lay the tokens of the table out in rows, padded at the right."""
        return table.index_select(0, self.tokens).view(len(self.lengths), self.longest, -1)

    def from_rows(
        self, rows: Float[Tensor, "batch longest width"]
    ) -> Float[Tensor, "tokens width"]:
        """Collect the tokens of the table from rows."""
        return rows.flatten(0, 1).index_select(0, self.places)


@lru_cache(maxsize=64)
@torch.inference_mode(mode=False)
def plan(
    rows: tuple[tuple[Span, ...], ...], remembered: int = 0, device: str | torch.device = "cpu"
) -> Layout:
    """Lay out sequences of spans, each after `remembered` tokens that are not in the table.

    >>> layout = plan(((Span(2), Span(3, is_image=True), Span(1)), (Span(1),)))
    >>> layout.images, layout.lengths
    (3, (6, 1))
    >>> layout.tokens.view(2, 6).tolist()
    [[3, 4, 0, 1, 2, 5], [6, 6, 6, 6, 6, 6]]

    Layouts are kept, so they are made as plain tensors that training can use too.
    """
    lengths = tuple(sum(span.length for span in row) for row in rows)
    images = sum(span.length for row in rows for span in row if span.is_image)
    longest = max(lengths)
    numbered = _number(rows, images)
    padded = [torch.cat([row, row[-1:].expand(longest - len(row))]) for row in numbered]
    order = torch.cat(numbered)
    places = torch.cat([torch.arange(n) + i * longest for i, n in enumerate(lengths)])
    positions = torch.cat([torch.arange(n) for n in lengths]) + remembered
    back = order.argsort()
    return Layout(
        images=images,
        lengths=lengths,
        positions=positions[back].to(device, non_blocking=True),
        tokens=torch.cat(padded).to(device, non_blocking=True),
        places=places[back].to(device, non_blocking=True),
        last=torch.stack([row[-1] for row in numbered]).to(device, non_blocking=True),
    )


def _number(rows: Sequence[Sequence[Span]], images: int) -> list[Tensor]:
    """Return the table's number of each token, row by row."""
    following = {True: 0, False: images}
    numbered = []
    for row in rows:
        spans = []
        for span in row:
            start = following[span.is_image]
            spans.append(torch.arange(start, start + span.length))
            following[span.is_image] = start + span.length
        numbered.append(torch.cat(spans))
    return numbered
