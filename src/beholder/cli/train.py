"""`beholder train`: opinions in; a model that rates as people do out, measured, with a card."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from beholder.errors import UsageError

if TYPE_CHECKING:
    from beholder.training.config import Config
    from beholder.training.mixture import Mixture
    from beholder.training.outcome import Outcome
    from beholder.training.teach import Taught, Tell

INTERRUPTED = 130
PATHS: Final = ("table", "root", "validation", "test")
"""Settings of a data set that are paths."""
WAIT = 0.5
"""Seconds between two looks whether the first process has read the data."""


@dataclass(frozen=True)
class Options:
    """The options of the command, as they were given."""

    data: tuple[str, ...]
    root: Path | None
    validation: str | None
    test: str | None
    card: str | None
    range: str | None
    dmos: bool | None
    task: str | None
    labels: str | None
    model: str | None
    out: Path
    config: str | None
    sets: tuple[str, ...]
    epochs: float | None
    lora: bool
    seed: int | None
    device: str | None
    check: bool
    push: str | None
    public: bool

    @property
    def of_data(self) -> dict[str, Any]:
        """What is said of the table that `--data` names, under the names of the config."""
        from beholder.datasets.opinions import parse_range

        scale = parse_range(self.range) if self.range else None
        said = {
            "validation": self.validation,
            "test": self.test,
            "card": self.card,
            "range": (scale.low, scale.high) if scale else None,
            "dmos": self.dmos,
            "task": self.task,
            "labels": self.labels,
        }
        return {name: value for name, value in said.items() if value is not None}


@click.command("train", short_help="Teach a model to rate: opinions in, a rater with a card out.")
@click.option("--data", multiple=True, metavar="TABLE", help="Opinion table; several: a mixture.")
@click.option(
    "--root",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of the pictures and clips  [that of TABLE]; of everything a --config names.",
)
@click.option("--validation", metavar="TABLE", help="Table of the validation part  [drawn]")
@click.option("--test", metavar="TABLE", help="Table of the test part  [drawn]")
@click.option("--card", metavar="NAME", help="Benchmark whose card applies: koniq.")
@click.option("--range", metavar="LOW,HIGH", help="Range of the opinions, e.g. 0,100.")
@click.option("--dmos/--mos", default=None, help="Lower is better / higher is better.")
@click.option("--task", help="quality or aesthetics  [quality]")
@click.option("--labels", help="hard levels, soft (needs std), or votes (p_…)  [hard]")
@click.option("--model", metavar="MODEL", help="What is taught further: iris, a name, a folder.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of the result.")
@click.option(
    "--config", metavar="FILE|NAME", help="Settings: .yaml, .toml, or those of one-align."
)
@click.option("--set", "sets", multiple=True, metavar="A.B=C", help="A setting: train.batch=8.")
@click.option("--epochs", type=float, help="How often each row is shown  [3]")
@click.option("--lora", is_flag=True, help="Teach low-rank additions, not all weights.")
@click.option("--seed", type=int, help="Seed of everything that is drawn  [0]")
@click.option("--device", help="auto, cpu, cuda …  [auto]")
@click.option("--check", is_flag=True, help="Only find out whether everything is well.")
@click.option("--push", metavar="OWNER/NAME", help="Upload the result to the Hub, in private.")
@click.option("--public", is_flag=True, help="With --push: where everybody sees it.")
def command(**options: Any) -> int:
    """Teach a model to rate pictures and clips as the people did whose opinions you have.

    TABLE is an opinion table in any format that docs/datasets.md lists: a column `path`, a column
    `mos`. What `beholder lint` calls an error stops the run, such as a picture that is in the
    training and in the test part. Parts that the table does not state are drawn, by scene where
    scenes are known; the best checkpoint is chosen on the validation part, the test part is
    measured once.

    Stopped at any moment, the same command goes on. The folder that comes out is opened by
    `beholder score --model FOLDER`; its README.md is a card for the Hub.

    Exit code 0: all well; 1: the data cannot be taught; 2: misuse; 130: stopped by Ctrl-C.
    """
    return _train(Options(**options))


def _train(options: Options) -> int:
    from beholder.training import folder, publishing
    from beholder.training.checks import stop

    config = _config(options)
    _check_model(config)
    if options.push:
        publishing.check(options.push)
    model = Path(config.model) if Path(config.model).is_dir() else None
    first = int(os.environ.get("RANK", "0")) == 0
    if not first:
        return _follow(options.out, config)
    goes_on = folder.claim(options.out, config, model)
    if goes_on and folder.finished(options.out):
        click.echo(f"{options.out} is finished: {options.out / folder.CARD}", err=True)
        return _push(options)
    mixture = _mixture(options.out if goes_on else None, config)
    stop(mixture.found, config.ignore)
    if options.check:
        click.echo("All is well; nothing was taught.", err=True)
        return 0
    if not goes_on:
        _begin(options.out, config, mixture)
    outcome = _taught(options.out, config, mixture)
    if outcome is None:
        return INTERRUPTED
    from beholder.cli._teaching import show

    show(outcome)
    return _push(options)


def _config(options: Options) -> "Config":
    from beholder.engine.options import parse
    from beholder.training import settings

    if options.data and options.config is None and options.model is None:
        raise UsageError("no model is named: say --model, e.g. --model iris")
    values = settings.read(options.config) if options.config else {}
    if options.data:
        root = {"root": str(options.root)} if options.root else {}
        values["data"] = [{"table": each, **root, **options.of_data} for each in options.data]
    elif options.of_data:
        raise UsageError(
            f"--{next(iter(options.of_data))} says something of the table that --data names; of a"
            " set in a config say --set data.NAME.…=…"
        )
    else:
        _below(values, _base(options))
    chosen = {"model": options.model, "train.epochs": options.epochs, "seed": options.seed,
              "train.device": options.device}  # fmt: skip
    for place, value in chosen.items():
        if value is not None:
            settings.put(values, place, value)
    if options.lora:
        settings.put(values, "adapter.kind", "lora")
    for place, value in parse(options.sets).items():
        settings.put(values, place, value)
    return settings.build(values)


def _base(options: Options) -> Path:
    """Return where the relative paths of a config begin."""
    if options.root or not options.config:
        return options.root or Path()
    return Path(options.config).parent if Path(options.config).is_file() else Path()


def _below(values: dict[str, Any], base: Path) -> None:
    """Put the paths of a config below a folder; absolute ones stay."""
    rows = values.get("data")
    for row in rows if isinstance(rows, list) else []:
        for name in PATHS:
            if isinstance(row, dict) and isinstance(row.get(name), str) and row[name]:
                row[name] = str(base / row[name])


def _check_model(config: "Config") -> None:
    """Find out whether the model is known and what teaches is installed, without loading them."""
    from beholder._optional import require
    from beholder.recipes import recipe as recipes

    recipes.load(config.model)
    needed = ["transformers", "accelerate", *(["peft"] if config.adapter.kind == "lora" else [])]
    for module in needed:
        if find_spec(module) is None:
            require(module, extra="train")


def _mixture(kept: Path | None, config: "Config") -> "Mixture":
    from beholder.cli import _teaching
    from beholder.training.mixture import open_sets, prepare

    sets = open_sets(config)
    workers = config.train.workers or len(os.sched_getaffinity(0))
    total = 0 if kept else sum(len(set(each.files)) for each in sets)
    with _teaching.counting("looking at files", total) as tick:
        mixture = prepare(config, sets, kept, workers, tick)
    _teaching.plan(mixture)
    _teaching.findings(mixture.found)
    return mixture


def _begin(folder: Path, config: "Config", mixture: "Mixture") -> None:
    from beholder import __version__
    from beholder.training import mixture as mixtures
    from beholder.training.folder import begin

    begin(folder, config, __version__)
    mixtures.write(mixture, folder)


def _taught(folder: Path, config: "Config", mixture: "Mixture") -> "Outcome | None":
    """Teach, measure and describe; None when it was stopped."""
    from beholder.cli import _teaching
    from beholder.training import outcome

    with _teaching.Course() as course:
        taught = _fit(folder, config, mixture, course.tell)
    if not taught.done:
        click.echo(
            f"Stopped after step {course.step} of {course.steps}; kept: {folder}: the same command"
            " goes on.",
            err=True,
        )
        return None
    again = len(mixture.lessons["test"]) if config.keep.before else 0
    total = sum(len(mixture.lessons[part]) for part in outcome.PARTS) + again
    with _teaching.counting("measuring", total) as tick:
        return outcome.finish(mixture, taught, config, folder, tick)


def _fit(
    folder: Path, config: "Config", mixture: "Mixture", tell: "Tell", *, first: bool = True
) -> "Taught":
    """Teach, and write what was taught; the model is gone when this returns."""
    from beholder.training import opening, outcome
    from beholder.training.questions import Questions
    from beholder.training.teach import fit

    parts = mixture.lessons
    learner = opening.load(config, dict.fromkeys(each.set.task for each in mixture.divided))
    ask = Questions(learner.recipe, config.seed, pool=config.prompts.questions == "pool")
    taught = fit(learner, parts["train"], parts["validation"], config, folder, ask, tell)
    if first and taught.done:
        outcome.keep(learner, mixture, config, folder)
    return taught


def _follow(folder: Path, config: "Config") -> int:
    """Teach beside the first process of several, which reads, checks and writes for all."""
    from beholder.training.folder import ready
    from beholder.training.mixture import open_sets, prepare

    while not ready(folder, config):
        time.sleep(WAIT)
    mixture = prepare(config, open_sets(config), folder)
    taught = _fit(folder, config, mixture, _silent, first=False)
    return 0 if taught.done else INTERRUPTED


def _silent(line: Mapping[str, float]) -> None:
    """Tell nothing: the first process does."""


def _push(options: Options) -> int:
    from beholder.training.publishing import push

    if options.push:
        where = push(options.out, options.push, public=options.public)
        click.echo(f"Uploaded: {where}{'' if options.public else ' (private)'}", err=True)
    return 0
