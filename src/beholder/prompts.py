"""What a model is asked, and how its answer opens: data, stored with the recipe.

The wording is that of Q-Align's scorer (arXiv 2312.17090): the question as a person would ask it,
and an answer whose next word is the level.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Prompt:
    """One question and the opening of its answer."""

    question: str
    """What the user asks."""
    opening: str
    """How the model's answer begins; the level word comes next."""


TASKS: Final = ("quality", "aesthetics")
"""What can be asked about a picture or a clip."""

IMAGE_QUALITY: Final = Prompt(
    "How would you rate the quality of this image?", "The quality of the image is"
)
IMAGE_AESTHETICS: Final = Prompt(
    "How would you rate the aesthetics of this image?", "The aesthetics of the image is"
)
VIDEO_QUALITY: Final = Prompt(
    "How would you rate the quality of this video?", "The quality of the video is"
)

QUALITY_QUESTIONS: Final = (
    "What's your opinion on the quality of this picture?",
    "How do you assess the quality of this image?",
    "Could you evaluate the quality of this image?",
    "How would you judge the quality of this image?",
    "Rate the quality of this image.",
    "Can you rate the quality of this picture?",
    "How would you rate the quality of this image?",
    "What is your quality rating for this image?",
    "What do you think about the quality of this image?",
    "Can you judge the quality of this image?",
)
"""The questions of the training syllabus: nine of Q-Align and the tenth of DeQA-Score."""
