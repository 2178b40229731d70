"""What a run leaves behind: a table, its journal, its recipe; and when a run may go on with it."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from beholder.engine.journal import Journal
from beholder.engine.rater import Rater
from beholder.engine.run import Due
from beholder.errors import TableError, UsageError
from beholder.media.items import printable
from beholder.tables.base import open_writer

LONGEST = 40
"""Characters of a setting that are shown when it has changed."""


def journal_of(out: Path) -> Path:
    """Return where the journal of a table is: `results.csv.journal`."""
    return out.with_name(out.name + ".journal")


def recipe_of(out: Path) -> Path:
    """Return where the recipe behind a table is kept: `results.csv.recipe.json`."""
    return out.with_name(out.name + ".recipe.json")


def about_run(rater: Rater, tasks: Sequence[str], inputs: Sequence[str]) -> dict[str, Any]:
    """Return what a run is made with: a table made with anything else is another table."""
    return {
        "format": 1,
        "fingerprint": rater.fingerprint,
        "tasks": list(tasks),
        "inputs": [_absolute(name) for name in inputs],
        "recipe": rater.settings,
    }


def _absolute(name: str) -> str:
    return name if name == "-" else printable(os.path.abspath(name))  # noqa: PTH100 - globs, too


def claim(out: Path, about: Mapping[str, Any], *, restart: bool) -> Journal:
    """Open the journal of a table, new or of the same run.

    Raises:
        UsageError: when the table exists and was made by another run, or cannot be there.
        TableError: when the disk does not take it.
    """
    try:
        return _claim(out, about, restart=restart)
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}") from error


def _claim(out: Path, about: Mapping[str, Any], *, restart: bool) -> Journal:
    path = journal_of(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.exists() and not path.exists() and not restart:
        raise UsageError(
            f"{out} is there already and was not made by this command: "
            "choose another --out, or add --restart to replace it"
        )
    journal = Journal(path, anew=restart)
    try:
        if restart:
            out.unlink(missing_ok=True)
        _check_same(out, journal.about(), about)
        journal.describe(about)
        text = json.dumps(about, indent=2, ensure_ascii=False)
        recipe_of(out).write_text(text + "\n", encoding="utf-8")
    except BaseException:
        journal.close()
        raise
    return journal


def write_table(out: Path, rows: Iterable[Due]) -> Iterator[Due]:
    """Write rows to a table as they come, and pass them on.

    A table that was there stays as it was until the first row that is new.

    Raises:
        TableError: when the disk does not take it.
    """
    try:
        writer = open_writer(out)
        try:
            for due in rows:
                if due.fresh:
                    writer.publish()
                writer.write(due.row)
                yield due
            writer.close()
        except BaseException:
            writer.discard()
            raise
    except OSError as error:
        raise TableError(
            f"{out} cannot be written: {error.strerror}; finished rows are in {journal_of(out)}, "
            "the same command goes on from there"
        ) from error


def _check_same(out: Path, was: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    if not was:
        return
    way_out = "choose another --out, or add --restart to begin anew"
    if was["fingerprint"] != now["fingerprint"] or was["tasks"] != now["tasks"]:
        changed = ", ".join(_changes(was, now)) or "fingerprint"
        raise UsageError(f"{out} was made with other settings ({changed}): {way_out}")
    left = [name for name in was["inputs"] if name not in now["inputs"]]
    deleted = [name for name in left if not os.path.lexists(name)]
    if left != deleted or left == was["inputs"]:
        raise UsageError(f"{out} was made from other inputs ({left[0]}, …): {way_out}")


def _changes(was: Mapping[str, Any], now: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Name the settings that differ, with what they were and are."""
    for key in {**was, **now}:
        old, new = was.get(key), now.get(key)
        if key in ("fingerprint", "inputs") or old == new:
            continue
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from _changes(old, new, "" if key == "recipe" else f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}: {_short(old)} → {_short(new)}"


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
