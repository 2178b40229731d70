"""Data sets → lessons in three parts, checked before the first step, and a record of what they are.

The record is kept beside the run: `data.csv` says which row is in which part, `data.json` what was
read. A run that goes on takes its parts from there.
"""

import csv
import hashlib
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from beholder.datasets.opinions import Opinion
from beholder.errors import UsageError
from beholder.levels.scale import LEVELS
from beholder.training import checks
from beholder.training.checks import Found, Tick
from beholder.training.config import Config, Data
from beholder.training.dividing import Divided, check, divide, scenes_of, told
from beholder.training.lesson import Lesson
from beholder.training.sets import PARTS, Set, open_set

PARTED: Final = "data.csv"
RECORD: Final = "data.json"
COLUMNS: Final = ("set", "path", "mos", "split", "scene", "level")


@dataclass(frozen=True)
class Mixture:
    """Everything that is taught and measured."""

    divided: tuple[Divided, ...]
    lessons: Mapping[str, tuple[Lesson, ...]]
    """Part → lessons, set after set, in the order of their tables."""
    dropped: tuple[int, ...]
    """Rows of each set that lie outside the bounds and are not taught."""
    tables: tuple[str, ...]
    """SHA-256 of the tables of each set."""
    found: tuple[Found, ...] = ()
    """What lint found; empty when a run goes on."""

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that change when anything that is taught does."""
        text = json.dumps(
            [
                [part, row.name, row.set, row.task, row.media, row.opinion, *row.probabilities]
                for part in PARTS
                for row in self.lessons[part]
            ]
        )
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def record(self) -> dict[str, Any]:
        """Return what is known of the data, as JSON."""
        return {
            "format": 1,
            "fingerprint": self.fingerprint,
            "sets": [
                _about(each.set, dropped, table, counts=self._counts(number))
                for number, (each, dropped, table) in enumerate(
                    zip(self.divided, self.dropped, self.tables, strict=True)
                )
            ],
        }

    def _counts(self, number: int) -> dict[str, int]:
        return {part: sum(lesson.set == number for lesson in self.lessons[part]) for part in PARTS}


def open_sets(config: Config) -> list[Set]:
    """Read the tables of a config and find their files.

    Raises:
        UsageError: when a statement about the data cannot be right.
        TableError: when rows cannot be taught or files are not there: which, and what to do.
    """
    sets = [open_set(data) for data in config.data]
    checks.check_files(sets)
    return sets


def prepare(
    config: Config,
    sets: Sequence[Set],
    kept: Path | None = None,
    workers: int = 1,
    tick: Tick = lambda: None,
) -> Mixture:
    """Look at the files of sets and divide them; parts are those of the folder `kept`, if given.

    Raises:
        UsageError: when the tables are no longer those of `kept`.
        TableError: when a part would be too small.
    """
    tables = tuple(_digest(data) for data in config.data)
    if kept:
        _check_same(tables, config, kept)
        return _mixture(_remembered(sets, kept), tables, ())
    looks = checks.look(sets, workers, tick)
    divided = [
        divide(each, config.split, looks, [config.seed, number]) for number, each in enumerate(sets)
    ]
    return _mixture(divided, tables, checks.examine(divided, looks))


def _mixture(
    divided: Sequence[Divided], tables: tuple[str, ...], found: Sequence[Found]
) -> Mixture:
    lessons: dict[str, list[Lesson]] = {part: [] for part in PARTS}
    dropped = []
    for number, each in enumerate(divided):
        count = 0
        for row, file, scene in zip(
            each.set.table.rows, each.set.files, scenes_of(each.set.table.rows), strict=True
        ):
            lesson = _lesson(each.set, number, row, file, scene)
            if lesson:
                lessons[row.split].append(lesson)
            count += lesson is None
        dropped.append(count)
    parts = {part: tuple(rows) for part, rows in lessons.items()}
    return Mixture(tuple(divided), parts, tuple(dropped), tables, tuple(found))


def _lesson(found: Set, number: int, row: Opinion, file: Path, scene: str) -> Lesson | None:
    """Make the lesson of a row; None where it is not taught. Only what is learnt is dropped."""
    rule = found.rule if row.split == "train" else replace(found.rule, outside="clip")
    opinion = found.turned(row.mos)
    target = rule.target(opinion, row)
    if target is None:
        return None
    return Lesson(
        path=file,
        task=found.task,
        media=found.media,
        set=number,
        opinion=opinion,
        deviation=math.nan if row.std is None else row.std,
        level=target.level,
        probabilities=target.probabilities,
        scene=f"{number}/{scene}" if scene else "",
        name=row.path,
        details=dict(row.extra),
    )


def _about(found: Set, dropped: int, table: str, counts: Mapping[str, int]) -> dict[str, Any]:
    scale = found.table.scale
    return {
        "name": found.name,
        "tables": [Path(each).name for each in found.table.origin.split(", ")],
        "sha256": table,
        "task": found.task,
        "media": found.media,
        "card": found.card.name if found.card else "",
        "range": [scale.low, scale.high] if scale else None,
        "higher_is_better": found.table.higher_is_better,
        "labels": found.rule.labels,
        "bounds": [found.bounds.low, found.bounds.high],
        "outside": found.rule.outside,
        "weight": found.weight,
        "rows": dict(counts),
        "dropped": dropped,
        "scenes": len(set(filter(None, scenes_of(found.table.rows)))),
    }


def _digest(data: Data) -> str:
    digest = hashlib.sha256()
    for path in filter(None, (data.table, data.validation, data.test)):
        digest.update(Path(path).read_bytes())
    return digest.hexdigest()


def write(mixture: Mixture, folder: Path) -> None:
    """Keep which row is in which part, and, last and whole, what was read."""
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for each in mixture.divided:
        for row in each.set.table.rows:
            target = replace(each.set.rule, outside="clip").target(each.set.turned(row.mos), row)
            assert target is not None
            word = LEVELS[target.level]
            rows.writerow([each.set.name, row.path, repr(row.mos), row.split, row.scene, word])
    (folder / PARTED).write_text(text.getvalue(), encoding="utf-8", newline="")
    record = json.dumps(mixture.record(), indent=2, ensure_ascii=False)
    beside = folder / f"{RECORD}.part"
    beside.write_text(record + "\n", encoding="utf-8")
    beside.replace(folder / RECORD)


def _check_same(tables: Sequence[str], config: Config, kept: Path) -> None:
    before = json.loads((kept / RECORD).read_text(encoding="utf-8"))
    changed = [
        data.table
        for data, table, old in zip(config.data, tables, before["sets"], strict=True)
        if table != old["sha256"]
    ]
    if changed:
        raise UsageError(
            f"{', '.join(changed)} changed since the run in {kept} began: put the table back, or"
            " begin anew in another folder"
        )


def _remembered(sets: Sequence[Set], kept: Path) -> list[Divided]:
    """Give every row the part it had."""
    with (kept / PARTED).open(encoding="utf-8", newline="") as file:
        parts = [row["split"] for row in csv.DictReader(file)]
    divided = []
    for each in sets:
        own, parts = parts[: len(each.table)], parts[len(each.table) :]
        rows = zip(each.table.rows, own, strict=True)
        table = replace(each.table, rows=tuple(replace(row, split=part) for row, part in rows))
        divided.append(check(Divided(replace(each, table=table), told(table.rows, "as before"))))
    return divided
