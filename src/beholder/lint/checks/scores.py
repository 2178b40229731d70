"""Numbers that cannot be: all the same, outside the stated range, a range hardly used."""

from collections.abc import Iterator

import numpy as np

from beholder.lint.case import Case, Finding, found

USED = 0.2
"""Opinions that span less of the stated range are probably on another one."""


def check(case: Case) -> Iterator[Finding]:
    """Find constant and out-of-range opinions."""
    rows = case.rated
    if not rows:
        return
    mos = np.array([row.mos for row in rows], dtype=np.float64)
    low, high = float(mos.min()), float(mos.max())
    if low == high and len(rows) > 1:
        yield found(
            "error",
            "all opinions are the same",
            [f"{row.path}: {row.mos:g}" for row in rows],
            "nothing can be learnt from a constant or correlated with it: check the column",
        )
        return
    scale = case.table.scale
    if scale is None:
        yield found(
            "note",
            "the range of the opinions is not stated",
            [f"they run from {low:g} to {high:g}"],
            "state it with --range LOW,HIGH or --card NAME; the smallest and the largest opinion"
            " are not it",
            len(rows),
        )
        return
    outside = [f"{row.path}: {row.mos:g}" for row in rows if not scale.low <= row.mos <= scale.high]
    if outside:
        yield found(
            "error",
            f"opinions outside the stated range {scale}",
            outside,
            f"they run from {low:g} to {high:g}: state the right range, or correct these rows",
        )
    elif high - low < USED * (scale.high - scale.low) and len(rows) > 2:
        yield found(
            "warning",
            f"opinions use only a small part of the stated range {scale}",
            [f"they run from {low:g} to {high:g}"],
            "check whether the range is right",
            len(rows),
        )
