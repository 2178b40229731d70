"""A learner that answers in words: what is said of each part of an input, then of the input."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from jaxtyping import Int
from torch import Tensor

from beholder.backbones.base import Backbone, Example
from beholder.prompts import Prompt
from beholder.scorers import align
from beholder.scorers.base import Encoded, Scorer
from beholder.training.learners.base import Learner
from beholder.training.lesson import Lesson
from beholder.training.saying import Answer, averaged, losses_of

HARD: Final = {"next_token": 1.0}
"""Q-Align's weights."""
SOFT: Final = {"fidelity": 1.0, "level_kl": 0.1, "wording": 0.1}
"""DeQA-Score's weights: 1 for pairs, and 0.05 for each of the two of a pair."""


@dataclass(frozen=True)
class Turn:
    """One picture or clip, what is asked about it, and which level is to be said."""

    example: Example
    prompt: Prompt
    level: str


class Speaker(Learner):
    """A model that is taught to say the level words of its recipe."""

    @abstractmethod
    def backbone(self) -> Backbone:
        """Return a new backbone over `network`: what it remembers fits the weights as they are."""

    @abstractmethod
    def say(self, turns: Sequence[Turn]) -> Sequence[Answer]:
        """Return what is said where words of the answers are due; with gradients."""

    @abstractmethod
    def levels(self) -> Int[Tensor, " levels"]:
        """Return the first tokens of the level words, best first, on the device of `network`."""

    @property
    def words(self) -> tuple[str, ...]:
        """The level words, best first."""
        return tuple(self.recipe.levels)

    def usual(self, *, soft: bool) -> Mapping[str, float]:
        """Return the weights of Q-Align for hard levels, of DeQA-Score for soft labels."""
        return SOFT if soft else HARD

    def scorer(self) -> Scorer:
        """Return a new scorer over `network` as it now is."""
        recipe = self.recipe
        given = {"prompts": recipe.prompts, "levels": recipe.levels, "clips": recipe.clips}
        return align.build(self.backbone(), given)

    def losses(
        self, examples: Sequence[Encoded], lessons: Sequence[Lesson], prompts: Sequence[Prompt]
    ) -> Mapping[str, Tensor]:
        """Return every loss of `losses.NAMES`; frames that are judged one by one are averaged."""
        turns = [
            Turn(part, prompt, self.words[lesson.level])
            for each, lesson, prompt in zip(examples, lessons, prompts, strict=True)
            for part in each.parts
        ]
        said = iter(self.say(turns))
        answers = [averaged(list(islice(said, len(each.parts)))) for each in examples]
        return losses_of(answers, lessons, self.levels(), tuple(self.recipe.levels.values()))
