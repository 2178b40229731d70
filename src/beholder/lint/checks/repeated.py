"""One path in several rows: leaks across splits, and opinions that contradict each other."""

from collections import defaultdict
from collections.abc import Iterator

from beholder.datasets.opinions import Opinion
from beholder.lint.case import Case, Finding, found
from beholder.lint.names import tidy


def check(case: Case) -> Iterator[Finding]:
    """Find paths that stand more than once."""
    by_path: dict[str, list[Opinion]] = defaultdict(list)
    for row in case.rows:
        if row.path:
            by_path[tidy(row.path)].append(row)
    several = {path: rows for path, rows in by_path.items() if len(rows) > 1}
    leaked = [
        f"{path}: {', '.join(splits)}"
        for path, rows in several.items()
        if len(splits := dict.fromkeys(row.split for row in rows)) > 1
    ]
    if leaked:
        yield found(
            "error",
            "paths in more than one split",
            leaked,
            "take them out of all but one split; what was trained on measures nothing",
        )
    differ = {
        path: opinions for path, rows in several.items() if len(opinions := _opinions(rows)) > 1
    }
    if differ:
        yield found(
            "error",
            "paths with opinions that differ",
            [
                f"{path}: {', '.join(f'{o:g}' for o in opinions)}"
                for path, opinions in differ.items()
            ],
            "find out which is right: two releases or two scales are mixed",
        )
    rest = [
        f"{path}: {len(rows)} rows"
        for path, rows in several.items()
        if path not in differ and len({row.split for row in rows}) == 1
    ]
    if rest:
        yield found(
            "warning",
            "paths that stand more than once",
            rest,
            "keep one row of each: they weigh double",
        )


def _opinions(rows: list[Opinion]) -> list[float]:
    """The opinions of one path that differ."""
    return sorted({row.mos for row in rows if row.mos == row.mos})
