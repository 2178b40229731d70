"""CLIP's residual network (RN50 and alike), under the names of OpenAI's checkpoints.

Three convolutions at the entrance, bottlenecks that shrink by averaging, and attention over the
last map whose first token is the mean. Without positions in that attention any size can be seen.
"""

from dataclasses import dataclass
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from beholder.backbones.clip.positions import positions
from beholder.errors import ModelError

STRIDE: Final = 32
"""Pixels of the picture to one of the last map."""
_WIDER: Final = 4


@dataclass(frozen=True)
class Design:
    """The sizes of one."""

    width: int
    blocks: tuple[int, ...]
    """Bottlenecks of each of the four stages."""
    heads: int
    features: int
    side: int
    """Pixels of the square it was taught."""


class Bottleneck(nn.Module):
    """Three convolutions beside a shortcut; both shrink by averaging."""

    def __init__(self, entering: int, width: int, stride: int) -> None:
        super().__init__()
        leaving = width * _WIDER
        self.conv1 = nn.Conv2d(entering, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, leaving, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(leaving)
        self.shrink = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
        self.downsample: nn.Module = nn.Identity()
        if stride > 1 or entering != leaving:
            self.downsample = nn.Sequential(
                nn.Conv2d(entering, leaving, 1, bias=False), nn.BatchNorm2d(leaving)
            )

    def forward(
        self, maps: Float[Tensor, "pictures entering height width"]
    ) -> Float[Tensor, "pictures leaving lower narrower"]:
        """Return the next maps."""
        inner = functional.relu(self.bn1(self.conv1(maps)))
        inner = self.shrink(functional.relu(self.bn2(self.conv2(inner))))
        short = maps if isinstance(self.downsample, nn.Identity) else self.shrink(maps)
        return functional.relu(self.bn3(self.conv3(inner)) + self.downsample(short))


class AttentionPool(nn.Module):
    """Attention of the mean to every place of the last map."""

    def __init__(self, design: Design) -> None:
        super().__init__()
        width = design.width * 32
        self.heads = design.heads
        count = (design.side // STRIDE) ** 2 + 1
        self.positional_embedding = nn.Parameter(torch.zeros(count, width))
        self.q_proj = nn.Linear(width, width)
        self.k_proj = nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.c_proj = nn.Linear(width, design.features)

    def forward(
        self, maps: Float[Tensor, "pictures width height across"], places: str
    ) -> Float[Tensor, "pictures features"]:
        """Return the features; `places` is one of `positions.KINDS`."""
        tokens = maps.flatten(2).transpose(1, 2)
        tokens = torch.cat([tokens.mean(1, keepdim=True), tokens], 1)
        tokens = tokens + positions(self.positional_embedding, maps.shape[2], maps.shape[3], places)
        query, keys, values = (
            part(of).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part, of in (
                (self.q_proj, tokens[:, :1]),
                (self.k_proj, tokens),
                (self.v_proj, tokens),
            )
        )
        seen = functional.scaled_dot_product_attention(query, keys, values)
        features: Tensor = self.c_proj(seen.transpose(1, 2).flatten(1))
        return features


class ResNet(nn.Module):
    """From normalised pixels to features in the common space."""

    def __init__(self, design: Design) -> None:
        super().__init__()
        self.design = design
        width = design.width
        self.conv1 = nn.Conv2d(3, width // 2, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width // 2)
        self.conv2 = nn.Conv2d(width // 2, width // 2, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width // 2)
        self.conv3 = nn.Conv2d(width // 2, width, 3, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(width)
        entering = width
        for number, count in enumerate(design.blocks):
            inner = width * 2**number
            strides = [2 if number else 1, *[1] * (count - 1)]
            blocks = []
            for stride in strides:
                blocks.append(Bottleneck(entering, inner, stride))
                entering = inner * _WIDER
            self.add_module(f"layer{number + 1}", nn.Sequential(*blocks))
        self.attnpool = AttentionPool(design)

    def forward(
        self, pixels: Float[Tensor, "pictures 3 height width"], places: str = "grid"
    ) -> Float[Tensor, "pictures features"]:
        """Return the features, not normalised; `places` is one of `positions.KINDS`.

        Raises:
            ModelError: when a picture is too small to leave a map.
        """
        height, width = pixels.shape[-2:]
        if min(height, width) < STRIDE:
            raise ModelError(
                f"the picture is {width}×{height} px; this CLIP sees from {STRIDE} px a side"
            )
        return self.attnpool(self.maps(pixels), places)  # type: ignore[no-any-return]

    def maps(
        self, pixels: Float[Tensor, "pictures 3 height width"]
    ) -> Float[Tensor, "pictures wide lower narrower"]:
        """Return the last maps, before attention."""
        maps = functional.relu(self.bn1(self.conv1(pixels)))
        maps = functional.relu(self.bn2(self.conv2(maps)))
        maps = functional.avg_pool2d(functional.relu(self.bn3(self.conv3(maps))), 2)
        for number in range(len(self.design.blocks)):
            maps = self.get_submodule(f"layer{number + 1}")(maps)
        return maps
