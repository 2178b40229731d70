"""A model and an opinion table → scores: the engine over the files that people rated."""

import os
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from beholder.datasets.opinions import Opinions, locate
from beholder.engine.journal import Journal
from beholder.engine.output import about_run, claim, write_table
from beholder.engine.rater import Rater
from beholder.engine.run import Due, Run
from beholder.errors import UsageError
from beholder.evaluation.joining import plain_paths
from beholder.evaluation.scores import Scores, of_rows
from beholder.media.items import Item, printable


@dataclass(frozen=True)
class Order:
    """How the files are rated."""

    task: str = "quality"
    out: Path | None = None
    """Table that is written and gone on with; None keeps nothing."""
    restart: bool = False
    batch_size: int = 0
    """Files judged together; 0 chooses."""
    workers: int = 0
    """Threads that decode; 0 takes all cores."""


def rate(
    rater: Rater,
    opinions: Opinions,
    places: Sequence[Path],
    order: Order,
    step: Callable[[Due], None] | None = None,
) -> Scores:
    """Rate every file of an opinion table once, in its order; a bad file is a row.

    With `order.out` a run that was stopped goes on where it was.

    Raises:
        UsageError: when the table at `order.out` was made by another run, or no file is there.
        TableError: when the disk does not take it.
    """
    items = _items(opinions, places)
    rater.recipe.check_task(order.task)
    size = order.batch_size or (8 if rater.device == "cpu" else 32)
    workers = order.workers or len(os.sched_getaffinity(0))
    with closing(_journal(rater, opinions, places, order)) as journal:
        due = Run(rater, journal, [order.task], size, workers).rows(items)
        rows = []
        for each in write_table(order.out, due) if order.out else due:
            if step:
                step(each)
            rows.append(each.row)
    return of_rows(rows, str(order.out or rater.recipe.name), rater.settings)


def _items(opinions: Opinions, places: Sequence[Path]) -> list[Item]:
    given = [row.path for row in opinions.rows if row.path]
    asked: dict[str, str] = {}
    for plain, path in zip(plain_paths(given), given, strict=True):
        asked.setdefault(plain, path)
    files = {plain: _file(plain, path, places) for plain, path in asked.items()}
    if not any(file.exists() for file in files.values()):
        first = next(iter(files.values()), Path())
        raise UsageError(
            f"none of the {len(files)} files of {opinions.origin} is there, the first would be"
            f" {first}: name the folder of the pictures with --root"
        )
    return [Item(printable(path), str(file)) for path, file in files.items()]


def _file(plain: str, path: str, places: Sequence[Path]) -> Path:
    """Find a file under its plain path, or else as the table has it."""
    found, as_given = locate(plain, places), locate(path, places)
    return as_given if as_given.exists() and not found.exists() else found


def _journal(rater: Rater, opinions: Opinions, places: Sequence[Path], order: Order) -> Journal:
    if order.out is None:
        return Journal(None)
    inputs = [opinions.origin, *(str(place) for place in places)]
    about = about_run(rater, [order.task], inputs)
    return claim(order.out, about, restart=order.restart)
