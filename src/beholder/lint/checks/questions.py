"""Two questions run into one: a comma was missing in the list they were drawn from."""

from collections.abc import Iterator

from beholder.lint.case import Case, Finding, found


def check(case: Case) -> Iterator[Finding]:
    """Find questions of more than one line."""
    fused = [
        f"{row.path}: {' | '.join(row.question.splitlines())}"
        for row in case.rows
        if len(row.question.splitlines()) > 1
    ]
    if fused:
        yield found(
            "warning",
            "questions that are two in one",
            fused,
            "ask one of them; the model is taught to expect two pictures and sees one",
        )
