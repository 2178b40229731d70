"""Files that a call names: whether they can be written and read, before anything slow is done."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from beholder.errors import TableError, UsageError


@contextmanager
def reading() -> Iterator[None]:
    """Take an input that cannot be read for what it is: a call that cannot be right.

    Raises:
        UsageError: for every TableError inside, in the same words.
    """
    try:
        yield
    except TableError as error:
        raise UsageError(str(error)) from error


def check(asked: Mapping[str, Path | None]) -> None:
    """Refuse places that cannot be written; nothing is made. Option → file.

    Raises:
        UsageError: when a file or its folder cannot be written.
    """
    for option, path in asked.items():
        if path is not None and (reason := _why_not(path)):
            raise UsageError(f"{option} {path} cannot be written: {reason}; name another place")


def check_page(report: Path | None) -> None:
    """Refuse a place of `--report` that no page can have; nothing is made.

    Raises:
        UsageError: when it does not end in .html, or cannot be written.
    """
    if report and report.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"--report {report} must end in .html")
    check({"--report": report})


def _why_not(path: Path) -> str:
    try:
        return _refused(path)
    except OSError as error:
        return error.strerror or str(error)


def _refused(path: Path) -> str:
    if path.is_dir():
        return "it is a folder"
    folder = path.absolute().parent
    while not folder.exists():
        folder = folder.parent
    if not folder.is_dir():
        return f"{folder} is no folder"
    return "" if os.access(folder, os.W_OK | os.X_OK) else f"{folder} may not be written to"
