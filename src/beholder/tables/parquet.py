"""Score tables as Parquet: typed columns, `details` as JSON text. Needs pyarrow."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from beholder import _optional
from beholder.errors import TableError
from beholder.tables.base import Writer as BaseWriter
from beholder.tables.columns import COLUMNS, TYPES, Row

GROUP = 10_000
"""Rows a row group; memory is bounded by it."""


class Writer(BaseWriter):
    """Writes score rows as Parquet, which is readable only when it is complete."""

    grows = False

    def __init__(self, path: Path) -> None:
        arrow = _optional.require("pyarrow", extra="parquet")
        parquet = _optional.require("pyarrow.parquet", extra="parquet")
        kinds = {str: arrow.string(), int: arrow.int64(), float: arrow.float64()}
        fields = [(name, kinds.get(kind, arrow.string())) for name, kind in TYPES.items()]
        self._schema = arrow.schema(fields)
        self._batch = arrow.RecordBatch
        self._path = path
        self._temporary = path.with_name(f".{path.name}.part")
        self._file = parquet.ParquetWriter(self._temporary, self._schema)
        self._rows: list[Row] = []

    def write(self, row: Row) -> None:
        """Write one row."""
        details = row["details"]
        text = None if details is None else json.dumps(details, ensure_ascii=False)
        self._rows.append(row | {"details": text})
        if len(self._rows) == GROUP:
            self._flush()

    def publish(self) -> None:
        """Do nothing: an unfinished Parquet file cannot be read."""

    def close(self) -> None:
        """Finish the file and put it in place."""
        self._flush()
        self._file.close()
        self._temporary.replace(self._path)

    def discard(self) -> None:
        """Remove the unfinished file."""
        with suppress(OSError):
            self._file.close()
        self._temporary.unlink(missing_ok=True)

    def _flush(self) -> None:
        if self._rows:
            self._file.write_batch(self._batch.from_pylist(self._rows, schema=self._schema))
            self._rows.clear()


def read(path: Path) -> Iterator[Row]:
    """Read the rows of a score table; columns it lacks are None."""
    arrow = _optional.require("pyarrow", extra="parquet")
    parquet = _optional.require("pyarrow.parquet", extra="parquet")
    try:
        file = parquet.ParquetFile(path)
    except arrow.ArrowInvalid as error:
        raise TableError(f"{path} is not a Parquet file: {error}") from error
    if "path" not in file.schema_arrow.names:
        raise TableError(f"{path} has no column 'path' (columns: {file.schema_arrow.names})")
    for batch in file.iter_batches():
        yield from (_row(cells) for cells in batch.to_pylist())


def _row(cells: dict[str, Any]) -> Row:
    details = cells.get("details")
    row = {column: cells.get(column) for column in COLUMNS}
    return row | {"details": json.loads(details) if details else None}
