"""One data set of a mixture: its table read, its statements settled, its rows found fit to teach.

Everything that can be known from tables and names alone is told here, before a file is opened.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from beholder._counting import counted
from beholder.datasets import card as cards
from beholder.datasets.card import Bounds, Card
from beholder.datasets.opinions import EXAMPLES, Opinions, Stated, locate
from beholder.datasets.reading import read
from beholder.errors import TableError, UsageError
from beholder.evaluation.pairing import of_the_set
from beholder.levels.scale import Scale
from beholder.training.config import Data
from beholder.training.settings import called
from beholder.training.targets import Rule, trimmed

PARTS: Final = ("train", "validation", "test")
_ALIASES: Final = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
BOUNDS: Final = ("card", "range", "trimmed", "observed")


@dataclass(frozen=True)
class Set:
    """A data set, ready to be divided and taught."""

    name: str
    task: str
    media: str
    table: Opinions
    """Its rows; `split` is one of `PARTS`, or empty where it is to be drawn."""
    files: tuple[Path, ...]
    """Where the file of each row is."""
    rule: Rule
    card: Card | None = None
    weight: float = 1.0

    @property
    def bounds(self) -> Bounds:
        """The bounds as a card would state them: not turned round."""
        low, high = sorted((self.turned(self.rule.low), self.turned(self.rule.high)))
        return Bounds(low, high, self.rule.outside)

    def turned(self, opinion: float) -> float:
        """Return an opinion turned so that higher is better, or turn one back."""
        return self.table.agreement(opinion)


def open_set(data: Data) -> Set:
    """Read a data set and hold it to what is stated about it.

    Raises:
        UsageError: when a table is not there or a statement cannot be right.
        TableError: when a row cannot be taught: no number, outside the range, no deviation.
    """
    name = called(vars(data))
    card = cards.load(data.card) if data.card else None
    scale = _scale(data, name)
    dmos = data.dmos
    if dmos is None and card and card.higher_is_better is None:
        raise UsageError(f"{name}: releases of {card.title} differ in direction: state dmos")
    stated = Stated(dmos=dmos, scale=scale, columns=dict(data.columns))
    table = _table(data, card, stated)
    table = of_the_set(table, card) if card else table
    _check_rows(table, name)
    folders = [Path(data.root)] if data.root else [Path(data.table).parent]
    places = [place for folder in folders for place in (card.places(folder) if card else [folder])]
    made = Set(
        name=name,
        task=data.task or (card.task if card else "quality"),
        media=data.media or (card.media if card else "image"),
        table=table,
        files=tuple(locate(row.path, places) for row in table.rows),
        rule=_rule(data, table, card, name),
        card=card,
        weight=data.weight,
    )
    for row in table.rows:
        made.rule.target(made.turned(row.mos), row)
    return made


def _scale(data: Data, name: str) -> Scale | None:
    if data.range is None:
        return None
    low, high = data.range
    if not low < high < math.inf:
        raise UsageError(f"{name}: the range {low:g} to {high:g} is not two increasing numbers")
    return Scale(low, high)


def _table(data: Data, card: Card | None, stated: Stated) -> Opinions:
    """Read the tables of the parts as one; rows carry the part they are stated to be of."""
    apart = {"validation": data.validation, "test": data.test}
    main = _with_parts(
        read(data.table, card, stated), default="train" if any(apart.values()) else ""
    )
    others = [
        replace(found, rows=tuple(replace(row, split=part) for row in found.rows))
        for part, path in apart.items()
        if path
        for found in [read(path, card, stated)]
    ]
    return replace(
        main,
        rows=tuple(row for table in (main, *others) for row in table.rows),
        origin=", ".join(table.origin for table in (main, *others)),
        problems=tuple(problem for table in (main, *others) for problem in table.problems),
    )


def _with_parts(table: Opinions, default: str) -> Opinions:
    """Name the stated splits as we do.

    Raises:
        TableError: for a split of another name, or rows without one among others that have one.
    """
    stated = {row.split.strip().lower() for row in table.rows}
    unknown = sorted(stated - {"", *_ALIASES})
    if unknown:
        raise TableError(
            f"{table.origin}: the column split says {', '.join(map(repr, unknown[:EXAMPLES]))}; it"
            " is train, validation or test (or take the column out, and rows are divided here)"
        )
    bare = sum(not row.split.strip() for row in table.rows)
    if 0 < bare < len(table):
        of = f"of {len(table)} rows"
        raise TableError(
            f"{table.origin}: {counted(bare, f'{of} has', f'{of} have')} no split and the others"
            " do: give every row one, or none"
        )
    rows = (
        replace(row, split=_ALIASES.get(row.split.strip().lower(), default)) for row in table.rows
    )
    return replace(table, rows=tuple(rows))


def _check_rows(table: Opinions, name: str) -> None:
    where = {f"row {row.row}: {row.path or '(nothing)'}": row for row in table.rows}
    bare = [place for place, row in where.items() if not row.path]
    _refuse(name, "without a path", "name the file of every row", bare)
    mute = [place for place, row in where.items() if not math.isfinite(row.mos)]
    advice = "give every row its opinion, or take the row out"
    _refuse(name, "without a number as opinion", advice, mute)
    if scale := table.scale:
        outside = [
            f"{place}: {row.mos:g}"
            for place, row in where.items()
            if not scale.low <= row.mos <= scale.high
        ]
        advice = "correct these rows, or state the right range"
        _refuse(name, f"outside the stated range {scale}", advice, outside)


def _refuse(name: str, what: str, advice: str, where: Sequence[str]) -> None:
    """Stop where something is wrong with rows; say how many, the first few, and what to do."""
    if where:
        examples = "; ".join(where[:EXAMPLES]) + ("; …" if len(where) > EXAMPLES else "")
        raise TableError(f"{name}: {counted(len(where), 'row')} {what} ({examples}): {advice}")


def _rule(data: Data, table: Opinions, card: Card | None, name: str) -> Rule:
    low, high, outside = _ends(data, table, card, name)
    if not low < high:
        raise TableError(
            f"{name}: the levels would lie between {low:g} and {high:g}; opinions must differ, or"
            " state bounds"
        )
    low, high = sorted((table.agreement(low), table.agreement(high)))
    return Rule(data.labels, low, high, data.outside or outside, data.density)


def _ends(data: Data, table: Opinions, card: Card | None, name: str) -> tuple[float, float, str]:
    """Return between which opinions the levels lie, and what becomes of those outside."""
    opinions = [row.mos for row in table.rows]
    known = {
        "card": card.levels if card else None,
        "range": Bounds(table.scale.low, table.scale.high, "clip") if table.scale else None,
        "trimmed": Bounds(*trimmed(opinions), "clip"),
        "observed": Bounds(min(opinions), max(opinions), "clip"),
    }
    if isinstance(data.bounds, tuple):
        return *data.bounds, "clip"
    usual = ("card", "range", "trimmed") if data.labels == "hard" else ("range", "observed")
    if data.bounds and data.bounds not in known:
        raise UsageError(
            f"{name}: bounds are {data.bounds!r}; they are two numbers or one of {', '.join(known)}"
        )
    for way in (data.bounds,) if data.bounds else usual:
        if found := known[way]:
            return found.low, found.high, found.outside
    where = f"the card {card.name}" if card else "nobody"
    raise UsageError(f"{name}: bounds are to be those of the {data.bounds}, but {where} states any")
