"""Scores of one distortion that are those of another: a column was filled from the wrong rows."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations

from beholder.lint.case import Case, Finding, found
from beholder.lint.names import step_of

MATCHED = 10
"""Fewer pairs of rows tell nothing."""
SHARE = 0.5
"""Above this share of equal scores one was copied from the other."""
KINDS = 200


def check(case: Case) -> Iterator[Finding]:
    """Find kinds of distortion that share their scores, scene by scene and strength by strength."""
    kinds: dict[str, dict[tuple[str, int], float]] = defaultdict(dict)
    for row in case.rated:
        step = step_of(row.path)
        if step:
            kinds[step.kind][step.scene, step.strength] = row.mos
    if len(kinds) > KINDS:
        return
    for one, other in combinations(sorted(kinds), 2):
        both = sorted(kinds[one].keys() & kinds[other].keys())
        same = [at for at in both if kinds[one][at] == kinds[other][at]]
        if len(both) >= MATCHED and len(same) > SHARE * len(both):
            yield found(
                "error",
                f"{one!r} and {other!r} have the same scores for the same scene and strength",
                [
                    f"{scene}, strength {strength}: {kinds[one][scene, strength]:g}"
                    for scene, strength in same
                ],
                f"{len(same)} of {len(both)} agree exactly: take the scores from the data set's"
                " own table",
            )
