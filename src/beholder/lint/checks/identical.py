"""Files with the same bytes under different names."""

from collections import defaultdict
from collections.abc import Iterator

from beholder.datasets.opinions import Opinion
from beholder.lint.case import Case, Finding, found


def check(case: Case) -> Iterator[Finding]:
    """Find files that are the same, byte for byte."""
    groups = _groups(case)
    leaked = [_names(rows) for rows in groups if len({row.split for row in rows}) > 1]
    if leaked:
        yield found(
            "error",
            "groups of identical files in more than one split",
            leaked,
            "keep each group in one split; what was trained on measures nothing",
        )
    within = [rows for rows in groups if len({row.split for row in rows}) == 1]
    differ = [rows for rows in within if len({row.mos for row in rows}) > 1]
    if differ:
        yield found(
            "warning",
            "groups of identical files with opinions that differ",
            [f"{_names(rows)}: {', '.join(f'{row.mos:g}' for row in rows)}" for rows in differ],
            "look at them: a file was copied in place of another, or one picture was rated twice",
        )
    same = [_names(rows) for rows in within if len({row.mos for row in rows}) == 1]
    if same:
        yield found(
            "note", "groups of identical files with one opinion", same, "keep one of each group"
        )


def _groups(case: Case) -> list[list[Opinion]]:
    """Rows with different paths whose files have the same bytes."""
    groups: dict[str, dict[str, Opinion]] = defaultdict(dict)
    for row in case.rows:
        look = case.looks.get(row.path)
        if look and look.digest:
            groups[look.digest].setdefault(row.path, row)
    return [list(rows.values()) for rows in groups.values() if len(rows) > 1]


def _names(rows: list[Opinion]) -> str:
    shown = [f"{row.path} ({row.split})" if row.split else row.path for row in rows[:3]]
    more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
    return " = ".join(shown) + more
