"""The vision tower of mPLUG-Owl2: a pre-norm ViT that keeps its class token.

Queries, keys and values come from one projection whose output is laid out [heads, 3, head size].
"""

from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from beholder.backbones.owl2.attention import look
from beholder.backbones.owl2.config import Vision

SLOPE: Final = 1.702
"""Of QuickGELU."""


class Embeddings(nn.Module):
    """Patches and a class token with learned positions, then a norm."""

    def __init__(self, config: Vision) -> None:
        super().__init__()
        width, patch = config.hidden_size, config.patch_size
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.patch_embed = nn.Conv2d(config.num_channels, width, patch, patch, bias=False)
        self.position_embedding = nn.Parameter(torch.zeros(1, config.tokens, width))
        self.pre_layernorm = nn.LayerNorm(width, config.layer_norm_eps)

    def forward(
        self, pixels: Float[Tensor, "pictures channels side side"]
    ) -> Float[Tensor, "pictures patches width"]:
        """Return the tokens of normalised pixels."""
        patches = self.patch_embed(pixels).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.cls_token.expand(len(patches), -1, -1), patches], 1)
        normed: Tensor = self.pre_layernorm(tokens + self.position_embedding)
        return normed


class Attention(nn.Module):
    """Every token looks at every token."""

    def __init__(self, config: Vision) -> None:
        super().__init__()
        self.heads = config.num_attention_heads
        self.query_key_value = nn.Linear(config.hidden_size, 3 * config.hidden_size)
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(
        self, x: Float[Tensor, "pictures patches width"]
    ) -> Float[Tensor, "pictures patches width"]:
        """Return the attended tokens."""
        pictures, tokens, width = x.shape
        fused = self.query_key_value(x).view(pictures, tokens, self.heads, 3, width // self.heads)
        query, key, value = fused.permute(3, 0, 2, 1, 4)
        seen = look(query, key, value)
        out: Tensor = self.dense(seen.transpose(1, 2).reshape(pictures, tokens, width))
        return out


class FeedForward(nn.Module):
    """Two layers with QuickGELU, x·σ(1.702x) = silu(1.702x) / 1.702, between.

    Both factors are taken into the matrix products, where they cost nothing.
    """

    def __init__(self, config: Vision) -> None:
        super().__init__()
        self.fc1 = nn.Linear(config.hidden_size, config.intermediate_size)
        self.fc2 = nn.Linear(config.intermediate_size, config.hidden_size)

    def forward(self, x: Float[Tensor, "*shape width"]) -> Float[Tensor, "*shape width"]:
        """Return the new tokens."""
        if type(self.fc1) is not nn.Linear:
            out: Tensor = self.fc2(functional.silu(SLOPE * self.fc1(x)) / SLOPE)
            return out
        flat, first, second = x.flatten(0, -2), self.fc1, self.fc2
        hidden = torch.addmm(SLOPE * first.bias, flat, first.weight.t(), alpha=SLOPE)
        hidden = functional.silu(hidden, inplace=not torch.is_grad_enabled())
        return torch.addmm(second.bias, hidden, second.weight.t(), alpha=1 / SLOPE).view(x.shape)


class Layer(nn.Module):
    """Attention and a feed-forward block, each behind a norm."""

    def __init__(self, config: Vision) -> None:
        super().__init__()
        self.self_attn = Attention(config)
        self.input_layernorm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)
        self.mlp = FeedForward(config)
        self.post_attention_layernorm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)

    def forward(
        self, x: Float[Tensor, "pictures patches width"]
    ) -> Float[Tensor, "pictures patches width"]:
        """Return the tokens after this layer."""
        x = x + self.self_attn(self.input_layernorm(x))
        out: Tensor = x + self.mlp(self.post_attention_layernorm(x))
        return out


class Encoder(nn.Module):
    """The layers, one after the other."""

    def __init__(self, config: Vision) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))

    def forward(
        self, x: Float[Tensor, "pictures patches width"]
    ) -> Float[Tensor, "pictures patches width"]:
        """Return the tokens after the last layer."""
        for layer in self.layers:
            x = layer(x)
        return x


class VisionTower(nn.Module):
    """Normalised pixels to tokens, the class token first."""

    def __init__(self, config: Vision) -> None:
        super().__init__()
        self.embeddings = Embeddings(config)
        self.encoder = Encoder(config)
        self.post_layernorm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)

    def forward(
        self, pixels: Float[Tensor, "pictures channels side side"]
    ) -> Float[Tensor, "pictures patches width"]:
        """Return the tokens of every picture."""
        out: Tensor = self.post_layernorm(self.encoder(self.embeddings(pixels)))
        return out
