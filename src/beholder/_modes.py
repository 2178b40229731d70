"""Who may read a file that was written."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def as_new(paths: Iterable[Path]) -> None:
    """Give files the mode that new files have here: safetensors lets their owner alone read them.

    A disk that knows no modes keeps its own.
    """
    mask = os.umask(0o077)
    os.umask(mask)
    for path in paths:
        with suppress(PermissionError):
            path.chmod(0o666 & ~mask)
