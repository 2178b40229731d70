"""Finding what to look at: names on a command line → a stream of items.

Nothing is held but the names of the folders on the way down to the current one. Each kind
of input has one finder below; archives and addresses would be two more.
"""

import glob
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from io import BufferedIOBase
from itertools import chain
from pathlib import Path
from typing import Final, cast

from beholder._counting import counted
from beholder.errors import UsageError
from beholder.media.files import explain
from beholder.media.items import Item, printable
from beholder.media.manifests import read_list, read_manifest
from beholder.media.names import LISTS, hint

__all__ = ["STANDARD_INPUT", "Item", "Skipped", "find"]

STANDARD_INPUT: Final = "-"


@dataclass
class Skipped:
    """What a search passed over; read it when the stream has ended."""

    count: int = 0
    """Files in folders that are neither picture nor clip by name."""


def find(
    inputs: Sequence[str], skipped: Skipped | None = None, *, stdin: BufferedIOBase | None = None
) -> Iterator[Item]:
    """Find the pictures and clips that `inputs` mean, in their order.

    An input is a file, a folder (all below it, sorted by name), a glob pattern (sorted, `**`
    for all folders below), `-` (a list on standard input) or a manifest: `.txt`, `.csv`,
    `.jsonl` or `.parquet` with a `path` column.

    Args:
        inputs: As on the command line.
        skipped: Counts what was passed over, as the stream is read.
        stdin: Where `-` reads from; standard input by default.

    Raises:
        UsageError: at once, when there is no input or one of them does not exist; at the end of
            the stream, when nothing was found.
    """
    if not inputs:
        raise UsageError("no input was given: name files, folders, globs, a manifest or - (a list)")
    sources = [_expand(name) for name in inputs]
    counts = skipped if skipped is not None else Skipped()
    return _stream(inputs, sources, counts, stdin)


def _stream(
    inputs: Sequence[str], sources: list[list[str]], counts: Skipped, stdin: BufferedIOBase | None
) -> Iterator[Item]:
    found = False
    for name in chain.from_iterable(sources):
        for item in _items(name, counts, stdin):
            found = True
            yield item
    if not found:
        what = ", ".join(printable(name) for name in inputs[:3])
        raise UsageError(
            f"no picture or clip was found in {what}"
            f" ({counted(counts.count, 'other file was', 'other files were')} skipped): name a"
            " folder that has some"
        )


def _expand(name: str) -> list[str]:
    """The names that one argument stands for: itself, or what a glob pattern matches.

    Raises:
        UsageError: when there is no such thing.
    """
    if name == STANDARD_INPUT or os.path.lexists(name):
        return [name]
    if glob.has_magic(name):
        matches = sorted(glob.glob(name, recursive=True), key=_by_parts)  # noqa: PTH207  # takes absolute patterns
        if matches:
            return _without_descendants(matches)
        raise UsageError(f"no file matches {printable(name)!r}: check the pattern")
    raise UsageError(f"there is no {printable(name)!r}{_did_you_mean(name)}")


def _by_parts(name: str) -> list[str]:
    return list(Path(name).parts)


def _without_descendants(matches: list[str]) -> list[str]:
    """`**` gives folders and the files in them: keep the files alone."""
    files = [match for match in matches if not os.path.isdir(match)]  # noqa: PTH112  # never raises
    return files or matches


def _did_you_mean(name: str) -> str:
    path = Path(name)
    parent = next((folder for folder in path.parents if os.path.isdir(folder)), Path())  # noqa: PTH112  # never raises
    missing = path.relative_to(parent).parts[0] if path.parts else name
    try:
        near = get_close_matches(missing, [other.name for other in parent.iterdir()], n=1)
    except OSError:
        near = []
    if near:
        return f": did you mean {printable(str(parent / near[0]))!r}?"
    return ": check the name"


def _items(name: str, counts: Skipped, stdin: BufferedIOBase | None) -> Iterator[Item]:
    """Send one argument to the finder for its kind."""
    if name == STANDARD_INPUT:
        return read_list(stdin or cast("BufferedIOBase", sys.stdin.buffer), Path())
    if os.path.isdir(name):  # noqa: PTH112  # never raises
        return _folder(name, counts)
    if Path(name).suffix.lower() in LISTS:
        return read_manifest(Path(name))
    return iter([Item.of(name)])


@dataclass(frozen=True)
class _Level:
    """A folder that is being gone through."""

    folder: str
    real: str
    entries: Iterator[tuple[str, bool]]
    """What is left of its sorted names, and whether each is a folder."""


def _folder(name: str, counts: Skipped) -> Iterator[Item]:
    """All pictures and clips below a folder, sorted; a folder stands among the files by name."""
    try:
        levels = [_level(name)]
    except OSError as error:
        yield _closed(name, error)
        return
    while levels:
        level = levels[-1]
        entry, is_folder = next(level.entries, (None, False))
        if entry is None:
            levels.pop()
            continue
        path = os.path.join(level.folder, entry)  # noqa: PTH118  # keeps the folder as written
        if not is_folder:
            if hint(entry) is None:
                counts.count += 1
            else:
                yield Item.of(path)
            continue
        try:
            levels += _below(path, entry, levels)
        except OSError as error:
            yield _closed(path, error)


def _below(path: str, entry: str, levels: list[_Level]) -> list[_Level]:
    """The folder to go into; none if it is hidden or a link back to one that we are in."""
    real = os.path.realpath(path)
    if entry.startswith(".") or any(level.real == real for level in levels):
        return []
    return [_level(path)]


def _level(folder: str) -> _Level:
    with os.scandir(folder) as scan:
        entries = sorted((entry.name, _is_folder(entry)) for entry in scan)
    return _Level(folder, os.path.realpath(folder), iter(entries))


def _closed(folder: str, error: OSError) -> Item:
    return Item(printable(folder), folder, f"this folder cannot be searched: {explain(error)}")


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
