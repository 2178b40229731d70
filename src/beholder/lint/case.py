"""What the checks are given, and what they give back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final, Literal

import numpy as np
from jaxtyping import Float

from beholder.datasets.card import Bounds, Card
from beholder.datasets.opinions import EXAMPLES, Opinion, Opinions
from beholder.levels.scale import LEVELS

Severity = Literal["error", "warning", "note"]
SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "note")
"""error: what is taught or measured is wrong; warning: it probably is; note: good to know."""
WORDS: Final = tuple(reversed(LEVELS))
"""The five words, worst first, as `hard_level` counts."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, how often, where, and what to do."""

    severity: Severity
    what: str
    count: int
    examples: tuple[str, ...]
    advice: str
    check: str = ""
    """Name of the check, a file in `lint/checks/`."""


@dataclass(frozen=True)
class Look:
    """What a look at one file told."""

    file: Path
    error: str = ""
    """Why it cannot be judged; empty when it can."""
    missing: bool = False
    size: int = 0
    """Bytes."""
    digest: str = ""
    """Hash of the bytes; empty where no other file has this size."""
    hash: int | None = None
    """Perceptual hash; None where there is none."""


@dataclass(frozen=True)
class Case:
    """A data set under examination."""

    table: Opinions
    card: Card | None = None
    bounds: Bounds | None = None
    """Between which opinions the hard levels lie; None where nobody said."""
    looks: Mapping[str, Look] = field(default_factory=dict)
    """Path → what a look at its file told; empty where files were not looked at."""
    searched: str = ""
    """Why files were not looked at, where they were not."""

    @property
    def rows(self) -> tuple[Opinion, ...]:
        """The rows of the table."""
        return self.table.rows

    @cached_property
    def rated(self) -> list[Opinion]:
        """The rows with a number."""
        return [row for row in self.rows if np.isfinite(row.mos)]

    @cached_property
    def levelled(self) -> list[Opinion]:
        """The rows with a number and one of the five words."""
        return [row for row in self.rated if row.level in LEVELS]

    @cached_property
    def splits(self) -> list[str]:
        """The names of the splits, in their order; one empty name where there are none."""
        return list(dict.fromkeys(row.split for row in self.rows))

    def goodness(self, rows: Iterable[Opinion]) -> Float[np.ndarray, " n"]:
        """Return opinions turned so that higher is better."""
        return np.array([self.table.agreement(row.mos) for row in rows], dtype=np.float64)


def found(
    severity: Severity, what: str, where: Sequence[str], advice: str, count: int | None = None
) -> Finding:
    """Make a finding whose examples are the first few of `where`."""
    return Finding(
        severity, what, len(where) if count is None else count, tuple(where[:EXAMPLES]), advice
    )
