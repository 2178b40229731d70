"""Score tables of any tool → what was scored, what failed, and how it was made.

Needed are the columns `path` and `score`; higher is better. A row without a number has failed.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from beholder.datasets import files
from beholder.errors import TableError, UsageError

NO_SCORE: Final = "the table has no score for this file"


@dataclass(frozen=True)
class Scored:
    """One row of a score table."""

    path: str
    score: float
    """NaN where it could not be scored."""
    spread: float = math.nan
    """Standard deviation that the model predicts for single votes; NaN where it says none."""
    error: str = ""
    """Why there is no score; empty when there is one."""
    cells: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """The row as it was found, for breakdowns."""


@dataclass(frozen=True)
class Scores:
    """A score table and what it says of itself."""

    rows: tuple[Scored, ...]
    origin: str
    """The file it was read from."""
    task: str = ""
    scale: str = ""
    model: str = ""
    fingerprint: str = ""
    recipe: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """Everything that can change a score, where it is kept beside the table."""

    @property
    def name(self) -> str:
        """What to call it in a report: the model, or the file."""
        return self.model or Path(self.origin).stem


def read(path: Path, task: str = "") -> Scores:
    """Read a score table; of several tasks in it, the one that is named.

    Raises:
        UsageError: when there is no such file or task, or several tasks and none is named.
        TableError: when it has no `path` and `score`, or a score is no number.
        MissingExtraError: for Parquet without pyarrow.
    """
    contents = files.read(path)
    records = contents.records
    _check_columns(records, path)
    numbered = zip(records, contents.numbers, strict=True)
    numbers = {id(record): number for record, number in numbered}
    records = _of_task(records, task, path)
    rows = tuple(_row(record, path, numbers[id(record)]) for record in records)
    return _scores(rows, records, str(path), _recipe(path))


def of_rows(rows: Sequence[Mapping[str, Any]], origin: str, recipe: Mapping[str, Any]) -> Scores:
    """Make Scores of the rows that an engine gave."""
    made = tuple(_row(row, Path(origin), number) for number, row in enumerate(rows, 1))
    return _scores(made, rows, origin, recipe)


def _scores(
    rows: tuple[Scored, ...],
    records: Sequence[Mapping[str, Any]],
    origin: str,
    recipe: Mapping[str, Any],
) -> Scores:
    return Scores(
        rows,
        origin=origin,
        task=_common(records, "task"),
        scale=_common(records, "scale"),
        model=_common(records, "model"),
        fingerprint=_common(records, "fingerprint"),
        recipe=recipe,
    )


def _check_columns(records: Sequence[Mapping[str, Any]], path: Path) -> None:
    present = {name for record in records for name in record}
    lacking = [name for name in ("path", "score") if name not in present]
    if lacking:
        has = ", ".join(dict.fromkeys(name for record in records[:1] for name in record))
        raise TableError(
            f"{path} is no score table: it has {has or 'no rows'}; it needs the columns path and"
            f" score (there is no {' and no '.join(lacking)})"
        )


def _of_task(records: list[dict[str, Any]], task: str, path: Path) -> list[dict[str, Any]]:
    tasks = list(dict.fromkeys(str(record.get("task") or "") for record in records))
    if task:
        if task not in tasks:
            raise UsageError(f"{path} has no scores for the task {task!r}; it has {_list(tasks)}")
        return [record for record in records if record.get("task") == task]
    if len(tasks) > 1:
        raise UsageError(f"{path} holds several tasks ({_list(tasks)}): choose one with --task")
    return records


def _list(names: Sequence[str]) -> str:
    return ", ".join(name or "(none)" for name in names)


def _row(record: Mapping[str, Any], path: Path, number: int) -> Scored:
    score = _number(record.get("score"), f"{path}, row {number}: score")
    error = str(record.get("error") or "")
    if error or not math.isfinite(score):
        score, error = math.nan, error or NO_SCORE
    spread = _number(record.get("spread"), f"{path}, row {number}: spread")
    return Scored(str(record.get("path") or ""), score, spread, error, record)


def _number(value: Any, where: str) -> float:
    """Read a cell; NaN where there is nothing.

    Raises:
        TableError: when it holds something else.
    """
    if value is None or value == "":
        return math.nan
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TableError(
            f"{where} {value!r} is no number: leave it empty if there is none"
        ) from None


def _common(records: Sequence[Mapping[str, Any]], column: str) -> str:
    """Return what a column says in every row that says something; all of it where it varies."""
    found = dict.fromkeys(str(record[column]) for record in records if record.get(column))
    return ", ".join(found)


def recipe_beside(path: Path) -> Path:
    """Return where the engine keeps the recipe of a table; asking the engine would load torch."""
    return path.with_name(path.name + ".recipe.json")


def _recipe(path: Path) -> Mapping[str, Any]:
    try:
        kept = json.loads(recipe_beside(path).read_text(encoding="utf-8"))
        recipe = kept["recipe"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return recipe if isinstance(recipe, dict) else {}
