"""Published tensors into a network of ours: all of them, each in its shape, and no others."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from beholder.errors import ModelError

_SHOWN = 3


def fill(network: nn.Module, tensors: Mapping[str, Any], origin: str) -> None:
    """Give a network its tensors, and its counts of batches, on which nothing depends, if any.

    Raises:
        ModelError: with what is missing, left over, or of another shape.
    """
    given = {name: value for name, value in tensors.items() if not _is_count(name)}
    wanted = {name: value for name, value in network.state_dict().items() if not _is_count(name)}
    wrong = {
        "missing": sorted(wanted.keys() - given.keys()),
        "left over": sorted(given.keys() - wanted.keys()),
        "of another shape": sorted(
            name
            for name in wanted.keys() & given.keys()
            if not isinstance(given[name], Tensor) or wanted[name].shape != given[name].shape
        ),
    }
    if any(wrong.values()):
        told = "; ".join(f"{len(names)} {what} ({_list(names)})" for what, names in wrong.items())
        raise ModelError(f"{origin} does not hold the tensors of this network: {told}")
    network.load_state_dict(given, strict=False)
    network.eval().requires_grad_(requires_grad=False)


def _is_count(name: str) -> bool:
    return name.endswith("num_batches_tracked")


def _list(names: list[str]) -> str:
    more = ", …" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more if names else "none"
