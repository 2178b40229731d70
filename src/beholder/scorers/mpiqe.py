"""MP-IQE's score (arXiv 2404.14949): what twenty learned texts of scenes and distortions arrive at.

The network is in `backbones/clip/mpiqe.py`. Nobody published weights of it: `beholder train` makes
them. A picture's windows are averaged; the likely scene and distortion stand in the details.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

import torch
from jaxtyping import Float
from torch import Tensor

from beholder._names import unknown
from beholder.backbones.base import Backbone
from beholder.backbones.clip.model import Clip
from beholder.backbones.clip.mpiqe import PAPER, RELEASED, Design, MpIqe
from beholder.errors import UsageError
from beholder.levels import statistics
from beholder.levels.attributes import DISTORTIONS, SCENES
from beholder.scorers import _numbers as numbers
from beholder.scorers._numbers import RATING, Numbered
from beholder.scorers._over_clip import clip_of

FOLLOW: Final[Mapping[str, Design]] = {"paper": PAPER, "released": RELEASED}
"""What is followed where the paper and the released code differ."""
OPTIONS: Final = ("follow", "range", "segment")
"""What may be chosen; `range` is that of the opinions that were taught."""
RANGE: Final = (0.0, 100.0)
NAMES: Final = (
    RATING,
    *(f"scene {name}" for name in SCENES),
    *(f"distortion {name}" for name in DISTORTIONS),
)


def over(network: MpIqe, clip: Clip, settings: Mapping[str, Any]) -> Numbered:
    """Return the scorer of a network as it now is, over the CLIP it was taught over."""
    read = cache(network.read)

    def say(pixels: Float[Tensor, "views 3 height width"]) -> Float[Tensor, "views numbers"]:
        said = network(pixels, read())
        return torch.cat([said.score[:, None], said.scenes, said.distortions], 1)

    return Numbered(
        "mpiqe",
        numbers.asked(clip, NAMES, say, settings),
        NAMES,
        numbers.scale(settings, RANGE),
        explain,
        {"follow": settings.get("follow", "paper")},
    )


def explain(found: Mapping[str, float]) -> dict[str, Any]:
    """Return the likely scene and distortion, and how likely every one is."""
    kinds: dict[str, Sequence[str]] = {"scene": SCENES, "distortion": DISTORTIONS}
    told: dict[str, Any] = {}
    for kind, names in kinds.items():
        masses = statistics.softmax([found[f"{kind} {name}"] for name in names])
        by_name = dict(zip(names, masses, strict=True))
        told |= {kind: max(by_name, key=by_name.__getitem__), f"{kind}s": by_name}
    return told


def new(clip: Clip, settings: Mapping[str, Any]) -> MpIqe:
    """Return a network that was taught nothing yet.

    Raises:
        UsageError: for an option that cannot be right.
    """
    follow = str(settings.get("follow", "paper"))
    if follow not in FOLLOW:
        raise UsageError(unknown("MP-IQE to follow", follow, FOLLOW))
    return MpIqe(clip.network, clip.tokens, FOLLOW[follow])


def build(backbone: Backbone, settings: Mapping[str, Any]) -> Numbered:
    """Make the scorer from weights that were taught, and from options.

    Raises:
        ModelError: when they were not taught, or do not fit.
        UsageError: for an option that cannot be right, or another backbone than CLIP.
    """
    clip = clip_of(backbone, "mpiqe", ("positions", "scale"))
    network = new(clip, settings)
    numbers.give(network, clip)
    return over(network, clip, settings)
