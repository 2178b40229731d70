"""Rows that cannot be used: no path, no number, scores as text, two scores that differ."""

from collections.abc import Iterator
from typing import Final

from beholder.lint.case import Case, Finding, Severity, found

_ADVICE: Final[dict[str, tuple[Severity, str]]] = {
    "rows without a path": ("error", "give every row the name of its file"),
    "rows without a number": ("error", "give every row a number, or take the row out"),
    "scores written as text": (
        "note",
        "Beholder reads them; other tools sort them as text or stop: write numbers",
    ),
}


def check(case: Case) -> Iterator[Finding]:
    """Find rows that cannot be used."""
    for problem in case.table.problems:
        if problem.what in _ADVICE:
            severity, advice = _ADVICE[problem.what]
            yield found(severity, problem.what, problem.examples, advice, problem.count)
    differ = [
        f"{row.path}: {row.mos:g}, in the id {in_id:g}"
        for row in case.rated
        if isinstance(in_id := row.extra.get("score_in_id"), float) and abs(in_id - row.mos) > 1e-6
    ]
    if differ:
        yield found(
            "error",
            "rows with two scores that differ",
            differ,
            "find out which of the two is right; Beholder uses the column, not the id",
        )
