"""Opinions: what people said about pictures and clips, one row each, and what is stated about them.

Rows are kept as they are found. A row without a number keeps NaN, a path that stands twice stands
twice, and both are counted in `problems`: nothing is dropped.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from beholder.errors import UsageError
from beholder.levels.scale import Scale

EXAMPLES = 3
"""How many examples a problem shows."""


@dataclass(frozen=True)
class Opinion:
    """What people said about one picture or clip."""

    path: str
    mos: float
    """The mean opinion as the file states it, not turned round; NaN where there is no number."""
    std: float | None = None
    """Standard deviation of the votes, on the scale of `mos`."""
    n: int | None = None
    """Number of votes."""
    low: float | None = None
    high: float | None = None
    """Ends of the 95 % interval of `mos`."""
    split: str = ""
    scene: str = ""
    """The content group (pictures of one source), never a category."""
    probabilities: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """Level → share of the votes; empty where it is not known."""
    level: str = ""
    """The word that the file teaches as the answer; empty where there is none."""
    question: str = ""
    """What the file teaches to ask; empty where there is none."""
    extra: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """Every other column, e.g. `distortion`, for breakdowns."""
    row: int = 0
    """Its line in a text file, as editors count; in JSON and Parquet its place from 1."""


@dataclass(frozen=True)
class Problem:
    """Something that was noticed while reading, counted."""

    what: str
    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Opinions:
    """An opinion table: its rows, and what is stated about their numbers."""

    rows: tuple[Opinion, ...]
    origin: str
    """The file or files it was read from."""
    format: str = "plain"
    """Name of the reader, a file in `datasets/readers/`."""
    score_column: str = "mos"
    """What the file calls its number."""
    scale: Scale | None = None
    """The range that is stated for the numbers; None where nobody stated one."""
    higher_is_better: bool = True
    """False for DMOS, the difference to a reference: 0 is as good as it."""
    direction_stated: bool = False
    """Whether a card or an option gave the direction; MOS is assumed where none did."""
    card: str = ""
    problems: tuple[Problem, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, name: str) -> list[Any]:
        """Return a column, `mos`, `scene`, `split` … or one of the extra ones.

        Raises:
            UsageError: when no row has it, with the columns there are.
        """
        if name in Opinion.__dataclass_fields__:
            return [getattr(row, name) for row in self.rows]
        known = sorted({key for row in self.rows for key in row.extra})
        if name not in known:
            own = "split, scene, n"
            raise UsageError(
                f"{self.origin} has no column {name!r}; it has {', '.join([own, *known])}"
            )
        return [row.extra.get(name) for row in self.rows]

    def agreement(self, mos: float) -> float:
        """Turn a mean opinion so that higher is better: a DMOS is negated.

        >>> Opinions((), "t.csv", higher_is_better=False).agreement(30.0)
        -30.0
        """
        return mos if self.higher_is_better else -mos

    def where(self, keep: Iterable[bool]) -> "Opinions":
        """Return the table with the rows for which `keep` is true."""
        rows = tuple(row for row, kept in zip(self.rows, keep, strict=True) if kept)
        return replace(self, rows=rows)


@dataclass(frozen=True)
class Stated:
    """What somebody says about a table, on the command line or in a card."""

    dmos: bool | None = None
    """True: lower is better; False: higher is better; None: not said."""
    scale: Scale | None = None
    columns: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Our name → the file's name of a column, where it is not one that is known."""


def parse_range(text: str) -> Scale:
    """Read a range: `0,100` or `1-5`.

    Raises:
        UsageError: when it is not two increasing numbers.

    >>> parse_range("-1,1")
    Scale(low=-1.0, high=1.0)
    """
    low, comma, high = text.partition(",")
    if not comma:
        return Scale.parse(text)
    try:
        scale = Scale(float(low), float(high))
    except ValueError:
        scale = Scale(0.0, 0.0)
    if not scale.low < scale.high < math.inf:
        raise UsageError(f"range {text!r} is not two increasing numbers such as 0,100 or 1,5")
    return scale


def merge(tables: Sequence[Opinions]) -> Opinions:
    """Put several tables together; a row without a split gets the name of its file as split.

    Files of one name are told apart by their folders.

    Raises:
        UsageError: when there is no table, or they state different ranges or directions.
    """
    if not tables:
        raise UsageError("no opinion table was given: name one or more")
    first = tables[0]
    if len(tables) == 1:
        return first
    for other in tables[1:]:
        if (other.scale, other.higher_is_better) != (first.scale, first.higher_is_better):
            raise UsageError(
                f"{first.origin} and {other.origin} state different ranges or directions:"
                " look at them one by one"
            )
    stems = Counter(Path(table.origin).stem for table in tables)
    rows = tuple(
        row if row.split else replace(row, split=_split_name(Path(table.origin), stems))
        for table in tables
        for row in table.rows
    )
    return replace(
        first,
        rows=rows,
        origin=", ".join(table.origin for table in tables),
        problems=tuple(problem for table in tables for problem in table.problems),
    )


def _split_name(origin: Path, stems: Mapping[str, int]) -> str:
    return origin.stem if stems[origin.stem] == 1 else f"{origin.parent.name}/{origin.stem}"


def locate(path: str, folders: Sequence[Path]) -> Path:
    """Return where a row's file is: in the first folder that has it, else where it was expected.

    An absolute path is taken as it is.
    """
    places = [folder / path for folder in folders] or [Path(path)]
    return next((place for place in places if place.exists()), places[0])
