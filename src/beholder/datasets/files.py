"""Files → records: Parquet, JSON in its three habits, CSV with a header, lines without one.

Which of them a file is, is told by what it holds, not by its name.
"""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from beholder import _optional
from beholder.errors import TableError, UsageError

Record = dict[str, Any]
"""One row as the file has it."""

COLUMN: Final = "column_{}"
"""Name of a column, from 1, in a file without a header."""


@dataclass(frozen=True)
class Contents:
    """The records of a file and how they were found."""

    records: list[Record]
    container: str
    """`json`, `csv`, `lines` or `parquet`."""

    lines: tuple[int, ...] = ()
    """On which line of the file each record begins, as editors count; none in JSON and Parquet."""

    @property
    def numbers(self) -> Sequence[int]:
        """Number of each record for people: its line, or where there are none its place from 1."""
        return self.lines or range(1, len(self.records) + 1)


def read(path: Path, of: str = "picture or clip") -> Contents:
    """Read the records of a file; `of` says in errors what a row should stand for.

    Raises:
        UsageError: when there is no such file.
        TableError: when it is damaged or holds no records.
        MissingExtraError: for Parquet without pyarrow.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
    if data[:4] == b"PAR1":
        return Contents(_parquet(path), "parquet")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TableError(
            f"{path} is neither Parquet nor UTF-8 text: save it as CSV or JSON in UTF-8"
        ) from error
    start = text.lstrip()[:1]
    if not start:
        raise TableError(f"{path} is empty: it should hold one row for each {of}")
    if start in "[{":
        return Contents(_json(text, path), "json")
    return _text(text, path, of)


def _parquet(path: Path) -> list[Record]:
    arrow = _optional.require("pyarrow", extra="parquet")
    parquet = _optional.require("pyarrow.parquet", extra="parquet")
    try:
        records: list[Record] = parquet.read_table(path).to_pylist()
    except arrow.ArrowException as error:
        raise TableError(f"{path} is no Parquet file: {error}") from error
    return records


def _json(text: str, path: Path) -> list[Record]:
    """Read a list, one object a line, or objects written one after the other without a break."""
    decoder = json.JSONDecoder()
    values: list[Any] = []
    at = _skip(text, 0)
    while at < len(text):
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            raise TableError(
                f"{path}: after {len(values)} values, at character {at}, it is no JSON ({error})"
            ) from error
        values.append(value)
        at = _skip(text, at)
    records = [each for value in values for each in _flat(value)]
    if not all(isinstance(record, dict) for record in records):
        raise TableError(f"{path} holds values that are no objects: give one object for each item")
    return records


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n,":
        at += 1
    return at


def _flat(value: Any) -> list[Any]:
    """Open a list; open an object of objects, whose keys are the names of the files."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict) and value and all(isinstance(v, dict) for v in value.values()):
        return [{"path": name} | cells for name, cells in value.items()]
    return [value]


def _text(text: str, path: Path, of: str) -> Contents:
    first = text.lstrip().splitlines()[0]
    separator = next((mark for mark in (",", "\t", ";") if mark in first), " ")
    numbered = _rows(text, separator, path)
    rows = {line: row for line, row in numbered if any(cell.strip() for cell in row)}
    if not rows:
        raise TableError(f"{path} holds no rows: it should hold one for each {of}")
    lines, cells = tuple(rows), list(rows.values())
    header = _distinct([cell.strip() for cell in cells[0]])
    if len(header) > 1 and not any(_is_number(cell) for cell in header):
        return Contents([_record(header, row) for row in cells[1:]], "csv", lines[1:])
    names = [COLUMN.format(number) for number in range(1, len(header) + 1)]
    return Contents([_record(names, row) for row in cells], "lines", lines)


def _distinct(header: list[str]) -> list[str]:
    """Tell columns of one name apart: the second `Brightness` becomes `Brightness_2`."""
    seen: dict[str, int] = {}
    names = []
    for name in header:
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return names


def _rows(text: str, separator: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield each row with the line on which it begins; a quoted cell may go over several."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    line = 1
    try:
        for row in reader:
            yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise TableError(f"{path} is no CSV: {error}") from error


def _record(names: list[str], row: list[str]) -> Record:
    """Name the cells; what is more than the header has is kept under its number."""
    more = [COLUMN.format(number) for number in range(len(names) + 1, len(row) + 1)]
    return {name: cell.strip() for name, cell in zip([*names, *more], row, strict=False)}


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
