"""Files → votes or comparisons: long, wide, pairs, and sureal's data sets.

Which it is, is told by the names of the columns. Nothing is guessed about a cell: one that is
neither empty nor a vote is an error that says where it stands.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from beholder.datasets import files
from beholder.datasets.files import Record
from beholder.errors import TableError
from beholder.levels.scale import LEVELS, Scale
from beholder.studies import comparisons, sureal, votes
from beholder.studies.comparisons import Comparison, Comparisons
from beholder.studies.votes import CATEGORIES, About, Missing, Vote, Votes

KNOWN: Final[Mapping[str, Sequence[str]]] = {
    "item": (
        *("item", "path", "stimulus", "image", "video", "file", "filename", "file_name", "name"),
        *("pvs", "image_name", "video_name"),
    ),
    "rater": (
        *("rater", "subject", "observer", "participant", "annotator", "user", "worker", "viewer"),
        *("rater_id", "subject_id", "observer_id", "participant_id", "user_id", "worker_id"),
    ),
    "vote": ("vote", "score", "rating", "opinion"),
    "session": ("session", "repetition", "trial"),
    "scene": ("scene", "content", "source"),
    "split": ("split",),
    "reference": ("reference", "ref"),
    "a": ("a", "item_a", "image_a", "left", "first"),
    "b": ("b", "item_b", "image_b", "right", "second"),
    "choice": ("choice", "preferred", "preference", "winner"),
}
"""Our name → names a file may use, in any case; the earlier one wins."""
_EMPTY: Final = ("", "nan", "na", "n/a", "null", "none", "-")
_CHOICES: Final = {
    **dict.fromkeys(("a", "left", "first"), 1.0),
    **dict.fromkeys(("b", "right", "second"), 0.0),
    **dict.fromkeys(("tie", "equal", "same", "0.5"), 0.5),
}
_OPINIONS: Final = ("mos", "dmos", "std", "mos_std", "p_excellent")
_NO_HEADER: Final = re.compile(r"column_\d+")


@dataclass(frozen=True)
class _Table:
    """The records of a file and which of its columns is which."""

    path: Path
    records: Sequence[Record]
    columns: Mapping[str, str]
    """Our name → the file's."""
    present: tuple[str, ...]
    numbers: Sequence[int]
    """Of the records, for people: lines of a text file."""

    def rows(self) -> Iterator[tuple[str, Record]]:
        """Yield each record with its place for an error."""
        for number, record in zip(self.numbers, self.records, strict=True):
            yield f"{self.path.name}, row {number}", record

    def text(self, record: Record, ours: str) -> str:
        """Return a cell as text, empty if there is none."""
        value = record.get(self.columns.get(ours, ""))
        return "" if value is None else str(value).strip()


def read(path: Path, scale: Scale, items: Path | None = None) -> Votes | Comparisons:
    """Read a study, and what a second file tells of its items (scene, split, reference).

    Raises:
        UsageError: when a file is not there.
        TableError: when it is no such file, or a cell is neither empty nor a vote.
    """
    about = _about(_table(items, "item")) if items else {}
    if sureal.fits(path):
        found = sureal.read(path)
        return votes.gather(found.cells, scale, _joined(found.about, about))
    table = _table(path)
    merged = _joined(_about(table), about)
    known = table.columns
    if {"a", "b"} <= set(known):
        return _comparisons(table, merged)
    if "rater" in known and "vote" in known and "item" in known:
        return _long(table, scale, merged)
    if "vote" not in known and ("item" in known) != ("rater" in known):
        return _wide(table, scale, merged)
    raise TableError(
        f"{path} holds no votes that can be read: its columns are {', '.join(table.present)}."
        " It needs rater, item, vote (one row a vote), or item and one column a rater, or rater,"
        " a, b, choice"
    )


def _table(path: Path, of: str = "vote") -> _Table:
    contents = files.read(path, of)
    records, numbers = contents.records, contents.numbers
    if contents.container == "lines" and records:
        # A header with numbers in it, such as `item,1,2,3`, is taken for a row.
        names = [str(cell) for cell in records[0].values()]
        records = [dict(zip(names, row.values(), strict=False)) for row in records[1:]]
        numbers = numbers[1:]
        if len(set(names)) < len(names):
            raise TableError(f"{path} has two columns of one name: {', '.join(names)}")
    if not records:
        raise TableError(f"{path} holds no rows below its header")
    present = tuple(dict.fromkeys(name for record in records for name in record))
    if more := [name for name in present if _NO_HEADER.fullmatch(name)]:
        numbered = zip(numbers, records, strict=True)
        row = next(number for number, record in numbered if more[0] in record)
        raise TableError(f"{path.name}, row {row} has more cells than the header")
    if contents.container == "csv" and (twice := _twice(path, present)):
        raise TableError(f"{path} has two columns of one name: {twice!r}")
    lower = {name.strip().lower(): name for name in reversed(present)}
    columns = {
        ours: lower[name]
        for ours, names in KNOWN.items()
        if (name := next((each for each in names if each in lower), ""))
    }
    return _Table(path, records, columns, present, numbers)


def _twice(path: Path, present: Sequence[str]) -> str:
    """Return a name that stands twice in the header; reading has called the second `name_2`."""
    renamed = [name for name in present if name.removesuffix("_2") in present and name[-2:] == "_2"]
    if not renamed:
        return ""
    header = path.read_text(encoding="utf-8-sig").lstrip().partition("\n")[0]
    cells = [cell.strip(' "\r') for cell in re.split("[,;\t]", header)]
    return next((name[:-2] for name in renamed if cells.count(name[:-2]) > 1), "")


def _about(table: _Table) -> dict[str, About]:
    """Read scene, split and reference of each item; they must not change from row to row."""
    found: dict[str, About] = {}
    fields = [name for name in ("scene", "split", "reference") if name in table.columns]
    if "item" not in table.columns or not fields:
        return {}
    for where, record in table.rows():
        item = table.text(record, "item")
        about = About(**{name: table.text(record, name) for name in fields})
        if found.setdefault(item, about) != about:
            raise TableError(f"{where}: {item!r} is {about} here and {found[item]} before")
    return found


def _joined(first: Mapping[str, About], second: Mapping[str, About]) -> Mapping[str, About]:
    """Fill what the votes' own file leaves out from the file on items."""
    joined = dict(second)
    for item, about in first.items():
        other = second.get(item, About())
        joined[item] = About(
            about.scene or other.scene,
            about.split or other.split,
            about.reference or other.reference,
        )
    return MappingProxyType(joined)


def _long(table: _Table, scale: Scale, about: Mapping[str, About]) -> Votes:
    cells: list[Vote | Missing] = []
    for where, record in table.rows():
        rater, item = table.text(record, "rater"), table.text(record, "item")
        if not rater or not item:
            raise TableError(f"{where}: it has no {'rater' if item else 'item'}")
        value = _vote(record.get(table.columns["vote"]), scale, where)
        if math.isnan(value):
            cells.append(Missing(rater, item))
        else:
            cells.append(Vote(rater, item, value, table.text(record, "session"), where))
    return votes.gather(cells, scale, about)


def _wide(table: _Table, scale: Scale, about: Mapping[str, About]) -> Votes:
    """Read one row an item and one column a rater, or the other way round."""
    of_items = "item" in table.columns
    key = "item" if of_items else "rater"
    others = [name for name in table.present if name not in table.columns.values()]
    if opinions := [name for name in others if name.lower() in _OPINIONS]:
        raise TableError(
            f"{table.path} looks like a table of opinions, not of votes: it has a column"
            f" {opinions[0]!r}; rename it if that is a{' rater' if of_items else 'n item'}"
        )
    if not others:
        raise TableError(f"{table.path} has a column for the {key} and none with votes")
    cells: list[Vote | Missing] = []
    for where, record in table.rows():
        name = table.text(record, key)
        if not name:
            raise TableError(f"{where}: it has no {key}")
        session = table.text(record, "session")
        for column in others:
            place = f"{where}, column {column!r}"
            value = _vote(record.get(column), scale, place)
            rater, item = (column, name) if of_items else (name, column)
            if math.isnan(value):
                cells.append(Missing(rater, item))
            else:
                cells.append(Vote(rater, item, value, session, place))
    return votes.gather(cells, scale, about)


def _comparisons(table: _Table, about: Mapping[str, About]) -> Comparisons:
    if "choice" not in table.columns:
        raise TableError(
            f"{table.path} has columns a and b but none called choice: its columns are"
            f" {', '.join(table.present)}"
        )
    found, missing = [], 0
    for where, record in table.rows():
        a, b = table.text(record, "a"), table.text(record, "b")
        if not a or not b:
            raise TableError(f"{where}: it has no {'b' if a else 'a'}")
        choice = table.text(record, "choice")
        if choice.lower() in _EMPTY:
            missing += 1
            continue
        found.append(
            Comparison(table.text(record, "rater"), a, b, _chosen(choice, a, b, where), where)
        )
    return replace(comparisons.gather(found, about), missing=missing)


def _chosen(choice: str, a: str, b: str, where: str) -> float:
    if choice in (a, b):
        return float(choice == a) if a != b else 0.5
    if choice.lower() not in _CHOICES:
        raise TableError(
            f"{where}: choice {choice!r} is neither a, b nor tie, nor the name of one of the two"
        )
    return _CHOICES[choice.lower()]


def _vote(cell: Any, scale: Scale, where: str) -> float:
    """Read a vote: a number, or one of the five words on a scale of five steps; NaN if empty."""
    text = "" if cell is None else str(cell).strip()
    if text.lower() in _EMPTY:
        return math.nan
    if text.lower() in LEVELS and scale.high - scale.low == CATEGORIES - 1:
        return scale.high - LEVELS.index(text.lower())
    try:
        return float(text)
    except ValueError:
        raise TableError(
            f"{where}: {text!r} is no vote: it should be a number on {scale}, or empty"
        ) from None
