"""The decoder of mPLUG-Owl2: a LLaMA whose norms, keys and values exist twice.

Text goes through one copy, image tokens through the other (`multiway.0` and `multiway.1`); queries,
output projection and feed-forward block are shared.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from beholder.backbones.owl2.config import Config
from beholder.backbones.owl2.layout import Layout

TEXT, IMAGE = 0, 1


class Norm(nn.Module):
    """Root mean square norm."""

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x: Float[Tensor, "*shape width"]) -> Float[Tensor, "*shape width"]:
        """Return x with a root mean square of `weight`."""
        return functional.rms_norm(x, self.weight.shape, self.weight, self.eps)


class TwoWay(nn.Module):
    """A module that exists twice: for text and for image tokens."""

    def __init__(self, make: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.multiway = nn.ModuleList([make(), make()])

    def forward(
        self, x: Float[Tensor, "tokens width"], images: int
    ) -> Float[Tensor, "tokens other"]:
        """Apply one copy to the first `images` tokens and the other to the rest."""
        if images == 0:
            text: Tensor = self.multiway[TEXT](x)
            return text
        if images == len(x):
            image: Tensor = self.multiway[IMAGE](x)
            return image
        return torch.cat([self.multiway[IMAGE](x[:images]), self.multiway[TEXT](x[images:])])


@dataclass(frozen=True)
class Memory:
    """Keys and values of tokens that were read before, in one layer."""

    keys: Float[Tensor, "one heads tokens size"]
    values: Float[Tensor, "one heads tokens size"]

    def before(self, now: "Memory") -> "Memory":
        """Return this memory followed by another, for each row of the other."""
        rows = len(now.keys)
        return Memory(
            torch.cat([self.keys.expand(rows, -1, -1, -1), now.keys], 2),
            torch.cat([self.values.expand(rows, -1, -1, -1), now.values], 2),
        )


@dataclass(frozen=True)
class Reading:
    """What all layers share in one pass."""

    layout: Layout
    cos: Float[Tensor, "tokens one size"]
    sin: Float[Tensor, "tokens one size"]
    """Negative in the first half of a head, which turns against the second."""
    mask: Float[Tensor, "queries keys"] | None
    """Added to attention; None where nothing is remembered and plain causality does."""


class Attention(nn.Module):
    """Causal attention with rotary positions; keys and values are two-way."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        width, size = config.hidden_size, config.head_size
        few = config.num_key_value_heads * size
        self.size = size
        self.groups = config.num_attention_heads // config.num_key_value_heads
        self.q_proj = nn.Linear(width, width, bias=False)
        self.k_proj = TwoWay(lambda: nn.Linear(width, few, bias=False))
        self.v_proj = TwoWay(lambda: nn.Linear(width, few, bias=False))
        self.o_proj = nn.Linear(width, width, bias=False)

    def remember(self, x: Float[Tensor, "tokens width"], reading: Reading) -> Memory:
        """Return the keys and values of every row."""
        layout = reading.layout
        keys = self._turn(self.k_proj(x, layout.images), reading.cos, reading.sin)
        values = self.v_proj(x, layout.images)
        return Memory(*(self._heads(layout.to_rows(each)) for each in (keys, values)))

    def forward(
        self, x: Float[Tensor, "tokens width"], reading: Reading, memory: Memory
    ) -> Float[Tensor, "tokens width"]:
        """Let every token look at what is before it in its row."""
        queries = self._turn(self.q_proj(x), reading.cos, reading.sin)
        rows = self._look(self._heads(reading.layout.to_rows(queries)), memory, reading.mask)
        out: Tensor = self.o_proj(reading.layout.from_rows(rows))
        return out

    def last(
        self, x: Float[Tensor, "batch width"], reading: Reading, memory: Memory
    ) -> Float[Tensor, "batch width"]:
        """Let only the last token of every row look at its row."""
        last = reading.layout.last
        queries = self._turn(self.q_proj(x), reading.cos[last], reading.sin[last])
        out: Tensor = self.o_proj(
            self._look(self._heads(queries[:, None]), memory, _ends(reading, memory)).flatten(0, 1)
        )
        return out

    def _look(
        self,
        queries: Float[Tensor, "batch heads queries size"],
        memory: Memory,
        mask: Tensor | None,
    ) -> Float[Tensor, "batch queries width"]:
        keys, values = memory.keys, memory.values
        if self.groups > 1:
            keys, values = (each.repeat_interleave(self.groups, 1) for each in (keys, values))
        causal = mask is None and queries.shape[2] > 1
        seen = functional.scaled_dot_product_attention(
            queries, keys, values, attn_mask=mask, is_causal=causal
        )
        return seen.transpose(1, 2).flatten(2)

    def _heads(
        self, rows: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch heads length size"]:
        return rows.view(*rows.shape[:2], -1, self.size).transpose(1, 2)

    def _turn(
        self,
        x: Float[Tensor, "tokens width"],
        cos: Float[Tensor, "tokens one size"],
        sin: Float[Tensor, "tokens one size"],
    ) -> Float[Tensor, "tokens width"]:
        """Apply rotary positions: the first half of a head turns against the second."""
        heads = x.view(len(x), -1, self.size)
        first, second = heads.chunk(2, -1)
        return torch.addcmul(heads * cos, torch.cat([second, first], -1), sin).flatten(1)


class FeedForward(nn.Module):
    """A gated block: down(silu(gate x) · up x)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        width, inner = config.hidden_size, config.intermediate_size
        self.gate_proj = nn.Linear(width, inner, bias=False)
        self.up_proj = nn.Linear(width, inner, bias=False)
        self.down_proj = nn.Linear(inner, width, bias=False)

    def forward(self, x: Float[Tensor, "tokens width"]) -> Float[Tensor, "tokens width"]:
        """Return the new tokens."""
        out: Tensor = self.down_proj(functional.silu(self.gate_proj(x)) * self.up_proj(x))
        return out


class Layer(nn.Module):
    """Attention and a feed-forward block, each behind a two-way norm."""

    def __init__(self, config: Config) -> None:
        super().__init__()

        def norm() -> Norm:
            return Norm(config.hidden_size, config.rms_norm_eps)

        self.self_attn = Attention(config)
        self.mlp = FeedForward(config)
        self.input_layernorm = TwoWay(norm)
        self.post_attention_layernorm = TwoWay(norm)

    def forward(
        self, x: Float[Tensor, "tokens width"], reading: Reading, past: Memory | None = None
    ) -> tuple[Float[Tensor, "tokens width"], Memory]:
        """Return the tokens after this layer, and its keys and values."""
        images = reading.layout.images
        normed = self.input_layernorm(x, images)
        now = self.self_attn.remember(normed, reading)
        x = x + self.self_attn(normed, reading, past.before(now) if past else now)
        return x + self.mlp(self.post_attention_layernorm(x, images)), now

    def last(
        self, x: Float[Tensor, "tokens width"], reading: Reading, past: Memory | None = None
    ) -> Float[Tensor, "batch width"]:
        """Return only the last token of every row, which must be text, after this layer."""
        last = reading.layout.last
        normed = self.input_layernorm(x, reading.layout.images)
        now = self.self_attn.remember(normed, reading)
        memory = past.before(now) if past else now
        x = x[last] + self.self_attn.last(normed[last], reading, memory)
        out: Tensor = x + self.mlp(self.post_attention_layernorm(x, 0))
        return out


def prepare(
    layout: Layout, config: Config, remembered: int, like: Float[Tensor, "tokens width"]
) -> Reading:
    """Return what all layers share: rotations and mask, in the type and place of `like`."""
    angles = _angles(layout.positions, config.head_size, config.rope_theta)
    mask = None
    if remembered:
        queries, keys = layout.longest, remembered + layout.longest
        mask = like.new_full((queries, keys), float("-inf")).triu(remembered + 1)
    sin = torch.cat([-angles.sin(), angles.sin()], -1)
    cos = torch.cat([angles.cos(), angles.cos()], -1)
    return Reading(layout, cos.to(like.dtype), sin.to(like.dtype), mask)


def _angles(
    positions: Int[Tensor, " tokens"], size: int, theta: float
) -> Float[Tensor, "tokens one half"]:
    """Return the angle of every pair of every token, in float32 at any position."""
    steps = torch.arange(0, size, 2, device=positions.device, dtype=torch.float32) / size
    return positions.float()[:, None, None] * (1.0 / theta**steps)


def _ends(reading: Reading, memory: Memory) -> Tensor | None:
    """Return the mask that hides padding from the last tokens; None where there is none."""
    layout = reading.layout
    if not layout.is_ragged:
        return None
    remembered = memory.keys.shape[2] - layout.longest
    keys = torch.arange(memory.keys.shape[2], device=memory.keys.device)
    ends = layout.positions[layout.last]
    assert remembered >= 0
    return (keys <= ends[:, None])[:, None, None]
