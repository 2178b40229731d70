"""Scores and opinions in; how well the one follows the other out, with error bars."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from beholder.datasets.opinions import Opinion, Opinions
from beholder.errors import UsageError
from beholder.evaluation.measuring import CHIEF, ENOUGH, Result, differ, measure
from beholder.evaluation.pairing import Joined, Paired, align, pair
from beholder.evaluation.raters import Krasula, Scales, calibration, krasula
from beholder.evaluation.reports._text import counted
from beholder.evaluation.sample import Sample
from beholder.evaluation.scores import Scores
from beholder.evaluation.splitting import OverSplits, Plan, over_splits
from beholder.metrics.calibration import Calibration
from beholder.metrics.intervals import Draws

MOST_GROUPS: Final = 200
FEW_SCENES: Final = 10
"""With fewer scenes than this their bootstrap is known to give intervals that are too narrow."""
FEW_FILES: Final = 30
NONE: Final = "(none)"
TOLD_BY_JOIN: Final = (
    "rows without a path",
    "rows without a number",
    "paths that stand more than once",
)
"""What a reader of opinions notices and the account of the join says as well."""


@dataclass(frozen=True)
class Question:
    """What is asked of the tables."""

    by: tuple[str, ...] = ()
    """Columns of either table that divide the files into groups."""
    plan: Plan | None = None
    replicates: int = 2000
    seed: int = 0


@dataclass(frozen=True)
class Rival:
    """The model that is compared with."""

    scores: Scores
    joined: Joined
    overall: Result
    common: int
    """Files that both models scored."""


@dataclass(frozen=True)
class Evaluation:
    """Everything that reports show."""

    opinions: Opinions
    scores: Scores
    question: Question
    sample: Sample
    score_paths: tuple[str, ...]
    """What the score table calls the rows of `sample`."""
    joined: Joined
    overall: Result
    groups: Mapping[str, Result]
    scales: Scales
    rival: Rival | None = None
    over_splits: OverSplits | None = None
    krasula: Krasula | None = None
    calibration: Calibration | None = None
    notes: tuple[str, ...] = field(default=())
    """What a reader should know before quoting a number."""


def evaluate(
    opinions: Opinions,
    scores: Scores,
    question: Question,
    root: Path | None = None,
    against: Scores | None = None,
) -> Evaluation:
    """Say how well scores follow opinions.

    Raises:
        UsageError: when the tables have no path in common, a column is not there, or there are too
            few files to divide.
    """
    paired = pair(opinions, scores, root)
    other = pair(opinions, against, root) if against else None
    sample = align(paired, other) if other else paired.sample
    groups = {
        name: replace(_result(part, question, contested=other is not None), column=column)
        for name, (column, part) in _groups(paired, sample, question.by, opinions).items()
    }
    scales = Scales.of(scores.scale, opinions.scale, higher_is_better=opinions.higher_is_better)
    made = Evaluation(
        opinions=opinions,
        scores=scores,
        question=question,
        sample=sample,
        score_paths=tuple(row.path for row in paired.scores),
        joined=paired.joined,
        overall=_result(sample, question, contested=other is not None),
        groups=groups,
        scales=scales,
        rival=_rival(sample, other, against, question) if other and against else None,
        over_splits=over_splits(sample, question.plan) if question.plan else None,
        krasula=krasula(sample, question.seed),
        calibration=calibration(sample, scales, Draws(question.replicates, question.seed)),
    )
    return replace(made, notes=tuple(_notes(made)))


def _result(sample: Sample, question: Question, *, contested: bool = False) -> Result:
    scored = sample.scored()
    found = measure(sample, scored.draws(question.replicates, question.seed))
    if not contested:
        return found
    both = sample.common()
    return replace(found, differences=differ(both, both.draws(question.replicates, question.seed)))


def _rival(sample: Sample, other: Paired, scores: Scores, question: Question) -> Rival:
    theirs = replace(other.sample, rivals=np.full(len(other.sample), np.nan))
    return Rival(scores, other.joined, _result(theirs, question), len(sample.common()))


def _groups(
    paired: Paired, sample: Sample, by: tuple[str, ...], opinions: Opinions
) -> dict[str, tuple[str, Sample]]:
    """Return name → column and rows of each group."""
    found = {}
    for column in dict.fromkeys(by):
        values = _column(paired, column, opinions)
        for value in sorted(set(values), key=_by_number):
            part = sample.take(np.array([each == value for each in values]))
            if column == "scene":
                part = replace(part, scenes=())
            name = value if len(set(by)) == 1 else f"{column}={value}"
            found[name] = (column, part)
    return found


def _column(paired: Paired, column: str, opinions: Opinions) -> list[str]:
    """Return a column of the opinion table, or else of the score table, as text."""
    texts = [_text(_cell(row, column)) for row in paired.opinions]
    if set(texts) <= {NONE}:
        texts = [_text(row.cells.get(column)) for row in paired.scores]
    if set(texts) <= {NONE}:
        opinions.column(column)
        raise UsageError(f"--by {column}: the column is empty in both tables")
    if (count := len(set(texts))) > MOST_GROUPS:
        raise UsageError(
            f"--by {column}: the column has {count} different values; a breakdown takes a category"
            f" of at most {MOST_GROUPS}"
        )
    return texts


def _cell(row: Opinion, column: str) -> Any:
    own = column in Opinion.__dataclass_fields__
    return getattr(row, column) if own else row.extra.get(column)


def _text(value: Any) -> str:
    if value is None or value == "":
        return NONE
    return f"{value:g}" if isinstance(value, float) else str(value)


def _by_number(text: str) -> tuple[bool, float, str]:
    try:
        return (False, float(text), text)
    except ValueError:
        return (True, 0.0, text)


def _notes(made: Evaluation) -> list[str]:
    return [
        *_about_names(made),
        *_about_opinions(made),
        *_about_numbers(made),
        *_about_rival(made),
    ]


def _about_names(made: Evaluation) -> list[str]:
    """Say how many files were paired although their folders contradict each other."""
    tables = {made.scores.origin: made.joined}
    if made.rival:
        tables[made.rival.scores.origin] = made.rival.joined
    return [
        f"Only the file name agrees in {counted(joined.rules['name'], 'pair')} of the opinions and"
        f" {origin}; the folders differ, for example {', '.join(joined.bare)}. If these are not the"
        " same pictures the numbers mean nothing: make the paths alike, or name the folder with"
        " --root."
        for origin, joined in tables.items()
        if joined.rules["name"]
    ]


def _about_opinions(made: Evaluation) -> list[str]:
    opinions = made.opinions
    notes = [
        f"{found.what[0].upper()}{found.what[1:]}: {found.count:,}, for example"
        f" {', '.join(found.examples)}."
        for found in opinions.problems
        if found.what not in TOLD_BY_JOIN
    ]
    if not opinions.higher_is_better:
        notes.append("The opinions are DMOS (lower is better) and were negated.")
    elif not opinions.direction_stated and opinions.score_column.lower() == "dmos":
        notes.append(
            "The column is called dmos, but nobody stated its direction: higher was taken to be"
            " better. Add --dmos if lower is."
        )
    if opinions.scale:
        outside = [
            row.mos
            for row in opinions.rows
            if row.mos < opinions.scale.low or row.mos > opinions.scale.high
        ]
        if outside:
            notes.append(
                f"Opinions outside the stated range {opinions.scale}: {len(outside):,}, the first"
                f" is {outside[0]:g}."
            )
    return notes


def _about_numbers(made: Evaluation) -> list[str]:
    notes = []
    overall = made.overall
    if overall.scenes and overall.scenes < FEW_SCENES:
        notes.append(
            f"The files come from {counted(overall.scenes, 'scene')} only: intervals drawn from so"
            " few scenes are too narrow."
        )
    elif not overall.scenes and overall.values[CHIEF].low < 1 and overall.n < FEW_FILES:
        notes.append(f"{counted(overall.n, 'file')} are few: the intervals are rough.")
    srcc = overall.values[CHIEF].value
    if srcc < 0:
        notes.append(
            "Scores fall where opinions rise. A fitted curve turns that round, so that the fitted"
            " numbers look good: check the direction (--dmos, or a distance that is not negated)."
        )
    notes += _about_curves(overall)
    mixed = [what for what in ("fingerprint", "scale") if ", " in getattr(made.scores, what)]
    notes += [
        f"The score table mixes several values of {what}: it is not one model." for what in mixed
    ]
    return notes


def _about_curves(overall: Result) -> list[str]:
    """Say what the intervals after a fitted curve do not count."""
    fitted = {name: curve for name, curve in overall.curves.items() if not curve.reason}
    notes = []
    if fitted and overall.n < ENOUGH:
        notes.append(
            f"RMSE and PLCC after a fitted curve: 4 or 5 parameters were fitted to the same"
            f" {overall.n} files, which their intervals do not count. They are too narrow below"
            f" about {ENOUGH} files."
        )
    poor = [name for name, curve in fitted.items() if not curve.well_conditioned]
    if poor:
        notes.append(
            f"The files do not determine the parameters of the curve {' and '.join(poor)} (badly"
            " conditioned): do not quote them, and take the numbers after this curve with care."
        )
    return notes


def _about_rival(made: Evaluation) -> list[str]:
    rival = made.rival
    if rival is None or rival.common == made.overall.n == rival.overall.n:
        return []
    counts = Counter({made.scores.origin: made.overall.n, rival.scores.origin: rival.overall.n})
    told = " and ".join(f"{count} of {name}" for name, count in counts.items())
    return [f"Differences are over the {counted(rival.common, 'file')} that both scored ({told})."]
