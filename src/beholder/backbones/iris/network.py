"""The network of iris: a cell reader, a visual abstractor and a small causal decoder.

The order of a dialogue is that of Q-Align's scorer: the question, the visual tokens, the answer.
The question comes first, so its part of the attention is computed once and shared by all pictures.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everyone knows

from beholder.backbones.iris.stem import transposed

KINDS = ("native", "reduced")
"""Kinds of views: the pixels as they are, and pixels averaged."""

Kept = tuple[Float[Tensor, "_ heads _ depth"], Float[Tensor, "_ heads _ depth"]]
"""Keys and values of one layer for the tokens read so far."""
Memory = list[Kept]
"""The same of every layer."""


@dataclass(frozen=True)
class Design:
    """Sizes of the network; stored with the weights."""

    cell: int
    """Numbers a cell."""
    overall: int
    """Numbers for the whole picture."""
    words: int
    """Size of the vocabulary."""
    width: int = 160
    heads: int = 4
    tokens: int = 8
    """Visual tokens a picture."""
    looks: int = 2
    """Layers of the abstractor."""
    layers: int = 2
    """Layers of the decoder."""
    longest: int = 40
    """Tokens of a whole dialogue."""
    dropout: float = 0.15
    """Share of statistics that are hidden in training, from all cells of a picture at once."""
    jitter: float = 0.3
    """How far statistics are moved in training, in standard deviations, all cells at once."""


@dataclass(frozen=True)
class Sight:
    """The same kind of view of several pictures, equally many cells each."""

    cells: Float[Tensor, "batch cells statistics"]
    overall: Float[Tensor, "batch numbers"]
    kind: int = 0
    """Index into `KINDS`."""


class Attention(nn.Module):
    """Multi-head attention of `width` numbers a token."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def split(
        self, x: Float[Tensor, "batch tokens parts_width"]
    ) -> Float[Tensor, "batch heads tokens depth"]:
        """Give each head its part."""
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)

    def remember(
        self, x: Float[Tensor, "batch seen width"]
    ) -> tuple[Float[Tensor, "batch heads seen depth"], Float[Tensor, "batch heads seen depth"]]:
        """Return keys and values of the tokens that are looked at."""
        key, value = self.key_value(x).chunk(2, 2)
        return self.split(key), self.split(value)

    def forward(
        self,
        x: Float[Tensor, "batch tokens width"],
        key: Float[Tensor, "batch heads seen depth"],
        value: Float[Tensor, "batch heads seen depth"],
        mask: Float[Tensor, "tokens seen"] | None = None,
    ) -> Float[Tensor, "batch tokens width"]:
        """Return what each token gathers from those it may see."""
        gathered = F.scaled_dot_product_attention(self.split(self.query(x)), key, value, mask)
        out: Tensor = self.out(gathered.transpose(1, 2).flatten(2))
        return out


class Thinking(nn.Sequential):
    """The two-layer network of every block."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__(
            nn.LayerNorm(width), nn.Linear(width, inner), nn.GELU(), nn.Linear(inner, width)
        )


class CellReader(nn.Module):
    """From a cell's statistics to a vector, knowing the average of its view and its kind.

    Statistics are folded first (`fold`): a picture and its transpose give the same vectors.
    """

    middle: Tensor
    width: Tensor
    overall_middle: Tensor
    overall_width: Tensor
    across: Tensor
    odd: Tensor

    def __init__(self, design: Design) -> None:
        super().__init__()
        self.register_buffer("middle", torch.zeros(design.cell))
        self.register_buffer("width", torch.ones(design.cell))
        self.register_buffer("overall_middle", torch.zeros(design.overall))
        self.register_buffer("overall_width", torch.ones(design.overall))
        self.register_buffer("across", transposed(), persistent=False)
        self.register_buffer("odd", transposed() < torch.arange(design.cell), persistent=False)
        self.cell = nn.Linear(design.cell, design.width)
        self.average = nn.Linear(design.cell, design.width)
        self.overall = nn.Linear(design.overall, design.width)
        self.kinds = nn.Embedding(len(KINDS), design.width)
        self.drop = nn.Dropout(design.dropout)
        self.jitter = design.jitter
        self.think = Thinking(design.width, 2 * design.width)

    def fold(
        self, cells: Float[Tensor, "batch cells statistics"]
    ) -> Float[Tensor, "batch cells statistics"]:
        """Replace what is told of x and of y by their mean and their absolute difference."""
        turned = cells[..., self.across]
        return torch.where(self.odd, (cells - turned).abs(), cells + turned) / 2

    def _blurred(
        self, cells: Float[Tensor, "batch cells statistics"]
    ) -> Float[Tensor, "batch cells statistics"]:
        """Hide some statistics of all cells of a picture, and move the others a little."""
        shared = cells.new_ones(len(cells), 1, cells.shape[2])
        moved: Tensor = (cells + self.jitter * torch.randn_like(shared)) * self.drop(shared)
        return moved

    def forward(self, sight: Sight) -> Float[Tensor, "batch cells width"]:
        """Return one vector a cell."""
        cells = ((self.fold(sight.cells) - self.middle) / self.width).clamp(-6, 6)
        overall = ((sight.overall - self.overall_middle) / self.overall_width).clamp(-6, 6)
        if self.training:
            cells, overall = self._blurred(cells), self.drop(overall)
        context = (
            self.average(cells.mean(1)) + self.overall(overall) + self.kinds.weight[sight.kind]
        )
        x = F.gelu(self.cell(cells) + context[:, None])
        return x + self.think(x)  # type: ignore[no-any-return]


class Abstractor(nn.Module):
    """Learned queries that gather any number of cells into a few visual tokens."""

    def __init__(self, design: Design) -> None:
        super().__init__()
        width, looks = design.width, range(design.looks)
        self.queries = nn.Parameter(0.5 * torch.randn(design.tokens, width))
        self.norm_cells = nn.LayerNorm(width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in looks)
        self.looks = nn.ModuleList(Attention(width, design.heads) for _ in looks)
        self.thinks = nn.ModuleList(Thinking(width, 2 * width) for _ in looks)
        self.project = nn.Linear(width, width)

    def forward(
        self, cells: Float[Tensor, "batch cells width"]
    ) -> Float[Tensor, "batch tokens width"]:
        """Return the visual tokens."""
        cells = self.norm_cells(cells)
        tokens = self.queries.expand(len(cells), -1, -1)
        for norm, look, think in zip(self.norms, self.looks, self.thinks, strict=True):
            assert isinstance(look, Attention)
            key, value = look.remember(cells)
            tokens = tokens + look(norm(tokens), key, value)
            tokens = tokens + think(tokens)
        return self.project(tokens)  # type: ignore[no-any-return]


class Layer(nn.Module):
    """One layer of the decoder."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.think = Thinking(width, 4 * width)

    def forward(
        self,
        x: Float[Tensor, "batch tokens width"],
        past: Kept | None,
        mask: Float[Tensor, "tokens seen"],
    ) -> tuple[Float[Tensor, "batch tokens width"], Kept]:
        """Return the tokens one layer on, and the keys and values of all seen so far."""
        normed = self.norm(x)
        key, value = self.attention.remember(normed)
        if past is not None:
            key = torch.cat([past[0].expand(len(x), -1, -1, -1), key], 2)
            value = torch.cat([past[1].expand(len(x), -1, -1, -1), value], 2)
        x = x + self.attention(normed, key, value, mask)
        return x + self.think(x), (key, value)


class Network(nn.Module):
    """All trained parts of iris."""

    def __init__(self, design: Design) -> None:
        super().__init__()
        self.design = design
        self.reader = CellReader(design)
        self.abstractor = Abstractor(design)
        self.words = nn.Embedding(design.words, design.width)
        self.places = nn.Parameter(0.02 * torch.randn(design.longest, design.width))
        self.layers = nn.ModuleList(Layer(design.width, design.heads) for _ in range(design.layers))
        self.norm = nn.LayerNorm(design.width)
        nn.init.normal_(self.words.weight, std=0.05)

    def see(self, sights: Sequence[Sight]) -> Float[Tensor, "batch tokens width"]:
        """Return the visual tokens of pictures, each seen in one or several views."""
        cells = torch.cat([self.reader(sight) for sight in sights], 1)
        return self.abstractor(cells)  # type: ignore[no-any-return]

    def read(
        self, x: Float[Tensor, "batch tokens width"], past: Memory | None = None
    ) -> tuple[Float[Tensor, "batch tokens width"], Memory]:
        """Run the decoder over further tokens; return their states and what is now remembered.

        `past` may be that of a single dialogue, shared by the whole batch.
        """
        seen = past[0][0].shape[2] if past else 0
        new = x.shape[1]
        x = x + self.places[seen : seen + new]
        mask = torch.full((new, seen + new), -torch.inf, dtype=x.dtype, device=x.device)
        mask = mask.triu(seen + 1)
        memory: Memory = []
        for number, layer in enumerate(self.layers):
            x, kept = layer(x, past[number] if past else None, mask)
            memory.append(kept)
        return self.norm(x), memory

    def say(
        self, states: Float[Tensor, "*batch width"], words: Int[Tensor, " candidates"]
    ) -> Float[Tensor, "*batch candidates"]:
        """Return the logit of each of some words as the next one (head tied to the embedding)."""
        return states @ self.words(words).T  # type: ignore[no-any-return]
