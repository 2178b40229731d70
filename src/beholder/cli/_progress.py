"""How far a run is, on standard error: a bar on a terminal, a line a minute elsewhere."""

import sys
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar

from beholder._counting import counted
from beholder.errors import BeholderError

if TYPE_CHECKING:
    from beholder.engine.run import Due

SECONDS_BETWEEN_LINES = 60.0


class Progress:
    """Counts rows and shows rate and time left. Use it in a `with` block."""

    def __init__(self, inputs: Sequence[str]) -> None:
        self.done = 0
        self.failed = 0
        self.fresh = 0
        """Rows that were scored now, not taken from the journal."""
        self._inputs = inputs
        self._total: int | None = None
        self._started = self._line_at = time.monotonic()
        self._bar: Bar | None = None
        self._closing = threading.Event()

    def __enter__(self) -> "Progress":
        if sys.stderr.isatty():
            self._bar = Bar(
                TextColumn("scoring"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeRemainingColumn(elapsed_when_finished=True),
                console=Console(stderr=True),
                transient=True,
            )
            self._row = self._bar.add_task("", total=None, rate="")
            self._bar.start()
        if "-" not in self._inputs:
            threading.Thread(target=self._count, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def step(self, due: "Due") -> None:
        """Count one row."""
        self.done += 1
        self.fresh += due.fresh
        self.failed += due.row["error"] is not None
        now = time.monotonic()
        if self._bar:
            self._bar.update(self._row, completed=self.done, total=self._total, rate=self.rate())
        elif now - self._line_at > SECONDS_BETWEEN_LINES:
            self._line_at = now
            print(self._line(), file=sys.stderr, flush=True)

    def rate(self) -> str:
        """Return how many rows a second were scored now."""
        return f"{self.fresh / max(time.monotonic() - self._started, 1e-9):.1f} a second"

    def stop(self) -> None:
        """Take the bar away."""
        self._closing.set()
        if self._bar:
            self._bar.stop()
            self._bar = None

    def _line(self) -> str:
        done = f"{self.done} of {self._total} rows" if self._total else counted(self.done, "row")
        left = ""
        if self._total and self.fresh:
            seconds = (self._total - self.done) * (time.monotonic() - self._started) / self.fresh
            left = f", about {seconds / 60:.0f} min left"
        return f"{done}, {self.rate()}{left}"

    def _count(self) -> None:
        """Count the inputs beside the run, so that time left can be told."""
        from beholder.media.sources import Skipped, find

        count = 0
        try:
            for _ in find(self._inputs, Skipped()):
                count += 1
                if self._closing.is_set():
                    return
        except BeholderError:
            return
        self._total = count
