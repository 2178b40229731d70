"""Anything that holds opinions → Opinions. The one door that evaluation and lint use."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from beholder.datasets import files
from beholder.datasets.card import Card
from beholder.datasets.opinions import EXAMPLES, Opinion, Opinions, Problem, Stated
from beholder.datasets.readers import base
from beholder.errors import TableError, UsageError


def read(path: Path | str, card: Card | None = None, stated: Stated | None = None) -> Opinions:
    """Read an opinion table by what it holds: see `docs/datasets.md` for the formats.

    What is stated goes before what the card says. Rows are kept as they are; what is odd is
    counted in `problems`.

    Raises:
        UsageError: when there is no such file.
        TableError: when it is no opinion table: what it holds, and what it should.
        MissingExtraError: for Parquet without pyarrow.
    """
    path = Path(path)
    stated = stated or Stated()
    contents = files.read(path)
    reader = base.reader_for(contents)
    columns = reader.columns(contents, _wanted(path, contents, card, stated))
    numbered = zip(contents.records, contents.numbers, strict=True)
    rows = [reader.opinion(record, columns, number) for record, number in numbered]
    if not any(row.path for row in rows) or all(math.isnan(row.mos) for row in rows):
        raise TableError(_not_a_table(path, contents))
    if card:
        rows = [_with_card(row, card) for row in rows]
    column = columns.get("mos", ["id"])[0]
    table = Opinions(
        rows=tuple(rows),
        origin=str(path),
        format=reader.__name__.rpartition(".")[2],
        score_column=column,
        card=card.name if card else "",
        problems=(*_odd_rows(rows), *_numbers_as_text(contents, column)),
    )
    return _with_statements(table, card, stated)


def _wanted(
    path: Path, contents: files.Contents, card: Card | None, stated: Stated
) -> dict[str, list[str]]:
    """Say in which columns to look: in the stated one alone, in the card's before the others."""
    present = {name for record in contents.records for name in record}
    for ours, theirs in stated.columns.items():
        if theirs not in present:
            raise UsageError(f"{path} has no column {theirs!r} for {ours}; it has {_has(contents)}")
    own = {
        ours: [theirs, *base.KNOWN[ours]] for ours, theirs in (card.columns if card else {}).items()
    }
    return own | {ours: [theirs] for ours, theirs in stated.columns.items()}


def _has(contents: files.Contents) -> str:
    return ", ".join(contents.records[0]) if contents.records else "no rows"


def _not_a_table(path: Path, contents: files.Contents) -> str:
    return (
        f"{path} is no opinion table: it has {_has(contents)}; it needs a column `path` and a"
        " column `mos` with numbers, or the names that docs/datasets.md lists for them"
    )


def _with_card(row: Opinion, card: Card) -> Opinion:
    distortion = card.distortion_of(row.path)
    extra = {**row.extra, "distortion": distortion} if distortion else row.extra
    return replace(row, scene=card.scene_of(row.path) or row.scene, extra=extra)


def _with_statements(table: Opinions, card: Card | None, stated: Stated) -> Opinions:
    scale = stated.scale or (card.scale if card else None)
    higher = None if stated.dmos is None else not stated.dmos
    if higher is None and card:
        higher = card.higher_is_better
    return replace(
        table,
        scale=scale,
        higher_is_better=higher is not False,
        direction_stated=higher is not None,
    )


def _odd_rows(rows: Sequence[Opinion]) -> list[Problem]:
    count = Counter(row.path for row in rows if row.path)
    twice = [path for path, times in count.items() if times > 1]
    odd = {
        "rows without a path": [f"row {row.row}" for row in rows if not row.path],
        "rows without a number": [
            f"row {row.row}: {row.path}" for row in rows if not math.isfinite(row.mos)
        ],
        "paths that stand more than once": twice,
    }
    return [
        Problem(what, len(found), tuple(found[:EXAMPLES])) for what, found in odd.items() if found
    ]


def _numbers_as_text(contents: files.Contents, column: str) -> list[Problem]:
    if contents.container not in ("json", "parquet"):
        return []
    texts = [record[column] for record in contents.records if isinstance(record.get(column), str)]
    if not texts or column == "id":
        return []
    examples = tuple(repr(text) for text in texts[:EXAMPLES])
    return [Problem("scores written as text", len(texts), examples)]
