"""Learned prompts: vectors put among the tokens of the vision tower, and among those of texts.

Two functions for all methods that teach prompts to a frozen CLIP: deep visual prompts (VPT, as in
MP-IQE and MaPLe) and learned contexts (CoOp, arXiv 2109.01134). Gradients reach every prompt.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from beholder._names import unknown
from beholder.backbones.clip.network import Network
from beholder.errors import UsageError

NONE: Final[Mapping[int, Tensor]] = MappingProxyType({})
"""No prompt at any layer."""
PLACES: Final = ("front", "middle", "end")
"""Where the words of a text stand, seen from the learned context around them."""


def vision_states(
    network: Network,
    embedded: Float[Tensor, "pictures tokens width"],
    prompts: Mapping[int, Float[Tensor, "..."]] = NONE,
) -> Iterator[Float[Tensor, "pictures tokens width"]]:
    """Yield the tokens before the first layer of the vision transformer, and after each layer.

    `prompts` are by layer, (prompts width) or (pictures prompts width): those of layer 0 join
    before the first normalisation, those of a later layer take the place of what came out for the
    earlier ones; without new ones the earlier go on. They stand at the end, which changes nothing
    for the other tokens, and are not in what is yielded. The last layer is not yet normalised:
    `network.vision_model.post_layernorm`, then `network.visual_projection`, are the caller's.
    """
    vision: Any = network.vision_model
    count = embedded.shape[1]
    states = vision.pre_layrnorm(_joined(embedded, prompts.get(0)))
    yield states[:, :count]
    for number, layer in enumerate(vision.encoder.layers):
        if number and number in prompts:
            states = _joined(states[:, :count], prompts[number])
        states = layer(states, None)
        yield states[:, :count]


def text_features(
    network: Network,
    embedded: Float[Tensor, "texts tokens width"],
    ends: Int[Tensor, " texts"],
    prompts: Mapping[int, Float[Tensor, "prompts width"]] = NONE,
) -> Float[Tensor, "texts features"]:
    """Return the features of texts from their embeddings (`network.words`), not normalised.

    `ends` is the place of each text's end mark. `prompts` are by layer, from 1: they take the
    places right after the beginning, where a learned context stands.
    """
    model: Any = network.text_model
    states = model.embeddings(inputs_embeds=embedded)
    length = embedded.shape[1]
    mask = torch.full((length, length), float("-inf"), dtype=states.dtype, device=states.device)
    mask = mask.triu(1)[None, None]
    for number, layer in enumerate(model.encoder.layers):
        if number in prompts:
            new = prompts[number].to(states.dtype).expand(len(states), -1, -1)
            states = torch.cat([states[:, :1], new, states[:, 1 + new.shape[1] :]], 1)
        states = layer(states, mask)
    rows = torch.arange(len(states), device=states.device)
    last = model.final_layer_norm(states[rows, ends])
    features: Tensor = network.text_projection(last)
    return features


def with_context(
    embedded: Float[Tensor, "texts tokens width"],
    context: Float[Tensor, "..."],
    names: Sequence[int] = (),
    place: str = "end",
) -> Float[Tensor, "texts longer width"]:
    """Put a learned context into texts; their end marks move by the number of its vectors.

    `context` is (vectors width) for all texts, or (texts vectors width). `names` says how many
    tokens of each text, after the mark of its beginning, are its name. The name stands in `front`
    of the context, in its `middle` (the first half before it), or at its `end`.

    Raises:
        UsageError: when the place is unknown.
    """
    if place not in PLACES:
        raise UsageError(unknown("place of the words", place, PLACES))
    if place == "end":
        names = [0] * len(embedded)
    own = context.expand(len(embedded), -1, -1)
    cut = own.shape[1] // 2 if place == "middle" else 0
    rows = [
        torch.cat([row[:1], each[:cut], row[1 : 1 + name], each[cut:], row[1 + name :]])
        for row, each, name in zip(embedded, own.to(embedded.dtype), names, strict=True)
    ]
    return torch.stack(rows)


def _joined(tokens: Tensor, prompts: Tensor | None) -> Tensor:
    if prompts is None:
        return tokens
    return torch.cat([tokens, prompts.to(tokens.dtype).expand(len(tokens), -1, -1)], 1)
