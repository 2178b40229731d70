"""What a model is asked while it learns: the published questions, one drawn for each lesson.

The string that Q-Align's generator fused from two questions (a comma was missing) is not among
them; its two halves are, for clips, as they were meant. No list of questions about aesthetics was
published: those here are the questions about quality, asked about aesthetics.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from beholder.prompts import (
    IMAGE_AESTHETICS,
    IMAGE_QUALITY,
    QUALITY_QUESTIONS,
    VIDEO_QUALITY,
    Prompt,
)
from beholder.recipes.recipe import Recipe
from beholder.training.lesson import Lesson

VIDEO_AESTHETICS: Final = Prompt(
    "How would you rate the aesthetics of this video?", "The aesthetics of the video is"
)
STANDARD: Final[Mapping[tuple[str, str], Prompt]] = {
    ("quality", "image"): IMAGE_QUALITY,
    ("quality", "video"): VIDEO_QUALITY,
    ("aesthetics", "image"): IMAGE_AESTHETICS,
    ("aesthetics", "video"): VIDEO_AESTHETICS,
}
"""(Task, media) → what is asked when scoring, where a recipe says nothing else."""
_VIDEO_QUALITY: Final = (
    "Rate the quality of this video.",
    "What do you think about the quality of this video?",
    "What's your opinion on the quality of this video?",
    "What is your quality rating for this video?",
    "Can you rate the quality of this video?",
    "Could you evaluate the quality of this video?",
    "How would you judge the quality of this video?",
    "How would you rate the quality of this video?",
    "How do you assess the quality of this video?",
)


def _about_aesthetics(questions: tuple[str, ...]) -> tuple[str, ...]:
    about = (each.replace("quality rating", "aesthetic rating") for each in questions)
    return tuple(each.replace("quality", "aesthetics") for each in about)


POOLS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("quality", "image"): QUALITY_QUESTIONS,
    ("quality", "video"): _VIDEO_QUALITY,
    ("aesthetics", "image"): _about_aesthetics(QUALITY_QUESTIONS),
    ("aesthetics", "video"): _about_aesthetics(_VIDEO_QUALITY),
}
"""(Task, media) → questions that are drawn from."""


def asked(recipe: Recipe, task: str, media: str) -> Prompt:
    """Return what is asked about a lesson when scoring: a frame on its own is an image.

    What the recipe does not say is asked in the standard words.
    """
    whole = media == "video" and recipe.clips == "whole"
    first, second = ("video", "image") if whole else ("image", "video")
    known = recipe.prompts.get(task, {})
    words = known.get(first) or known.get(second)
    return Prompt(**words) if words else STANDARD[task, first]


@dataclass(frozen=True)
class Questions:
    """Which question is asked about which lesson; call it with lesson, epoch and row.

    A recipe whose own words are not the standard ones is always taught in its own.
    """

    recipe: Recipe
    seed: int
    pool: bool = True
    """Whether questions are drawn; otherwise it is always the one that is asked when scoring."""

    def __call__(self, lesson: Lesson, epoch: int, row: int) -> Prompt:
        """Return what is asked; it depends on seed, epoch and row alone."""
        prompt = asked(self.recipe, lesson.task, lesson.media)
        place = next((place for place, each in STANDARD.items() if each == prompt), None)
        if not self.pool or place is None:
            return prompt
        questions = POOLS[place]
        drawn = np.random.default_rng([self.seed, epoch, row]).integers(len(questions))
        return Prompt(questions[drawn], prompt.opening)
