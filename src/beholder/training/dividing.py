"""Which rows are learnt from, which choose the best checkpoint, which are measured at the end.

Pictures of one scene stay together, and so do pictures that look alike: a part that shares scenes
with another measures memory.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from beholder._counting import counted
from beholder.datasets.opinions import Opinion
from beholder.errors import TableError
from beholder.lint import phash
from beholder.lint.case import Look
from beholder.lint.checks.scenes import MEMBERS
from beholder.lint.names import step_of
from beholder.training.config import Split
from beholder.training.sets import PARTS, Set

LEAST: Final = 4
"""A correlation with an interval needs so many rows."""
MANY: Final = 20_000
"""Larger sets are not searched for look-alikes before they are divided; lint still looks."""


@dataclass(frozen=True)
class Divided:
    """A set whose every row has a part."""

    set: Set
    notes: tuple[str, ...] = ()
    """How it was divided."""

    def count(self, part: str) -> int:
        """Return how many rows a part has."""
        return sum(row.split == part for row in self.set.table.rows)


def divide(found: Set, split: Split, looks: Mapping[str, Look], seed: Sequence[int]) -> Divided:
    """Give every row of a set its part; stated ones stay. `looks` go by file.

    Raises:
        TableError: when a part that is needed would be empty or too small.
    """
    rows = found.table.rows
    scenes = [scene or row.path for scene, row in zip(scenes_of(rows), rows, strict=True)]
    files = [str(file) for file in found.files]
    groups, alike = _with_look_alikes(scenes, files, looks)
    stated = any(row.split for row in rows)
    parts = _drawn(rows, groups, split, seed, stated=stated)
    rows = tuple(replace(row, split=part) for row, part in zip(rows, parts, strict=True))
    made = replace(found, table=replace(found.table, rows=rows))
    by = "as stated" if stated else "drawn by scene" if any(scenes_of(rows)) else "drawn by row"
    return check(Divided(made, told(rows, by, alike)))


def check(found: Divided) -> Divided:
    """Return it, unless a part is too small.

    Raises:
        TableError: for a part with too few rows.
    """
    name, least = found.set.name, {"train": 2, "validation": LEAST}
    if found.count("test"):
        least["test"] = LEAST
    for part, needed in least.items():
        if (count := found.count(part)) < needed:
            rows = len(found.set.table)
            held = counted(count, "row") if count else "no row"
            raise TableError(
                f"{name}: the {part} part has {held} of {rows}; it needs at least {needed}:"
                " give more rows or scenes, or state a split with larger parts"
            )
    return found


def scenes_of(rows: Sequence[Opinion]) -> list[str]:
    """Return the scene of each row: the stated one, or what its name tells; empty where unknown."""
    if any(row.scene for row in rows):
        return [row.scene for row in rows]
    steps = [step_of(row.path) for row in rows]
    known = [step.scene for step in steps if step]
    if len(known) < MEMBERS * max(len(set(known)), 1):
        return [""] * len(rows)
    return [step.scene if step else "" for step in steps]


def _with_look_alikes(
    groups: Sequence[str], files: Sequence[str], looks: Mapping[str, Look]
) -> tuple[list[str], int]:
    """Join groups that share a file or a look; return them, and how many were joined.

    Where that would join more than half of the rows nothing is joined: the pictures are all alike.
    """
    seen = [n for n, file in enumerate(files) if file in looks and looks[file].hash is not None]
    joined = list(groups)
    if len(seen) < 2 or len(seen) > MANY:
        return joined, 0
    hashes = np.array([looks[files[n]].hash for n in seen], dtype=np.uint64)
    while True:
        codes = np.unique([joined[n] for n in seen], return_inverse=True)[1].astype(np.int64)
        nearest, apart = phash.nearest(hashes, codes)
        pairs = [(n, seen[at]) for n, at, far in zip(seen, nearest, apart, strict=True)
                 if far <= phash.NEAR]  # fmt: skip
        if not pairs:
            break
        joined = _joined(joined, pairs)
    if max(Counter(joined).values()) > len(joined) / 2 > max(Counter(groups).values()):
        return list(groups), 0
    return joined, len(set(groups)) - len(set(joined))


def _joined(groups: Sequence[str], pairs: Sequence[tuple[int, int]]) -> list[str]:
    """Give the groups of each pair one name (union-find)."""
    parent = {group: group for group in groups}

    def root(group: str) -> str:
        while parent[group] != group:
            parent[group] = group = parent[parent[group]]
        return group

    for one, other in pairs:
        first, second = sorted((root(groups[one]), root(groups[other])))
        parent[second] = first
    return [root(group) for group in groups]


def _drawn(
    rows: Sequence[Opinion],
    groups: Sequence[str],
    split: Split,
    seed: Sequence[int],
    *,
    stated: bool,
) -> list[str]:
    """Return the part of each row; what is missing is drawn, group by group."""
    parts = [row.split or "train" for row in rows]
    wanted = {"validation": split.validation} if stated else vars(split)
    sizes = Counter(group for group, part in zip(groups, parts, strict=True) if part == "train")
    order = np.random.default_rng(list(seed)).permutation(sorted(sizes)).tolist()
    rest = sum(sizes.values())
    for part in ("test", "validation"):
        share = wanted.get(part, 0.0)
        if part in parts or not share:
            continue
        target, taken = max(LEAST, round(share * rest)), set[str]()
        while order and sum(sizes[group] for group in taken) < target:
            taken.add(order.pop())
        parts = [part if each == "train" and group in taken else each
                 for each, group in zip(parts, groups, strict=True)]  # fmt: skip
    return parts


def told(rows: Sequence[Opinion], by: str, alike: int = 0) -> tuple[str, ...]:
    """Say how many rows each part has and how they came there."""
    counts = Counter(row.split for row in rows)
    parts = ", ".join(f"{counts[part]} {part}" for part in PARTS if counts[part])
    notes = [f"{parts} ({by})"]
    if alike:
        stay = "look-alike stays with its like", "look-alikes stay with their like"
        notes.append(counted(alike, *stay))
    if not counts["test"]:
        notes.append("there is no test part, so none is measured at the end")
    return tuple(notes)
