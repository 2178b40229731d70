"""A residual network of 18 layers with a head of two, as GRepQ's low-level path sees patches.

The structure is torchvision's ResNet-18 (arXiv 1512.03385) up to its mean over the last map; the
names are those of the authors' checkpoint without what they keep twice. Widths are read from the
tensors. That torchvision's own code gives the same numbers was not checked here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from beholder.backbones._filling import fill
from beholder.backbones.owl2.shards import Shard
from beholder.errors import ModelError

DTYPES: Final = ("float32",)
PATCHES_AT_ONCE: Final = 128
"""Patches that go through the network together."""
_ENCODER: Final = "encoder.base_model."
_UNUSED: Final = ("encoder.resnet18.", f"{_ENCODER}fc.")
"""The same tensors under other names, and the classes of ImageNet."""


class Block(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, entering: int, leaving: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(entering, leaving, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(leaving)
        self.conv2 = nn.Conv2d(leaving, leaving, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(leaving)
        self.downsample: nn.Module = nn.Identity()
        if stride > 1 or entering != leaving:
            self.downsample = nn.Sequential(
                nn.Conv2d(entering, leaving, 1, stride, bias=False), nn.BatchNorm2d(leaving)
            )

    def forward(
        self, maps: Float[Tensor, "pictures entering height width"]
    ) -> Float[Tensor, "pictures leaving lower narrower"]:
        """Return the next maps."""
        inner = functional.relu(self.bn1(self.conv1(maps)))
        return functional.relu(self.bn2(self.conv2(inner)) + self.downsample(maps))


class ResNet18(nn.Module):
    """From pixels to the mean of the last maps."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.layer1 = nn.Sequential(Block(width, width, 1), Block(width, width, 1))
        self.layer2 = self._stage(width, 2)
        self.layer3 = self._stage(width, 4)
        self.layer4 = self._stage(width, 8)

    @staticmethod
    def _stage(width: int, times: int) -> nn.Sequential:
        leaving = width * times
        return nn.Sequential(Block(leaving // 2, leaving, 2), Block(leaving, leaving, 1))

    def forward(
        self, pixels: Float[Tensor, "pictures 3 height width"]
    ) -> Float[Tensor, "pictures features"]:
        """Return one vector a picture."""
        maps = functional.relu(self.bn1(self.conv1(pixels)))
        maps = functional.max_pool2d(maps, 3, 2, padding=1)
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            maps = stage(maps)
        return maps.mean((2, 3))


class Network(nn.Module):
    """The encoder, and two layers that make its vectors shorter."""

    def __init__(self, width: int, inner: int, features: int) -> None:
        super().__init__()
        self.encoder = ResNet18(width)
        self.head = nn.Sequential(
            nn.Linear(width * 8, inner), nn.ReLU(), nn.Linear(inner, features)
        )

    def forward(
        self, patches: Float[Tensor, "patches 3 height width"]
    ) -> Float[Tensor, "patches features"]:
        """Return the features of patches; samples are from 0 to 1, not normalised."""
        features: Tensor = self.head(self.encoder(patches))
        return features


@dataclass(frozen=True)
class Patches:
    """A network that sees patches, with its weights."""

    network: Network
    sha256: str
    device: str = "cpu"

    @property
    def channels(self) -> int:
        """How many features a patch has."""
        last = self.network.head[2]
        assert isinstance(last, nn.Linear)
        return last.out_features

    def features(
        self, patches: Float[Tensor, "patches 3 height width"]
    ) -> Float[Tensor, "patches features"]:
        """Return the features of patches, on the CPU."""
        with torch.inference_mode():
            parts = (
                patches[start : start + PATCHES_AT_ONCE]
                for start in range(0, len(patches), PATCHES_AT_ONCE)
            )
            return torch.cat([self.network(part.to(self.device)).cpu() for part in parts])


def load(weights: Path, device: str = "cpu", dtype: str = "float32") -> Patches:  # noqa: ARG001
    """Load the network from the authors' file: `model` → `state_dict` → tensors by name.

    Raises:
        ModelError: when the file is missing or holds another network.
    """
    shard = Shard(weights)
    tensors = _renamed(dict(shard.tensors()))
    try:
        width = len(tensors["encoder.conv1.weight"])
        inner, features = len(tensors["head.0.weight"]), len(tensors["head.2.weight"])
    except (KeyError, TypeError) as error:
        raise ModelError(f"{weights} is no low-level network of GRepQ: it lacks {error}") from None
    network = Network(width, inner, features)
    fill(network, tensors, str(weights))
    return Patches(network.to(device), shard.digest(), device)


def _renamed(stored: Mapping[str, Any]) -> dict[str, Any]:
    for key in ("model", "state_dict"):
        inner = stored.get(key)
        stored = inner if isinstance(inner, Mapping) else stored
    return {
        name.replace(_ENCODER, "encoder.", 1): tensor
        for name, tensor in stored.items()
        if not name.startswith(_UNUSED)
    }
