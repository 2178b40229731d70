"""One thing to look at: the name it goes by, and where it is opened."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    """A picture or a clip that somebody asked for."""

    path: str
    """The name for tables: as given, forward slashes, printable UTF-8."""
    file: str
    """Where to open it; may hold undecodable bytes as the operating system gave them."""
    error: str | None = None
    """What is wrong, where that is known already."""

    @classmethod
    def of(cls, file: str) -> "Item":
        """An item that goes by the name it is opened by.

        >>> Item.of("holiday/a.jpg").path
        'holiday/a.jpg'
        """
        return cls(printable(file), file)


def printable(name: str) -> str:
    """A name as printable UTF-8: bytes that are none become backslash escapes.

    >>> printable("caf\\udce9.jpg")
    'caf\\\\xe9.jpg'
    """
    if os.sep != "/":
        name = name.replace(os.sep, "/")
    text = os.fsencode(name).decode("utf-8", errors="backslashreplace")
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
