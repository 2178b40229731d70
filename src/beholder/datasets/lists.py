"""Lists of files, such as the test parts that authors publish: any table, or names alone."""

from pathlib import Path

from beholder.datasets import files
from beholder.datasets.files import COLUMN
from beholder.datasets.readers import base
from beholder.errors import TableError


def read_list(path: Path) -> tuple[str, ...]:
    """Return the paths that a file names: a column of a table, or the first of lines.

    Raises:
        UsageError: when there is no such file.
        TableError: when it names no files.
    """
    contents = files.read(path)
    first = {"path": [*base.KNOWN["path"], COLUMN.format(1)]}
    columns = base.columns(contents, first)
    found = [base.text(base.cell(record, columns, "path")) for record in contents.records]
    named = tuple(each for each in found if each and each.lower() not in base.KNOWN["path"])
    if not named:
        has = ", ".join(contents.records[0]) if contents.records else "no rows"
        raise TableError(f"{path} names no files: it has {has}; it needs a column `path`")
    return named
