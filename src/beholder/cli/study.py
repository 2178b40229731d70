"""`beholder study`: people's votes or comparisons in; opinions and a table of raters out."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from beholder._counting import counted
from beholder.errors import UsageError

if TYPE_CHECKING:
    from beholder.metrics.value import Value
    from beholder.studies.comparisons import Comparisons
    from beholder.studies.study import Study
    from beholder.studies.votes import Votes

SHOWN_RATERS = 10
VOTE_METHODS = ("mos", "zscore", "bt500", "p913", "mle")
PAIR_METHODS = ("bradley-terry", "thurstone")


@dataclass(frozen=True)
class Options:
    """The options of the command, as they were given."""

    votes: Path
    method: str
    screen: str | None
    span: str
    differences: bool
    items: Path | None
    out: Path | None
    raters: Path | None


@click.command("study", short_help="Turn people's votes into opinions.")
@click.argument("votes", type=click.Path(path_type=Path), metavar="VOTES")
@click.option(
    "--method",
    type=click.Choice([*VOTE_METHODS, *PAIR_METHODS]),
    default="mos",
    show_default=True,
    help="How votes become opinions.",
)
@click.option(
    "--screen",
    type=click.Choice(["none", "bt500", "correlation"]),
    help="Which raters are left out  [the method's own rule]",
)
@click.option(
    "--range", "span", default="1-5", show_default=True, help="Scale of the votes, e.g. 0,100."
)
@click.option("--differences", is_flag=True, help="Opinions against the items' references.")
@click.option("--items", type=click.Path(path_type=Path), help="Table: item, scene, reference …")
@click.option("--out", type=click.Path(path_type=Path), help="Opinion table: .csv or .jsonl.")
@click.option("--raters", type=click.Path(path_type=Path), help="Table of raters: .csv or .jsonl.")
def command(**options: Any) -> int:
    """Turn people's votes into opinions, and say how far the raters agree.

    VOTES has one row a vote (rater, item, session, vote), or one row an item and one column a
    rater, or one row a comparison (rater, a, b, choice), or is a data set file of sureal.

    \b
    mos            mean of the votes
    zscore         mean of z-scores of each rater
    bt500          mean, without raters that ITU-R BT.500 rejects
    p913           mean, without raters' biases, then without those BT.500 rejects
    mle            maximum likelihood of opinions, biases and inconsistencies
    bradley-terry  scale from comparisons, logistic
    thurstone      scale from comparisons, normal (Case V)

    Without --out the opinions are printed as CSV. Exit code 0: all well; 1: the votes do not hold
    what the method needs; 2: misuse, or VOTES cannot be read.
    """
    return _study(Options(**options))


def _study(options: Options) -> int:
    from beholder.cli import _places as asked
    from beholder.datasets.opinions import parse_range
    from beholder.studies import output, reading
    from beholder.studies.comparisons import Comparisons

    for path in (options.out, options.raters):
        if path:
            output.check(path)
    asked.check({"--out": options.out, "--raters": options.raters})
    with asked.reading():
        found = reading.read(options.votes, parse_range(options.span), options.items)
    compared = isinstance(found, Comparisons)
    _check(options, compared)
    study = _compared(found, options) if isinstance(found, Comparisons) else _rated(found, options)
    rows = [output.opinion_cells(row) for row in study.opinions]
    if options.raters:
        cells = (output.rater_cells(row) for row in study.raters)
        output.write(options.raters, output.RATER_COLUMNS, cells)
    if options.out:
        output.write(options.out, output.OPINION_COLUMNS, rows)
    else:
        sys.stdout.write(output.as_csv(output.OPINION_COLUMNS, rows))
        sys.stdout.flush()
    for line in (*_head(found, study), *_lines(study), *_agreement(found), *_places(options)):
        click.echo(line, err=True)
    return 0


def _check(options: Options, compared: bool) -> None:  # noqa: FBT001 -- not an option
    allowed = PAIR_METHODS if compared else VOTE_METHODS
    if options.method not in allowed:
        what = "comparisons" if compared else "votes"
        raise UsageError(
            f"{options.votes} holds {what}, which --method {options.method} does not take: use"
            f" {', '.join(allowed)}"
        )
    if compared and (options.differences or options.screen):
        given = "--differences" if options.differences else "--screen"
        raise UsageError(f"{given} is for votes; {options.votes} holds comparisons")


def _rated(votes: "Votes", options: Options) -> "Study":
    from beholder.studies.study import rate

    return rate(votes, options.method, options.screen or "", dmos=options.differences)


def _compared(comparisons: "Comparisons", options: Options) -> "Study":
    from beholder.studies.study import compare

    return compare(comparisons, options.method)


def _head(found: "Votes | Comparisons", study: "Study") -> Iterator[str]:
    what = counted(len(found), "comparison" if study.method in PAIR_METHODS else "vote")
    raters, items = counted(len(found.raters), "rater"), counted(len(found.items), "item")
    yield f"{what} of {raters} on {items}, method {study.method}"
    for note in study.notes:
        yield f"  {note}"


def _lines(study: "Study") -> Iterator[str]:
    rejected = sum(row.rejected for row in study.raters)
    noted = [row for row in study.raters if row.reason]
    yield f"raters: {rejected} rejected, {len(noted)} with a note"
    for row in noted[:SHOWN_RATERS]:
        yield f"  {row.rater}{' (rejected)' if row.rejected else ''}: {row.reason}"
    if len(noted) > SHOWN_RATERS:
        yield f"  … and {len(noted) - SHOWN_RATERS} more"


def _agreement(found: "Votes | Comparisons") -> Iterator[str]:
    from beholder.studies.agreement import icc_of, krippendorff_of
    from beholder.studies.votes import Votes

    if not isinstance(found, Votes):
        return
    yield "agreement of all raters:"
    icc = icc_of(found)
    yield _agreed("ICC(2,1), one rater", icc.single)
    yield _agreed("ICC(2,k), their mean", icc.mean)
    for level in ("ordinal", "interval"):
        yield _agreed(f"Krippendorff's alpha, {level}", krippendorff_of(found, level))


def _agreed(name: str, value: "Value") -> str:
    return f"  {name:<32} {value}"


def _places(options: Options) -> Iterator[str]:
    if options.out:
        yield f"Opinions: {options.out}"
    if options.raters:
        yield f"Raters: {options.raters}"
