"""Answers that are no level: they teach a word that is never scored."""

from collections.abc import Iterator

from beholder.levels.scale import LEVELS
from beholder.lint.case import Case, Finding, found


def check(case: Case) -> Iterator[Finding]:
    """Find answers outside the five words."""
    answered = [row for row in case.rows if row.level]
    mute = [row.path for row in case.rows if row.question and not row.level]
    if mute:
        yield found(
            "warning" if answered else "note",
            "questions without an answer",
            mute,
            "give every row its answer, or take these rows out"
            if answered
            else "the list can be tested on; to train on it make levels from the opinions",
        )
    wrong = [f"{row.path}: {row.level}" for row in answered if row.level not in LEVELS]
    if wrong:
        yield found(
            "error",
            "answers that are none of the five levels",
            wrong,
            "make the levels anew from the opinions, or take these rows out",
        )
