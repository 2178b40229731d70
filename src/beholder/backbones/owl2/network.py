"""mPLUG-Owl2 as a network: modules under the names they have in published checkpoints.

The architecture is that of mPLUG-Owl2 (arXiv 2311.04257) as Q-Align uses it (arXiv 2312.17090).
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from beholder.backbones.owl2.abstractor import VisualAbstractor
from beholder.backbones.owl2.config import Config
from beholder.backbones.owl2.decoder import Layer, Memory, Norm, prepare
from beholder.backbones.owl2.layout import Layout, Span, plan
from beholder.backbones.owl2.vision import VisionTower


class Body(nn.Module):
    """Everything but the output head."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))
        self.norm = Norm(config.hidden_size, config.rms_norm_eps)
        self.vision_model = VisionTower(config.vision)
        self.visual_abstractor = VisualAbstractor(config)


class Network(nn.Module):
    """The whole model."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.model = Body(config)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)

    @property
    def device(self) -> torch.device:
        """Where it runs."""
        return self.model.norm.weight.device

    @property
    def dtype(self) -> torch.dtype:
        """In which numbers it runs."""
        return self.model.norm.weight.dtype

    def see(
        self, pixels: Float[Tensor, "pictures 3 side side"]
    ) -> Float[Tensor, "pictures tokens width"]:
        """Return the tokens that stand for each picture; `pixels` are normalised."""
        tokens: Tensor = self.model.visual_abstractor(self.model.vision_model(pixels))
        return tokens

    def words(self, ids: Int[Tensor, " tokens"]) -> Float[Tensor, "tokens width"]:
        """Return the embeddings of text tokens."""
        embedded: Tensor = self.model.embed_tokens(ids)
        return embedded

    def read(
        self, table: Float[Tensor, "tokens width"], layout: Layout
    ) -> Float[Tensor, "tokens width"]:
        """Return the state of every token of a table, after the final norm."""
        reading = prepare(layout, self.config, 0, table)
        for layer in self.model.layers:
            table, _ = layer(table, reading)
        states: Tensor = self.model.norm(table)
        return states

    def remember(self, ids: Sequence[int]) -> list[Memory]:
        """Read text that many sequences begin with, once; one memory a layer."""
        if not ids:
            return []
        table = self.words(torch.tensor(ids, device=self.device))
        reading = prepare(plan(((Span(len(ids)),),), 0, self.device), self.config, 0, table)
        memories = []
        for layer in self.model.layers:
            table, memory = layer(table, reading)
            memories.append(memory)
        return memories

    def answer(
        self, table: Float[Tensor, "tokens width"], layout: Layout, past: Sequence[Memory] = ()
    ) -> Float[Tensor, "batch width"]:
        """Return the state of the last token of every row, after the final norm.

        The last tokens must be text. What `past` remembers comes before every row, and `layout`
        must have been planned with it.
        """
        remembered = past[0].keys.shape[2] if past else 0
        reading = prepare(layout, self.config, remembered, table)
        memories: Sequence[Memory | None] = past or [None] * len(self.model.layers)
        *layers, final = self.model.layers
        for layer, memory in zip(layers, memories[:-1], strict=True):
            table, _ = layer(table, reading, memory)
        assert isinstance(final, Layer)
        states: Tensor = self.model.norm(final.last(table, reading, memories[-1]))
        return states

    def say(
        self, states: Float[Tensor, "tokens width"], words: Int[Tensor, " candidates"]
    ) -> Float[Tensor, "tokens candidates"]:
        """Return the logits of some words alone: the other rows of the head are not read."""
        return functional.linear(states, self.lm_head.weight[words])
