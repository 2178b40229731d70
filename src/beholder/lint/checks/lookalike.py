"""Pictures that look the same: the same shot resaved, resized, or the next of a burst."""

from collections.abc import Iterator

import numpy as np

from beholder.datasets.opinions import Opinion
from beholder.lint import phash
from beholder.lint.case import Case, Finding, found


def check(case: Case) -> Iterator[Finding]:
    """Find near-duplicates across splits; without splits, those that a random one would part."""
    rows = [row for row in _once(case) if case.looks[row.path].hash is not None]
    divided = len(case.splits) > 1
    groups = [row.split if divided else row.scene or row.path for row in rows]
    if len(set(groups)) < 2:
        return
    hashes = np.array([case.looks[row.path].hash for row in rows], dtype=np.uint64)
    codes = np.unique(np.array(groups), return_inverse=True)[1].astype(np.int64)
    index, distance = phash.nearest(hashes, codes)
    near = [
        (row, rows[other])
        for row, other, apart in zip(rows, index, distance, strict=True)
        if apart <= phash.NEAR and not _identical(case, row, rows[other])
    ]
    if near and divided:
        yield found(
            "error" if len(near) > 0.01 * len(rows) else "warning",
            "pictures that look like one of another split",
            _pairs([(f"{a.path} ({a.split})", f"{b.path} ({b.split})") for a, b in near]),
            "look at them; keep pictures of one shot in one split",
            len(near),
        )
    elif near:
        yield found(
            "note",
            "pictures that look like another one",
            _pairs([(a.path, b.path) for a, b in near]),
            "give pictures of one shot a common `scene`, so that splits keep them together",
            len(near),
        )


def _pairs(near: list[tuple[str, str]]) -> list[str]:
    """Name each pair once, whichever of the two came first."""
    unique = {frozenset(pair): pair for pair in reversed(near)}
    return [f"{a} looks like {b}" for a, b in reversed(unique.values())]


def _once(case: Case) -> Iterator[Opinion]:
    """The rows whose files were seen, each path once a split."""
    seen = set()
    for row in case.rows:
        if row.path in case.looks and (row.path, row.split) not in seen:
            seen.add((row.path, row.split))
            yield row


def _identical(case: Case, a: Opinion, b: Opinion) -> bool:
    digest = case.looks[a.path].digest
    return a.path == b.path or bool(digest and digest == case.looks[b.path].digest)
