"""The folder of a run: whose it is, how far it is, and what may be done to it.

`training.json` says what the run was told. The same settings go on with it; others are refused.
"""

import json
import os
import tempfile
from pathlib import Path
from typing import Any, Final

from beholder.errors import TableError, UsageError
from beholder.training.config import Config
from beholder.training.mixture import PARTED, RECORD
from beholder.training.settings import differences, plain

TOLD: Final = "training.json"
METRICS: Final = "metrics.json"
CARD: Final = "README.md"
CURVE: Final = "curve.svg"
CHECKPOINTS: Final = "checkpoints"
KEPT_BACK: Final = (f"{CHECKPOINTS}/*", PARTED, TOLD, ".*", "*.part")
"""What is not uploaded: the states of the run, and which pictures people rated how."""


def claim(folder: Path, config: Config, model: Path | None = None) -> bool:
    """Make the folder of a run ready; true where a run of the same settings goes on in it.

    A run that left no checkpoint has nothing to lose and is begun anew.

    Raises:
        UsageError: when it cannot be written, holds something else or a run of other settings, or
            is the model itself.
    """
    if model and model.resolve() == folder.resolve():
        raise UsageError(f"--out {folder} is the model itself, which would be written over")
    _try(folder)
    path = folder / TOLD
    if not path.is_file():
        others = sorted(each.name for each in folder.iterdir())
        if others:
            raise UsageError(
                f"--out {folder} holds other files ({', '.join(others[:3])} …): name a new folder"
            )
        return False
    if not (finished(folder) or any((folder / CHECKPOINTS).glob("checkpoint-*"))):
        return False
    told = _read(path)
    changed = differences(told.get("config", {}), plain(config))
    if changed:
        raise UsageError(
            f"--out {folder} holds a run of other settings: {'; '.join(changed)}. Give the same"
            " settings to go on, or another folder"
        )
    return (folder / RECORD).is_file()


def begin(folder: Path, config: Config, version: str) -> None:
    """Write down what the run is told; what an earlier one left of its data is taken away first."""
    (folder / RECORD).unlink(missing_ok=True)
    record = {"format": 1, "beholder": version, "config": plain(config)}
    write(folder / TOLD, json.dumps(record, indent=2, ensure_ascii=False) + "\n")


def finished(folder: Path) -> bool:
    """Say whether everything that comes out is there."""
    return (folder / METRICS).is_file() and (folder / CARD).is_file()


def ready(folder: Path, config: Config) -> bool:
    """Say whether the first of several processes has written down the data of this very run."""
    if not (folder / TOLD).is_file() or _read(folder / TOLD).get("config") != plain(config):
        return False
    return (folder / RECORD).is_file()


def write(path: Path, text: str) -> None:
    """Write a file beside its place and put it there when it is whole.

    Raises:
        TableError: when the disk does not take it.
    """
    beside = path.with_name(f"{path.name}.part")
    try:
        with beside.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise TableError(f"{path} cannot be written: {error.strerror or error}") from error


def _try(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = error.strerror or error
        raise UsageError(f"--out {folder} cannot be written: {reason}; name another") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is damaged ({error}): begin anew in another folder") from error
    if not isinstance(found, dict) or found.get("format") != 1:
        raise UsageError(f"{path} is of another format than 1: begin anew in another folder")
    return found
