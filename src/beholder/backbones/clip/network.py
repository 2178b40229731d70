"""The two towers of CLIP, under the names of transformers' `CLIPModel`.

The vision tower is a transformer (`CLIPVisionModel`) or the residual network of `resnet.py`; the
parts are called one by one by the functions here and in `prompting.py`, so that prompts can be put
between them.
"""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from beholder.backbones.clip.positions import positions
from beholder.backbones.clip.resnet import STRIDE, ResNet
from beholder.errors import ModelError


class Network(nn.Module):
    """Towers, their projections into the common space, and the scale of the logits."""

    def __init__(
        self,
        vision_model: nn.Module,
        visual_projection: nn.Module,
        text_model: nn.Module,
        text_projection: nn.Module,
    ) -> None:
        super().__init__()
        self.vision_model = vision_model
        self.visual_projection = visual_projection
        """Of the first token's state; `nn.Identity` where the tower projects by itself."""
        self.text_model = text_model
        self.text_projection = text_projection
        self.logit_scale = nn.Parameter(torch.zeros(()))
        """Natural logarithm of what cosines are multiplied by."""

    @property
    def dtype(self) -> torch.dtype:
        """The numeric type of the weights."""
        return self.logit_scale.dtype

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.logit_scale.device

    @property
    def least(self) -> int:
        """The fewest pixels of a picture's side that it can see."""
        parts: Any = self.vision_model
        return int(parts.embeddings.patch_size if self.sees_tokens else STRIDE)

    @property
    def side(self) -> int:
        """Pixels of the side of the square that the vision tower was taught."""
        parts: Any = self.vision_model
        return int(parts.embeddings.image_size if self.sees_tokens else parts.design.side)

    @property
    def sees_tokens(self) -> bool:
        """Whether the vision tower is a transformer, into which prompts can be put."""
        return not isinstance(self.vision_model, ResNet)


def embed(
    network: Network, pixels: Float[Tensor, "pictures 3 height width"], places: str = "grid"
) -> Float[Tensor, "pictures tokens channels"]:
    """Return what enters the vision transformer: the class token and the patches, with positions.

    `places` is one of `positions.KINDS`. What is left of a side that is no multiple of the patch is
    not seen. `prompting.vision_states` goes on from here.

    Raises:
        ModelError: when a picture is smaller than a patch, or the tower is no transformer.
    """
    if not network.sees_tokens:
        raise ModelError("this CLIP sees by a residual network; this method needs a transformer")
    parts: Any = network.vision_model.embeddings
    height, width = pixels.shape[-2:]
    side = parts.patch_size
    if min(height, width) < side:
        raise ModelError(f"the picture is {width}×{height} px; this CLIP sees patches of {side} px")
    patches = parts.patch_embedding(pixels.to(network.dtype)).flatten(2).transpose(1, 2)
    tokens = torch.cat([parts.class_embedding.expand(len(pixels), 1, -1), patches], 1)
    table = parts.position_embedding.weight
    return tokens + positions(table, height // side, width // side, places)


def see(
    network: Network, pixels: Float[Tensor, "pictures 3 height width"], places: str = "grid"
) -> Float[Tensor, "pictures features"]:
    """Return the features of pictures, not normalised. `places` as in `embed`.

    Raises:
        ModelError: when a picture is smaller than a patch.
    """
    if isinstance(network.vision_model, ResNet):
        seen: Tensor = network.vision_model(pixels.to(network.dtype), places)
        return seen
    vision: Any = network.vision_model
    states = vision.pre_layrnorm(embed(network, pixels, places))
    for layer in vision.encoder.layers:
        states = layer(states, None)
    features: Tensor = network.visual_projection(vision.post_layernorm(states[:, 0]))
    return features


def words(
    network: Network, ids: Int[Tensor, "texts tokens"]
) -> Float[Tensor, "texts tokens width"]:
    """Return the embeddings of tokens, without positions: where learned contexts go in."""
    model: Any = network.text_model
    embedded: Tensor = model.embeddings.token_embedding(ids)
    return embedded


def cosines(
    pictures: Float[Tensor, "pictures features"], texts: Float[Tensor, "texts features"]
) -> Float[Tensor, "pictures texts"]:
    """Return the cosine of every picture's features with every text's.

    >>> cosines(torch.tensor([[2.0, 0.0]]), torch.tensor([[1.0, 0.0], [0.0, 3.0]])).tolist()
    [[1.0, 0.0]]
    """
    return functional.normalize(pictures, dim=-1) @ functional.normalize(texts, dim=-1).T
