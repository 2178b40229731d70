"""Published tensors into a network of ours: all of them, each in its shape, and no others."""

from collections.abc import Mapping
from typing import Any, Final

from torch import Tensor, nn

from beholder.errors import ModelError

_SHOWN: Final = 5
"""Names of a kind that an error lists."""


def fill(network: nn.Module, tensors: Mapping[str, Any], origin: str) -> None:
    """Give a network its tensors, and freeze it.

    Raises:
        ModelError: with what is missing, unexpected, or of another shape.
    """
    check(tensors, network.state_dict(), origin)
    network.load_state_dict(tensors, strict=False)
    network.eval().requires_grad_(requires_grad=False)


def check(
    given: Mapping[str, Any], wanted: Mapping[str, Tensor], origin: str, what: str = "this network"
) -> None:
    """Refuse tensors that are not those of `what`; counts of batches, which nobody reads, may lack.

    Raises:
        ModelError: with what is missing, unexpected, or of another shape.
    """
    wrong = {
        "missing": [name for name in wanted if name not in given and not _is_count(name)],
        "unexpected": [name for name in given if name not in wanted and not _is_count(name)],
        "of another shape": [
            f"{name}: {_shape(given[name])} instead of {_shape(tensor)}"
            for name, tensor in wanted.items()
            if name in given and not _is_count(name) and _shape(given[name]) != _shape(tensor)
        ],
    }
    if any(wrong.values()):
        told = "; ".join(_list(kind, names) for kind, names in wrong.items() if names)
        raise ModelError(f"{origin} does not hold {what}: {told}")


def _is_count(name: str) -> bool:
    return name.endswith("num_batches_tracked")


def _shape(value: Any) -> Any:
    return tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__


def _list(kind: str, names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{len(names)} {kind} ({', '.join(names[:_SHOWN])}{more})"
