"""What every report form says in words: names and definitions of the numbers, verdicts, rows."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from beholder.evaluation.evaluate import Evaluation, Rival
from beholder.evaluation.joining import RULES
from beholder.evaluation.measuring import CHIEF, Result
from beholder.evaluation.pairing import Joined
from beholder.evaluation.reports._text import counted
from beholder.metrics.difference import NOT_SEPARABLE, Difference
from beholder.metrics.krasula import Resolution
from beholder.metrics.value import Value

NAMES: Final[Mapping[str, str]] = {
    "srcc": "SRCC",
    "plcc": "PLCC",
    "plcc_logistic4": "PLCC, logistic 4",
    "plcc_logistic5": "PLCC, logistic 5",
    "krcc": "KRCC",
    "rmse_logistic4": "RMSE, logistic 4",
}
DEFINITIONS: Final[Mapping[str, str]] = {
    "srcc": (
        "Spearman's rank correlation: does the order of the scores follow the order of the"
        " opinions? 1 is the same order, 0 no relation, −1 the reverse. Ties get average ranks."
    ),
    "plcc": (
        "Pearson's linear correlation of the raw scores with the opinions: do they lie on a"
        " rising line?"
    ),
    "plcc_logistic4": (
        "Pearson's correlation after the scores went through the 4-parameter logistic curve of"
        " VQEG, fitted to these very opinions by least squares."
    ),
    "plcc_logistic5": (
        "Pearson's correlation after the 5-parameter logistic curve of Sheikh, Sabir and Bovik"
        " (2006), fitted to these very opinions by least squares."
    ),
    "krcc": (
        "Kendall's rank correlation tau-b: of all pairs of files, how many more are ordered as"
        " people order them than the other way round, corrected for ties."
    ),
    "rmse_logistic4": (
        "Root of the mean squared error after the 4-parameter logistic curve, in units of the"
        " opinions. Less is better."
    ),
}
INTERVALS: Final = (
    "In brackets is the 95 % interval of a bootstrap: files are drawn again and again with"
    " replacement (whole scenes where scenes are known), and the middle 95 % of the results is"
    " shown. The fitted curve is kept in every draw."
)

PAIRS_SHARE: Final = "The p values take pairs as independent, which they are not, and are too small"
"""Said wherever two models are compared by Krasula's analysis."""


@dataclass(frozen=True)
class Line:
    """One odd thing about the rows, as a sentence."""

    text: str
    examples: tuple[str, ...]


def number(value: float, decimals: int = 3) -> str:
    """Return a number as reports print it, and a dash for NaN.

    >>> number(0.91234), number(-0.5), number(math.nan)
    ('0.912', '−0.500', '–')
    """
    if math.isnan(value):
        return "–"
    text = f"{value:.{decimals}f}"
    return "−" + text[1:] if text.startswith("-") else text


def interval(value: Value | Difference, decimals: int = 3) -> str:
    """Return an interval in brackets; empty where there is none.

    >>> interval(Value(0.9, 0.85, 0.95))
    '[0.850, 0.950]'
    """
    if math.isnan(value.low):
        return ""
    return f"[{number(value.low, decimals)}, {number(value.high, decimals)}]"


def headline(made: Evaluation) -> str:
    """Say in one sentence how well the scores follow the opinions."""
    overall = made.overall
    srcc = overall.values[CHIEF]
    over = counted(overall.n, "file")
    if math.isnan(srcc.value):
        return f"No correlation can be given over {over}: {srcc.reason}."
    ranged = f" {interval(srcc)}" if interval(srcc) else ""
    failed = f", {counted(overall.failed, 'file')} could not be scored" if overall.failed else ""
    return f"SRCC {number(srcc.value)}{ranged} over {over}{failed}."


def verdict(result: Result, ours: str, theirs: str) -> str:
    """Say in one sentence what the paired difference of SRCC means; empty without one."""
    found = result.differences.get(CHIEF)
    if found is None:
        return ""
    if found.reason:
        return f"{ours} and {theirs} cannot be compared: {found.reason}."
    told = f"difference in SRCC {number(found.value)} {interval(found)}, p {equals(found.p)}"
    if found.verdict != NOT_SEPARABLE:
        return f"{ours} is {found.verdict} than {theirs}: {told}, over {counted(found.n, 'file')}."
    return (
        f"{ours} and {theirs} are not separable over {counted(found.n, 'file')}: {told}."
        f" {needed(found)}"
    )


def needed(found: Difference) -> str:
    """Say how many files it would take to separate two models."""
    if found.needed is None:
        return "No number of files would separate a difference of 0."
    return (
        f"If this difference is the true one, about {counted(found.needed, 'file')} like these"
        " would show it (80 % power)."
    )


def p_value(p: float) -> str:
    """Return a p value as reports print it.

    >>> p_value(0.0004), p_value(0.0312)
    ('<0.001', '0.031')
    """
    return "<0.001" if p < 0.001 else number(p)


def equals(p: float) -> str:
    """Return a p value after its sign.

    >>> equals(0.0004), equals(0.0312)
    ('< 0.001', '= 0.031')
    """
    return "< 0.001" if p < 0.001 else f"= {number(p)}"


def joined(found: Joined) -> list[Line]:
    """Say how rows found each other and what is odd about them."""
    rules = [f"{count:,} by {rule} ({RULES[rule]})" for rule, count in found.rules.items() if count]
    total = sum(found.rules.values())
    tables = f"{counted(found.opinions, 'opinion')} and {counted(found.scores, 'score')}"
    lines = [Line(f"{tables} give {counted(total, 'pair')}: {'; '.join(rules)}.", ())]
    for problem in found.shown:
        what = problem.what[0].upper() + problem.what[1:]
        lines.append(Line(f"{what}: {problem.count:,}.", problem.examples))
    return lines


def drawn(made: Evaluation) -> str:
    """Say how the intervals were drawn."""
    what = counted(made.overall.scenes, "scene") if made.overall.scenes else "files"
    question = made.question
    return f"{question.replicates:,} bootstrap draws of {what}, seed {question.seed}"


def splits(made: Evaluation) -> str:
    """Say over which test parts the medians are; empty where there are none."""
    found = made.over_splits
    if found is None:
        return ""
    size = f"{found.smallest}" + (f" to {found.largest}" if found.largest > found.smallest else "")
    how = f"{found.folds}-fold division" if found.folds else "random draws of a fifth"
    if found.lists:
        how = "as listed"
    scenes = ", no scene on both sides" if found.by_scene else ""
    lacking = (
        f", {counted(found.lacking, 'listed file')} left out for want of a score"
        if found.lacking
        else ""
    )
    return f"{counted(found.parts, 'test part')} of {size} files ({how}{scenes}{lacking})"


def krasula_rows(made: Evaluation) -> list[tuple[str, list[str]]]:
    """Return the rows of Krasula's analysis: what, and a number for each model."""
    found = made.krasula
    if found is None:
        return []
    models = [found.ours, *([found.theirs] if found.theirs else [])]
    rows = {
        "AUC, different from similar": [number(each.auc_different) for each in models],
        "AUC, better from worse": [number(each.auc_better) for each in models],
        "right order of different pairs": [_share(each.correct) for each in models],
        "smallest telling difference": [number(each.threshold) for each in models],
    }
    if found.contest:
        contest = found.contest
        ps = [contest.auc_different, contest.auc_better, contest.correct, math.nan]
        for cells, p in zip(rows.values(), ps, strict=True):
            cells.append("–" if math.isnan(p) else p_value(p))
    return list(rows.items())


def krasula_over(found: Resolution) -> str:
    """Say over which pairs the analysis is."""
    told = f"{counted(found.pairs, 'pair')}, {found.different:,} of which people tell apart"
    return f"{told}; {found.reason}" if found.reason else told


def _share(value: float) -> str:
    return "–" if math.isnan(value) else f"{100 * value:.1f} %"


def model_names(made: Evaluation) -> tuple[str, str]:
    """Return what the model is called, and the one it is compared with; told apart always."""
    ours = made.scores.name
    rival: Rival | None = made.rival
    theirs = rival.scores.name if rival else ""
    if ours == theirs and rival:
        return made.scores.origin, rival.scores.origin
    return ours, theirs
