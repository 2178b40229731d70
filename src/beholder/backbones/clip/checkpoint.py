"""Checkpoints of CLIP in the formats they are published in, made into one: names of transformers.

OpenAI's names (also under the prefixes of authors' files) and those of Hugging Face folders. What
a file holds besides the two towers (prompts, adapters, heads) is kept for the method it is of.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from torch import Tensor

from beholder.errors import ModelError

WRAPPERS: Final = ("state_dict", "model_state_dict", "params", "model")
"""Keys under which files keep their tensors."""
CONTEXT: Final = "ctx"
"""What a learned context is called."""
_NOT_WEIGHTS: Final = re.compile(
    r"(.*\.)?(position_ids|num_batches_tracked)|input_resolution|context_length|vocab_size"
)
_RENAMED: Final = (
    (r"visual\.conv1\.weight", "vision_model.embeddings.patch_embedding.weight"),
    (r"visual\.class_embedding", "vision_model.embeddings.class_embedding"),
    (r"visual\.positional_embedding", "vision_model.embeddings.position_embedding.weight"),
    (r"visual\.ln_pre", "vision_model.pre_layrnorm"),
    (r"visual\.ln_post", "vision_model.post_layernorm"),
    (r"visual\.proj", "visual_projection.weight"),
    (r"visual\.transformer\.resblocks\.", "vision_model.encoder.layers."),
    (r"transformer\.resblocks\.", "text_model.encoder.layers."),
    (r"token_embedding", "text_model.embeddings.token_embedding"),
    (r"positional_embedding", "text_model.embeddings.position_embedding.weight"),
    (r"ln_final", "text_model.final_layer_norm"),
    (r"text_projection", "text_projection.weight"),
)
_IN_LAYERS: Final = (
    (".ln_1.", ".layer_norm1."),
    (".ln_2.", ".layer_norm2."),
    (".mlp.c_fc.", ".mlp.fc1."),
    (".mlp.c_proj.", ".mlp.fc2."),
    (".attn.", ".self_attn."),
)
_MARKS: Final = (
    "visual.conv1.weight",
    "vision_model.embeddings.class_embedding",
    "text_model.final_layer_norm.weight",
    "ln_final.weight",
)
"""Names by one of which CLIP is found under any prefix."""
_TRANSPOSED: Final = ("visual.proj", "text_projection")
_TOWERS: Final = ("vision_model.", "visual_projection.", "text_model.", "text_projection.")


@dataclass(frozen=True)
class Checkpoint:
    """Tensors by the names of transformers, and what they say of the network."""

    towers: Mapping[str, Tensor]
    rest: Mapping[str, Tensor] = field(default_factory=dict)
    """What belongs to neither tower, by the names of the file."""


def parse(stored: Mapping[str, Any], origin: str) -> Checkpoint:
    """Read what a file holds, in whatever format it was published.

    A bare tensor is taken for a learned context.

    Raises:
        ModelError: when it holds no tensors by name.
    """
    if set(stored) == {""}:
        return Checkpoint({}, {CONTEXT: stored[""].float()})
    tensors = {
        name: value.float() if value.is_floating_point() else value
        for name, value in _unwrapped(stored, origin).items()
        if isinstance(value, Tensor) and not _NOT_WEIGHTS.fullmatch(name)
    }
    if not tensors:
        raise ModelError(f"{origin} holds no tensors by name: it is no checkpoint")
    prefix = _prefix(tensors)
    inside = {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
    rest = {n: t for n, t in tensors.items() if not n.startswith(prefix)}
    if _is_openai(inside):
        inside = dict(_converted(inside))
    towers = {n: t for n, t in inside.items() if n == "logit_scale" or n.startswith(_TOWERS)}
    rest |= {n: t for n, t in inside.items() if n not in towers}
    return Checkpoint(towers, rest)


def _unwrapped(stored: Any, origin: str) -> Mapping[str, Any]:
    while isinstance(stored, Mapping):
        inner = next(
            (stored[key] for key in WRAPPERS if isinstance(stored.get(key), Mapping)), None
        )
        if inner is None:
            return stored
        stored = inner
    raise ModelError(f"{origin} holds {type(stored).__name__}; expected tensors by name")


def _prefix(tensors: Mapping[str, Tensor]) -> str:
    """Return what an author put before the names of CLIP."""
    for mark in _MARKS:
        for name in tensors:
            if name == mark or name.endswith(f".{mark}"):
                return name.removesuffix(mark)
    return ""


def _is_openai(names: Any) -> bool:
    return any(name.startswith(("visual.", "transformer.resblocks.")) for name in names)


def _is_residual(names: Any) -> bool:
    return any(name.startswith("visual.layer1.") for name in names)


def _converted(tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Yield OpenAI's tensors under the names of transformers."""
    residual = _is_residual(tensors)
    for name, tensor in tensors.items():
        if residual and name.startswith("visual."):
            yield name.replace("visual.", "vision_model.", 1), tensor
        elif "attn.in_proj_" in name and ".resblocks." in name:
            for part, piece in zip("qkv", tensor.chunk(3), strict=True):
                yield _renamed(name).replace("in_proj_", f"{part}_proj."), piece.contiguous()
        else:
            yield _renamed(name), tensor.T.contiguous() if name in _TRANSPOSED else tensor


def _renamed(name: str) -> str:
    for old, new in _RENAMED:
        if match := re.match(old + r"(?=\.|$)" if not old.endswith(r"\.") else old, name):
            name = new + name[match.end() :]
            break
    if ".encoder.layers." in name:
        for old, new in _IN_LAYERS:
            name = name.replace(old, new)
    return name
