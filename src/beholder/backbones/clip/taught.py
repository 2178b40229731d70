"""What a method teaches over a frozen CLIP: its own weights, and the small file they are kept in.

The file is safetensors and holds the method's own tensors alone, under short names; the recipe
beside it says which method they are of, and over which CLIP they were taught.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from jaxtyping import Float, Int
from safetensors.torch import save_file
from torch import Tensor, nn

from beholder.backbones._filling import check
from beholder.backbones.clip.network import Network, words
from beholder.backbones.clip.prompting import NONE, text_features, with_context
from beholder.backbones.clip.tokens import Tokens
from beholder.errors import ModelError

FORMAT: Final = "1"
FILE: Final = "taught.safetensors"
"""The name of the file in its folder."""


@dataclass(frozen=True)
class Widths:
    """Sizes of a CLIP that learned prompts have to fit."""

    vision: int
    text: int
    features: int
    """Of the common space."""
    layers: int
    """Of the vision tower."""
    text_layers: int
    patch: int
    """Side of what one token of the vision tower sees, in pixels."""


class Taught(nn.Module):
    """A method's own weights over a CLIP that does not learn."""

    def __init__(self, clip: Network) -> None:
        super().__init__()
        self.clip = clip.requires_grad_(requires_grad=False)

    def own(self) -> dict[str, nn.Parameter]:
        """Return the method's weights by name; none of CLIP."""
        return {n: each for n, each in self.named_parameters() if not n.startswith("clip.")}

    def trainable(self) -> dict[str, nn.Parameter]:
        """Return what learns, by name: every weight of the method but those it freezes."""
        return {name: each for name, each in self.own().items() if each.requires_grad}


class Contexts(nn.Module):
    """Texts that begin with learned vectors: `[V]…[V] name.`, as in CoOp (arXiv 2109.01134)."""

    ids: Int[Tensor, "names tokens"]
    ends: Int[Tensor, " names"]

    def __init__(
        self,
        clip: Network,
        tokens: Tokens,
        names: tuple[str, ...],
        count: int,
        *,
        own: bool = False,
        place: str = "end",
    ) -> None:
        super().__init__()
        self.place = place
        """Where a name stands: `front`, `middle` or `end` of the learned vectors."""
        self.lengths = [len(tokens.ids(name)) for name in names]
        read = tokens.read([f"{name}." for name in names])
        self.register_buffer("ids", read.ids, persistent=False)
        self.register_buffer("ends", read.ends, persistent=False)
        shape = (len(names) if own else 1, count, widths(clip).text)
        self.vectors = nn.Parameter(0.02 * torch.randn(shape))
        """(1 count width), or (names count width) where each text has its own."""

    def forward(
        self, clip: Network, prompts: Mapping[int, Tensor] = NONE
    ) -> Float[Tensor, "names features"]:
        """Return the features of the texts, not normalised; `prompts` as in `text_features`."""
        embedded = with_context(words(clip, self.ids), self.vectors, self.lengths, self.place)
        return text_features(clip, embedded, self.ends + self.vectors.shape[1], prompts)


def widths(clip: Network) -> Widths:
    """Return the sizes of a CLIP.

    Raises:
        ModelError: when its vision tower is no transformer.
    """
    if not clip.sees_tokens:
        raise ModelError("this CLIP sees by a residual network; learned prompts need a transformer")
    vision: Any = clip.vision_model
    text: Any = clip.text_model
    projection: Any = clip.text_projection
    return Widths(
        vision=vision.embeddings.class_embedding.shape[-1],
        text=text.embeddings.token_embedding.weight.shape[-1],
        features=projection.weight.shape[0],
        layers=len(vision.encoder.layers),
        text_layers=len(text.encoder.layers),
        patch=vision.embeddings.patch_size,
    )


def save(folder: Path, network: Taught) -> None:
    """Write the method's own weights."""
    own = network.own()
    tensors = {name: each.detach().cpu().contiguous() for name, each in own.items()}
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / FILE, {"format": FORMAT})


def fill(network: Taught, tensors: Mapping[str, Tensor], origin: str) -> None:
    """Put taught weights in their places.

    Raises:
        ModelError: naming what is missing, unexpected or of another shape.
    """
    own = network.own()
    check(tensors, own, origin, "this method over this CLIP")
    with torch.no_grad():
        for name, tensor in tensors.items():
            own[name].copy_(tensor)
