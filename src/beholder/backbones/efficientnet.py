"""EfficientNet as a trunk: a picture in its full size → maps of features at five scales.

The structure, names and paddings are those of torchvision's models of this name, so its published
weights load; transformers' classes pad elsewhere and would give other numbers. Compound scaling:
arXiv 1905.11946. That torchvision's own code gives the same numbers was not checked: it does not
install beside CPU builds of torch.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from beholder.backbones._choices import pick
from beholder.backbones._filling import fill
from beholder.backbones.owl2.shards import Shard

DTYPES: Final = ("float32",)
MEAN: Final = (0.485, 0.456, 0.406)
"""Of ImageNet, for samples from 0 to 1."""
DEVIATION: Final = (0.229, 0.224, 0.225)
STAGES: Final = 5
"""Stages whose maps are kept; a published file has more, which are not read."""
_STEM: Final = 32
_EPSILON: Final = 1e-3
_SQUEEZED: Final = 4


@dataclass(frozen=True)
class Size:
    """What B0 is multiplied by; that of B7."""

    width: float = 2.0
    depth: float = 3.1


@dataclass(frozen=True)
class Stage:
    """Blocks of one kind, before scaling."""

    widening: int
    kernel: int
    stride: int
    channels: int
    blocks: int


OPTIONS: Final = tuple(field.name for field in fields(Size))
BASE: Final = (
    Stage(1, 3, 1, 16, 1),
    Stage(6, 3, 2, 24, 2),
    Stage(6, 5, 2, 40, 2),
    Stage(6, 3, 2, 80, 3),
    Stage(6, 5, 1, 112, 3),
    Stage(6, 5, 2, 192, 4),
    Stage(6, 3, 1, 320, 1),
)
"""EfficientNet-B0."""


def scaled(channels: int, width: float) -> int:
    """Return a number of channels scaled and rounded to a multiple of 8, never by over a tenth.

    >>> [scaled(stage.channels, 2.0) for stage in BASE[:5]]
    [32, 48, 80, 160, 224]
    """
    exact = channels * width
    found = max(8, int(exact + 4) // 8 * 8)
    return found + 8 if found < 0.9 * exact else found


def _convolution(
    entering: int, leaving: int, *, kernel: int, stride: int, groups: int
) -> list[Any]:
    """Return a convolution that pads alike on all sides, and its normalisation."""
    pads = (kernel - 1) // 2
    return [
        nn.Conv2d(entering, leaving, kernel, stride, pads, groups=groups, bias=False),
        nn.BatchNorm2d(leaving, eps=_EPSILON),
    ]


class Squeeze(nn.Module):
    """Weighs channels by what the whole map holds."""

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, squeezed, 1)
        self.fc2 = nn.Conv2d(squeezed, channels, 1)

    def forward(
        self, maps: Float[Tensor, "pictures channels height width"]
    ) -> Float[Tensor, "pictures channels height width"]:
        """Return the maps, weighed."""
        inner = nn.functional.silu(self.fc1(maps.mean((2, 3), keepdim=True)))
        weights: Tensor = self.fc2(inner).sigmoid()
        return maps * weights


class Block(nn.Module):
    """Widen, look around, weigh, narrow; beside a shortcut where the size stays."""

    def __init__(self, entering: int, leaving: int, stage: Stage) -> None:
        super().__init__()
        inner = entering * stage.widening
        parts: list[nn.Module] = []
        if stage.widening > 1:
            widen = _convolution(entering, inner, kernel=1, stride=1, groups=1)
            parts.append(nn.Sequential(*widen, nn.SiLU(inplace=True)))
        around = _convolution(inner, inner, kernel=stage.kernel, stride=stage.stride, groups=inner)
        parts.append(nn.Sequential(*around, nn.SiLU(inplace=True)))
        parts.append(Squeeze(inner, max(1, entering // _SQUEEZED)))
        parts.append(nn.Sequential(*_convolution(inner, leaving, kernel=1, stride=1, groups=1)))
        self.block = nn.Sequential(*parts)
        self.shortcut = stage.stride == 1 and entering == leaving

    def forward(
        self, maps: Float[Tensor, "pictures entering height width"]
    ) -> Float[Tensor, "pictures leaving lower narrower"]:
        """Return the next maps."""
        changed: Tensor = self.block(maps)
        return changed + maps if self.shortcut else changed


class Network(nn.Module):
    """The stem and the first stages; `features.0` is the stem, `features.1` the first stage."""

    def __init__(self, size: Size, stages: int = STAGES) -> None:
        super().__init__()
        entering = scaled(_STEM, size.width)
        stem = _convolution(3, entering, kernel=3, stride=2, groups=1)
        parts = [nn.Sequential(*stem, nn.SiLU(inplace=True))]
        for stage in BASE[:stages]:
            leaving = scaled(stage.channels, size.width)
            count = math.ceil(stage.blocks * size.depth)
            first = Block(entering, leaving, stage)
            later = [Block(leaving, leaving, replace(stage, stride=1)) for _ in range(count - 1)]
            parts.append(nn.Sequential(first, *later))
            entering = leaving
        self.features = nn.Sequential(*parts)

    def forward(
        self, pixels: Float[Tensor, "pictures 3 height width"]
    ) -> list[Float[Tensor, "pictures _ _ _"]]:
        """Return the maps after each stage."""
        stem, *stages = self.features.children()
        maps = stem(pixels)
        kept = []
        for stage in stages:
            maps = stage(maps)
            kept.append(maps)
        return kept


@dataclass(frozen=True)
class EfficientNet:
    """A trunk with its weights."""

    network: Network
    sha256: str
    size: Size
    device: str = "cpu"

    @property
    def channels(self) -> tuple[int, ...]:
        """How many channels the map of each stage has."""
        return tuple(scaled(stage.channels, self.size.width) for stage in BASE[:STAGES])

    def settings(self) -> Mapping[str, Any]:
        """Return all that can change a map, as JSON."""
        return {
            "architecture": "efficientnet",
            **asdict(self.size),
            "weights": self.sha256,
            "pixels": "full size, mean and deviation of ImageNet; 1",
            "dtype": "float32",
        }

    def maps(self, pixels: UInt8[np.ndarray, "height width 3"]) -> list[Float[Tensor, "1 _ _ _"]]:
        """Return the maps of one picture after each stage: at 1/2, 1/4, 1/8, 1/16 and 1/16."""
        with torch.inference_mode():
            given = torch.tensor(pixels).to(self.device).permute(2, 0, 1)[None] / 255
            mean, deviation = (
                torch.tensor(each, device=self.device).view(3, 1, 1) for each in (MEAN, DEVIATION)
            )
            found: list[Tensor] = self.network((given - mean) / deviation)
            return found


def load(
    weights: Path,
    device: str = "cpu",
    dtype: str = "float32",  # noqa: ARG001 - the only one it is offered in
    **options: Any,
) -> EfficientNet:
    """Load a trunk from a file in torchvision's names; `width` and `depth` are those of B7.

    Raises:
        ModelError: when the file is missing or holds another network.
        UsageError: when width or depth is no number.
    """
    size = pick(Size, options, "the EfficientNet")
    shard = Shard(weights)
    kept = {name: tensor for name, tensor in shard.tensors() if not _is_later(name)}
    network = Network(size)
    fill(network, kept, str(weights))
    return EfficientNet(network.to(device), shard.digest(), size, device)


def _is_later(name: str) -> bool:
    """Tell whether a tensor is of what comes after the stages that are kept."""
    part, _, rest = name.partition(".")
    number = rest.partition(".")[0]
    return part == "classifier" or (
        part == "features" and number.isdigit() and int(number) > STAGES
    )
