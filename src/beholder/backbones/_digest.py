"""The digest of a model's file, for the fingerprint of what it says."""

import hashlib
import re
from pathlib import Path
from typing import Final

from beholder.errors import ModelError

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file; a cache that names files by it saves the reading.

    Raises:
        ModelError: when there is no such file.
    """
    try:
        target = path.resolve(strict=True)
        if path.is_symlink() and _DIGEST.fullmatch(target.name):
            return target.name
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, RuntimeError) as error:  # links in a circle, too
        raise ModelError(f"{path} cannot be read: {error}") from error
