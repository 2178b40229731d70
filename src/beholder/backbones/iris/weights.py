"""The file of iris: safetensors in half precision, sizes and vocabulary in its metadata.

Beside the weights it keeps a few examples and the logits they had when the model was evaluated
(`probe.*`), so that anyone can check that what was saved is what was measured.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from beholder.backbones.iris import stem
from beholder.backbones.iris.network import Design, Network
from beholder.errors import ModelError

FORMAT: Final = "1"
ARCHITECTURE: Final = "iris"
FILE: Final = "iris.safetensors"
"""The file in a folder of weights."""
SHIPPED: Final = Path(__file__).parent / FILE
"""The weights in the package."""


@dataclass(frozen=True)
class Loaded:
    """What a file of weights holds."""

    network: Network
    words: tuple[str, ...]
    temperature: float
    """All logits are divided by it; set once on validation pictures so that the spread is true."""
    probe: Mapping[str, Tensor]
    sha256: str


def save(path: Path, network: Network, words: tuple[str, ...], temperature: float) -> None:
    """Write a file of weights, without a probe."""
    save_with_probe(path, Loaded(network, words, temperature, {}, ""))


def save_with_probe(path: Path, loaded: Loaded) -> None:
    """Write a file of weights; `sha256` is not used."""
    tensors = {f"network.{k}": v.half() for k, v in loaded.network.state_dict().items()}
    tensors |= {f"probe.{k}": v for k, v in loaded.probe.items()}
    metadata = {
        "format": FORMAT,
        "architecture": ARCHITECTURE,
        "design": json.dumps(asdict(loaded.network.design)),
        "words": json.dumps(loaded.words),
        "temperature": repr(loaded.temperature),
    }
    save_file({k: v.contiguous().cpu() for k, v in tensors.items()}, path, metadata)


def read(path: Path) -> Loaded:
    """Read a file of weights; the network is in float32 on the CPU.

    Raises:
        ModelError: when the file is missing, is no iris, or does not fit this version.
    """
    metadata, tensors = _open(path)
    if metadata.get("architecture") != ARCHITECTURE or metadata.get("format") != FORMAT:
        got = f"{metadata.get('architecture')!r} of format {metadata.get('format')!r}"
        raise ModelError(f"{path} holds {got}; this version reads {ARCHITECTURE!r}, {FORMAT!r}")
    design = Design(**json.loads(metadata["design"]))
    if (design.cell, design.overall) != (stem.CELL, stem.OVERALL):
        raise ModelError(
            f"{path} expects {design.cell} and {design.overall} statistics, "
            f"this version computes {stem.CELL} and {stem.OVERALL}: take the weights of its release"
        )
    network = Network(design)
    network.load_state_dict(_part(tensors, "network."))
    return Loaded(
        network=network.float().eval().requires_grad_(requires_grad=False),
        words=tuple(json.loads(metadata["words"])),
        temperature=float(metadata["temperature"]),
        probe=_part(tensors, "probe."),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
    )


def _open(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            names = list(file.keys())
            return file.metadata() or {}, {name: file.get_tensor(name) for name in names}
    except FileNotFoundError:
        raise ModelError(f"there are no weights at {path}; give the path of an iris file") from None
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path} cannot be read as safetensors: {error}") from error


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    names = (name for name in tensors if name.startswith(prefix))
    return {name.removeprefix(prefix): tensors[name].to(torch.float32) for name in names}
