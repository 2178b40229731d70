"""Lists of paths in files: plain text, CSV, JSON Lines and Parquet, read as a stream.

A relative path is looked up beside the manifest first, then in the current folder. The name in
the table is exactly what the manifest says.
"""

import csv
import io
import json
import os
from collections.abc import Callable, Iterator
from io import BufferedIOBase
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Final, cast

from beholder._optional import require
from beholder.errors import MediaError, UsageError
from beholder.media.files import open_file
from beholder.media.items import Item, printable

COLUMN: Final = "path"
_CHUNK: Final = 2**16
_LONGEST_NAME: Final = 2**16
"""Bytes; a longer line is no path."""


def read_manifest(manifest: Path) -> Iterator[Item]:
    """The items that a manifest lists, in its order.

    Raises:
        UsageError: when it cannot be read or has no `path` column.
    """
    reader: Callable[[BufferedIOBase, Path], Iterator[Item]] = {
        ".csv": _csv,
        ".jsonl": _json_lines,
        ".parquet": _parquet,
    }.get(manifest.suffix.lower(), read_list)
    try:
        file = open_file(manifest)
    except MediaError as error:
        raise UsageError(f"manifest {printable(str(manifest))!r}: {error}") from error
    with file:
        yield from reader(file, manifest)


def read_list(file: BufferedIOBase, manifest: Path) -> Iterator[Item]:
    """One path a line, or separated by NUL bytes where there are any; empty lines are skipped."""
    first = file.read(_CHUNK)
    separator = b"\0" if b"\0" in first else b"\n"
    if first.startswith(b"\xef\xbb\xbf"):
        first = first[3:]
    for raw in _split(file, first, separator):
        name = raw if separator == b"\0" else raw.rstrip(b"\r")
        if name.strip():
            yield _item(os.fsdecode(name), manifest)


def _split(file: BufferedIOBase, rest: bytes, separator: bytes) -> Iterator[bytes]:
    while chunk := (rest if separator in rest else file.read(_CHUNK)):
        if chunk is not rest:
            rest += chunk
        *whole, rest = rest.split(separator)
        yield from whole
        if len(rest) > _LONGEST_NAME:
            raise UsageError(
                f"a line of the list is longer than {_LONGEST_NAME} bytes, which no path is:"
                " give one path a line"
            )
    yield rest


def _item(name: str, manifest: Path) -> Item:
    beside = str(manifest.parent / name)
    file = beside if os.path.exists(beside) else name  # noqa: PTH110  # never raises
    return Item(printable(name), file)


def _csv(file: BufferedIOBase, manifest: Path) -> Iterator[Item]:
    try:
        with io.TextIOWrapper(
            cast("BinaryIO", file), "utf-8-sig", "surrogateescape", newline=""
        ) as text:
            rows = csv.DictReader(text)
            _need_column(rows.fieldnames or [], manifest)
            for row in rows:
                name = row[COLUMN]
                if name:
                    yield _item(name, manifest)
                else:
                    yield _bad_row(manifest, rows.line_num, "its path is empty")
    except csv.Error as error:
        raise UsageError(f"manifest {printable(str(manifest))!r} is no CSV: {error}") from error


def _json_lines(file: BufferedIOBase, manifest: Path) -> Iterator[Item]:
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            yield _bad_row(manifest, number, f"it is no JSON ({error})")
            continue
        name = row.get(COLUMN) if isinstance(row, dict) else None
        if isinstance(name, str) and name:
            yield _item(name, manifest)
        else:
            yield _bad_row(manifest, number, 'it has no text under "path"')


def _parquet(file: BufferedIOBase, manifest: Path) -> Iterator[Item]:
    parquet = require("pyarrow.parquet", extra="parquet")
    arrow = require("pyarrow", extra="parquet")
    try:
        table = parquet.ParquetFile(file)
        _need_column(table.schema_arrow.names, manifest)
        batches = table.iter_batches(batch_size=4096, columns=[COLUMN])
        names = chain.from_iterable(batch.column(0).to_pylist() for batch in batches)
        for number, name in enumerate(names, start=1):
            if isinstance(name, str) and name:
                yield _item(name, manifest)
            else:
                yield _bad_row(manifest, number, "its path is no text")
    except arrow.ArrowException as error:
        raise UsageError(
            f"manifest {printable(str(manifest))!r} is no Parquet file: {error}"
        ) from error


def _need_column(names: object, manifest: Path) -> None:
    columns = [str(name) for name in names]  # type: ignore[attr-defined]
    if COLUMN not in columns:
        raise UsageError(
            f"manifest {printable(str(manifest))!r} has the columns {', '.join(columns) or 'none'};"
            f" it needs one named {COLUMN!r}"
        )


def _bad_row(manifest: Path, number: int, what: str) -> Item:
    """A row that names nothing: an item that goes by its place in the manifest."""
    path = printable(str(manifest))
    return Item(f"{path} row {number}", str(manifest), f"{what}: mend this row of {path}")
