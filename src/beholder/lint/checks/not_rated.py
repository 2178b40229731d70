"""Files that come with a benchmark and are not part of it, and lists of an unknown length."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from beholder._counting import counted
from beholder.lint.case import Case, Finding, found


def check(case: Case) -> Iterator[Finding]:
    """Find rows that the benchmark does not count, and a number of rows that nobody published."""
    card = case.card
    if card is None:
        return
    pattern = card.not_rated
    extra = [
        row.path
        for row in case.rows
        if pattern and re.search(pattern, PurePosixPath(row.path).name, re.IGNORECASE)
    ]
    if extra:
        yield found(
            "warning",
            f"files that come with {card.title} and are not part of it",
            extra,
            "take them out: they were shown to teach the raters",
        )
    count = len(case.rows) - len(extra)
    known = {"all": card.items, **card.sizes}
    if card.items and count not in known.values() and len(case.rows) not in known.values():
        lists = ", ".join(f"{name} {size}" for name, size in known.items())
        yield found(
            "warning" if count > card.items else "note",
            f"the number of rows is none that is known for {card.title}",
            [f"{counted(count, 'row')}; known: {lists}"],
            "say which rows were left out or added when you report on it",
            abs(count - card.items),
        )
