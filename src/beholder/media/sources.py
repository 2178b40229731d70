"""Finding what to look at: names on a command line → a stream of items.

Nothing is held but one folder's names at a time. Each kind of input has one finder below;
archives and addresses would be two more.
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
            f" ({counts.count} other files were skipped): name a folder that has some"
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
    files = [match for match in matches if not Path(match).is_dir()]
    return files or matches


def _did_you_mean(name: str) -> str:
    path = Path(name)
    parent = next((folder for folder in path.parents if folder.is_dir()), Path())
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
    path = Path(name)
    if path.is_dir():
        return _folder(name, counts)
    if path.suffix.lower() in LISTS:
        return read_manifest(path)
    return iter([Item.of(name)])


def _folder(name: str, counts: Skipped) -> Iterator[Item]:
    """All pictures and clips below a folder, sorted; folders count among their files' names."""
    seen = frozenset([os.path.realpath(name)])
    return _below(name, seen, counts)


def _below(folder: str, seen: frozenset[str], counts: Skipped) -> Iterator[Item]:
    try:
        with os.scandir(folder) as scan:
            entries = sorted((entry.name, _is_folder(entry)) for entry in scan)
    except OSError as error:
        yield Item(printable(folder), folder, f"this folder cannot be searched: {explain(error)}")
        return
    for name, is_folder in entries:
        path = os.path.join(folder, name)  # noqa: PTH118  # keeps the folder as it was written
        if is_folder:
            yield from _deeper(path, seen, counts)
        elif hint(name) is None:
            counts.count += 1
        else:
            yield Item.of(path)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _deeper(path: str, seen: frozenset[str], counts: Skipped) -> Iterator[Item]:
    """Go into a folder, unless it is hidden or a link back to one that we are in."""
    real = os.path.realpath(path)
    if Path(path).name.startswith(".") or real in seen:
        return
    yield from _below(path, seen | {real}, counts)
