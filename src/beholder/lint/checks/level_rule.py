"""Levels that the rule for the range does not give.

Q-Align's rule in its exact order of operations is `levels.targets.hard_level`; the bins of
DeQA-Score are closed on the right. Where nobody stated the bounds, levels must at least rise with
the opinions.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from beholder.datasets.opinions import Opinion
from beholder.levels.targets import hard_level
from beholder.lint.case import WORDS, Case, Finding, found
from beholder.metrics.correlation import srcc

MANY = 0.01
"""Above this share of disagreement the bounds are wrong rather than the rows."""


def check(case: Case) -> Iterator[Finding]:
    """Find levels that disagree with the opinions."""
    rows = case.levelled
    given = [WORDS.index(row.level) for row in rows]
    if len(rows) < 2:
        return
    falling = srcc(np.array(given, dtype=np.float64), _mos(rows)) < 0
    if falling:
        given = [4 - level for level in given]
    expected = _expected(case, rows)
    if expected is None:
        yield from _out_of_order(rows, given)
        return
    wrong = [n for n, level in enumerate(given) if level != expected[n]]
    if not wrong:
        return
    many = len(wrong) > MANY * len(rows)
    yield found(
        "warning",
        f"levels that disagree with the rule for {_bounds(case)}",
        [_sentence(rows[n], 4 - expected[n] if falling else expected[n]) for n in wrong],
        f"{_fit(rows, given)}; or make the levels anew"
        if many
        else "make the levels anew from the opinions, or take these rows out",
    )


def _mos(rows: Sequence[Opinion]) -> np.ndarray:
    return np.array([row.mos for row in rows], dtype=np.float64)


def _expected(case: Case, rows: Sequence[Opinion]) -> list[int] | None:
    """The level of each row by the rule that applies; None where no bounds are known."""
    norms = [row.extra.get("gt_score_norm") for row in rows]
    if case.table.format == "deqa" and all(isinstance(norm, int | float) for norm in norms):
        return [right_closed(float(norm)) for norm in norms if norm is not None]
    if case.bounds is None:
        return None
    return [hard_level(row.mos, case.bounds.low, case.bounds.high) for row in rows]


def right_closed(norm: float) -> int:
    """Return the level of an opinion on 1 to 5 by DeQA-Score: an edge belongs to the lower level.

    >>> [right_closed(norm) for norm in (1.0, 1.8, 1.81, 5.0)]
    [0, 0, 1, 4]
    """
    return sum(norm > 1 + 0.8 * k + 1e-6 for k in (1, 2, 3, 4))


def _bounds(case: Case) -> str:
    if case.table.format == "deqa" or case.bounds is None:
        return "five bins of the normalised score"
    return f"{case.bounds.low:g} to {case.bounds.high:g}"


def _sentence(row: Opinion, level: int) -> str:
    return f"{row.path}: {row.mos:g} is {WORDS[level]}, the file says {row.level}"


def _fit(rows: Sequence[Opinion], given: Sequence[int]) -> str:
    """Say which bounds the levels fit, from the gaps between them."""
    kept = in_order(_mos(rows), given)
    scores = {k: [rows[n].mos for n in kept if given[n] == k] for k in range(5)}
    edges = [
        (k, (max(scores[k - 1]) + min(scores[k])) / 2)
        for k in range(1, 5)
        if scores[k - 1] and scores[k]
    ]
    if len(edges) < 2:
        return "state the right bounds with --range"
    steps, at = np.array(edges, dtype=np.float64).T
    width, low = np.polyfit(steps, at, 1)
    return (
        f"the levels fit bounds of about {low:.4g} and {low + 5 * width:.4g}:"
        " state the right ones with --range"
    )


def _out_of_order(rows: Sequence[Opinion], given: Sequence[int]) -> Iterator[Finding]:
    kept = set(in_order(_mos(rows), given))
    wrong = [
        f"{row.path}: {row.mos:g} is called {row.level}"
        for n, row in enumerate(rows)
        if n not in kept
    ]
    if wrong:
        yield found(
            "warning",
            "levels that do not rise with the opinions, whatever the bounds",
            wrong,
            "make the levels anew from the opinions, or take these rows out",
        )


def in_order(mos: np.ndarray, levels: Sequence[int]) -> list[int]:
    """Return the most rows that can stay so that levels never fall as opinions rise.

    Longest non-decreasing subsequence over five values; equal opinions need equal levels.

    >>> in_order(np.array([1.0, 2.0, 3.0, 4.0]), [0, 3, 1, 2])
    [0, 2, 3]
    """
    order = sorted(range(len(levels)), key=lambda n: (mos[n], -levels[n]))
    length, last = [0] * 5, [-1] * 5
    before = [-1] * len(levels)
    for n in order:
        best = max(range(levels[n] + 1), key=lambda level: length[level])
        before[n] = last[best]
        length[levels[n]], last[levels[n]] = length[best] + 1, n
    kept, at = [], last[max(range(5), key=lambda level: length[level])]
    while at >= 0:
        kept.append(at)
        at = before[at]
    return sorted(kept)
