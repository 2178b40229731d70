"""A look at every file: is it there, does it open, what does it look like. In threads."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

import numpy as np

from beholder.datasets.opinions import locate
from beholder.errors import MediaError
from beholder.lint import phash
from beholder.lint.case import Look
from beholder.media.reading import thumbnail

PREVIEW: Final = 64
"""Longest side in pixels of what is hashed."""
_AHEAD: Final = 64
"""Files under way at once: memory is bounded by it."""

Given = TypeVar("Given")
Got = TypeVar("Got")


def look_at(
    paths: Sequence[str],
    folders: Sequence[Path],
    workers: int,
    tick: Callable[[], None] = lambda: None,
) -> dict[str, Look]:
    """Look at each file once; `tick` is called after each.

    Bytes are hashed only where two files have the same size, so most are read once.
    """
    unique = list(dict.fromkeys(path for path in paths if path))
    with ThreadPoolExecutor(workers) as pool:
        looks = {}
        places = [locate(path, folders) for path in unique]
        for path, look in zip(unique, _in_order(pool, _look, places), strict=True):
            looks[path] = look
            tick()
        sizes = Counter(look.size for look in looks.values() if look.size)
        same = [path for path in unique if sizes[looks[path].size] > 1]
        digests = _in_order(pool, _digest, [looks[path].file for path in same])
        for path, digest in zip(same, digests, strict=True):
            looks[path] = replace(looks[path], digest=digest)
    return looks


def _look(file: Path) -> Look:
    if not file.is_file():
        return Look(file, missing=True, error="there is no such file")
    size = file.stat().st_size
    try:
        picture = np.asarray(thumbnail(file, PREVIEW))
    except MediaError as error:
        return Look(file, str(error), size=size)
    return Look(file, size=size, hash=phash.of(picture))


def _digest(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError:
        return ""


def _in_order(
    pool: ThreadPoolExecutor, work: Callable[[Given], Got], things: Sequence[Given]
) -> Iterator[Got]:
    """Work on a few things ahead; give results in their order."""
    rest = iter(things)
    waiting = [pool.submit(work, thing) for thing in islice(rest, _AHEAD)]
    while waiting:
        yield waiting.pop(0).result()
        waiting.extend(pool.submit(work, thing) for thing in islice(rest, 1))
