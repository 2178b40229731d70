"""Opinion tables and tables of raters, written as CSV or JSON Lines, whole or not at all."""

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from beholder.errors import TableError, UsageError
from beholder.levels.scale import LEVELS
from beholder.studies.study import OpinionRow, RaterRow

DECIMALS: Final = 6
OPINION_COLUMNS: Final = (
    *("path", "mos", "std", "n", "low", "high", "split", "scene"),
    *(f"p_{word}" for word in LEVELS),
    "details",
)
RATER_COLUMNS: Final = ("rater", "bias", "inconsistency", "rejected", "reason")

Cells = dict[str, Any]


def opinion_cells(row: OpinionRow) -> Cells:
    """Return the cells of an opinion; None where there is nothing."""
    shares: Sequence[float | None] = row.shares or (None,) * len(LEVELS)
    return {
        "path": row.path,
        "mos": _number(row.mos),
        "std": _number(row.std),
        "n": row.n,
        "low": _number(row.low),
        "high": _number(row.high),
        "split": row.split or None,
        "scene": row.scene or None,
        **{f"p_{word}": share for word, share in zip(LEVELS, shares, strict=True)},
        "details": row.details or None,
    }


def rater_cells(row: RaterRow) -> Cells:
    """Return the cells of a rater."""
    return {
        "rater": row.rater,
        "bias": _number(row.bias),
        "inconsistency": _number(row.inconsistency),
        "rejected": row.rejected,
        "reason": row.reason or None,
    }


def check(path: Path) -> None:
    """Raise UsageError unless a table can be written under this name."""
    if path.suffix.lower() not in _FORMATS:
        raise UsageError(f"{path} must end in {' or '.join(_FORMATS)}")


def write(path: Path, columns: Sequence[str], rows: Iterable[Cells]) -> None:
    """Write a table in the format of its ending; it appears when it is complete.

    Raises:
        UsageError: when the ending is neither .csv nor .jsonl.
        TableError: when the disk does not take it.
    """
    check(path)
    text = _FORMATS[path.suffix.lower()](columns, rows)
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8", newline="")
        part.replace(path)
    except OSError as error:
        raise TableError(f"{path} cannot be written: {error.strerror or error}") from error


def as_csv(columns: Sequence[str], rows: Iterable[Cells]) -> str:
    """Return a table as CSV: six decimals, empty where there is nothing."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row[name]) for name in columns] for row in rows)
    return buffer.getvalue()


def as_jsonl(columns: Sequence[str], rows: Iterable[Cells]) -> str:
    """Return a table as JSON Lines: one object a row, null where there is nothing."""
    lines = (
        json.dumps({name: row[name] for name in columns}, ensure_ascii=False, allow_nan=False)
        for row in rows
    )
    return "".join(f"{line}\n" for line in lines)


_FORMATS: Final[Mapping[str, Any]] = {".csv": as_csv, ".jsonl": as_jsonl}


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, DECIMALS)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.{DECIMALS}f}"
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
