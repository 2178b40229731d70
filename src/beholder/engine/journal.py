"""The truth of a run: every finished row, kept beside the table so that no kill can lose one.

A journal is an SQLite file in write-ahead mode: a row is either wholly there or not at all, and one
run at a time can write. It holds the rows by file, and the order in which the current run met
them; tables, pages and pickings are projections of it.
"""

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from beholder.errors import BeholderError, TableError, UsageError
from beholder.tables.columns import Row

FORMAT = 1
_SCHEMA = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE rows (file BLOB, path TEXT, task TEXT, stamp TEXT NOT NULL, failed INTEGER NOT NULL,
                   score REAL, row TEXT NOT NULL, PRIMARY KEY (file, path, task)) WITHOUT ROWID;
CREATE TABLE listing (position INTEGER PRIMARY KEY, file BLOB, path TEXT, task TEXT);
"""


@dataclass(frozen=True)
class Entry:
    """One finished row and the state of the file it was made from."""

    file: str
    """Where the file is; names that are not UTF-8 are kept."""
    stamp: str
    """Size and time of change when it was read; another stamp means another file."""
    row: Row


class Journal:
    """Rows that outlive the process. Use it in a `with` block."""

    def __init__(self, path: Path | None) -> None:
        """Open or make the journal at `path`; None keeps it in a temporary file.

        Raises:
            UsageError: when the file is no journal, or another run is writing to it.
            TableError: when the disk does not take it.
        """
        self._name = path.name if path else "the journal"
        try:
            self._base = sqlite3.connect(path or "", isolation_level=None, timeout=0.5)
            self._base.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._base.execute("PRAGMA journal_mode=WAL")
            self._base.execute("PRAGMA synchronous=NORMAL")
            self._base.execute("BEGIN IMMEDIATE")
            if not self._base.execute("SELECT 1 FROM sqlite_master").fetchone():
                for statement in _SCHEMA.split(";"):
                    self._base.execute(statement)
            self._base.execute("DELETE FROM listing")
            self._base.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._explain(error) from error
        self._position = 0

    def about(self) -> dict[str, Any]:
        """Return what the run was made with; empty for a new journal."""
        pairs = self._base.execute("SELECT name, value FROM about")
        return {name: json.loads(value) for name, value in pairs}

    def describe(self, about: Mapping[str, Any]) -> None:
        """Keep what the run is made with."""
        pairs = [(name, json.dumps(value)) for name, value in about.items()]
        self._write("INSERT OR REPLACE INTO about VALUES (?, ?)", pairs)

    def finished(self, file: str, path: str, task: str, stamp: str) -> Row | None:
        """Return the row of a file that was scored and has not changed since; None otherwise."""
        found = self._base.execute(
            "SELECT row FROM rows WHERE (file, path, task, stamp) = (?, ?, ?, ?) AND NOT failed",
            (os.fsencode(file), path, task, stamp),
        ).fetchone()
        return json.loads(found[0]) if found else None

    def add(self, entries: Sequence[Entry]) -> None:
        """Keep finished rows and note that the run met them now, in this order; all or none."""
        listing, rows = [], []
        for position, entry in enumerate(entries, self._position):
            key = (os.fsencode(entry.file), entry.row["path"], entry.row["task"])
            text = json.dumps(entry.row, ensure_ascii=False, allow_nan=False)
            failed, score = entry.row["error"] is not None, entry.row["score"]
            rows.append((*key, entry.stamp, failed, score, text))
            listing.append((position, *key))
        try:
            self._base.execute("BEGIN")
            self._base.executemany("INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            self._base.executemany("INSERT INTO listing VALUES (?, ?, ?, ?)", listing)
            self._base.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._explain(error) from error
        self._position += len(entries)

    def rows(self) -> Iterator[tuple[str, Row]]:
        """Read (file, row) of what this run met, in its order."""
        return self._read("ORDER BY position")

    def best(self) -> Iterator[tuple[str, Row]]:
        """Read (file, row) of what was scored, best first."""
        return self._read("WHERE NOT failed ORDER BY score DESC, position")

    def failures(self) -> Iterator[tuple[str, Row]]:
        """Read (file, row) of what could not be scored, in the order of the run."""
        return self._read("WHERE failed ORDER BY position")

    def _read(self, order: str) -> Iterator[tuple[str, Row]]:
        joined = "SELECT rows.file, row FROM listing JOIN rows USING (file, path, task) "
        found = self._base.execute(joined + order)
        return ((os.fsdecode(file), json.loads(row)) for file, row in found)

    def left_out(self) -> int:
        """Return how many rows belong to files that this run did not meet."""
        found = self._base.execute(
            "SELECT count(*) FROM rows LEFT JOIN listing USING (file, path, task) "
            "WHERE position IS NULL"
        )
        return int(found.fetchone()[0])

    def _write(self, statement: str, values: Sequence[tuple[Any, ...]]) -> None:
        try:
            self._base.executemany(statement, values)
        except sqlite3.Error as error:
            raise self._explain(error) from error

    def _explain(self, error: sqlite3.Error) -> BeholderError:
        if "locked" in str(error):
            sentence = f"{self._name} is being written by another run: wait for it, or stop it"
            return UsageError(sentence)
        if "not a database" in str(error):
            sentence = f"{self._name} is not a journal of this format: --restart replaces it"
            return UsageError(sentence)
        return TableError(
            f"{self._name} cannot be written ({error}): finished rows are kept; make room, "
            "then the same command goes on"
        )

    def close(self) -> None:
        """Let go of the file."""
        self._base.close()

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
