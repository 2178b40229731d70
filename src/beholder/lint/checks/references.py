"""References among the rated items: easy points that raise every correlation."""

from collections.abc import Iterator

from beholder.lint.case import Case, Finding, found
from beholder.lint.names import references
from beholder.lint.ties import tied


def check(case: Case) -> Iterator[Finding]:
    """Find references: by name, or by a best score that many rows of a DMOS share."""
    rows = case.rated
    best = max((row.mos for row in rows), key=case.table.agreement, default=0.0)
    undistorted = [] if case.table.higher_is_better else tied(rows, best)
    where = [row.path for row in max(references(rows), undistorted, key=len)]
    if where:
        yield found(
            "warning",
            "references among the rated items",
            where,
            "say whether they count; published numbers mostly leave them out, and with them in,"
            " correlations are higher",
        )
