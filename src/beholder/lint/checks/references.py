"""References among the rated items: easy points that raise every correlation."""

from collections import Counter
from collections.abc import Iterator

from beholder.lint.case import Case, Finding, found
from beholder.lint.names import references

TIES = 0.02


def check(case: Case) -> Iterator[Finding]:
    """Find references: by name, or by a best score that many rows of a DMOS share."""
    rows = case.rated
    named = [row.path for row in references(rows)]
    best = max((row.mos for row in rows), key=case.table.agreement, default=0.0)
    tied = [row.path for row in rows if row.mos == best]
    usual = max(
        (n for mos, n in Counter(row.mos for row in rows).items() if mos != best), default=0
    )
    if case.table.higher_is_better or len(tied) < max(5, TIES * len(rows), 3 * usual):
        tied = []
    where = max(named, tied, key=len)
    if where:
        yield found(
            "warning",
            "references among the rated items",
            where,
            "say whether they count; published numbers mostly leave them out, and with them in,"
            " correlations are higher",
        )
