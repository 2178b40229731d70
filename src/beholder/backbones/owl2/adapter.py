"""Low-rank adapters (PEFT) and what was trained beside them, merged as the base is read.

A weight W with adapters A and B becomes W + scale * B A, computed in float32; scale is alpha / r
(LoRA, arXiv 2106.09685), or alpha / sqrt(r) where the file says so.
"""

import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from beholder.backbones._json import read_json
from beholder.backbones.owl2.config import check_number
from beholder.backbones.owl2.shards import Shard
from beholder.errors import ModelError

CONFIG: Final = "adapter_config.json"
ADAPTERS: Final = ("adapter_model.safetensors", "adapter_model.bin")
BESIDE: Final = "non_lora_trainables.bin"
_LOW_RANK: Final = re.compile(r"(?P<module>.+)\.lora_(?P<which>[AB])(?:\.default)?\.weight")


@dataclass
class Adapter:
    """What a folder of adapters changes in its base."""

    shards: list[Shard]
    """The files it came from."""
    scale: float
    low_rank: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    """Name of a weight → `A` and `B`."""
    replaced: dict[str, Tensor] = field(default_factory=dict)
    """Name of a tensor → what stands in its place."""
    used: set[str] = field(default_factory=set)

    def merge(self, name: str, tensor: Tensor) -> Tensor:
        """Return a tensor of the base as the adapter changes it.

        Raises:
            ModelError: when the shapes do not fit.
        """
        if name in self.replaced:
            self.used.add(name)
            return self.replaced[name]
        if name not in self.low_rank:
            return tensor
        self.used.add(name)
        first, second = (self.low_rank[name][which].float() for which in "AB")
        if (second.shape[0], first.shape[1]) != tuple(tensor.shape):
            raise ModelError(
                f"the adapter of {name} makes {second.shape[0]} x {first.shape[1]}, "
                f"its base is {tuple(tensor.shape)}"
            )
        return torch.addmm(tensor.float(), second, first, alpha=self.scale)

    def unused(self) -> list[str]:
        """Return the names that no tensor of the base had."""
        return sorted((self.low_rank.keys() | self.replaced.keys()) - self.used)


def is_adapter(folder: Path) -> bool:
    """Tell whether a folder holds adapters rather than a whole model."""
    return (folder / CONFIG).is_file()


def base_of(folder: Path) -> str:
    """Return where the base of a folder of adapters is, as its file says; may be empty."""
    return str(read_json(folder / CONFIG).get("base_model_name_or_path") or "")


def read(folder: Path) -> Adapter:
    """Read a folder of adapters.

    Raises:
        ModelError: when its files are missing, broken, or of a kind that cannot be merged.
    """
    settings = read_json(folder / CONFIG)
    found = [name for name in ADAPTERS if (folder / name).is_file()]
    if not found:
        raise ModelError(f"{folder} has {CONFIG} but no {' or '.join(ADAPTERS)}")
    shards = [Shard(folder / found[0])]
    if (folder / BESIDE).is_file():
        shards.append(Shard(folder / BESIDE))
    adapter = Adapter(shards, _scale(settings, folder))
    for shard in shards:
        for name, tensor in shard.tensors():
            _take(adapter, name, tensor)
    for name, pair in adapter.low_rank.items():
        if pair.keys() != {"A", "B"}:
            raise ModelError(f"{folder} has only half of the adapter of {name}: {sorted(pair)}")
    return adapter


def plain(name: str) -> str:
    """Return the name a tensor has in a whole model.

    >>> plain("base_model.model.model.layers.0.self_attn.q_proj.weight")
    'model.layers.0.self_attn.q_proj.weight'
    >>> plain("base_model.model.lm_head.modules_to_save.default.weight")
    'lm_head.weight'
    """
    name = name.replace(".modules_to_save.default", "").replace(".base_layer.", ".")
    name = name.removeprefix("base_model.").removeprefix("model.")
    return name if name.startswith(("model.", "lm_head.")) else f"model.{name}"


def _take(adapter: Adapter, name: str, tensor: Tensor) -> None:
    match = _LOW_RANK.fullmatch(name)
    if match:
        weight = f"{plain(match['module'])}.weight"
        adapter.low_rank.setdefault(weight, {})[match["which"]] = tensor
    else:
        adapter.replaced[plain(name)] = tensor


def _scale(settings: dict[str, Any], folder: Path) -> float:
    kind = settings.get("peft_type")
    odd = [key for key in ("use_dora", "rank_pattern", "alpha_pattern") if settings.get(key)]
    if kind != "LORA" or odd or settings.get("bias", "none") != "none":
        raise ModelError(
            f"{folder / CONFIG} has peft_type {kind!r}, {odd or 'plain'}, bias "
            f"{settings.get('bias')!r}; only plain LORA without bias can be merged"
        )
    rank, alpha = settings.get("r"), settings.get("lora_alpha")
    check_number(rank, int, "r", str(folder / CONFIG))
    check_number(alpha, float, "lora_alpha", str(folder / CONFIG))
    assert rank is not None
    assert alpha is not None
    return float(alpha / math.sqrt(rank) if settings.get("use_rslora") else alpha / rank)
