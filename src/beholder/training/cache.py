"""Opened lessons, kept on the disk from one epoch to the next.

What a learner sees of a picture depends on neither question nor epoch, so it is prepared once, by
whichever process comes to it first, and read back by memory map. A file that could not be written
or is gone costs time and nothing else.
"""

import hashlib
import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import torch

from beholder.errors import UsageError
from beholder.scorers.base import Encoded
from beholder.training.checkpoint import ASIDE

AUTO: Final = "auto"
OFF: Final = "off"


class Cache:
    """Examples in one folder, a file each, up to a number of bytes. What is full stays as it is."""

    def __init__(self, folder: Path, most: int) -> None:
        self.folder = folder
        self.most = most
        self._used = multiprocessing.Value("q", 0)

    def get(self, path: Path, make: Callable[[], Encoded]) -> Encoded:
        """Return the example of a file: the one that was kept, else one that is made now."""
        kept = self.folder / hashlib.sha256(os.fsencode(path)).hexdigest()
        try:
            # Only files of this run are read: `opened` begins with an empty folder of our own.
            found: Encoded = torch.load(kept, mmap=True, weights_only=False)
        except OSError:
            found = make()
            self._put(kept, found)
        return found

    def _put(self, kept: Path, example: Encoded) -> None:
        if self._used.value >= self.most:
            return
        aside = kept.with_suffix(f".{os.getpid()}")
        try:
            torch.save(example, aside)
            if self._fits(aside.stat().st_size):
                aside.replace(kept)
        except (OSError, RuntimeError):  # a full disk
            self._fits(self.most)
        aside.unlink(missing_ok=True)

    def _fits(self, size: int) -> bool:
        with self._used.get_lock():
            self._used.value += size
            return bool(self._used.value <= self.most)


@contextmanager
def opened(stated: str, folder: Path, most: int, room: int = 0) -> Iterator[Cache | None]:
    """Give an empty cache, and delete it afterwards; None where none is wanted.

    `stated` is `auto`, beside the checkpoints in `folder`, where `room` bytes are left to them;
    `off`; or another folder. It takes at most half of what is free.

    Raises:
        UsageError: when nothing can be written there.
    """
    if stated == OFF:
        yield None
        return
    place = folder / f"{ASIDE}-examples"
    if stated != AUTO:
        place, room = Path(stated) / f"beholder-{_digest(folder)}", 0
    shutil.rmtree(place, ignore_errors=True)
    try:
        place.mkdir(mode=0o700, exist_ok=True)
        if place.stat().st_uid != os.getuid():
            raise PermissionError(None, f"{place} belongs to somebody else")
        free = shutil.disk_usage(place).free
    except OSError as error:
        raise UsageError(
            f"train.cache is {stated!r}, where nothing can be kept: {error.strerror}; it is 'auto',"
            " 'off', or a folder that is there"
        ) from error
    try:
        yield Cache(place, max(0, min(most, (free - room) // 2)))
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _digest(folder: Path) -> str:
    return hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]
