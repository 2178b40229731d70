"""A lesson: one picture or clip, and what a model is to say of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Lesson:
    """One thing to learn."""

    path: Path
    task: str
    """`quality` or `aesthetics`."""
    media: str
    """`image` or `video`."""
    set: int
    """Which data set it is of; pairs are drawn within one set."""
    opinion: float
    """The mean opinion on the scale of its table, turned so that higher is better."""
    deviation: float
    """The standard deviation of the votes on the same scale; NaN where it is not known."""
    level: int
    """Index of the word that is taught, best first."""
    probabilities: tuple[float, ...]
    """What each level is worth as an answer, best first; one-hot for hard levels."""
    scene: str = ""
    """The content group; empty where it is not known."""
    name: str = ""
    """Its path as the table states it."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """The other columns of its table, e.g. `distortion`."""
