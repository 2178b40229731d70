"""Opening a file by name without ever waiting for it: only regular files are read."""

import errno
import os
import stat
from io import BufferedIOBase
from os import PathLike
from typing import Final

from beholder.errors import MediaError

_ADVICE: Final = {
    errno.ENOENT: "there is no such file: check the name",
    errno.ENOTDIR: "there is no such file (a part of its path is not a folder): check the name",
    errno.EACCES: "reading it is not permitted: change its permissions or run as its owner",
    errno.EPERM: "reading it is not permitted: change its permissions or run as its owner",
    errno.ELOOP: "it is a symbolic link that leads back to itself: repair or remove the link",
    errno.EISDIR: "it is a folder, not a file: give the folder on the command line to search it",
    errno.ENAMETOOLONG: "its name is longer than the file system allows: shorten it",
    errno.EMFILE: "too many files are open: use fewer workers or raise the limit (ulimit -n)",
    errno.ENFILE: "too many files are open on this machine: close some programs",
    errno.ENXIO: "it is a socket or a device, not a file: save its content to a file first",
}
_TYPES: Final = (
    (stat.S_ISDIR, _ADVICE[errno.EISDIR]),
    (stat.S_ISFIFO, "it is a pipe, not a file: save its content to a file first"),
    (stat.S_ISSOCK, _ADVICE[errno.ENXIO]),
    (stat.S_ISCHR, "it is a device, not a file: save its content to a file first"),
    (stat.S_ISBLK, "it is a device, not a file: save its content to a file first"),
)


def open_file(path: str | PathLike[str]) -> BufferedIOBase:
    """Open a regular file that has something in it.

    Raises:
        MediaError: when it is missing, not permitted, empty, or not a regular file.
    """
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _BINARY)
    except OSError as error:
        raise MediaError(explain(error)) from error
    except ValueError as error:
        raise MediaError(f"its name cannot be used ({error}): rename it") from error
    try:
        _check(os.fstat(handle))
    except MediaError:
        os.close(handle)
        raise
    return os.fdopen(handle, "rb")


_BINARY: Final = getattr(os, "O_BINARY", 0)


def _check(status: os.stat_result) -> None:
    for is_type, advice in _TYPES:
        if is_type(status.st_mode):
            raise MediaError(advice)
    if status.st_size == 0:
        raise MediaError("the file is empty (0 bytes): copy or download it again")


def explain(error: OSError) -> str:
    """One sentence for a failed system call: what is wrong and what to do."""
    if error.errno in _ADVICE:
        return _ADVICE[error.errno]
    return f"it cannot be read ({error.strerror or error}): check the disk or the connection"
