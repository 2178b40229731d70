"""Scenes on both sides of a split: the pictures differ, what they show does not."""

from collections import defaultdict
from collections.abc import Iterator

from beholder.lint.case import Case, Finding, found
from beholder.lint.names import step_of

MEMBERS = 5
"""A scene that is only guessed from names has at least so many members on average."""


def check(case: Case) -> Iterator[Finding]:
    """Find scenes and references that stand in more than one split."""
    stated = any(row.scene for row in case.rows)
    splits: dict[str, set[str]] = defaultdict(set)
    members = 0
    for row in case.rows:
        step = None if stated else step_of(row.path)
        scene = row.scene or (step.scene if step else "")
        if scene:
            splits[scene].add(row.split)
            members += 1
    if not stated and members < MEMBERS * max(len(splits), 1):
        return
    shared = [f"{scene}: {', '.join(sorted(at))}" for scene, at in splits.items() if len(at) > 1]
    if shared:
        by = "scenes" if stated else "scenes, as the file names tell them,"
        yield found(
            "error" if stated else "warning",
            f"{by} in more than one split",
            shared,
            "split by scene: a model that has seen the scene is not tested on a new one",
        )
