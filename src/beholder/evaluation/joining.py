"""Which row of one table is which row of another: by path, by a stated rule.

In this order, each step for what the steps before left over:

1. `exact`: the same path; `./`, `//` and the slashes of Windows do not count. Whether a table has
   the paths of Windows is decided once, for all of its paths.
2. `root`: the same path once both are taken relative to the root.
3. `suffix`: one path ends with all parts of the other.
4. `name`: the same file name.

Steps 2 to 4 count only where one path of each table could be meant, among all paths of it.
"""

import os
import posixpath
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

RULES: Final[Mapping[str, str]] = {
    "exact": "the same path",
    "root": "the same path relative to the root",
    "suffix": "one path ends with the whole of the other, and no other does",
    "name": "the same file name, and no other file has it",
}
"""The steps in their order, and what each asks."""

_DRIVE: Final = re.compile(r"[A-Za-z]:[\\/]")
_NO_BYTE: Final = re.compile(r"\\(?!x[89a-f][0-9a-f])")
_NO_ESCAPE: Final = re.compile(r"\\(?!x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|[nrt])")
"""Backslashes that `media.items.printable` did not write for what cannot be shown."""


@dataclass(frozen=True)
class Match:
    """Two rows that are about the same file, and which step found it."""

    opinion: int
    score: int
    rule: str


@dataclass(frozen=True)
class Join:
    """Every row of both tables once: matched or left over. Numbers are places in the input."""

    matches: tuple[Match, ...]
    """In the order of the opinions."""
    opinions_left: tuple[int, ...]
    scores_left: tuple[int, ...]
    ambiguous: tuple[int, ...]
    """Those of `opinions_left` for which more than one score could be meant."""


def plain_paths(paths: Sequence[str]) -> list[str]:
    r"""Return the paths of one table with forward slashes and without `.` and doubled slashes.

    Names in which Beholder wrote a byte as `\xe9` keep their backslash, unless the table has the
    paths of Windows.

    >>> plain_paths(["./a//b.png", r"a/caf\xe9.png"]), plain_paths([r"set\n1\b.png"])
    (['a/b.png', 'a/caf\\xe9.png'], ['set/n1/b.png'])
    """
    if _of_windows(paths):
        paths = [path.replace("\\", "/") for path in paths]
    return [posixpath.normpath(path) if path else "" for path in paths]


def _of_windows(paths: Sequence[str]) -> bool:
    """Say whether every backslash of a table is a separator.

    So it is where a drive is named, and where a backslash is no escape. Without any `/` only bytes
    of names that are no UTF-8 are taken for escapes: `\\n1` and `\\x41` are parts of a path there.
    """
    if any(_DRIVE.match(path) for path in paths):
        return True
    odd = _NO_ESCAPE if any("/" in path for path in paths) else _NO_BYTE
    return any(odd.search(path) for path in paths)


def join(opinions: Sequence[str], scores: Sequence[str], root: Path | None = None) -> Join:
    """Match distinct paths of an opinion table with distinct paths of a score table.

    Relative paths of the opinion table are meant below `root`, those of the score table below the
    current folder.

    >>> found = join(["a/1.png", "2.png", "3.png"], ["a/1.png", "b/2.png", "c/3.png", "d/3.png"])
    >>> [(match.opinion, match.score, match.rule) for match in found.matches], found.ambiguous
    ([(0, 0, 'exact'), (1, 1, 'suffix')], (2,))
    """
    return join_plain(plain_paths(opinions), plain_paths(scores), root)


def join_plain(left: Sequence[str], right: Sequence[str], root: Path | None = None) -> Join:
    """Match paths as `join` does, once they are plain: parts of tables, for example."""
    steps: dict[str, Callable[[], _Candidates]] = {"exact": lambda: _by_key(left, right)}
    if root is not None:
        (base,) = plain_paths([os.path.abspath(root)])  # noqa: PTH100 - links are left as they are
        steps["root"] = lambda: _by_key(
            [_below(base, path) for path in left],
            [_below(base, path, from_here=True) for path in right],
        )
    steps["suffix"] = lambda: _by_suffix(left, right)
    steps["name"] = lambda: _by_key(_names(left), _names(right))
    return _matched(steps, len(left), len(right))


@dataclass(frozen=True)
class _Candidates:
    """For each row of either table, the rows of the other that it could be."""

    of_opinion: Callable[[int], Sequence[int]]
    of_score: Callable[[int], Sequence[int]]


def _names(paths: Sequence[str]) -> list[str]:
    return [posixpath.basename(path) for path in paths]


def _matched(steps: Mapping[str, Callable[[], _Candidates]], opinions: int, scores: int) -> Join:
    found: dict[int, Match] = {}
    taken: set[int] = set()
    ambiguous: set[int] = set()
    for rule, prepare in steps.items():
        if len(found) == opinions:
            break
        candidates = prepare()
        for opinion in range(opinions):
            there = candidates.of_opinion(opinion)
            if opinion in found or not there:
                continue
            if len(there) > 1 or len(candidates.of_score(there[0])) > 1:
                ambiguous.add(opinion)
            elif there[0] not in taken:
                found[opinion] = Match(opinion, there[0], rule)
                taken.add(there[0])
    left = tuple(number for number in range(opinions) if number not in found)
    return Join(
        matches=tuple(found[number] for number in sorted(found)),
        opinions_left=left,
        scores_left=tuple(number for number in range(scores) if number not in taken),
        ambiguous=tuple(number for number in left if number in ambiguous),
    )


def _by_key(left: Sequence[str], right: Sequence[str]) -> _Candidates:
    places = [_places((key, number) for number, key in enumerate(side)) for side in (left, right)]
    return _Candidates(
        lambda opinion: places[1].get(left[opinion], ()),
        lambda score: places[0].get(right[score], ()),
    )


def _by_suffix(left: Sequence[str], right: Sequence[str]) -> _Candidates:
    whole = [_places((path, number) for number, path in enumerate(side)) for side in (left, right)]
    ends = [
        _places((end, number) for number, path in enumerate(side) for end in _ends(path))
        for side in (left, right)
    ]

    def candidates(path: str, other: int) -> Sequence[int]:
        longer = ends[other].get(path, [])
        shorter = [number for end in _ends(path) for number in whole[other].get(end, [])]
        return [*longer, *shorter, *whole[other].get(path, [])]

    return _Candidates(
        lambda opinion: candidates(left[opinion], 1), lambda score: candidates(right[score], 0)
    )


def _ends(path: str) -> Iterable[str]:
    """Return every shorter path that a path ends with: `b/c` and `c` for `a/b/c`."""
    parts = path.split("/")
    return ["/".join(parts[start:]) for start in range(1, len(parts))]


def _places(pairs: Iterable[tuple[str, int]]) -> Mapping[str, list[int]]:
    places: dict[str, list[int]] = defaultdict(list)
    for key, number in pairs:
        places[key].append(number)
    return dict(places)


def _below(base: str, path: str, *, from_here: bool = False) -> str:
    """Return a path relative to `base` where it is below it; as it is where it is not."""
    whole = os.path.abspath(path).replace(os.sep, "/") if from_here else path  # noqa: PTH100
    prefix = base.rstrip("/") + "/"
    return whole.removeprefix(prefix) if whole.startswith(prefix) else path
