"""Sample: scores and opinions of the same files as vectors, whole or a part of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from beholder.metrics.intervals import Draws


@dataclass(frozen=True)
class Sample:
    """Rows that have an opinion. Higher is better in every vector; a DMOS is negated."""

    paths: tuple[str, ...]
    scores: Float[ndarray, " n"]
    """NaN where the file could not be scored."""
    opinions: Float[ndarray, " n"]
    spreads: Float[ndarray, " n"]
    """Predicted standard deviation of votes, on the scale of the scores; NaN where unknown."""
    deviations: Float[ndarray, " n"]
    """Standard deviation of the votes, on the scale of the opinions; NaN where unknown."""
    raters: Float[ndarray, " n"]
    """Number of votes; NaN where unknown."""
    rivals: Float[ndarray, " n"]
    """Scores of the model to compare with; NaN where there is none."""
    scenes: tuple[str, ...] = ()
    """Content group of each row; empty where none is known."""

    def __len__(self) -> int:
        return len(self.paths)

    def take(self, keep: Bool[ndarray, " n"] | Int[ndarray, " m"]) -> "Sample":
        """Return some of the rows, in the order given."""
        numbers = np.arange(len(self))[keep]
        vectors = ("scores", "opinions", "spreads", "deviations", "raters", "rivals")
        return replace(
            self,
            paths=tuple(self.paths[number] for number in numbers),
            scenes=tuple(self.scenes[number] for number in numbers) if self.scenes else (),
            **{name: getattr(self, name)[numbers] for name in vectors},
        )

    def scored(self) -> "Sample":
        """Return the rows that have a score."""
        return self.take(np.isfinite(self.scores))

    def common(self) -> "Sample":
        """Return the rows that both models scored."""
        return self.take(np.isfinite(self.scores) & np.isfinite(self.rivals))

    def beside(self, rivals: Float[ndarray, " n"]) -> "Sample":
        """Return the same rows with the scores of another model beside them."""
        return replace(self, rivals=rivals)

    def turned(self) -> "Sample":
        """Return the same rows with the two models in each other's place."""
        return replace(self, scores=self.rivals, rivals=self.scores)

    def draws(self, replicates: int, seed: int) -> Draws:
        """Say how the bootstrap draws: whole scenes where they are known, else items."""
        scenes: Sequence[str] | None = self.scenes or None
        return Draws(replicates, seed, scenes)
