"""A published folder to a network: built without memory, then given its tensors one by one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from beholder.backbones.owl2 import adapter as adapters
from beholder.backbones.owl2 import config as configs
from beholder.backbones.owl2 import shards
from beholder.backbones.owl2.adapter import Adapter
from beholder.backbones.owl2.config import Config
from beholder.backbones.owl2.network import Network
from beholder.errors import ModelError

_IGNORED: Final = re.compile(r"(model\.)?layers\.\d+\.self_attn\.rotary_emb\.inv_freq")
"""Kept by old checkpoints; the rotations are computed from the config instead."""
_SHOWN: Final = 5
"""Names of a kind that an error lists."""


@dataclass(frozen=True)
class Loaded:
    """A network and the digest of the files it came from."""

    network: Network
    digest: str


def load(folder: Path, dtype: torch.dtype, device: str = "cpu", base: Path | None = None) -> Loaded:
    """Load a folder as it was published; adapters are merged into the model in `base`.

    The network is in evaluation mode, its weights frozen.

    Raises:
        ModelError: when a file is missing or broken, or tensors do not fit the config.
    """
    adapter = adapters.read(folder) if adapters.is_adapter(folder) else None
    if adapter and base is None:
        raise ModelError(
            f"{folder} holds adapters, not a model: they need their base, "
            f"{adapters.base_of(folder) or 'which their file does not name'}"
        )
    weights = base if adapter and base else folder
    own_config = (folder / "config.json").is_file()
    network = build(configs.read(folder if own_config or not adapter else weights))
    files = shards.find(weights)
    fill(network, _stored(files, adapter), dtype, device, origin=str(folder))
    if adapter and adapter.unused():
        raise ModelError(f"{folder} changes tensors its base does not have: {adapter.unused()}")
    digest = shards.digest(files + (adapter.shards if adapter else []))
    return Loaded(network.eval().requires_grad_(requires_grad=False), digest)


def build(config: Config) -> Network:
    """Make a network that takes no memory yet."""
    with torch.device("meta"):
        return Network(config)


def fill(
    network: Network,
    tensors: Iterator[tuple[str, Tensor]],
    dtype: torch.dtype,
    device: str,
    origin: str,
) -> None:
    """Put tensors in their places; each is cast and moved alone, so there is no second copy.

    Raises:
        ModelError: naming what is missing, what is unexpected, and what has another shape.
    """
    expected = network.state_dict()
    found: set[str] = set()
    unexpected: list[str] = []
    for name, tensor in tensors:
        if _IGNORED.fullmatch(name):
            continue
        if name not in expected:
            unexpected.append(name)
            continue
        _check(name, tensor, expected[name], origin)
        _assign(network, name, tensor.to(device, dtype))
        found.add(name)
    missing = [name for name in expected if name not in found]
    if missing or unexpected:
        raise ModelError(
            f"{origin} does not hold this network: {_list('missing', missing)}; "
            f"{_list('unexpected', unexpected)}"
        )


def _stored(files: list[shards.Shard], adapter: Adapter | None) -> Iterator[tuple[str, Tensor]]:
    for shard in files:
        for name, tensor in shard.tensors():
            yield name, adapter.merge(name, tensor) if adapter else tensor


def _check(name: str, tensor: Tensor, expected: Tensor, origin: str) -> None:
    if tensor.shape != expected.shape:
        raise ModelError(
            f"{name} of {origin} has shape {tuple(tensor.shape)}; "
            f"its config makes it {tuple(expected.shape)}"
        )
    if not tensor.is_floating_point():
        raise ModelError(
            f"{name} of {origin} holds {tensor.dtype}; expected float32, float16 or bfloat16 "
            "(a folder that was saved quantised cannot be opened; take the plain one)"
        )


def _assign(network: nn.Module, name: str, tensor: Tensor) -> None:
    path, _, leaf = name.rpartition(".")
    module = network.get_submodule(path)
    if leaf in dict(module.named_parameters(recurse=False)):
        setattr(module, leaf, nn.Parameter(tensor))
    else:
        setattr(module, leaf, tensor)


def _list(what: str, names: list[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{len(names)} {what}" + (f" ({shown}{more})" if names else "")
