"""What file names tell: series of growing distortion, references, one name in two folders."""

import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from beholder.datasets.opinions import Opinion

_BREAK: Final = re.compile(r"[._-]")
_REFERENCE: Final = re.compile(
    r"(^|[/._-])(refs?|refimgs?|references?|pristine|originals?|undistorted|hidden_?ref)"
    r"([/._-]|$)",
    re.IGNORECASE,
)
STRENGTHS: Final = 20
"""No series has more steps."""


@dataclass(frozen=True)
class Step:
    """A name such as `I01_05_3`: scene, kind of distortion, strength."""

    scene: str
    kind: str
    strength: int


def step_of(path: str) -> Step | None:
    """Read a name of three parts or more that ends in a small number; None for others.

    >>> step_of("csiq/awgn/1600.AWGN.3.png")
    Step(scene='1600', kind='awgn', strength=3)
    >>> step_of("10004473376.jpg"), step_of("clip_2021_11.mp4").strength
    (None, 11)
    """
    parts = _BREAK.split(PurePosixPath(path).stem.lower())
    *scene, kind, last = parts if len(parts) > 2 else ("", "", "")
    if not (last.isdigit() and len(last) <= 2 and int(last) <= STRENGTHS and kind):
        return None
    return Step("_".join(scene), kind, int(last))


def series(rows: Iterable[Opinion]) -> Mapping[tuple[str, str, str], dict[int, Opinion]]:
    """Group rows by folder, scene and kind: strength → row, for series of three steps or more."""
    groups: dict[tuple[str, str, str], dict[int, Opinion]] = defaultdict(dict)
    for row in rows:
        step = step_of(row.path)
        if step:
            folder = posixpath.dirname(row.path)
            groups[folder, step.scene, step.kind].setdefault(step.strength, row)
    return {key: steps for key, steps in groups.items() if len(steps) >= 3}


def references(rows: Sequence[Opinion]) -> list[Opinion]:
    """Return the rows whose name says reference, or is that of a scene of three rows or more.

    Where most rows would be references, the name means something else and none is.

    >>> rows = [Opinion("refimgs/bikes.bmp", 0.0), *(Opinion(f"{n}.bmp", 9.0) for n in range(4))]
    >>> [row.path for row in references(rows)]
    ['refimgs/bikes.bmp']
    """
    members = Counter(row.scene for row in rows)
    chosen = [
        row
        for row in rows
        if _REFERENCE.search(row.path)
        or (members[row.scene] >= 3 and _stem(row.path) == _stem(row.scene) != "")
    ]
    return chosen if len(chosen) < len(rows) / 2 else []


def _stem(path: str) -> str:
    return PurePosixPath(path).stem.lower()


def tidy(path: str) -> str:
    """Return a path in one style, so that `./a.png` and `a.png` are the same.

    >>> tidy(".\\\\b\\\\a.png") == tidy("b//a.png")
    True
    """
    return posixpath.normpath(path.replace("\\", "/"))
