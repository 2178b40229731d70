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

from beholder.errors import TableError, UsageError
from beholder.tables.columns import Row

FORMAT = 1
APPLICATION = 0x42484C44
"""The number by which an SQLite file says that it is a journal of Beholder."""
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

    def __init__(self, path: Path | None, *, anew: bool = False) -> None:
        """Open or make the journal at `path`; None keeps it in a temporary file.

        `anew` empties it, or replaces what is no journal; never one that is being written.

        Raises:
            UsageError: when it cannot be opened, is no journal, or another run is writing to it.
        """
        self._name = str(path or "the journal")
        self._position = 0
        try:
            self._base = sqlite3.connect(path or "", isolation_level=None, timeout=0.5)
            self._lock()
        except sqlite3.Error as error:
            raise UsageError(self._not_opened(error)) from error
        if self._foreign():
            self._base.close()
            if not (anew and path):
                raise UsageError(f"{self._name} is not a journal: --restart replaces it")
            path.unlink()
            self._base = sqlite3.connect(path, isolation_level=None, timeout=0.5)
            self._lock()
        self._prepare(anew=anew)

    def _lock(self) -> None:
        self._base.execute("PRAGMA locking_mode=EXCLUSIVE")
        try:
            self._base.execute("PRAGMA journal_mode=WAL")
        except sqlite3.DatabaseError as error:
            if "not a database" not in str(error):
                raise

    def _foreign(self) -> bool:
        """Say whether the file holds something, and it is not a journal."""
        try:
            number = self._base.execute("PRAGMA application_id").fetchone()[0]
            holds = self._base.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        except sqlite3.DatabaseError:
            return True
        return bool(holds) and number != APPLICATION

    def _prepare(self, *, anew: bool) -> None:
        try:
            self._base.execute("PRAGMA synchronous=NORMAL")
            self._base.execute("BEGIN IMMEDIATE")
            if not self._base.execute("SELECT 1 FROM sqlite_master").fetchone():
                self._base.execute(f"PRAGMA application_id={APPLICATION}")
                self._base.execute(f"PRAGMA user_version={FORMAT}")
                for statement in _SCHEMA.split(";"):
                    self._base.execute(statement)
            for table in ("about", "rows", "listing") if anew else ("listing",):
                self._base.execute(f"DELETE FROM {table}")  # noqa: S608 - one of the three
            self._base.execute("COMMIT")
        except sqlite3.Error as error:
            self._base.close()
            raise UsageError(self._not_opened(error)) from error

    def _not_opened(self, error: sqlite3.Error) -> str:
        if "locked" in str(error):
            return f"{self._name} is being written by another run: wait for it, or stop it"
        return f"{self._name} cannot be opened ({error}): choose another --out"

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
            raise self._not_written(error) from error
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
            raise self._not_written(error) from error

    def _not_written(self, error: sqlite3.Error) -> TableError:
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
