"""UniQA's head as a learner: opinions alone, over a frozen CLIP whose texts are read once.

Recipe of the paper: `mixtures/uniqa.toml`.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from beholder.backbones.clip.uniqa import UniQa
from beholder.recipes.recipe import Recipe
from beholder.scorers import uniqa
from beholder.scorers._numbers import RATING
from beholder.scorers.uniqa import Uniqa
from beholder.training.learners._over_clip import Opened, OverClip, opened, opinions
from beholder.training.lesson import Lesson

PARTS: Final = {"adapter": ("adapter",), "levels": ("score_level",)}


class Learning(OverClip):
    """The adapter, and what the levels are worth."""

    network: UniQa
    rate = 2e-4

    def usual(self, *, soft: bool) -> Mapping[str, float]:  # noqa: ARG002 - opinions have no levels
        """Return the only loss."""
        return {RATING: 1.0}

    def scorer(self) -> Uniqa:  # type: ignore[override]
        """Return a new scorer over `network` as it now is."""
        return uniqa.over(self.network, self.clip, self.settings)

    def taught(
        self, pixels: Float[Tensor, "views 3 height width"], lessons: Sequence[Lesson]
    ) -> Mapping[str, Tensor]:
        """Return the mean squared error of windows, with opinions moved to 0 to 1."""
        rated = self.network(pixels, self._texts.to(pixels.device))
        wanted = (opinions(lessons, rated) - self.range.low) / (self.range.high - self.range.low)
        return {RATING: functional.mse_loss(rated, wanted)}

    @cached_property
    def _texts(self) -> Float[Tensor, "texts features"]:
        with torch.no_grad():
            return self.network.read()


def new(begun: Opened) -> Learning:
    """Make the learner over a CLIP that was opened."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(begun.start)
        network = uniqa.new(begun.clip, begun.settings)
    return Learning(begun, network, PARTS)


def load(recipe: Recipe, files: Mapping[str, Path], dtype: str) -> Learning:
    """Open UniQA to learn, with a new head or from one that was taught before."""
    return new(opened(recipe, files, dtype))
