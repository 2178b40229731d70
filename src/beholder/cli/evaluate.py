"""`beholder evaluate`: how well scores follow people, with error bars."""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from beholder._counting import counted
from beholder.cli._places import check, check_page, reading
from beholder.errors import UsageError

if TYPE_CHECKING:
    from beholder.datasets.card import Card
    from beholder.datasets.opinions import Opinions
    from beholder.evaluation.evaluate import Evaluation, Question
    from beholder.evaluation.scores import Scores

PATH = click.Path(path_type=Path)


@dataclass(frozen=True)
class Options:
    """The options of the command, as they were given."""

    scores: Path | None
    opinions: tuple[Path, ...]
    benchmark: str | None
    root: Path | None
    model: str | None
    scorer: str | None
    sets: tuple[str, ...]
    out: Path | None
    restart: bool
    task: str | None
    dmos: bool | None
    range: str | None
    against: Path | None
    by: str | None
    splits: int
    folds: int
    test_lists: tuple[Path, ...]
    bootstrap: int
    seed: int
    device: str
    dtype: str
    frames: str
    batch_size: int
    workers: int
    json: Path | None
    markdown: Path | None
    report: Path | None


@click.command("evaluate", short_help="Say how well scores follow people, with error bars.")
@click.option("--scores", type=PATH, help="Score table of any tool: columns path and score.")
@click.option("--opinions", "--data", type=PATH, multiple=True, help="What people said.")
@click.option(
    "--benchmark",
    "--card",
    "benchmark",
    metavar="NAME",
    help="A known data set, e.g. koniq, or a card .toml.",
)
@click.option("--root", type=PATH, help="Folder of the files  [folder of the opinions]")
@click.option("--model", metavar="NAME", help="Rate the files first, with this model.")
@click.option("--scorer", metavar="NAME", help="Rate them by another method: align, boost …")
@click.option("--set", "sets", multiple=True, metavar="NAME=VALUE", help="An option of the model.")
@click.option("--out", type=PATH, help="Keep the model's table: .csv, .jsonl or .parquet.")
@click.option("--restart", is_flag=True, help="Begin anew where --out has rows already.")
@click.option("--task", metavar="NAME", help="Which task, where there are several.")
@click.option("--dmos/--mos", default=None, help="Lower is better / higher is better.")
@click.option("--range", metavar="LOW,HIGH", help="Range of the opinions, e.g. 0,100.")
@click.option("--against", type=PATH, help="Score table of another model, to compare with.")
@click.option("--by", metavar="COLUMN[,…]", help="Break down by columns of either table.")
@click.option(
    "--splits",
    type=click.IntRange(0, 10_000),
    default=0,
    metavar="N",
    help="Medians over N fifths.",
)
@click.option(
    "--folds", type=click.IntRange(0, 1000), default=0, metavar="K", help="Medians over K folds."
)
@click.option(
    "--test-list",
    "test_lists",
    type=PATH,
    multiple=True,
    help="Medians over these published test parts.",
)
@click.option(
    "--bootstrap",
    type=click.IntRange(100, 100_000),
    default=2000,
    metavar="N",
    show_default=True,
    help="Draws behind the intervals.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    metavar="S",
    show_default=True,
    help="Of all draws.",
)
@click.option("--device", default="auto", show_default=True, help="cpu, cuda or mps.")
@click.option("--dtype", default="auto", show_default=True, help="float32, bfloat16 or float16.")
@click.option("--frames", default="auto", metavar="RULE", help="Frames of a clip: 8, 1/s, 2/s<=64.")
@click.option(
    "--batch-size", type=click.IntRange(0), default=0, metavar="N", help="Judged together  [auto]"
)
@click.option(
    "--workers", type=click.IntRange(0, 256), default=0, metavar="N", help="Decoders  [all cores]"
)
@click.option("--json", type=PATH, help="All numbers for programs.")
@click.option("--markdown", type=PATH, help="All numbers to paste.")
@click.option("--report", type=PATH, help="A page to look at: .html.")
def command(**options: Any) -> int:
    """Say how well scores follow what people said, with 95 % intervals.

    \b
    beholder evaluate --scores results.csv --opinions mos.csv
    beholder evaluate --model iris --data mos.csv --root pictures/ --out results.csv
    beholder evaluate --benchmark koniq --root KonIQ-10k/

    Rows are matched by path; what was not matched, stands twice or could not be scored is counted
    and shown. The exit code is 0 when all is well, 1 when files could not be scored or no
    correlation or comparison exists, 2 when the call cannot be
    right or an input cannot be read.
    """
    return _evaluate(Options(**options))


def _evaluate(options: Options) -> int:
    _check(options)
    from beholder.datasets import card as cards

    with reading():
        card = cards.load(options.benchmark) if options.benchmark else None
        opinions = _opinions(options, card)
    root = options.root or Path(opinions.origin.split(", ")[0]).parent
    from beholder.evaluation import scores as tables
    from beholder.evaluation.evaluate import evaluate
    from beholder.evaluation.pairing import told_by_card

    task, question = options.task or "", _question(options)
    with reading():
        against = tables.read(options.against, task) if options.against else None
        given = tables.read(options.scores, task) if options.scores else None
    places = [root, *card.places(root)] if card else [root]
    given = given or _rate(options, opinions, places, task or (card.task if card else "quality"))
    made = evaluate(opinions, given, question, root, against)
    if card:
        made = replace(made, notes=(*told_by_card(opinions, card), *made.notes))
    _show(options, made, places)
    overall = made.overall
    lacking = math.isnan(overall.values["srcc"].value) or (against and not overall.verdict)
    return 1 if overall.failed or lacking else 0


def _check(options: Options) -> None:
    """Refuse what cannot be right before anything slow is loaded."""
    if options.scores and (options.model or options.out or options.scorer or options.sets):
        raise UsageError(
            "--scores is a finished table: leave out --model, --scorer, --set, --out, or --scores"
        )
    if options.test_lists and (options.splits or options.folds):
        raise UsageError("--test-list names the test parts: leave out --splits and --folds, or it")
    if not options.opinions and not options.benchmark:
        raise UsageError(
            "no opinions were given: --opinions mos.csv, or --benchmark NAME --root DIR"
        )
    if not options.opinions and not options.root:
        raise UsageError("--benchmark needs --root: the folder where the data set is")
    check_page(options.report)
    if options.folds == 1:
        raise UsageError("--folds 1 divides nothing: 2 and more")
    if options.out:
        from beholder.tables.base import format_of

        format_of(options.out)
    check({"--out": options.out, "--json": options.json, "--markdown": options.markdown})


def _opinions(options: Options, card: "Card | None") -> "Opinions":
    from beholder.datasets.opinions import Stated, merge, parse_range
    from beholder.datasets.reading import read
    from beholder.evaluation.pairing import of_the_set

    scale = parse_range(options.range) if options.range else None
    stated = Stated(dmos=options.dmos, scale=scale)
    paths = list(options.opinions)
    if not paths:
        assert card is not None
        assert options.root is not None
        paths = [card.find_table(options.root)]
    opinions = merge([read(path, card, stated) for path in paths])
    return of_the_set(opinions, card) if card else opinions


def _question(options: Options) -> "Question":
    from beholder.datasets.lists import read_list
    from beholder.evaluation.evaluate import Question
    from beholder.evaluation.splitting import Listed, Plan

    with reading():
        lists = tuple(Listed(str(path), read_list(path)) for path in options.test_lists)
    plan = Plan(options.splits, options.folds, options.seed, lists)
    columns = (options.by or "").split(",")
    return Question(
        by=tuple(column.strip() for column in columns if column.strip()),
        plan=plan if plan.count else None,
        replicates=options.bootstrap,
        seed=options.seed,
    )


def _rate(options: Options, opinions: "Opinions", places: list[Path], task: str) -> "Scores":
    from beholder.cli._progress import Progress
    from beholder.engine.options import parse
    from beholder.engine.rater import load
    from beholder.evaluation.rating import Order, rate

    rater = load(
        options.model or "iris",
        device=options.device,
        dtype=options.dtype,
        frames=options.frames,
        options={**parse(options.sets), **({"scorer": options.scorer} if options.scorer else {})},
    )
    order = Order(task, options.out, options.restart, options.batch_size, options.workers)
    with Progress(["-"]) as progress:
        try:
            return rate(rater, opinions, places, order, progress.step)
        except KeyboardInterrupt:
            progress.stop()
            kept = f"{options.out}: the same command goes on" if options.out else "nothing"
            click.echo(f"Stopped after {counted(progress.done, 'row')}; kept: {kept}.", err=True)
            raise


def _show(options: Options, made: "Evaluation", places: list[Path]) -> None:
    from beholder.cli._evaluation import show

    _write(options, made, places)
    show(made)
    for name, path in (
        *(("Table", options.out), ("Numbers", options.json)),
        *(("Markdown", options.markdown), ("Page", options.report)),
    ):
        if path:
            click.echo(f"{name}: {path}", err=True)


def _write(options: Options, made: "Evaluation", places: list[Path]) -> None:
    """Write the files that were asked for: they are kept even if nobody reads what is printed."""
    if options.json:
        from beholder.evaluation.reports import json

        json.write(options.json, made)
    if options.markdown:
        from beholder.evaluation.reports import markdown

        markdown.write(options.markdown, made)
    if options.report:
        from beholder.cli._evaluation import previews
        from beholder.evaluation.reports import evaluation

        evaluation.write(options.report, made, previews(made, places))
