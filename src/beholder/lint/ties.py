"""Many rows with one and the same number at an end of the scale, as references have in a DMOS."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from beholder.datasets.opinions import Opinion

SHARE: Final = 0.02
LEAST: Final = 5
USUAL: Final = 3
"""So many times as many as share any other number."""


def tied(rows: Sequence[Opinion], end: float) -> list[Opinion]:
    """Return the rows with the number `end` where they are many; none where they are not.

    >>> rows = [Opinion(f"{n}.png", max(0.0, n - 9.0)) for n in range(100)]
    >>> len(tied(rows, 0.0)), len(tied(rows, 90.0))
    (10, 0)
    """
    counts = Counter(row.mos for row in rows)
    shared = counts.pop(end, 0)
    usual = max(counts.values(), default=0)
    if shared < max(LEAST, SHARE * len(rows), USUAL * usual):
        return []
    return [row for row in rows if row.mos == end]
