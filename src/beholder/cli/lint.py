"""`beholder lint`: what is wrong with a data set before anyone trains or tests on it."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from beholder._counting import counted
from beholder.errors import TableError

if TYPE_CHECKING:
    from beholder.datasets.card import Bounds, Card
    from beholder.datasets.opinions import Opinions
    from beholder.levels.scale import Scale
    from beholder.lint.case import Case, Finding, Look

COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}


@dataclass(frozen=True)
class Options:
    """The options of the command, as they were given."""

    data: tuple[Path, ...]
    root: Path | None
    range: str | None
    dmos: bool | None
    card: str | None
    json: Path | None
    files: bool
    workers: int | None


@click.command("lint", short_help="Find what is wrong with a data set before training or testing.")
@click.argument("data", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--root",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of the pictures and clips  [that of DATA]",
)
@click.option("--range", metavar="LOW,HIGH", help="Range of the opinions, e.g. 0,100.")
@click.option("--dmos/--mos", default=None, help="Lower is better / higher is better.")
@click.option(
    "--card", "--benchmark", "card", metavar="NAME", help="Benchmark whose card applies: koniq."
)
@click.option("--json", type=click.Path(path_type=Path), help="Write the findings here, too.")
@click.option("--files/--no-files", default=True, help="Whether to look at the files themselves.")
@click.option("--workers", type=click.IntRange(1, 256), help="Threads that look  [all cores]")
def command(**options: Any) -> int:
    """Find what is wrong with a data set before anyone trains or tests on it.

    DATA is an opinion table in any format that docs/datasets.md lists; several are splits of one
    set. Looks for leaks between splits, missing and broken files, wrong ranges and directions,
    levels that do not fit their scores, and too few items.

    Exit code 0: nothing, or notes only; 1: a warning or an error; 2: misuse, or DATA
    cannot be read.
    """
    return _lint(Options(**options))


def _lint(options: Options) -> int:
    from beholder.cli._places import check, reading
    from beholder.lint.run import examine, exit_code

    check({"--json": options.json})
    with reading():
        case = _case(options)
    findings = examine(case)
    if options.json:
        _write(options.json, case, findings)
    _show(case, findings)
    return exit_code(findings)


def _case(options: Options) -> "Case":
    from beholder.datasets import card as cards
    from beholder.datasets.opinions import Stated, merge, parse_range
    from beholder.datasets.reading import read
    from beholder.lint.case import Case

    card = cards.load(options.card) if options.card else None
    scale = parse_range(options.range) if options.range else None
    stated = Stated(dmos=options.dmos, scale=scale)
    table = merge([read(path, card, stated) for path in options.data])
    looks, searched = _looks(options, table, card)
    return Case(table, card, _bounds(scale, card), looks, searched)


def _bounds(scale: "Scale | None", card: "Card | None") -> "Bounds | None":
    """Between which opinions the levels lie: as the card says, or over the stated range."""
    from beholder.datasets.card import Bounds

    if card and card.levels:
        return card.levels
    return Bounds(scale.low, scale.high, "clip") if scale else None


def _looks(
    options: Options, table: "Opinions", card: "Card | None"
) -> "tuple[dict[str, Look], str]":
    """Look at the files; say why not where they were not looked at."""
    from beholder.datasets.opinions import locate
    from beholder.lint.files import look_at

    if not options.files:
        return {}, "--no-files was given"
    folders = (
        [options.root] if options.root else list(dict.fromkeys(p.parent for p in options.data))
    )
    places = [place for folder in folders for place in (card.places(folder) if card else [folder])]
    paths = [row.path for row in table.rows if row.path]
    if not options.root and not any(locate(path, places).exists() for path in paths):
        return {}, f"none of them is below {', '.join(map(str, folders))}"
    workers = options.workers or len(os.sched_getaffinity(0))
    with _progress(len(set(paths))) as tick:
        return look_at(paths, places, workers, tick), ""


@contextmanager
def _progress(total: int) -> Iterator[Callable[[], None]]:
    """Show on a terminal how many files were looked at."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("looking at files", total=total)
        yield lambda: bar.advance(task)


def _show(case: "Case", findings: "list[Finding]") -> None:
    for finding in findings:
        label = click.style(f"{finding.severity:<8}", fg=COLOURS[finding.severity], bold=True)
        click.echo(f"{label}{finding.what} ({finding.count})  [{finding.check}]")
        for example in finding.examples:
            click.echo(f"          {example}")
        click.echo(f"          → {finding.advice}")
    counts = {s: sum(f.severity == s for f in findings) for s in COLOURS}
    told = ", ".join(counted(n, s) for s, n in counts.items())
    rows, files = counted(len(case.rows), "row"), counted(len(case.looks), "file")
    click.echo(f"{rows}, {files} looked at: {told}", err=True)


def _write(path: Path, case: "Case", findings: "list[Finding]") -> None:
    from beholder.lint.run import checks

    record = {
        "format": 1,
        "data": case.table.origin,
        "rows": len(case.rows),
        "files": len(case.looks),
        "checks": checks(),
        "findings": [asdict(finding) for finding in findings],
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise TableError(f"{path} cannot be written: {error.strerror}") from error
