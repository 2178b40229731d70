"""One file name in two folders: caches and joins that go by name mix them up."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import PurePosixPath

from beholder.lint.case import Case, Finding, found
from beholder.lint.names import tidy
from beholder.media.names import hint


def check(case: Case) -> Iterator[Finding]:
    """Find names that stand for more than one file."""
    paths: dict[str, set[str]] = defaultdict(set)
    for row in case.rows:
        if row.path:
            path = tidy(row.path)
            paths[PurePosixPath(path).name.lower()].add(path)
    shared = {name: sorted(at) for name, at in paths.items() if len(at) > 1}
    clips = {name: at for name, at in shared.items() if hint(name) == "video"}
    for kind, names in (("clips", clips), ("pictures", shared.keys() - clips.keys())):
        if names:
            yield found(
                "warning" if kind == "clips" else "note",
                f"names that several {kind} share",
                [" and ".join(shared[name][:2]) for name in sorted(names)],
                "keep the folder in every path; a tool that caches or joins by name alone gives"
                " one the score of the other",
            )
