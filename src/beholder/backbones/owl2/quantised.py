"""Weights in 8 or 4 bits, by bitsandbytes: the library the published models were measured with.

It computes on CUDA and on CPUs, needs no calibration and takes a network as it is; torchao needs
compiling to be fast. It is imported only when it is asked for. 8 bits are LLM.int8 (arXiv
2208.07339), 4 bits are NF4 with its scales quantised too (arXiv 2305.14314); the output head, the
embeddings and the norms stay as they are.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import nn

from beholder._optional import require
from beholder.backbones.owl2.network import Network
from beholder.errors import ModelError


@dataclass(frozen=True)
class Kind:
    """A way to store the weights of linear layers."""

    bits: int
    dtype: torch.dtype
    """Of everything else, and of the products."""


KINDS: Final[Mapping[str, Kind]] = {
    "int8": Kind(8, torch.float16),
    "int4": Kind(4, torch.bfloat16),
}
DEVICES: Final = ("cpu", "cuda")
OUTLIER: Final = 6.0
"""Inputs at least this large are multiplied in 16 bits (LLM.int8, section 3.2)."""
BLOCK: Final = 64
"""Weights that share a scale in 4 bits."""


def check(kind: str, device: str) -> None:
    """Refuse a device that the library does not compute on.

    Raises:
        ModelError: with the devices it does.
        MissingExtraError: when it is not installed.
    """
    if device.partition(":")[0] not in DEVICES:
        raise ModelError(f"{kind} weights run on {' or '.join(DEVICES)}, got {device!r}")
    require("bitsandbytes", "quantised")


def shrink(network: Network, kind: str, device: str) -> Network:
    """Replace the linear layers but the output head, one by one, and move all to a device.

    A layer whose sides are not multiples of 64 stays as it is; no published model has one.
    """
    make = _eight if KINDS[kind].bits == 8 else _four
    for name in [n for n, m in network.model.named_modules() if _fits(m)]:
        path, _, leaf = name.rpartition(".")
        _replace(network.model.get_submodule(path), leaf, make, device)
    return network.to(device)


def _fits(module: nn.Module) -> bool:
    if not isinstance(module, nn.Linear):
        return False
    return module.in_features % BLOCK == 0 and module.out_features % BLOCK == 0


def _replace(
    parent: nn.Module, leaf: str, make: Callable[[nn.Linear], nn.Module], device: str
) -> None:
    plain = getattr(parent, leaf)
    small = make(plain)
    if plain.bias is not None:
        small.bias = plain.bias
    setattr(parent, leaf, small.to(device).eval().requires_grad_(requires_grad=False))


def _eight(plain: nn.Linear) -> nn.Module:
    library: Any = require("bitsandbytes", "quantised").nn
    layer: nn.Module = library.Linear8bitLt(
        plain.in_features,
        plain.out_features,
        plain.bias is not None,
        has_fp16_weights=False,
        threshold=OUTLIER,
    )
    layer.weight = library.Int8Params(
        plain.weight.data, requires_grad=False, has_fp16_weights=False
    )
    return layer


def _four(plain: nn.Linear) -> nn.Module:
    library: Any = require("bitsandbytes", "quantised").nn
    layer: nn.Module = library.Linear4bit(
        plain.in_features,
        plain.out_features,
        plain.bias is not None,
        compute_dtype=plain.weight.dtype,
        quant_type="nf4",
    )
    layer.weight = library.Params4bit(plain.weight.data, requires_grad=False, quant_type="nf4")
    return layer
