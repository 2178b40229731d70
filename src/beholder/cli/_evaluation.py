"""What `beholder evaluate` prints, and where its page finds the pictures."""

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from beholder.evaluation.reports import _told
from beholder.evaluation.reports._text import plain
from beholder.metrics.value import Value

if TYPE_CHECKING:
    from beholder.evaluation.evaluate import Evaluation
    from beholder.evaluation.measuring import Result
    from beholder.evaluation.splitting import OverSplits
    from beholder.metrics.calibration import Calibration

PREVIEW = 360
"""Longest side in pixels of a picture on the page."""
WIDE = 160
"""Columns of a table that goes through a pipe."""


def previews(made: "Evaluation", places: Sequence[Path]) -> Callable[[str], bytes | None]:
    """Return what finds a small JPEG of a path of the opinion table; None where it is not there."""
    from beholder.cli._report import jpeg
    from beholder.datasets.opinions import locate

    elsewhere = dict(zip(made.sample.paths, made.score_paths, strict=True))
    beside = [Path(), Path(made.scores.origin).parent]

    def preview(path: str) -> bytes | None:
        file = locate(path, places)
        if not file.exists():
            file = locate(elsewhere[path], beside)
        return jpeg(str(file), PREVIEW)

    return preview


def show(made: "Evaluation") -> None:
    """Print an evaluation: the numbers on standard output, what to know on standard error."""
    console = Console() if sys.stdout.isatty() else Console(width=WIDE, no_color=True)
    console.print(Text(_told.headline(made), style="bold"))
    ours, theirs = _told.model_names(made)
    if told := _told.verdict(made.overall, ours, theirs):
        console.print(Text(told))
    console.print(_main(made, theirs))
    for title, table in _others(made):
        console.print()
        console.print(Text(title, style="bold"))
        console.print(table)
    for line in _told.joined(made.joined):
        click.echo(f"{line.text}{_examples(line)}", err=True)
    if made.rival:
        for line in _told.joined(made.rival.joined):
            click.echo(f"{theirs}: {line.text}{_examples(line)}", err=True)
    for note in made.notes:
        click.echo(f"Note: {plain(note)}", err=True)


def _examples(line: _told.Line) -> str:
    return f" For example: {', '.join(map(plain, line.examples))}" if line.examples else ""


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", overflow="fold")
    return table


def _add(table: Table, *cells: str) -> None:
    """Add a row whose cells are text, whatever marks they hold."""
    table.add_row(*(Text(plain(cell)) for cell in cells))


def _main(made: "Evaluation", theirs: str) -> Table:
    overall, rival = made.overall, made.rival
    columns = ["", "value", "95 % interval", "Fisher z", "n", "failed"]
    table = _table(*columns, *([theirs, "difference", "95 % interval", "p"] if rival else []))
    for name, value in overall.values.items():
        fisher = overall.fisher.get(name)
        analytic = _told.interval(Value(0.0, fisher.low, fisher.high)) if fisher else ""
        cells = [_told.number(value.value), _told.interval(value) or value.reason, analytic]
        cells += [f"{overall.n}", f"{overall.failed}"]
        if rival and (found := overall.differences.get(name)):
            cells += [
                _told.number(rival.overall.values[name].value),
                _told.number(found.value),
                _told.interval(found) or found.reason,
                _told.p_value(found.p) if not math.isnan(found.p) else "",
            ]
        _add(table, _told.NAMES[name], *cells)
    return table


def _others(made: "Evaluation") -> Iterator[tuple[str, Table]]:
    """Yield every table that there is beside the main one, with its title."""
    if made.groups:
        columns = ", ".join(dict.fromkeys(result.column for result in made.groups.values()))
        yield f"By {columns}", _groups(made.groups)
    if made.over_splits:
        yield f"Over {_told.splits(made)}", _splits(made.over_splits)
    if made.krasula:
        ours, theirs = _told.model_names(made)
        table = _table("", ours, *([theirs, "p"] if made.krasula.theirs else []))
        for what, cells in _told.krasula_rows(made):
            _add(table, what, *cells)
        yield f"Krasula's analysis over {_told.krasula_over(made.krasula.ours)}", table
    if made.calibration:
        yield "Does the spread tell how far people disagree?", _calibration(made.calibration)


def _groups(groups: "Mapping[str, Result]") -> Table:
    others = [name for name in _told.NAMES if name not in ("srcc", "plcc")]
    names = (*("SRCC", "95 % interval", "PLCC", "95 % interval"), *(_told.NAMES[x] for x in others))
    against = any(result.verdict for result in groups.values())
    table = _table("group", "n", "failed", *names, *(["verdict"] if against else []))
    for name, result in groups.items():
        values = result.values
        cells = [f"{result.n}", f"{result.failed}"]
        for each in ("srcc", "plcc"):
            cells += [_told.number(values[each].value), _told.interval(values[each])]
        cells += [_told.number(values[each].value) for each in others]
        _add(table, name, *cells, *([result.verdict] if against else []))
    return table


def _splits(found: "OverSplits") -> Table:
    table = _table("", "median", "95 % of the parts")
    for name, value in found.values.items():
        told = _told.interval(value) or value.reason
        _add(table, _told.NAMES[name], _told.number(value.value), told)
    return table


def _calibration(found: "Calibration") -> Table:
    table = _table("expected", "votes held", "95 % interval")
    for each in found.coverage:
        held = Value(each.votes, each.low, each.high)
        _add(table, f"{each.expected:.2f}", _told.number(held.value), _told.interval(held))
    if found.reason:
        _add(table, f"not known: {found.reason}")
    else:
        ratio = found.ratio
        _add(table, "spread / deviation", _told.number(ratio.value), _told.interval(ratio))
    return table
