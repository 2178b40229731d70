"""What a run prints: a table for eyes, plain lines for pipes."""

import os
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from beholder.errors import TableError
from beholder.levels.scale import LEVELS, is_range

if TYPE_CHECKING:
    from beholder.cli._progress import Progress
    from beholder.cli.score import Options
    from beholder.engine.journal import Journal
    from beholder.engine.run import Due

    Row = dict[str, Any]

COLOURS = dict(zip(LEVELS, ("#2f6db5", "#6aa9de", "#cdbd82", "#e08f40", "#b5482c"), strict=True))
"""Blue to red through sand, as on the page: told apart by colour-blind readers, too."""
FEW_COLOURS = dict(zip(LEVELS, ("blue", "cyan", "white", "yellow", "red"), strict=True))
"""The same order where a terminal has sixteen colours, to which the others would be rounded."""
BAR_WIDTH = 20
NARROW = 60
"""Below this width, and without colours, no bar is drawn: it would say nothing."""
LONG = 24
"""More rows than this are shown as the best and the worst."""
SHOWN_FAILURES = 5


class Printer:
    """Prints the rows that the options pick."""

    def __init__(self, journal: "Journal", options: "Options") -> None:
        self._journal = journal
        self._options = options
        self._table = sys.stdout.isatty() and not options.paths_only
        self._at_end = self._table or options.top is not None
        self._closed = False
        """The reader of the pipe has gone; a run that leaves a table or a page goes on."""

    def line(self, due: "Due") -> None:
        """Print a row whose turn has come, unless everything is printed at the end."""
        if self._at_end or self._closed or not self._picked(due.row):
            return
        try:
            self._print(due.item.file, due.row)
        except BrokenPipeError:
            if not (self._options.out or self._options.report):
                raise
            self._closed = True

    def finish(self) -> None:
        """Print what waits for the end."""
        if not self._at_end:
            return
        best = (pair for pair in self._journal.best() if self._picked(pair[1]))
        picked = islice(best, self._options.top)
        if self._table:
            _show((row for _, row in picked), timed=self._options.timed)
        else:
            for file, row in picked:
                self._print(file, row)

    def _picked(self, row: "Row") -> bool:
        score, minimum = row["score"], self._options.minimum
        return score is not None and (minimum is None or score >= minimum)

    def _print(self, file: str, row: "Row") -> None:
        if self._options.paths_only:
            line = os.fsencode(file) + (b"\0" if self._options.null else b"\n")
        else:
            numbers = f"{row['score']:.6f}\t{_number(row['spread'], 6)}"
            text = f"{numbers}\t{row['level'] or ''}\t{row['task']}\t{row['path']}"
            lines = [text, *moments(row)] if self._options.timed else [text]
            line = ("\n".join(lines) + "\n").encode()
        try:
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise TableError(f"standard output cannot be written: {error.strerror}") from error


def _show(rows: "Iterator[Row]", *, timed: bool) -> None:
    """Print a table, best first; a long one as its two ends."""
    half = LONG // 2
    head = list(islice(rows, LONG))
    tail: deque[Row] = deque(maxlen=half)
    count = len(head)
    for row in rows:
        tail.append(row)
        count += 1
    if count > LONG:
        tail = deque([*head[half:], *tail], maxlen=half)
        head = head[:half]
    console = Console()
    look = _look(console, [*head, *tail], timed=timed)
    table = _table(look)
    for row in head:
        _add(table, row, look)
    if tail:
        hidden = count - len(head) - len(tail)
        table.add_row("…", *[""] * (look.level + look.bar), Text(f"{hidden} more", style="dim"))
    for row in tail:
        _add(table, row, look)
    console.print(table)
    for name in measures([*head, *tail]):
        console.print(
            Text(f"score: {name}; higher is better, not on a scale of levels", style="dim")
        )


@dataclass(frozen=True)
class _Look:
    """What there is room and reason for."""

    room: int
    """Characters for a path."""
    level: bool
    bar: bool
    timed: bool
    colours: Mapping[str, str]
    """Level → colour."""


def _look(console: Console, rows: "Sequence[Row]", *, timed: bool) -> _Look:
    """See what the rows have and the terminal has room for."""
    level = any(row["level"] for row in rows)
    answered = any(row[f"p_{LEVELS[0]}"] is not None for row in rows)
    bar = answered and console.color_system is not None and console.width >= NARROW
    taken = 15 + 11 * level + (BAR_WIDTH + 2) * bar
    few = console.color_system in ("standard", "windows")
    room = max(12, console.width - taken)
    return _Look(room, level, bar, timed, FEW_COLOURS if few else COLOURS)


def _table(look: _Look) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", expand=False)
    table.add_column("score", justify="right", no_wrap=True, min_width=11)
    if look.level:
        table.add_column("level", no_wrap=True, min_width=9)
    if look.bar:
        table.add_column("bad to excellent", no_wrap=True, min_width=BAR_WIDTH)
    table.add_column("file", no_wrap=True)
    return table


def measures(rows: "Sequence[Row]") -> list[str]:
    """Return the names of scales that have no range, each once.

    >>> measures([{"scale": "1-5"}, {"scale": "negated distance"}, {"scale": "0-100"}])
    ['negated distance']
    """
    return [name for name in dict.fromkeys(row["scale"] for row in rows) if not is_range(name)]


def _add(table: Table, row: "Row", look: _Look) -> None:
    """Add a row, and how a clip goes on in time where that was asked for."""
    table.add_row(*_cells(row, look))
    details = row["details"] or {}
    if look.timed and details.get("worst"):
        seconds, value = details["worst"]
        line = [sparkline([value for _, value in details["timeline"]])] if look.bar else []
        told = Text(f"worst {value:.2f} at {_clock(seconds)}", style="dim")
        table.add_row("", *[""] * look.level, *line, told)


def moments(row: "Row") -> "Iterator[str]":
    """Write each moment of a clip as a line like that of a file, with its beginning in seconds.

    >>> row = {"task": "quality", "path": "a.mp4", "details": {"timeline": [[0.0, 3.5]]}}
    >>> list(moments(row))
    ['3.500000\\t\\t\\tquality\\ta.mp4#t=0']
    """
    for seconds, value in (row["details"] or {}).get("timeline", []):
        yield f"{value:.6f}\t\t\t{row['task']}\t{row['path']}#t={seconds:g}"


def sparkline(values: Sequence[float], width: int = BAR_WIDTH) -> str:
    """Draw how values go in at most `width` characters, each the lowest of its stretch.

    >>> sparkline([1.0, 2.0, 3.0]), sparkline([2.0, 2.0])
    ('▁▅█', '██')
    """
    count = min(len(values), width)
    edges = [len(values) * i // count for i in range(count + 1)]
    lowest = [min(values[a:b]) for a, b in pairwise(edges)]
    low, high = min(lowest), max(lowest)
    steps = [round(7 * (each - low) / (high - low)) if high > low else 7 for each in lowest]
    return "".join("▁▂▃▄▅▆▇█"[step] for step in steps)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"


def _cells(row: "Row", look: _Look) -> list[Text]:
    spread = "" if row["spread"] is None else f" ± {row['spread']:.2f}"
    score = Text(f"{row['score']:.2f}", style="bold") + Text(spread, style="dim")
    word = row["level"] or ""
    level = [Text(word, style=look.colours.get(word, ""))] if look.level else []
    path = row["path"]
    if len(path) > look.room:
        path = "…" + path[1 - look.room :]
    bar = [_bar(row, look.colours)] if look.bar else []
    return [score, *level, *bar, Text(path)]


def _bar(row: "Row", colours: Mapping[str, str]) -> Text:
    """Draw the distribution, worst level on the left; no part is drawn away by rounding."""
    bar, at, total = Text(), 0, 0.0
    for word in reversed(LEVELS):
        total += row[f"p_{word}"] or 0.0
        end = round(total * BAR_WIDTH)
        bar.append("█" * (end - at), style=colours[word])
        at = end
    return bar


def _number(value: float | None, decimals: int) -> str:
    return "" if value is None else f"{value:.{decimals}f}"


def summary(
    options: "Options", progress: "Progress", journal: "Journal", skipped: int, seconds: float
) -> None:
    """Say on standard error what was done, what was not, and where it is."""
    scored = progress.done - progress.failed
    before = progress.done - progress.fresh
    parts = [f"{scored} scored"]
    if before:
        parts[0] += f" ({before} before)"
    if progress.failed:
        parts.append(f"{progress.failed} could not be scored")
    if skipped:
        parts.append(f"{skipped} skipped (neither picture nor clip by name)")
    if left := journal.left_out():
        parts.append(f"{left} from before left out (no longer among the inputs)")
    _say(f"{', '.join(parts)}, in {seconds:.1f} s ({progress.rate()})")
    for _, row in islice(journal.failures(), SHOWN_FAILURES):
        _say(f"  {row['path']}: {row['error']}")
    if progress.failed > SHOWN_FAILURES:
        _say(f"  … and {progress.failed - SHOWN_FAILURES} more")
    for name, path in (("Table", options.out), ("Page", options.report)):
        if path:
            _say(f"{name}: {path}")


def _say(text: str) -> None:
    print(text, file=sys.stderr)
