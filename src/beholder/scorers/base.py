"""What a scorer is: pictures in, a rating out, in two halves like the backbone below it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from beholder.backbones.base import Example
from beholder.media.frames import Frames, Media


@dataclass(frozen=True)
class Rating:
    """What a method says of one input: on the 1-5 scale, or a measure that its `MEASURE` names."""

    value: float
    """NaN exactly when `error` is set."""
    level: str = ""
    probabilities: Mapping[str, float] = field(default_factory=dict)
    spread: float = float("nan")
    timeline: Sequence[tuple[float, float]] = ()
    """For a clip: (seconds, value) of each frame or segment."""
    worst: tuple[float, float] | None = None
    """The lowest of the timeline, where it was asked for."""
    details: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    """Why there is no value, and what to do."""


@dataclass(frozen=True)
class Encoded:
    """One input, ready for the device."""

    media: Media
    times: tuple[float | None, ...]
    """When each part is shown; None for a still or a whole clip."""
    parts: tuple[Example, ...]
    """One example a frame, or one for the whole clip."""
    moments: tuple[tuple[float, Example], ...] = ()
    """For a clip judged as a whole whose timeline is wanted: its frames again, one by one."""


class Scorer(ABC):
    """A method with its model."""

    @property
    @abstractmethod
    def tasks(self) -> tuple[str, ...]:
        """What it can be asked."""

    @abstractmethod
    def settings(self) -> Mapping[str, Any]:
        """Return all that can change a rating, as JSON."""

    @abstractmethod
    def encode(self, frames: Frames) -> Encoded:
        """Read the frames and prepare them: the CPU half, one input at a time. Thread-safe."""

    @abstractmethod
    def judge(self, inputs: Sequence[Encoded], task: str) -> list[Rating]:
        """Rate a batch: the device half. One rating an input, in order."""


class Fitter(ABC):
    """A method that is shown pictures without damage before it can rate others."""

    @abstractmethod
    def encode(self, frames: Frames) -> Encoded:
        """Read the frames and prepare them: the CPU half, one input at a time. Thread-safe."""

    @abstractmethod
    def add(self, given: Encoded) -> None:
        """Take in one input."""

    @abstractmethod
    def save(self, path: Path) -> str:
        """Write the statistics of what was taken in; return what they are of, in a few words."""
