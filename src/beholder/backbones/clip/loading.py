"""A published file or folder to a network: its sizes are read from its tensors, or its config."""

import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from beholder._optional import require
from beholder.backbones._filling import check
from beholder.backbones._json import read_json
from beholder.backbones.clip import checkpoint, sizes, tokens
from beholder.backbones.clip.checkpoint import Checkpoint
from beholder.backbones.clip.network import Network
from beholder.backbones.clip.resnet import ResNet
from beholder.backbones.clip.tokens import Tokens
from beholder.backbones.owl2.shards import Shard
from beholder.errors import ModelError

WHOLE: Final = ("model.safetensors", "pytorch_model.bin")
"""Files of weights of Hugging Face folders, the preferred first."""
ENDINGS: Final = (".safetensors", ".pt", ".pth", ".bin", ".tar")
"""Endings of files of weights."""


@dataclass(frozen=True)
class Loaded:
    """A network, its tokenizer, and what else its files hold."""

    network: Network
    tokens: Tokens
    rest: Mapping[str, Tensor]
    """Tensors of no tower, by the names of their file: prompts, adapters, heads."""
    digest: str
    """SHA-256 of the weights."""


@dataclass(frozen=True)
class _Found:
    checkpoint: Checkpoint
    config: Mapping[str, Any] | None
    folder: Path
    digest: str


def load(place: Path, dtype: torch.dtype, device: str = "cpu", base: Path | None = None) -> Loaded:
    """Load a file of weights, or a folder; with `base`, the towers it lacks come from there.

    The network is in evaluation mode, its weights frozen.

    Raises:
        ModelError: when a file is missing or broken, or tensors are missing or do not fit.
    """
    own = _read(place)
    under = _read(base) if base else own
    towers = {**under.checkpoint.towers, **own.checkpoint.towers}
    network = build(towers, under.config or own.config, str(place))
    read = tokens.read(under.folder)
    size = network.text_model.get_submodule("embeddings.token_embedding").num_embeddings
    if read.size != size:
        raise ModelError(
            f"{place} knows {size} tokens, its tokenizer {read.size}: put the vocab.json and "
            "merges.txt it was taught with beside it"
        )
    network.to(device, dtype).eval().requires_grad_(requires_grad=False)
    parts = [own.digest, *([under.digest] if base else [])]
    whole = hashlib.sha256("".join(parts).encode()).hexdigest() if base else own.digest
    return Loaded(network, read, own.checkpoint.rest, whole)


def build(
    towers: Mapping[str, Tensor], config: Mapping[str, Any] | None = None, origin: str = "it"
) -> Network:
    """Make a network of tensors by the names of transformers; sizes come from them, or a config.

    Raises:
        ModelError: naming what is missing, unexpected, or of another shape.
    """
    try:
        network = _empty(towers, config)
    except KeyError as error:
        raise ModelError(
            f"{origin} is no whole CLIP: it lacks {error.args[0]}; this model needs both towers, "
            "from its file or from its base"
        ) from None
    except IndexError:
        raise ModelError(f"{origin} is no CLIP: a tensor has too few dimensions") from None
    check(towers, network.state_dict(), origin, "a CLIP of one size")
    network.load_state_dict(towers, strict=False, assign=True)
    _fill_the_rest(network)
    return network


def _read(place: Path) -> _Found:
    config = None
    if place.is_dir() and (place / "config.json").is_file():
        config = read_json(place / "config.json")
        kind = config.get("model_type", "clip")
        if kind != "clip":
            raise ModelError(f"{place} holds a model of type {kind!r}; this method needs 'clip'")
    file = _file(place) if place.is_dir() else place
    if _is_program(file):
        raise ModelError(
            f"{file} is a program of TorchScript, which is not run: take the weights alone, e.g. "
            "the folder of openai/clip-vit-base-patch32 on the Hugging Face Hub"
        )
    shard = Shard(file)
    stored = dict(shard.tensors())
    return _Found(checkpoint.parse(stored, str(file)), config, file.parent, shard.digest())


def _file(folder: Path) -> Path:
    """Return the file of weights of a folder: the one of a Hugging Face folder, or the only one."""
    for name in WHOLE:
        if (folder / name).is_file():
            return folder / name
    files = sorted(path for path in folder.iterdir() if path.suffix in ENDINGS)
    if len(files) != 1:
        names = ", ".join(path.name for path in files) or "none"
        raise ModelError(f"{folder} should hold one file of weights; it holds: {names}")
    return files[0]


def _is_program(file: Path) -> bool:
    """Tell whether a file holds code besides tensors, as OpenAI's own downloads do."""
    if not zipfile.is_zipfile(file):
        return False
    with zipfile.ZipFile(file) as archive:
        return any(Path(name).name == "constants.pkl" for name in archive.namelist())


def _empty(towers: Mapping[str, Tensor], given: Mapping[str, Any] | None) -> Network:
    """Make a network without memory for its weights."""
    library = require("transformers", extra="models")
    known: Mapping[str, Any] = given or {}
    width = towers["text_projection.weight"].shape[0]
    text = library.CLIPTextConfig(**{**sizes.text(towers), **sizes.said(known, "text_config")})
    with torch.device("meta"):
        projection = nn.Linear(text.hidden_size, width, bias=False)
        if "vision_model.attnpool.c_proj.weight" in towers:
            vision: nn.Module = ResNet(sizes.residual(towers))
            seen: nn.Module = nn.Identity()
        else:
            config = library.CLIPVisionConfig(
                **{**sizes.vision(towers), **sizes.said(known, "vision_config")}
            )
            vision = library.CLIPVisionModel(config)
            seen = nn.Linear(config.hidden_size, width, bias=False)
        return Network(vision, seen, library.CLIPTextModel(text), projection)


def _fill_the_rest(network: Network) -> None:
    """Make what no checkpoint holds: the numbers of positions, and counts nobody reads."""
    for module in network.modules():
        for name, buffer in module.named_buffers(recurse=False):
            if buffer.is_meta:
                made = torch.arange(buffer.numel()).view(buffer.shape)
                setattr(module, name, made if name == "position_ids" else torch.zeros(buffer.shape))
