"""What a learner is: a model that is being taught, whose losses are its own.

It looks at pictures the way the scorer of the same recipe does (`encode`), says how wrong it is
about a batch (`losses`), and rates with the very weights that are learning (`scorer`).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from torch import Tensor, nn

from beholder.media.frames import Frames
from beholder.prompts import Prompt
from beholder.recipes.recipe import Recipe
from beholder.scorers.base import Encoded, Scorer
from beholder.training.lesson import Lesson


@dataclass(frozen=True)
class Layout:
    """A way of teaching few weights: low-rank additions, and parts that learn whole."""

    modules: tuple[str, ...]
    """Ends of the names of modules that get additions, e.g. `q_proj`; none: every linear one."""
    inside: tuple[str, ...] = ("",)
    """Prefixes of the names of modules that may get additions."""
    rank: int = 16
    alpha: float = 32.0
    dropout: float = 0.05
    whole: tuple[str, ...] = ()
    """Parts that learn with all their weights."""
    rate: float = 2e-4
    """Learning rate that fits it."""


@dataclass(frozen=True)
class Kept:
    """How a taught model is written."""

    name: str
    """What it is called."""
    licence: str = ""
    """Its licence; that of what it was taught from when empty."""
    about: str = ""
    """One line on it."""
    tasks: tuple[str, ...] = ()
    """What it was taught; the tasks of its recipe when empty."""
    merge: bool = True
    """Whether low-rank additions are added into the weights; otherwise they are written alone."""


class Learner(ABC):
    """A model that is being taught."""

    network: nn.Module
    recipe: Recipe
    """By which it is asked, now and later."""
    rate: ClassVar[float] = 2e-5
    """Learning rate of all weights when none is stated."""
    layout: Layout | None = None
    """The low-rank additions that were put in, if any."""

    @abstractmethod
    def parts(self) -> Mapping[str, Sequence[str]]:
        """Return part → prefixes of the names of its parameters; each has the longest that fits."""

    @abstractmethod
    def lora(self) -> Mapping[str, Layout]:
        """Return the layouts of low-rank additions by name, the usual one first; may be empty."""

    @abstractmethod
    def losses(
        self, examples: Sequence[Encoded], lessons: Sequence[Lesson], prompts: Sequence[Prompt]
    ) -> Mapping[str, Tensor]:
        """Return the losses of a batch by name: unweighted, differentiable, zero-dimensional."""

    @abstractmethod
    def usual(self, *, soft: bool) -> Mapping[str, float]:
        """Return loss → weight when none is stated, for one-hot levels or `soft` labels."""

    @abstractmethod
    def scorer(self) -> Scorer:
        """Return a new scorer over `network` as it now is; it must not be kept while learning."""

    @abstractmethod
    def save(self, folder: Path, kept: Kept) -> None:
        """Write weights, what they need, and the recipe by which `--model FOLDER` opens them."""

    def encode(self, frames: Frames) -> Encoded:
        """Prepare one input exactly as for scoring; on the CPU, in a worker process or thread."""
        return self._eyes.encode(frames)

    def recompute(self) -> None:  # noqa: B027 - small models need no such way
        """Compute activations twice from now on, to save memory; nothing where there is no way."""

    @cached_property
    def _eyes(self) -> Scorer:
        return self.scorer()
