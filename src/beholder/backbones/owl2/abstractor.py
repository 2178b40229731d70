"""The visual abstractor of mPLUG-Owl2: a few learned queries read all tokens of a picture.

The residual of a layer starts from the *normed* queries. Positions are sine and cosine tables that
are stored with the weights; they are read from there, since half-precision checkpoints hold rounded
values.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from beholder.backbones.owl2.attention import look
from beholder.backbones.owl2.config import Config


class Attention(nn.Module):
    """Queries look at themselves and at the picture; positions go to queries and keys only."""

    q_pos_embed: Tensor
    k_pos_embed: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__()
        width = config.abstractor.hidden_size
        self.heads = config.abstractor.num_attention_heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        queries = config.abstractor.num_learnable_queries
        self.register_buffer("q_pos_embed", torch.zeros(queries, width))
        self.register_buffer("k_pos_embed", torch.zeros(config.vision.tokens, width))

    def forward(
        self,
        queries: Float[Tensor, "pictures queries width"],
        tokens: Float[Tensor, "pictures patches width"],
    ) -> Float[Tensor, "pictures queries width"]:
        """Return what the queries read, before the output projection."""
        seen = torch.cat([queries, tokens], 1)
        positions = torch.cat([self.q_pos_embed, self.k_pos_embed])
        read = look(
            self._heads(self.query(queries + self.q_pos_embed)),
            self._heads(self.key(seen + positions)),
            self._heads(self.value(seen)),
        )
        return read.transpose(1, 2).flatten(2)

    def _heads(
        self, x: Float[Tensor, "pictures tokens width"]
    ) -> Float[Tensor, "pictures heads tokens size"]:
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)


class FeedForward(nn.Module):
    """A gated block with a norm inside: w2(norm(silu(w1 x) · w3 x))."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        width, inner = config.abstractor.hidden_size, config.abstractor.intermediate_size
        self.w1 = nn.Linear(width, inner)
        self.w2 = nn.Linear(inner, width)
        self.w3 = nn.Linear(width, inner)
        self.ffn_ln = nn.LayerNorm(inner, config.abstractor.layer_norm_eps)

    def forward(self, x: Float[Tensor, "*shape width"]) -> Float[Tensor, "*shape width"]:
        """Return the new queries."""
        out: Tensor = self.w2(self.ffn_ln(functional.silu(self.w1(x)) * self.w3(x)))
        return out


class Output(nn.Module):
    """The projection after attention, and the feed-forward block."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        width = config.abstractor.hidden_size
        self.out_proj = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = FeedForward(config)

    def forward(
        self, start: Float[Tensor, "*shape width"], read: Float[Tensor, "*shape width"]
    ) -> Float[Tensor, "*shape width"]:
        """Return the queries after this layer."""
        x = start + self.out_proj(read)
        out: Tensor = x + self.mlp(self.norm2(x))
        return out


class CrossAttention(nn.Module):
    """One layer."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        width = config.abstractor.hidden_size
        self.attention = Attention(config)
        self.output = Output(config)
        self.norm1 = nn.LayerNorm(width)
        self.normk = nn.LayerNorm(width)

    def forward(
        self,
        queries: Float[Tensor, "pictures queries width"],
        tokens: Float[Tensor, "pictures patches width"],
    ) -> Float[Tensor, "pictures queries width"]:
        """Return the queries after they read the tokens."""
        start = self.norm1(queries)
        out: Tensor = self.output(start, self.attention(start, self.normk(tokens)))
        return out


class Layer(nn.Module):
    """A layer under the name it has in checkpoints."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.crossattention = CrossAttention(config)


class Encoder(nn.Module):
    """The layers, one after the other."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        count = config.abstractor.num_hidden_layers
        self.layers = nn.ModuleList(Layer(config) for _ in range(count))

    def forward(
        self,
        queries: Float[Tensor, "pictures queries width"],
        tokens: Float[Tensor, "pictures patches width"],
    ) -> Float[Tensor, "pictures queries width"]:
        """Return the queries after the last layer."""
        for layer in self.layers:
            assert isinstance(layer, Layer)
            queries = layer.crossattention(queries, tokens)
        return queries


class VisualAbstractor(nn.Module):
    """Tokens of the vision tower to tokens of the decoder, an end mark last."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        width, queries = config.abstractor.hidden_size, config.abstractor.num_learnable_queries
        self.query_embeds = nn.Parameter(torch.zeros(1, queries, width))
        self.encoder = Encoder(config)
        self.visual_fc = nn.Linear(width, config.hidden_size)
        self.vit_eos = nn.Parameter(torch.zeros(1, 1, config.hidden_size))

    def forward(
        self, tokens: Float[Tensor, "pictures patches width"]
    ) -> Float[Tensor, "pictures tokens wide"]:
        """Return the tokens that stand for every picture in a sentence."""
        count = len(tokens)
        queries = self.encoder(self.query_embeds.expand(count, -1, -1), tokens)
        return torch.cat([self.visual_fc(queries), self.vit_eos.expand(count, -1, -1)], 1)
