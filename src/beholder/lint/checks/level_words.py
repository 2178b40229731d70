"""Answers that are no level: they teach a word that is never scored."""

from collections.abc import Iterator

from beholder.levels.scale import LEVELS
from beholder.lint.case import Case, Finding, found


def check(case: Case) -> Iterator[Finding]:
    """Find answers outside the five words."""
    taught = [row for row in case.rows if row.level or row.question]
    wrong = [
        f"{row.path}: {row.level or 'no level in the answer'}"
        for row in taught
        if row.level not in LEVELS
    ]
    if wrong:
        yield found(
            "error",
            "answers that are none of the five levels",
            wrong,
            "make the levels anew from the opinions, or take these rows out",
        )
