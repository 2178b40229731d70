"""The sizes of a CLIP, read from its tensors under the names of transformers."""

from collections.abc import Mapping
from typing import Any, Final

from torch import Tensor

from beholder.backbones.clip.resnet import STRIDE, Design

SAID: Final = ("num_attention_heads", "hidden_act", "layer_norm_eps")
"""What a config says that the tensors do not."""
_HEAD: Final = 64
"""Width of one head of OpenAI's transformers."""


def vision(towers: Mapping[str, Tensor]) -> dict[str, Any]:
    """Return what `CLIPVisionConfig` is told. Raises `KeyError` with the name of what lacks."""
    patch = towers["vision_model.embeddings.patch_embedding.weight"]
    width, side = patch.shape[0], patch.shape[-1]
    places = towers["vision_model.embeddings.position_embedding.weight"].shape[0]
    return {
        "hidden_size": width,
        "intermediate_size": towers["vision_model.encoder.layers.0.mlp.fc1.weight"].shape[0],
        "num_hidden_layers": _count(towers, "vision_model.encoder.layers."),
        "image_size": round((places - 1) ** 0.5) * side,
        "patch_size": side,
        **_usual(width),
    }


def text(towers: Mapping[str, Tensor]) -> dict[str, Any]:
    """Return what `CLIPTextConfig` is told. Raises `KeyError` with the name of what lacks."""
    table = towers["text_model.embeddings.token_embedding.weight"]
    places = towers["text_model.embeddings.position_embedding.weight"]
    return {
        "vocab_size": table.shape[0],
        "hidden_size": table.shape[1],
        "intermediate_size": towers["text_model.encoder.layers.0.mlp.fc1.weight"].shape[0],
        "num_hidden_layers": _count(towers, "text_model.encoder.layers."),
        "max_position_embeddings": places.shape[0],
        **_usual(table.shape[1]),
        "bos_token_id": table.shape[0] - 2,
        "eos_token_id": table.shape[0] - 1,
        "pad_token_id": table.shape[0] - 1,
    }


def _usual(width: int) -> dict[str, Any]:
    """Return what all of OpenAI's have in common; a width below that of a head is one."""
    return {"num_attention_heads": max(1, width // _HEAD), "hidden_act": "quick_gelu"}


def said(config: Mapping[str, Any], part: str) -> dict[str, Any]:
    """Return what a part of a config says that tensors do not."""
    own = config.get(part) or {}
    return {name: own[name] for name in SAID if own.get(name) is not None}


def residual(towers: Mapping[str, Tensor]) -> Design:
    """Return the design of a residual network. Raises `KeyError` with the name of what lacks."""
    table = towers["vision_model.attnpool.positional_embedding"]
    width = table.shape[1] // 32
    return Design(
        width=width,
        blocks=tuple(_count(towers, f"vision_model.layer{stage}.") for stage in (1, 2, 3, 4)),
        heads=max(1, width * 32 // _HEAD),
        features=towers["vision_model.attnpool.c_proj.weight"].shape[0],
        side=round((len(table) - 1) ** 0.5) * STRIDE,
    )


def _count(towers: Mapping[str, Tensor], before: str) -> int:
    """Return how many numbered parts there are under a name."""
    numbers = {n.removeprefix(before).partition(".")[0] for n in towers if n.startswith(before)}
    return len(numbers)
