"""Which way is better: a DMOS treated as MOS teaches that pristine pictures are bad."""

from collections.abc import Iterator, Sequence

import numpy as np

from beholder.datasets.opinions import Opinion
from beholder.lint.case import WORDS, Case, Finding, found
from beholder.lint.names import references, series
from beholder.lint.ties import tied
from beholder.metrics.correlation import srcc

OPPOSITE = -0.3
"""Words whose ranks correlate with the opinions below this run against them."""
REFERENCES = 3
"""Fewer references tell nothing."""
FEW = 20
"""Fewer rows tell nothing about ties."""
DISTINCT = 0.3
"""Below this share of different numbers, ties are how the votes are."""


def check(case: Case) -> Iterator[Finding]:
    """Find signs that the direction is the wrong way round."""
    yield from _levels(case)
    yield from _series(case)
    yield from _references(case)
    yield from _ties(case)
    yield from _statement(case)


def _advice(case: Case) -> str:
    now = "higher" if case.table.higher_is_better else "lower"
    option = "--dmos" if case.table.higher_is_better else "--mos"
    if case.table.direction_stated:
        return (
            f"{now} was stated to be better, by an option or the card; if that is wrong, say"
            f" {option}, and make levels anew"
        )
    return f"now {now} is taken to be better; if that is wrong, say {option}, and make levels anew"


def _levels(case: Case) -> Iterator[Finding]:
    rows = case.levelled
    words = np.array([WORDS.index(row.level) for row in rows], dtype=np.float64)
    if srcc(words, case.goodness(rows)) < OPPOSITE:
        yield found(
            "error",
            "levels run against the opinions",
            _ends(case, rows),
            _advice(case),
            len(rows),
        )


def _ends(case: Case, rows: Sequence[Opinion]) -> list[str]:
    goodness = case.goodness(rows)
    picked = [rows[int(goodness.argmax())], rows[int(goodness.argmin())]]
    return [f"{row.path}: {row.mos:g} is called {row.level}" for row in picked]


def _series(case: Case) -> Iterator[Finding]:
    """Opinions that get better as the number at the end of the name grows."""
    trends = {}
    for key, steps in series(case.rated).items():
        strength = np.array(sorted(steps), dtype=np.float64)
        trend = srcc(strength, case.goodness(steps[int(s)] for s in strength))
        if np.isfinite(trend):
            trends[key] = trend
    mean = float(np.mean(list(trends.values()))) if trends else 0.0
    if len(trends) >= 5 and mean > max(0.2, 2 / len(trends) ** 0.5):
        rising = [" ".join(filter(None, key)) for key, trend in trends.items() if trend > 0]
        yield found(
            "error",
            "series of growing distortion get better as they grow",
            rising,
            _advice(case),
        )


def _references(case: Case) -> Iterator[Finding]:
    named = references(case.rated)
    paths = {row.path for row in named}
    others = [row for row in case.rated if row.path not in paths]
    if len(named) < REFERENCES or not others:
        return
    middle = float(np.median(case.goodness(named)))
    if np.mean(case.goodness(others) > middle) > 0.75:
        yield found(
            "error",
            "references lie at the low end of the opinions",
            [f"{row.path}: {row.mos:g}" for row in named],
            _advice(case),
        )


def _ties(case: Case) -> Iterator[Finding]:
    """Many rows that share the worst number, where other numbers differ."""
    rows = case.rated
    if len(rows) < FEW or references(rows):
        return
    worst = min((row.mos for row in rows), key=case.table.agreement)
    shared = tied(rows, worst)
    others = len({row.mos for row in rows}) - 1
    if shared and others > DISTINCT * (len(rows) - len(shared)):
        yield found(
            "warning",
            f"many rows share the worst opinion, {worst:g}, as references do in a DMOS",
            [row.path for row in shared],
            f"look at them: if they are the best, this is a DMOS; {_advice(case)}",
        )


def _statement(case: Case) -> Iterator[Finding]:
    if case.table.direction_stated:
        return
    named = case.table.score_column.lower() == "dmos"
    yield found(
        "warning" if named else "note",
        "the direction of the opinions is not stated",
        [f"the score is read from {case.table.score_column!r}; higher is taken to be better"],
        "say --dmos (lower is better) or --mos, or give a card; a name is no statement",
        len(case.rows),
    )
