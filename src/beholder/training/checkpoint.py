"""Checkpoints: written aside and then put in place, so that one in place is always whole.

A checkpoint is a folder `checkpoint-STEP`. What it holds is the trainer's business.
"""

import errno
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from safetensors import SafetensorError

from beholder._modes import as_new
from beholder.errors import ModelError, UsageError
from beholder.training.settings import differences

ASIDE: Final = ".aside"
"""Beginning of the name of a folder that is being written."""
ABOUT: Final = "run.json"
"""What a run was told; it stands beside its checkpoints."""
_WHOLE: Final = re.compile(r"checkpoint-(\d+)")
_FAILURES: Final = (OSError, SafetensorError, RuntimeError)
"""What the writers of tensors raise when a disk is full."""


def steps(folder: Path) -> list[int]:
    """Return the steps of the whole checkpoints in a folder, in order."""
    if not folder.is_dir():
        return []
    found = (_WHOLE.fullmatch(path.name) for path in folder.iterdir())
    return sorted(int(match[1]) for match in found if match)


def at(folder: Path, step: int) -> Path:
    """Return where the checkpoint of a step is."""
    return folder / f"checkpoint-{step}"


def claim(folder: Path, about: Mapping[str, Any]) -> None:
    """Make a folder that of one run, and clear what was left half written.

    `about` is plain JSON: what the run was told.

    Raises:
        UsageError: when it holds checkpoints of a run that was told something else.
        ModelError: when nothing can be written there.
    """
    path = folder / ABOUT
    if steps(folder) and path.is_file():
        differing = differences(json.loads(path.read_text(encoding="utf-8")), dict(about))
        if differing:
            raise UsageError(
                f"{folder} holds checkpoints of another run: {'; '.join(differing)}. Go on with "
                "what it had, name another folder, or delete it"
            )
    with _told(folder, "the folder of checkpoints cannot be made"):
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(f"{ASIDE}*"):
            shutil.rmtree(left)
        path.write_text(json.dumps(about, indent=1), encoding="utf-8")


def check_room(folder: Path, needed: int) -> None:
    """Tell before the first step that checkpoints will not fit.

    Raises:
        ModelError: when less than `needed` bytes are free.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ModelError(
            f"{folder} has {_gigabytes(free)} free and one checkpoint takes about "
            f"{_gigabytes(needed)}: make room, or name a folder on another disk"
        )


@contextmanager
def written(folder: Path, step: int) -> Iterator[Path]:
    """Give a folder to write a checkpoint into, and put it in place when all of it is on the disk.

    Raises:
        ModelError: when it could not be written, a full disk most of all; what was written is
            taken away, and earlier checkpoints stay.
    """
    aside = folder / f"{ASIDE}-{step}"
    with _told(folder, f"the checkpoint of step {step} could not be saved"):
        try:
            aside.mkdir(exist_ok=True)
            yield aside
            place(aside, at(folder, step))
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise


def place(aside: Path, target: Path) -> None:
    """Put a folder in place once all of it is on the disk; one that was there is replaced."""
    inside = sorted(aside.rglob("*"))
    as_new(path for path in inside if path.is_file())
    for path in inside:
        _sync(path)
    _sync(aside)
    if target.exists():
        shutil.rmtree(target)
    aside.rename(target)
    _sync(target.parent)


def rotate(folder: Path, most: int, kept: Sequence[int] = ()) -> None:
    """Delete the oldest checkpoints but for `most`, and for those of the `kept` steps."""
    for step in steps(folder)[: -max(most, 1)]:
        if step not in kept:
            shutil.rmtree(at(folder, step), ignore_errors=True)


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextmanager
def _told(folder: Path, what: str) -> Iterator[None]:
    try:
        yield
    except _FAILURES as error:
        whole = steps(folder)
        left = (
            f"; that of step {whole[-1]} is whole, the same call goes on from it" if whole else ""
        )
        raise ModelError(f"{what} in {folder}: {_why(folder, error)}{left}") from error


def _why(folder: Path, error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
    if full or "No space left" in str(error):
        free = shutil.disk_usage(folder).free if folder.is_dir() else 0
        return f"the disk is full ({_gigabytes(free)} free): make room"
    return lines[0]


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.2f} GB"
