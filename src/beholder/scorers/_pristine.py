"""Statistics of pristine pictures on disk: what `beholder fit` writes, and what authors publish.

Ours is a file of safetensors with `mean` and `covariance`; its metadata says by which method and
weights it was made, so that no other distance is measured with it.
"""

import hashlib
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from beholder._modes import as_new
from beholder.errors import ModelError, TableError
from beholder.scorers._gaussian import Gaussian, fit

FORMAT: Final = "1"
ENDING: Final = ".safetensors"
_BROKEN: Final = (
    OSError,
    SafetensorError,
    RuntimeError,
    EOFError,
    ValueError,
    LookupError,
    pickle.UnpicklingError,
)
"""What comes of reading a file that holds something else."""


@dataclass(frozen=True)
class Maker:
    """What statistics are made by: others are not comparable."""

    method: str
    channels: int
    weights: str
    """SHA-256 of the network that saw the pictures."""


@dataclass(frozen=True)
class Pristine:
    """What undamaged pictures are like."""

    gaussian: Gaussian
    sha256: str


def save(path: Path, gaussian: Gaussian, maker: Maker, about: Mapping[str, str]) -> None:
    """Write statistics; `about` is kept beside them.

    Raises:
        TableError: when the disk does not take it.
    """
    metadata = {"format": FORMAT, "method": maker.method, "weights": maker.weights, **about}
    tensors = {"mean": gaussian.mean, "covariance": gaussian.covariance}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file({name: each.contiguous() for name, each in tensors.items()}, path, metadata)
        as_new([path])
    except (OSError, SafetensorError) as error:
        raise TableError(f"{path} cannot be written: {error}") from error


def read(path: Path, maker: Maker) -> Pristine:
    """Read statistics: a file of `save`, or a matrix of features, one row a place, in PyTorch's.

    Raises:
        ModelError: when they are missing, broken, or were made by anything else.
    """
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        gaussian = _own(path, maker) if path.suffix == ENDING else fit(_rows(path))
    except FileNotFoundError:
        raise ModelError(
            f"there are no statistics of pristine pictures at {path}: "
            f"`beholder fit` makes them, then --set statistics=FILE"
        ) from None
    except _BROKEN as error:
        raise ModelError(f"{path} cannot be read as statistics: {error}") from error
    found = tuple(gaussian.covariance.shape)
    if found != (maker.channels, maker.channels) or gaussian.mean.shape != found[:1]:
        raise ModelError(
            f"{path} describes {gaussian.mean.numel()} channels; {maker.method} with these weights "
            f"has {maker.channels}: fit the statistics again with `beholder fit`"
        )
    return Pristine(gaussian, digest)


def _own(path: Path, maker: Maker) -> Gaussian:
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
        stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - a file
    got = {name: metadata.get(name, "") for name in ("format", "method", "weights")}
    wanted = {"format": FORMAT, "method": maker.method, "weights": maker.weights}
    for name, value in wanted.items():
        if got[name] != value:
            raise ModelError(
                f"{path} was made with {name} {got[name][:16]!r}, not {value[:16]!r}: "
                "fit the statistics again with `beholder fit`"
            )
    if stored.keys() != {"mean", "covariance"}:
        raise ModelError(f"{path} holds {', '.join(sorted(stored))}; expected mean and covariance")
    return Gaussian(stored["mean"].double(), stored["covariance"].double())


def _rows(path: Path) -> Tensor:
    rows = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(rows, Tensor) or rows.ndim != 2 or len(rows) < 2:
        what = tuple(rows.shape) if isinstance(rows, Tensor) else type(rows).__name__
        raise ModelError(f"{path} holds {what}; expected a matrix of one row of features a place")
    return rows.float()
