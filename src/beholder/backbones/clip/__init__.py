"""clip: pictures and texts in one space. What the methods of the CLIP side stand on.

How a method uses it (all of it pure functions on a frozen `Network`):

    loaded = loading.load(file_or_folder, torch.float32)     # OpenAI's or transformers' names
    loaded.network, loaded.tokens, loaded.rest               # rest: prompts, adapters, heads

    network.see(net, pixels, places="grid")                  # pictures -> features, not normalised
    embedded = network.embed(net, pixels)                    # tokens before the first layer
    for states in prompting.vision_states(net, embedded, {layer: prompts}): ...
        # tokens before the first and after every layer, without the prompts' slots;
        # then net.vision_model.post_layernorm and net.visual_projection, or a method's own

    read = loaded.tokens.read(texts)                         # read.ids, read.ends
    embedded = network.words(net, read.ids)                  # without positions
    embedded = prompting.with_context(embedded, context, names, place)   # ends move by its length
    prompting.text_features(net, embedded, ends, {layer: prompts})   # layers from 1; not normalised

    net.logit_scale.exp() * network.cosines(pictures, texts)

The backbone, `model.Clip`: `encode` a picture, then `logits(examples, prompt, texts)` averaged over
its views; or `features(examples)`, a list of (views features); `pixels(examples)` for a network of
one's own; `texts(texts)`, cached; `remember({text: features})` puts learned prompts in their place;
`rest`, `scale`, `network`, `tokens`, `views`.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch

from beholder._names import unknown
from beholder.backbones._choices import pick
from beholder.backbones.clip import loading
from beholder.backbones.clip.model import Clip
from beholder.backbones.clip.positions import KINDS
from beholder.backbones.clip.views import Views
from beholder.errors import ModelError, UsageError

__all__ = ["Clip", "load"]

DTYPES: Final = ("float32", "bfloat16", "float16")


@dataclass(frozen=True)
class Options:
    """What may be chosen about CLIP; `views.Views` explains all but the last two."""

    views: str = "centre"
    side: int = 0
    count: int = 15
    stride: int = 32
    stride_of_large: int = 0
    shrink: int = 0
    colours: str = "clip"
    seed: int = 0
    positions: str = "grid"
    """One of `positions.KINDS`: what a picture of another size than the tower's gets."""
    scale: float = 0.0
    """What cosines are multiplied by; 0: what the weights say."""


VIEWS: Final = ("side", "count", "stride", "stride_of_large", "shrink", "colours", "seed")
OPTIONS: Final = tuple(Options.__dataclass_fields__)
"""Names of what may be chosen."""


def load(
    weights: Path | None = None,
    device: str = "cpu",
    dtype: str = "float32",
    base: Path | None = None,
    **options: Any,
) -> Clip:
    """Load a file or folder of weights; the towers that it lacks come from `base`.

    Raises:
        ModelError: when they cannot be used, or the dtype is not offered.
        UsageError: for an unknown option, or one that cannot be right.
    """
    if weights is None:
        raise ModelError("clip needs weights: name a recipe with some, or --model FOLDER")
    if dtype not in DTYPES:
        raise ModelError(f"clip runs in {', '.join(DTYPES)}, got {dtype!r}")
    chosen = pick(Options, options, "clip")
    if chosen.positions not in KINDS:
        raise UsageError(unknown("kind of positions", chosen.positions, KINDS))
    rule = Views(chosen.views, **{name: getattr(chosen, name) for name in VIEWS})
    loaded = loading.load(weights, getattr(torch, dtype), device, base)
    rule = rule if chosen.side else replace(rule, side=loaded.network.side)
    return Clip(loaded, rule, chosen.positions, chosen.scale)
