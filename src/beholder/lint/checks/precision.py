"""Too few items or scenes for the second decimal of a correlation."""

from collections.abc import Iterator

from beholder._counting import counted
from beholder.datasets.opinions import Opinion
from beholder.lint.case import Case, Finding, found
from beholder.metrics.intervals import bonett_wright

EXPECTED = 0.8
"""The interval is given for a rank correlation of this size."""
WIDE = 0.1
"""A wider 95 % interval cannot tell methods of today apart."""
SCENES = 10


def check(case: Case) -> Iterator[Finding]:
    """Find tests whose interval is wide; tell the others theirs."""
    tests = [
        split for split in case.splits if any(word in split.lower() for word in ("test", "val"))
    ]
    for split in tests or [""]:
        rows = [row for row in case.rated if row.split == split or not tests]
        yield _width(rows, split or "the table")
        scenes = {row.scene for row in rows if row.scene}
        if 0 < len(scenes) < SCENES:
            yield found(
                "warning",
                f"few scenes in {split or 'the table'}",
                sorted(scenes),
                "items of one scene are no independent evidence: the interval by scene is wider",
            )


def _width(rows: list[Opinion], where: str) -> Finding:
    interval = bonett_wright(EXPECTED, len(rows))
    width = interval.high - interval.low
    if not width < 2:
        return found(
            "error",
            f"too few items in {where}",
            [counted(len(rows), "item")],
            "a correlation with an interval needs at least four",
            len(rows),
        )
    told = f"{len(rows)} items: .80 stands for {interval.low:.3f} to {interval.high:.3f}"
    return found(
        "warning" if width > WIDE else "note",
        f"a rank correlation of .80 on {where} has a 95 % interval {width:.2f} wide",
        [told],
        "give the interval with the number; differences inside it are none",
        len(rows),
    )
