"""MP-IQE as a learner: opinions, and the scene and the distortion where the table names them.

Recipe of the paper: `mixtures/mpiqe.toml`. Columns `scene_class` (the first word counts) and
`distortion` are in the words of LIQE.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

from beholder._names import unknown
from beholder.backbones.clip.mpiqe import MpIqe, losses
from beholder.errors import UsageError
from beholder.levels.attributes import DISTORTIONS, SCENES
from beholder.recipes.recipe import Recipe
from beholder.scorers import mpiqe
from beholder.scorers._numbers import Numbered
from beholder.training.learners._over_clip import Opened, OverClip, opened, opinions
from beholder.training.lesson import Lesson

PARTS: Final = {
    "contexts": ("scenes", "distortions"),
    "prompts": ("prompts", "deeper", "widen"),
    "heads": ("narrow", "decoder", "rate", "scale", "focus"),
}
WEIGHTS: Final = {"quality": 0.5, "scene": 1.0, "distortion": 1.0}
"""Those of the paper; for LIVE and CSIQ it has 0.1 for `quality`."""


class Learning(OverClip):
    """Prompts, contexts and heads that learn."""

    network: MpIqe
    rate = 3e-5

    def usual(self, *, soft: bool) -> Mapping[str, float]:  # noqa: ARG002 - opinions have no levels
        """Return the weights of the paper."""
        return WEIGHTS

    def scorer(self) -> Numbered:
        """Return a new scorer over `network` as it now is."""
        return mpiqe.over(self.network, self.clip, self.settings)

    def taught(
        self, pixels: Float[Tensor, "views 3 height width"], lessons: Sequence[Lesson]
    ) -> Mapping[str, Tensor]:
        """Return the losses of windows, each with the lesson it is of."""
        said = self.network(pixels)
        return losses(
            said,
            opinions(lessons, said.score),
            [place(each, "scene_class", SCENES) for each in lessons],
            [place(each, "distortion", DISTORTIONS) for each in lessons],
        )


def place(lesson: Lesson, column: str, words: Sequence[str]) -> int:
    """Return the place of the first word of a column; -1 where it says nothing.

    Raises:
        UsageError: for an unknown word.
    """
    said = str(lesson.details.get(column) or "").partition(",")[0].strip()
    if not said:
        return -1
    if said not in words:
        raise UsageError(f"{lesson.name or lesson.path}: {unknown(column, said, words)}")
    return words.index(said)


def new(begun: Opened) -> Learning:
    """Make the learner over a CLIP that was opened."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(begun.start)
        network = mpiqe.new(begun.clip, begun.settings)
    return Learning(begun, network, PARTS)


def load(recipe: Recipe, files: Mapping[str, Path], dtype: str) -> Learning:
    """Open MP-IQE to learn, over a CLIP or from what was taught before."""
    return new(opened(recipe, files, dtype))
