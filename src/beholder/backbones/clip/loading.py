"""A published file or folder to a network: its sizes are read from its tensors, or its config."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from beholder._optional import require
from beholder.backbones._json import read_json
from beholder.backbones.clip import checkpoint, tokens
from beholder.backbones.clip.checkpoint import Checkpoint
from beholder.backbones.clip.network import Network
from beholder.backbones.clip.resnet import STRIDE, Design, ResNet
from beholder.backbones.clip.tokens import Tokens
from beholder.backbones.owl2.shards import Shard
from beholder.errors import ModelError

WHOLE: Final = ("model.safetensors", "pytorch_model.bin")
"""Files of weights of Hugging Face folders, the preferred first."""
ENDINGS: Final = (".safetensors", ".pt", ".pth", ".bin", ".tar")
"""Endings of files of weights."""
_HEAD: Final = 64
"""Width of one head of OpenAI's transformers."""
_SHOWN: Final = 5


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
    expected = network.state_dict()
    missing = [name for name in expected if name not in towers and _counts(name)]
    unexpected = [name for name in towers if name not in expected]
    if missing or unexpected:
        raise ModelError(
            f"{origin} does not hold this CLIP: {_list('missing', missing)}; "
            f"{_list('unexpected', unexpected)}"
        )
    for name, tensor in towers.items():
        if tensor.shape != expected[name].shape:
            raise ModelError(
                f"{name} of {origin} has shape {tuple(tensor.shape)}; "
                f"a CLIP of its other tensors has {tuple(expected[name].shape)}"
            )
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


def _empty(towers: Mapping[str, Tensor], given: Mapping[str, Any] | None) -> Network:
    """Make a network without memory for its weights."""
    library = require("transformers", extra="models")
    known: Mapping[str, Any] = given or {}
    width = towers["text_projection.weight"].shape[0]
    text = library.CLIPTextConfig(**{**_text(towers), **known.get("text_config", {})})
    with torch.device("meta"):
        projection = nn.Linear(text.hidden_size, width, bias=False)
        if "vision_model.attnpool.c_proj.weight" in towers:
            vision: nn.Module = ResNet(_residual(towers))
            seen: nn.Module = nn.Identity()
        else:
            sizes = {**_vision(towers), **known.get("vision_config", {})}
            config = library.CLIPVisionConfig(**sizes)
            vision = library.CLIPVisionModel(config)
            seen = nn.Linear(config.hidden_size, width, bias=False)
        return Network(vision, seen, library.CLIPTextModel(text), projection)


def _vision(towers: Mapping[str, Tensor]) -> dict[str, Any]:
    patch = towers["vision_model.embeddings.patch_embedding.weight"]
    width, side = patch.shape[0], patch.shape[-1]
    places = towers["vision_model.embeddings.position_embedding.weight"].shape[0]
    return {
        "hidden_size": width,
        "intermediate_size": towers["vision_model.encoder.layers.0.mlp.fc1.weight"].shape[0],
        "num_hidden_layers": _count(towers, "vision_model.encoder.layers."),
        "num_attention_heads": width // _HEAD,
        "image_size": round((places - 1) ** 0.5) * side,
        "patch_size": side,
        "hidden_act": "quick_gelu",
    }


def _text(towers: Mapping[str, Tensor]) -> dict[str, Any]:
    table = towers["text_model.embeddings.token_embedding.weight"]
    return {
        "vocab_size": table.shape[0],
        "hidden_size": table.shape[1],
        "intermediate_size": towers["text_model.encoder.layers.0.mlp.fc1.weight"].shape[0],
        "num_hidden_layers": _count(towers, "text_model.encoder.layers."),
        "num_attention_heads": table.shape[1] // _HEAD,
        "max_position_embeddings": towers["text_model.embeddings.position_embedding.weight"].shape[
            0
        ],
        "hidden_act": "quick_gelu",
        "bos_token_id": table.shape[0] - 2,
        "eos_token_id": table.shape[0] - 1,
        "pad_token_id": table.shape[0] - 1,
    }


def _residual(towers: Mapping[str, Tensor]) -> Design:
    table = towers["vision_model.attnpool.positional_embedding"]
    width = table.shape[1] // 32
    return Design(
        width=width,
        blocks=tuple(_count(towers, f"vision_model.layer{stage}.") for stage in (1, 2, 3, 4)),
        heads=width * 32 // _HEAD,
        features=towers["vision_model.attnpool.c_proj.weight"].shape[0],
        side=round((len(table) - 1) ** 0.5) * STRIDE,
    )


def _count(towers: Mapping[str, Tensor], before: str) -> int:
    """Return how many numbered parts there are under a name."""
    numbers = {n.removeprefix(before).partition(".")[0] for n in towers if n.startswith(before)}
    return len(numbers)


def _counts(name: str) -> bool:
    return not name.endswith("num_batches_tracked")


def _fill_the_rest(network: Network) -> None:
    """Make what no checkpoint holds: the numbers of positions, and counts nobody reads."""
    for module in network.modules():
        for name, buffer in module.named_buffers(recurse=False):
            if buffer.is_meta:
                made = torch.arange(buffer.numel()).view(buffer.shape)
                setattr(module, name, made if name == "position_ids" else torch.zeros(buffer.shape))


def _list(what: str, names: list[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{len(names)} {what}" + (f" ({shown}{more})" if names else "")
