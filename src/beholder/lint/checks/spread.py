"""Standard deviations on another scale than the opinions."""

from collections.abc import Iterator

import numpy as np

from beholder.lint.case import Case, Finding, found

SMALL = 0.02
"""A median spread below this share of the range is none of votes."""
SHARE = 0.1
"""Above this share of rows the scale is wrong; below it opinions were corrected for the raters."""


def check(case: Case) -> Iterator[Finding]:
    """Find spreads that votes on the stated range cannot have, or hardly."""
    rows = [row for row in case.rated if row.std is not None]
    negative = [f"{row.path}: {row.std:g}" for row in rows if row.std is not None and row.std < 0]
    if negative:
        yield found("error", "spreads below zero", negative, "correct the column std")
    scale = case.table.scale
    if scale is None or not rows:
        return
    wide = [
        f"{row.path}: {row.std:g} at {row.mos:g}"
        for row in rows
        if row.std is not None and row.std**2 > _most(row.mos, scale.low, scale.high, row.n)
    ]
    if wide:
        many = len(wide) > SHARE * len(rows)
        yield found(
            "error" if many else "note",
            f"spreads that votes from {scale.low:g} to {scale.high:g} cannot have",
            wide,
            "std is on another scale than mos: bring both to one"
            if many
            else "few rows: opinions that were corrected for the raters (p913, mle) may do this",
        )
    middle = float(np.median([row.std for row in rows if row.std is not None]))
    if middle < SMALL * (scale.high - scale.low):
        yield found(
            "warning",
            f"spreads that are small for votes from {scale.low:g} to {scale.high:g}",
            [f"the median is {middle:g}"],
            "std is on another scale than mos, or it is the error of the mean and not of the votes",
            len(rows),
        )


def _most(mos: float, low: float, high: float, n: int | None) -> float:
    """Return the largest variance of votes in [low, high] with this mean, rounding allowed for.

    Bhatia and Davis 2000: (high - mean)(mean - low); a sample's is n/(n-1) times it.
    """
    sample = n / (n - 1) if n and n > 1 else 2.0
    return max((high - mos) * (mos - low), 0.0) * sample + (0.01 * (high - low)) ** 2
