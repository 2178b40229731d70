"""Shares of votes that are no distribution, or whose mean is not the opinion."""

import math
from collections.abc import Iterator

from beholder.datasets.opinions import Opinion
from beholder.levels.scale import LEVELS, WEIGHTS
from beholder.lint.case import Case, Finding, found

SUM = 1e-3
MEAN = 0.15
"""On the 1-5 scale; DeQA-Score replaces a label that is off by more than 0.1."""
SHARE = 0.5
"""Above this share of rows the labels are wrong; opinions that were corrected for the raters differ
from the mean of the votes in some."""


def check(case: Case) -> Iterator[Finding]:
    """Find soft labels that are wrong."""
    rows = [row for row in case.rated if row.probabilities]
    sums = [math.fsum(row.probabilities.values()) for row in rows]
    summed = zip(rows, sums, strict=True)
    off = [f"{row.path}: {total:g}" for row, total in summed if abs(total - 1) > SUM]
    if off:
        yield found(
            "note" if case.table.format == "deqa" else "warning",
            "shares of the levels that do not sum to 1",
            off,
            "divide them by their sum; DeQA-Score cuts negative ones and does not",
        )
    wrong = [
        f"{row.path}: the shares mean {_mean(row):.2f}, the opinion is {opinion:.2f}"
        for row in rows
        if (opinion := _opinion(case, row)) is not None and abs(_mean(row) - opinion) > MEAN
    ]
    if wrong:
        many = len(wrong) > SHARE * len(rows)
        yield found(
            "warning" if many else "note",
            "shares of the levels whose mean is not the opinion",
            wrong,
            "their order runs from excellent to bad: check it, and the scale of the opinion; or the"
            " opinions were corrected for the raters (p913, mle) and the shares were not",
        )


def _mean(row: Opinion) -> float:
    total = math.fsum(row.probabilities.values())
    pairs = zip(LEVELS, WEIGHTS, strict=True)
    return math.fsum(weight * row.probabilities[word] for word, weight in pairs) / (
        total or math.nan
    )


def _opinion(case: Case, row: Opinion) -> float | None:
    """The opinion on 1 to 5, where its place on that scale is known."""
    norm = row.extra.get("gt_score_norm")
    if isinstance(norm, int | float):
        return float(norm)
    scale = case.table.scale
    return row.mos if scale and (scale.low, scale.high) == (1.0, 5.0) else None
