"""What learners of methods over a frozen CLIP have in common: windows, opinions, a small file.

While learning, windows are drawn anew each time and mirrored at random, by torch's generator of the
CPU, which checkpoints keep. While rating, they are those of scoring.
"""

import json
import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from beholder.backbones.clip.model import Clip
from beholder.backbones.clip.taught import FILE, Taught, fill, save
from beholder.backbones.clip.views import Corner, Seen
from beholder.engine.options import Chosen, choose
from beholder.errors import UsageError
from beholder.levels.scale import Scale
from beholder.media.frames import Frames
from beholder.prompts import Prompt
from beholder.recipes import folders
from beholder.recipes.recipe import Recipe
from beholder.scorers import _numbers as numbers
from beholder.scorers._asking import Asking
from beholder.scorers._numbers import Numbered
from beholder.scorers.base import Encoded
from beholder.training.learners import _folder
from beholder.training.learners.base import Kept, Layout, Learner
from beholder.training.lesson import Lesson

OWN: Final[Mapping[str, int]] = {"crops": 1, "start": 0}
"""What a learner is told besides the options of its scorer and of CLIP. `crops`: windows of a
picture each time it is shown. `start`: seed of the weights it begins with."""


@dataclass(frozen=True)
class Opened:
    """A CLIP and how its method is told to be."""

    recipe: Recipe
    """Without what only the learner is told."""
    clip: Clip
    settings: Mapping[str, Any]
    """Of the scorer."""
    crops: int
    start: int


def corners(seen: Seen, count: int, *, learning: bool) -> tuple[Corner, ...]:
    """Return windows: while learning so many drawn anew, otherwise those of scoring."""
    if not learning:
        return seen.windows
    limits = [
        whole - side + 1 for whole, side in zip(seen.pixels.shape[1:], seen.size, strict=True)
    ]
    tops, lefts = (torch.randint(limit, (count,)).tolist() for limit in limits)
    return tuple(zip(tops, lefts, strict=True))


class OverClip(Learner):
    """A method over CLIP that is being taught."""

    network: Taught

    def __init__(self, opened: Opened, network: Taught, parts: Mapping[str, Sequence[str]]) -> None:
        self.recipe = opened.recipe
        self.network = network
        self.clip = opened.clip
        self.settings = opened.settings
        self.crops = opened.crops
        self.range = stated(opened)
        learning = [name.partition(".")[0] for name in network.trainable()]
        self._parts = {
            part: tuple(name for name in names if name in learning) for part, names in parts.items()
        }
        if self.clip.rest:
            fill(network, self.clip.rest, "the folder that is taught further")

    @abstractmethod
    def taught(
        self, pixels: Float[Tensor, "views 3 height width"], lessons: Sequence[Lesson]
    ) -> Mapping[str, Tensor]:
        """Return the losses of windows, each with the lesson it is of."""

    @abstractmethod
    def scorer(self) -> Numbered:
        """Return a new scorer over `network` as it now is."""

    def parts(self) -> Mapping[str, Sequence[str]]:
        """Return part → prefixes of the names of its parameters; CLIP is in none, and is frozen."""
        return {part: names for part, names in self._parts.items() if names}

    def lora(self) -> Mapping[str, Layout]:
        """Return nothing: what learns is small already."""
        return {}

    def encode(self, frames: Frames) -> Encoded:
        """Prepare one input as for scoring."""
        return self._asking.encode(frames)

    def losses(
        self,
        examples: Sequence[Encoded],
        lessons: Sequence[Lesson],
        prompts: Sequence[Prompt],  # noqa: ARG002 - nothing is asked
    ) -> Mapping[str, Tensor]:
        """Return the losses of a batch by name, each of `usual()`; 0 where nothing is known."""
        cut, owners = [], []
        for lesson, each in zip(lessons, examples, strict=True):
            self._check(lesson)
            for seen in each.parts:
                places = corners(seen, self.crops, learning=self.network.training)
                cut.append(seen.cut(places))
                owners += [lesson] * len(places)
        pixels = self.clip.views.normalise(torch.cat(cut).to(self.clip.network.device))
        if self.network.training:
            pixels = mirrored(pixels, torch.rand(len(pixels)) < 0.5)
        return self.taught(pixels, owners)

    def save(self, folder: Path, kept: Kept) -> None:
        """Write the method's own weights and its recipe; CLIP is named, not copied."""
        save(folder, self.network)
        _folder.write_recipe(self, folder, kept)
        with (folder / folders.RECIPE).open("a", encoding="utf-8") as recipe:
            recipe.write(_places(self.recipe))

    def _check(self, lesson: Lesson) -> None:
        low, high = self.range.low, self.range.high
        if not low <= lesson.opinion <= high:
            raise UsageError(
                f"{lesson.name or lesson.path} has the opinion {lesson.opinion:g}, which is not "
                f"within {low:g} to {high:g}: state the range of all sets with "
                "--set learner.range=[LOW,HIGH]"
            )

    @cached_property
    def _asking(self) -> Asking:
        return numbers.asked(self.clip, (), _nothing, {})


def opened(recipe: Recipe, files: Mapping[str, Path], dtype: str) -> Opened:
    """Open the CLIP of a recipe.

    Raises:
        ModelError: when its weights cannot be used.
        UsageError: for an option that cannot be right.
    """
    told = {name: recipe.options.get(name, usual) for name, usual in OWN.items()}
    for name, least in (("crops", 1), ("start", 0)):
        if not isinstance(told[name], int) or isinstance(told[name], bool) or told[name] < least:
            raise UsageError(f"learner.{name} is {told[name]!r}; it is a whole number from {least}")
    options = {name: each for name, each in recipe.options.items() if name not in OWN}
    plain = replace(recipe, options=options)
    chosen: Chosen = choose(plain, {})
    clip = chosen.backbone.load(**files, dtype=dtype, **chosen.of_backbone)
    return Opened(plain, clip, chosen.of_scorer, told["crops"], told["start"])


def stated(opened: Opened) -> Scale:
    """Return the range of the opinions.

    Raises:
        UsageError: when it is not stated.
    """
    if "range" not in opened.settings:
        raise UsageError(
            f"{opened.recipe.name} learns opinions as they are and must know their range: "
            "--set learner.range=[1,5], from the worst to the best that all sets allow"
        )
    return numbers.scale(opened.settings, (math.nan, math.nan))


def opinions(lessons: Sequence[Lesson], like: Tensor) -> Float[Tensor, " views"]:
    """Return the opinions of lessons, in the numbers and on the device of `like`."""
    return torch.tensor([each.opinion for each in lessons]).to(like)


def mirrored(
    pixels: Float[Tensor, "views 3 height width"], which: Bool[Tensor, " views"]
) -> Float[Tensor, "views 3 height width"]:
    """Return windows, some of them mirrored left to right."""
    chosen = which.to(pixels.device)[:, None, None, None]
    return torch.where(chosen, pixels.flip(-1), pixels)


def _places(recipe: Recipe) -> str:
    """Return where the weights of a folder are, as TOML: beside the recipe, over their CLIP."""
    weights = recipe.weights
    base = weights.base if weights else None
    if base is None:
        return ""
    if base.folder:
        base = replace(base, folder=str(Path(base.folder).expanduser().resolve()))
    named = [f"{name} = {json.dumps(each)}" for name, each in vars(base).items() if each]
    lines = ["", "[weights]", 'folder = "."', f'file = "{FILE}"', "", "[weights.base]", *named]
    return "\n".join(lines) + "\n"


def _nothing(pixels: Tensor) -> Tensor:
    return pixels.new_zeros(len(pixels), 0)
