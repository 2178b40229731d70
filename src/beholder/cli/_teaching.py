"""What `beholder train` shows: what will be taught, how far it is, and what came out."""

import math
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from beholder.evaluation.reports import _told
from beholder.evaluation.reports._text import counted, plain

if TYPE_CHECKING:
    from beholder.metrics.value import Value
    from beholder.training.checks import Found, Tick
    from beholder.training.mixture import Mixture
    from beholder.training.outcome import Outcome

SECONDS_BETWEEN_LINES = 60.0
WIDE = 120
"""Columns of a table that goes through a pipe."""
COLOURS = {"error": "red", "warning": "yellow"}


def plan(mixture: "Mixture") -> None:
    """Say what will be taught, set by set."""
    for each, dropped in zip(mixture.divided, mixture.dropped, strict=True):
        bounds = each.set.bounds
        click.echo(f"{plain(each.set.name)}: {'; '.join(each.notes)}", err=True)
        if each.set.rule.labels != "votes":
            told = f"  levels between {bounds.low:.6g} and {bounds.high:.6g}"
            lost = f"; {counted(dropped, 'row')} outside are not taught" if dropped else ""
            click.echo(f"{told} ({each.set.rule.labels}){lost}", err=True)


def findings(found: "Sequence[Found]") -> None:
    """Print what lint found, the gravest first."""
    for each in found:
        severity = each.finding.severity
        label = click.style(f"{severity:<8}", fg=COLOURS[severity], bold=True)
        click.echo(f"{label}{plain(str(each))}  [{each.finding.check}]", err=True)


@contextmanager
def counting(what: str, total: int) -> "Iterator[Tick]":
    """Show on a terminal how many of `total` are done."""
    if not sys.stderr.isatty() or not total:
        yield lambda: None
        return
    with Progress(console=Console(stderr=True), transient=True) as bar:
        row = bar.add_task(what, total=total)
        yield lambda: bar.advance(row)


class Course:
    """A bar on a terminal, a line a minute elsewhere; every evaluation is a line that stays."""

    def __init__(self) -> None:
        self.step = 0
        self.steps = 0
        self._loss = math.nan
        self._first: tuple[int, float] | None = None
        self._line_at = time.monotonic()
        self._bar: Progress | None = None

    def __enter__(self) -> "Course":
        if sys.stderr.isatty():
            self._bar = Progress(
                TextColumn("teaching"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[told]}"),
                TimeRemainingColumn(elapsed_when_finished=True),
                console=Console(stderr=True),
                transient=True,
            )
            self._row = self._bar.add_task("", total=None, told="")
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()
            self._bar = None

    def tell(self, line: Mapping[str, float]) -> None:
        """Take what teaching tells: a step, a line of the log, an evaluation."""
        if "steps" in line:
            self.step, self.steps = int(line["step"]), int(line["steps"])
            self._first = self._first or (self.step - 1, time.monotonic())
        if "srcc" in line:
            self._print(self._evaluation(line))
        elif "loss" in line:
            self._loss = line["loss"]
        now = time.monotonic()
        if self._bar:
            told = f"{self._rate()}{self._told_loss()}"
            self._bar.update(self._row, completed=self.step, total=self.steps or None, told=told)
        elif now - self._line_at > SECONDS_BETWEEN_LINES:
            self._line_at = now
            self._print(f"step {self.step} of {self.steps}, {self._rate()}{self._told_loss()}")

    def _evaluation(self, line: Mapping[str, float]) -> str:
        from beholder.training.curve import agreement

        of = f" of {self.steps}" if self.steps else ""
        values = {name: agreement(line, name) for name in ("srcc", "plcc")}
        told = [f"{name.upper()} {number(value)}" for name, value in values.items()]
        return f"step {line['step']:g}{of}: validation {', '.join(told)}{self._told_loss()}"

    def _told_loss(self) -> str:
        return "" if math.isnan(self._loss) else f", loss {self._loss:.3f}"

    def _rate(self) -> str:
        if not self._first:
            return ""
        step, since = self._first
        rate = (self.step - step) / max(time.monotonic() - since, 1e-9)
        return f"{rate:.1f} steps a second" if rate >= 1 else f"{1 / max(rate, 1e-9):.1f} s a step"

    def _print(self, text: str) -> None:
        if self._bar:
            self._bar.console.print(Text(text))
        else:
            print(text, file=sys.stderr, flush=True)


def number(value: "Value") -> str:
    """Return a number with its interval, or a dash."""
    return f"{_told.number(value.value)} {_told.interval(value)}".strip()


def show(outcome: "Outcome") -> None:
    """Print what came out: the numbers on standard output, the places on standard error."""
    from beholder.training.measuring import FEW_SCENES

    console = Console() if sys.stdout.isatty() else Console(width=WIDE, no_color=True)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for place, column in enumerate(("set", "part", "files", "SRCC", "PLCC")):
        table.add_column(column, justify="left" if place < 2 else "right", overflow="fold")
    for part, sets in outcome.measured.items():
        for name, found in sets.items():
            values = [number(found.values[measure]) for measure in ("srcc", "plcc")]
            table.add_row(*(Text(plain(cell)) for cell in (name, part, f"{found.n}", *values)))
    console.print(table)
    for part, sets in outcome.measured.items():
        for name, found in sets.items():
            if found.failed:
                told = f"{counted(found.failed, 'file')} of {name}, {part}, could not be scored"
                click.echo(f"Note: {plain(told)}: {plain(found.error)}", err=True)
    for name, found in outcome.measured.get("test", {}).items():
        gain = found.gains.get("srcc")
        if gain and not gain.reason:
            click.echo(
                f"{plain(name)}, test: SRCC was {_told.number(found.before['srcc'])} before,"
                f" {_told.number(gain.value)} {_told.interval(gain)} is gained ({gain.verdict})",
                err=True,
            )
        if 0 < found.scenes < FEW_SCENES:
            told = f"intervals from {counted(found.scenes, 'scene')} are too narrow"
            click.echo(f"Note: {plain(name)}, test: {told}", err=True)
    click.echo(f"Kept: step {outcome.best} of {outcome.steps}, the best on validation", err=True)
    click.echo(f"Card: {outcome.folder / 'README.md'}", err=True)
    click.echo(f"Score with it: beholder score PICTURES --model {outcome.folder}", err=True)
