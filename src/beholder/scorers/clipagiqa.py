"""Both methods called CLIP-AGIQA: ratings of generated pictures by prompts taught over CLIP.

`fu` (arXiv 2406.16641) says how likely `good photo.` is beside `bad photo.`, and how well a picture
fits the text it was made from; `tang` (arXiv 2408.15098) says a number. The networks are in
`backbones/clip/agiqa.py`. Nobody published weights of them: `beholder train` makes them.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import torch
from jaxtyping import Float
from torch import Tensor

from beholder._names import unknown
from beholder.backbones.base import Backbone
from beholder.backbones.clip.agiqa import Fu, FuDesign, Tang
from beholder.backbones.clip.model import Clip
from beholder.errors import UsageError
from beholder.levels.scale import Scale
from beholder.scorers import _numbers as numbers
from beholder.scorers._numbers import RATING, Numbered
from beholder.scorers._over_clip import clip_of

OPTIONS: Final = ("paper", "guided", "range", "segment")
"""What may be chosen; `range` is that of the opinions that were taught."""
PAPERS: Final = ("fu", "tang")
RANGE: Final = (0.0, 5.0)
"""That of AGIQA-3K."""
ALIGNMENT: Final = "alignment"
SHARES: Final = Scale(0.0, 1.0)
"""On which `fu` rates: 0 is the worst of the range of the opinions, 1 the best."""


def over(network: Fu | Tang, clip: Clip, settings: Mapping[str, Any]) -> Numbered:
    """Return the scorer of a network as it now is, over the CLIP it was taught over."""
    return (_fu if isinstance(network, Fu) else _tang)(network, clip, settings)  # type: ignore[arg-type]


def _fu(network: Fu, clip: Clip, settings: Mapping[str, Any]) -> Numbered:
    read = cache(network.read)
    names = (RATING, ALIGNMENT) if network.design.guided else (RATING,)

    def say(pixels: Float[Tensor, "views 3 height width"]) -> Float[Tensor, "views numbers"]:
        rated = network(pixels, read())
        both = (rated.quality, rated.alignment)
        return torch.stack([each for each in both if each is not None], 1)

    return Numbered(
        "clipagiqa",
        numbers.asked(clip, names, say, settings),
        names,
        SHARES,
        _alignment,
        {"paper": "fu", "guided": network.design.guided},
    )


def _tang(network: Tang, clip: Clip, settings: Mapping[str, Any]) -> Numbered:
    read = cache(network.read)

    def say(pixels: Float[Tensor, "views 3 height width"]) -> Float[Tensor, "views numbers"]:
        rated: Tensor = network(pixels, read())
        return rated[:, None]

    return Numbered(
        "clipagiqa",
        numbers.asked(clip, (RATING,), say, settings),
        (RATING,),
        numbers.scale(settings, RANGE),
        _alignment,
        {"paper": "tang"},
    )


def _alignment(found: Mapping[str, float]) -> dict[str, Any]:
    """Return how well the picture fits its text, from 0 to 1, where that was taught."""
    return {ALIGNMENT: found[ALIGNMENT]} if ALIGNMENT in found else {}


def new(clip: Clip, settings: Mapping[str, Any]) -> Fu | Tang:
    """Return a network that was taught nothing yet.

    Raises:
        UsageError: for an option that cannot be right.
    """
    paper, guided = settings.get("paper", PAPERS[0]), settings.get("guided", True)
    if paper not in PAPERS:
        raise UsageError(unknown("CLIP-AGIQA, by the first author of its paper,", paper, PAPERS))
    if not isinstance(guided, bool):
        raise UsageError(f"guided is {guided!r}; it is true or false")
    if paper == "tang":
        return Tang(clip.network, clip.tokens)
    return Fu(clip.network, clip.tokens, FuDesign(guided=guided))


def build(backbone: Backbone, settings: Mapping[str, Any]) -> Numbered:
    """Make the scorer from weights that were taught, and from options.

    Raises:
        ModelError: when they were not taught, or do not fit.
        UsageError: for an option that cannot be right, or another backbone than CLIP.
    """
    clip = clip_of(backbone, "clipagiqa", ("positions", "scale"))
    network = new(clip, settings)
    numbers.give(network, clip)
    return over(network, clip, settings)
