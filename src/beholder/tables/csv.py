"""Score tables as CSV: UTF-8, commas, six decimals, empty where there is nothing."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from beholder.errors import TableError
from beholder.tables.base import LineWriter
from beholder.tables.columns import COLUMNS, DECIMALS, TYPES, Row


class Writer(LineWriter):
    """Writes score rows as CSV."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _line(COLUMNS))

    def line(self, row: Row) -> str:
        """Return the text of one row."""
        return _line([_text(row[column]) for column in COLUMNS])


def read(path: Path) -> Iterator[Row]:
    """Read the rows of a score table; columns it lacks are None."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if "path" not in (reader.fieldnames or ()):
            raise TableError(f"{path} has no column 'path' (columns: {reader.fieldnames})")
        for cells in reader:
            yield {column: _value(cells.get(column), column, path) for column in COLUMNS}


def _line(cells: Any) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue()


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.{DECIMALS}f}"
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


_PARSERS: Final[dict[type, Callable[[str], Any]]] = {
    str: str,
    int: int,
    float: float,
    dict: json.loads,
}


def _value(text: str | None, column: str, path: Path) -> Any:
    if not text:
        return None
    try:
        return _PARSERS[TYPES[column]](text)
    except ValueError as error:
        kind = TYPES[column].__name__
        raise TableError(f"{path}: {text!r} in column {column!r} is not a {kind}") from error
