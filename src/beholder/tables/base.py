"""What a table format is: rows in, a file out, and back."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType

from beholder import _names
from beholder.errors import UsageError
from beholder.tables.columns import Row


class Writer(ABC):
    """Writes one table. The file appears under its name when `publish` or `close` is called."""

    grows: bool
    """Whether rows can be seen in the file as soon as they are written."""

    @abstractmethod
    def write(self, row: Row) -> None:
        """Write one row."""

    @abstractmethod
    def publish(self) -> None:
        """Put the file in place, and what is written from now on into it; once is enough."""

    @abstractmethod
    def close(self) -> None:
        """Finish the file and put it in place."""

    @abstractmethod
    def discard(self) -> None:
        """Stop here: what is in place stays, what is not yet is removed."""


class LineWriter(Writer):
    """A text format with one line a row: seen at once, put in place by renaming."""

    grows = True

    def __init__(self, path: Path, header: str = "") -> None:
        self._path = path
        self._temporary: Path | None = path.with_name(f".{path.name}.part")
        self._file = self._temporary.open("w", encoding="utf-8", newline="")
        self._file.write(header)

    @abstractmethod
    def line(self, row: Row) -> str:
        """Return the text of one row, line ending included."""

    def write(self, row: Row) -> None:
        """Write one row; after `publish` it is seen at once."""
        self._file.write(self.line(row))
        if self._temporary is None:
            self._file.flush()

    def publish(self) -> None:
        """Put the file in place; rows that follow are appended to it."""
        if self._temporary is not None:
            self._file.flush()
            self._temporary.replace(self._path)
            self._temporary = None

    def close(self) -> None:
        """Put the file in place and close it."""
        self.publish()
        self._file.close()

    def discard(self) -> None:
        """Stop here: what was published stays, what was not is removed."""
        with suppress(OSError):
            self._file.close()
        if self._temporary is not None:
            self._temporary.unlink(missing_ok=True)


def format_of(path: Path) -> ModuleType:
    """Return the module in this package that writes and reads files with this ending.

    Raises:
        UsageError: when no format has the ending, with the known ones.
    """
    ending = path.suffix.lower().removeprefix(".")
    known = [name for name in _names.names("tables") if name != "columns"]
    if ending not in known:
        endings = ", ".join(f".{name}" for name in known)
        raise UsageError(f"a table cannot be written to {os.fspath(path)!r}: use {endings}")
    return _names.find("tables", ending)


def open_writer(path: Path) -> Writer:
    """Start a table; its format is that of the file's ending.

    Raises:
        UsageError: when no format has the ending.
        MissingExtraError: when the format needs a library that is not installed.
    """
    writer: Writer = format_of(path).Writer(path)
    return writer


def read(path: Path) -> Iterator[Row]:
    """Read a score table, row by row; columns it lacks are None.

    Raises:
        UsageError: when no format has the ending.
        TableError: when the file is not such a table.
    """
    rows: Iterator[Row] = format_of(path).read(path)
    return rows
