"""`beholder score`: pictures and clips in; a table, a page and a list out."""

import os
import re
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from beholder._counting import counted
from beholder.errors import ModelError, UsageError

if TYPE_CHECKING:
    from beholder.engine.journal import Journal
    from beholder.engine.rater import Rater
    from beholder.engine.run import Due
    from beholder.media.sources import Item


SEGMENT_SECONDS = 1.0


@dataclass(frozen=True)
class Options:
    """The options of the command, as they were given."""

    inputs: tuple[str, ...]
    model: str
    task: str
    out: Path | None
    report: Path | None
    scale: str
    device: str
    dtype: str
    batch_size: str
    workers: int | None
    frames: str
    scorer: str | None
    sets: tuple[str, ...]
    timeline: bool
    segment: float | None
    top: int | None
    minimum: float | None
    paths_only: bool
    null: bool
    restart: bool

    @property
    def tasks(self) -> list[str]:
        """What is asked, in order, each once."""
        return list(dict.fromkeys(name.strip() for name in self.task.split(",")))

    @property
    def timed(self) -> bool:
        """Whether the course of clips over time is shown."""
        return self.timeline or self.segment is not None

    @property
    def chosen(self) -> dict[str, Any]:
        """What is chosen of the scorer and the backbone: --set, and options of their own."""
        from beholder.engine.options import parse

        chosen = parse(self.sets)
        if self.scorer is not None:
            chosen["scorer"] = self.scorer
        if self.timed:
            chosen["segment"] = self.segment or SEGMENT_SECONDS
        return chosen


@click.command("score", short_help="Score pictures and clips: a table, a page, a list.")
@click.argument("inputs", nargs=-1, metavar="INPUT...")
@click.option("--model", default="iris", show_default=True, help="Name, folder or server's URL.")
@click.option("--task", default="quality", show_default=True, help="What is asked.")
@click.option("--out", type=click.Path(path_type=Path), help="Table: .csv, .jsonl or .parquet.")
@click.option("--report", type=click.Path(path_type=Path), help="Page to look at: .html.")
@click.option("--scale", default="auto", help="Range of scores, e.g. 0-100.  [1-5]")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda or mps.")
@click.option("--dtype", default="auto", show_default=True, help="Numeric type: bfloat16, int8, …")
@click.option("--batch-size", default="auto", show_default=True, help="Inputs judged together.")
@click.option("--workers", type=click.IntRange(1, 256), help="Threads that decode  [all cores]")
@click.option("--frames", default="auto", metavar="RULE", help="Frames of a clip: 8, 1/s, 2/s<=64.")
@click.option("--timeline", is_flag=True, help="Score each second of a clip; the worst moment.")
@click.option(
    "--segment", type=click.FloatRange(0.001), metavar="SECONDS", help="Or of so many seconds."
)
@click.option("--scorer", metavar="NAME", help="Another method: align, boost (untaught models).")
@click.option("--set", "sets", multiple=True, metavar="NAME=VALUE", help="An option of the model.")
@click.option("--top", type=click.IntRange(1), metavar="N", help="Print the best N, best first.")
@click.option("--min", "minimum", type=float, metavar="SCORE", help="Print this score and above.")
@click.option("--paths-only", is_flag=True, help="Print paths alone, to pipe on.")
@click.option("--null", "-0", is_flag=True, help="End each path by a NUL: for xargs -0.")
@click.option("--restart", is_flag=True, help="Begin anew where --out has rows already.")
@click.version_option(message="%(prog)s %(version)s", package_name="beholder", prog_name="beholder")
def command(**options: Any) -> int:
    """Score pictures and clips the way people rate them.

    INPUT is a file, a folder, a glob, a list (.txt, .csv, .jsonl, .parquet with a column `path`),
    or - for a list on standard input.

    With --out, a run that was stopped goes on where it was: the same command scores what is
    missing. --top, --min and --paths-only choose what is printed; the table always has every row.
    """
    return _score(Options(**options))


def _score(options: Options) -> int:
    from beholder.cli._progress import Progress
    from beholder.cli._terminal import Printer, summary
    from beholder.media.sources import Skipped, find

    _check(options)
    skipped = Skipped()
    items = _primed(find(options.inputs, skipped))
    rater = _load(options)
    with closing(_journal(options, rater)) as journal, Progress(options.inputs) as progress:
        printer = Printer(journal, options)
        started = time.monotonic()
        try:
            for due in _rows(options, rater, journal, items):
                progress.step(due)
                printer.line(due)
        except KeyboardInterrupt:
            progress.stop()
            _stopped(options, progress.done)
            raise
        except ModelError as error:
            if not progress.done:
                raise
            progress.stop()
            click.echo(f"Error: {error}", err=True)
            _stopped(options, progress.done)
            return 1
        progress.stop()
        if options.report:
            from beholder.cli._report import write_report

            write_report(options, rater, journal, progress.done, skipped.count)
        printer.finish()
        summary(options, progress, journal, skipped.count, time.monotonic() - started)
        return 1 if progress.failed else 0


def _stopped(options: Options, done: int) -> None:
    kept = f"{options.out}: the same command goes on" if options.out else "nothing"
    click.echo(f"Stopped after {counted(done, 'row')}; kept: {kept}.", err=True)


def _check(options: Options) -> None:
    """Refuse what cannot be right before anything slow is loaded."""
    from beholder.cli._places import check, check_page
    from beholder.engine.options import parse
    from beholder.levels.scale import Scale
    from beholder.media.sampling import FrameRule
    from beholder.recipes import recipe
    from beholder.tables.base import format_of

    known = recipe.load(options.model)
    for task in options.tasks:
        known.check_task(task)
    if options.scale != "auto":
        Scale.parse(options.scale)
    if options.frames != "auto":
        FrameRule.parse(options.frames)
    parse(options.sets)
    if options.null and not options.paths_only:
        raise UsageError("--null ends paths, and only those: say --paths-only, too")
    if options.out:
        format_of(options.out)
    check({"--out": options.out})
    check_page(options.report)
    _check_apart(options)
    if options.batch_size != "auto" and not re.fullmatch("[1-9][0-9]{0,5}", options.batch_size):
        raise UsageError(f"--batch-size {options.batch_size!r} is neither auto nor 1 and above")


def _check_apart(options: Options) -> None:
    """Refuse to write over what is read."""
    for written in (options.out, options.report):
        for name in options.inputs:
            if written and written.exists() and Path(name).exists() and written.samefile(name):
                raise UsageError(f"{written} is an input and would be written over")


def _primed(items: "Iterator[Item]") -> "Iterator[Item]":
    """Meet the first item now, so that a wrong path is told before a model is loaded."""
    first = next(items)

    def stream() -> "Iterator[Item]":
        yield first
        yield from items

    return stream()


def _load(options: Options) -> "Rater":
    from beholder.engine.rater import load

    return load(
        options.model,
        device=options.device,
        dtype=options.dtype,
        scale=options.scale,
        frames=options.frames,
        options=options.chosen,
    )


def _journal(options: Options, rater: "Rater") -> "Journal":
    from beholder.engine.journal import Journal
    from beholder.engine.output import about_run, claim

    if options.out is None:
        return Journal(None)
    about = about_run(rater, options.tasks, options.inputs)
    return claim(options.out, about, restart=options.restart)


def _rows(
    options: Options, rater: "Rater", journal: "Journal", items: "Iterator[Item]"
) -> "Iterator[Due]":
    from beholder.engine.output import write_table
    from beholder.engine.run import Run

    automatic = 8 if rater.device == "cpu" else 32
    size = automatic if options.batch_size == "auto" else int(options.batch_size)
    workers = options.workers or len(os.sched_getaffinity(0))
    rows = Run(rater, journal, options.tasks, size, workers).rows(items)
    return write_table(options.out, rows) if options.out else rows
