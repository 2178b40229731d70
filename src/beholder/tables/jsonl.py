"""Score tables as JSON Lines: one object a row, null where there is nothing."""

import json
from collections.abc import Iterator
from pathlib import Path

from beholder.errors import TableError
from beholder.tables.base import LineWriter
from beholder.tables.columns import COLUMNS, Row


class Writer(LineWriter):
    """Writes score rows as JSON Lines."""

    def line(self, row: Row) -> str:
        """Return the text of one row."""
        return json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n"


def read(path: Path) -> Iterator[Row]:
    """Read the rows of a score table; columns it lacks are None."""
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                cells = json.loads(line)
                yield {column: cells.get(column) for column in COLUMNS} | {"path": cells["path"]}
            except (ValueError, KeyError, AttributeError, TypeError) as error:
                raise TableError(f"{path}: line {number} is not a row with a path") from error
