"""The tensors of a published folder, file by file: safetensors or torch pickles, cut or whole.

Nothing of a pickle is run but the reading of tensors (`weights_only`).
"""

import hashlib
import pickle
import zipfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from beholder.backbones._digest import sha256
from beholder.backbones._json import read_json
from beholder.errors import ModelError

WHOLE: Final = ("model.safetensors", "pytorch_model.bin")
CUT: Final = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_BROKEN: Final = (
    SafetensorError,
    OSError,
    RuntimeError,
    EOFError,
    ValueError,
    KeyError,
    pickle.UnpicklingError,
    zipfile.BadZipFile,
)


@dataclass(frozen=True)
class Shard:
    """One file of weights."""

    path: Path

    def tensors(self) -> Iterator[tuple[str, Tensor]]:
        """Read the tensors one by one, on the CPU, as they are stored.

        Raises:
            ModelError: when the file is missing, cut short or no file of weights.
        """
        try:
            if self.path.suffix == ".safetensors":
                with safe_open(self.path, framework="pt") as file:
                    for name in file.keys():  # noqa: SIM118 - a file, not a mapping
                        yield name, file.get_tensor(name)
            else:
                yield from _unpickled(self.path).items()
        except FileNotFoundError:
            raise ModelError(
                f"{self.path} is missing: the folder's index names it; fetch the model again"
            ) from None
        except _BROKEN as error:
            raise ModelError(
                f"{self.path} ({_size(self.path)} bytes) cannot be read, it may have been cut "
                f"short; fetch it again: {error}"
            ) from error

    def digest(self) -> str:
        """Return the SHA-256 of the file.

        Raises:
            ModelError: when there is no such file.
        """
        return sha256(self.path)


def find(folder: Path) -> list[Shard]:
    """Return the files of weights of a folder; safetensors are preferred, whole to cut.

    Raises:
        ModelError: when the folder holds none.
    """
    for whole, index in zip(WHOLE, CUT, strict=True):
        if (folder / whole).is_file():
            return [Shard(folder / whole)]
        if (folder / index).is_file():
            names = read_json(folder / index).get("weight_map")
            if not isinstance(names, dict) or not names:
                raise ModelError(f"{folder / index} has no weight_map: no file of weights is named")
            return [Shard(folder / name) for name in sorted(set(names.values()))]
    raise ModelError(f"there are no weights in {folder}; expected one of {', '.join(WHOLE + CUT)}")


def digest(shards: list[Shard]) -> str:
    """Return one SHA-256 for all files, independent of where they lie."""
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(Shard.digest, shards))
    return parts[0] if len(parts) == 1 else hashlib.sha256("".join(parts).encode()).hexdigest()


def _unpickled(path: Path) -> Mapping[str, Any]:
    """Read a torch pickle without a second copy where its format allows.

    A bare tensor has no name.
    """
    tensors = torch.load(
        path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path) or None
    )
    if isinstance(tensors, Tensor):
        return {"": tensors.detach()}
    if not isinstance(tensors, dict):
        raise ModelError(f"{path} holds {type(tensors).__name__}; expected tensors by name")
    return tensors


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
