"""Both CLIP-AGIQA as learners: opinions on quality, and `alignment` where the table has that.

Recipes of the papers: `mixtures/clip-agiqa-fu.toml`, `mixtures/clip-agiqa-tang.toml`.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from beholder.backbones.clip.agiqa import Fu, Tang, fu_losses
from beholder.errors import UsageError
from beholder.recipes.recipe import Recipe
from beholder.scorers import clipagiqa
from beholder.scorers._numbers import RATING, Numbered
from beholder.scorers.clipagiqa import ALIGNMENT
from beholder.training.learners._over_clip import Opened, OverClip, opened, opinions
from beholder.training.lesson import Lesson

PARTS: Final = {
    "prompts": ("quality", "alignment", "levels"),
    "heads": ("mixers", "rate"),
}
WEIGHTS: Final = {RATING: 1.0, ALIGNMENT: 0.1}
"""Those of Fu et al."""


class LearningFu(OverClip):
    """Prompts for quality, guided by prompts for alignment."""

    network: Fu
    rate = 1e-4

    def usual(self, *, soft: bool) -> Mapping[str, float]:  # noqa: ARG002 - opinions have no levels
        """Return the weights of the paper."""
        return WEIGHTS if self.network.design.guided else {RATING: WEIGHTS[RATING]}

    def scorer(self) -> Numbered:
        """Return a new scorer over `network` as it now is."""
        return clipagiqa.over(self.network, self.clip, self.settings)

    def taught(
        self, pixels: Float[Tensor, "views 3 height width"], lessons: Sequence[Lesson]
    ) -> Mapping[str, Tensor]:
        """Return the losses of windows, each with the lesson it is of."""
        rated = self.network(pixels)
        told = torch.tensor([alignment(each) for each in lessons]).to(rated.quality)
        return fu_losses(rated, self._share(opinions(lessons, rated.quality)), self._share(told))

    def _share(self, values: Tensor) -> Tensor:
        """Move opinions from their range to 0 to 1."""
        return (values - self.range.low) / (self.range.high - self.range.low)


class LearningTang(OverClip):
    """A context before level words, and a small network."""

    network: Tang
    rate = 2e-3

    def usual(self, *, soft: bool) -> Mapping[str, float]:  # noqa: ARG002 - opinions have no levels
        """Return the only loss."""
        return {RATING: 1.0}

    def scorer(self) -> Numbered:
        """Return a new scorer over `network` as it now is."""
        return clipagiqa.over(self.network, self.clip, self.settings)

    def taught(
        self, pixels: Float[Tensor, "views 3 height width"], lessons: Sequence[Lesson]
    ) -> Mapping[str, Tensor]:
        """Return the mean squared error of windows, each with the lesson it is of."""
        rated = self.network(pixels)
        return {RATING: functional.mse_loss(rated, opinions(lessons, rated))}


def alignment(lesson: Lesson) -> float:
    """Return how well a picture was said to fit its text, on the range of the opinions, or NaN.

    Raises:
        UsageError: when the column holds something else.
    """
    said = lesson.details.get(ALIGNMENT)
    try:
        return math.nan if said in (None, "") else float(str(said))
    except ValueError:
        raise UsageError(
            f"{lesson.name or lesson.path} has the {ALIGNMENT} {said!r}; it is a number on the "
            "range of the opinions, or empty"
        ) from None


def new(begun: Opened) -> LearningFu | LearningTang:
    """Make the learner over a CLIP that was opened."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(begun.start)
        network = clipagiqa.new(begun.clip, begun.settings)
    if isinstance(network, Fu):
        return LearningFu(begun, network, PARTS)
    return LearningTang(begun, network, PARTS)


def load(recipe: Recipe, files: Mapping[str, Path], dtype: str) -> LearningFu | LearningTang:
    """Open a CLIP-AGIQA to learn, over a CLIP or from what was taught before."""
    return new(opened(recipe, files, dtype))
