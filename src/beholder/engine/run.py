"""Many files through one rater: rows in input order, decoded ahead, each kept when it is due.

Batches are cut from the input list by position, so a run that was killed and started again puts
the same pictures through the device together and gives the same bytes. A batch with anything
missing is computed whole; only what is missing is taken from it.
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

import torch

from beholder.engine.journal import Entry, Journal
from beholder.engine.rater import Opened, Rater
from beholder.errors import MediaError
from beholder.media.sources import Item
from beholder.tables.columns import Row, row_of


@dataclass(frozen=True)
class _Slot:
    """One input on its way."""

    item: Item
    stamp: str
    opened: Future[Opened | str] | None
    """What a worker is preparing, or why it cannot; None when the batch is finished already."""


@dataclass(frozen=True)
class Due:
    """A row whose turn has come."""

    item: Item
    row: Row
    fresh: bool
    """False when the journal had it."""


@dataclass(frozen=True)
class Run:
    """A rater, the tasks it is asked, where rows are kept, and how much is done at once."""

    rater: Rater
    journal: Journal
    tasks: Sequence[str]
    batch_size: int
    """Inputs that go through the device together."""
    workers: int
    """Threads that decode."""

    def rows(self, items: Iterable[Item]) -> Iterator[Due]:
        """Score items and yield their rows in input order, each kept in the journal first.

        What the journal holds of unchanged files is taken from there. A file that cannot be
        judged gives a row with an error.
        """
        stream = iter(items)
        waiting: deque[list[_Slot]] = deque()
        ahead = 2 + self.workers // self.batch_size
        with _workers(self.workers) as pool:
            while True:
                while len(waiting) < ahead and (batch := list(islice(stream, self.batch_size))):
                    waiting.append(self._start(batch, pool))
                if not waiting:
                    return
                slots = waiting.popleft()
                yield from self._finish(slots)

    def _start(self, batch: Sequence[Item], pool: ThreadPoolExecutor) -> list[_Slot]:
        stamps = [stamp_of(item.file) for item in batch]
        missing = any(
            self._known(item, stamp, task) is None
            for item, stamp in zip(batch, stamps, strict=True)
            for task in self.tasks
        )
        return [
            _Slot(item, stamp, pool.submit(_open, self.rater, item) if missing else None)
            for item, stamp in zip(batch, stamps, strict=True)
        ]

    def _finish(self, slots: Sequence[_Slot]) -> list[Due]:
        """Judge one batch and keep it; return a row for each input and task, in order."""
        opened = [slot.opened.result() for slot in slots if slot.opened]
        fresh = {task: self._judge(slots, opened, task) for task in self.tasks if opened}
        due, entries = [], []
        for i, slot in enumerate(slots):
            for task in self.tasks:
                known = self._known(slot.item, slot.stamp, task)
                row = known or fresh[task][i]
                due.append(Due(slot.item, row, fresh=known is None))
                entries.append(Entry(slot.item.file, slot.stamp, row))
        self.journal.add(entries)
        return due

    def _judge(
        self, slots: Sequence[_Slot], opened: Sequence[Opened | str], task: str
    ) -> list[Row]:
        """Return a fresh row for each input: its score, or why there is none."""
        good = [each for each in opened if isinstance(each, Opened)]
        names = [
            slot.item.path
            for slot, each in zip(slots, opened, strict=True)
            if isinstance(each, Opened)
        ]
        scores = iter(self.rater.rate(good, task, names) if good else [])
        return [
            row_of(
                self.rater.failed(each, slot.item.path, task)
                if isinstance(each, str)
                else next(scores)
            )
            for slot, each in zip(slots, opened, strict=True)
        ]

    def _known(self, item: Item, stamp: str, task: str) -> Row | None:
        return self.journal.finished(item.file, item.path, task, stamp)


@contextmanager
def _workers(count: int) -> Iterator[ThreadPoolExecutor]:
    """Start decoding threads; when the run is broken off, what has not begun is dropped."""
    pool = ThreadPoolExecutor(count, "decode", initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _open(rater: Rater, item: Item) -> Opened | str:
    """Prepare one item, or return the sentence that says why it cannot be."""
    if item.error:
        return item.error
    try:
        return rater.open(item.file)
    except MediaError as error:
        return str(error)
    except MemoryError:
        return "there is not enough memory to judge it: make it smaller, or use fewer --workers"
    except Exception as error:  # noqa: BLE001 - one strange file must not end a night's run
        kind = type(error).__name__
        return f"could not be read ({kind}: {error}); please report this with the file"


def stamp_of(file: str) -> str:
    """Return size and time of change of a file; empty when it cannot be asked."""
    try:
        state = os.stat(file)  # noqa: PTH116 - a name that is not UTF-8 stays as it is
    except (OSError, ValueError):
        return ""
    return f"{state.st_size} {state.st_mtime_ns}"
