"""Things that are found by name: the file name is the name.

`find("scorers", "align")` imports `beholder.scorers.align`; another distribution adds a name by an
entry point in the group `beholder.scorers`. Nothing is imported before it is asked for.
"""

import difflib
from collections.abc import Iterable
from importlib import import_module, metadata, resources
from types import ModuleType

from beholder.errors import UsageError


def names(kind: str) -> list[str]:
    """Return every known name of a kind, sorted: modules and packages of `beholder.<kind>`."""
    found = {entry.name for entry in metadata.entry_points(group=f"beholder.{kind}")}
    for path in resources.files(f"beholder.{kind}").iterdir():
        stem = path.name.removesuffix(".py")
        is_module = path.name.endswith(".py") or path.joinpath("__init__.py").is_file()
        if is_module and not stem.startswith("_") and stem != "base":
            found.add(stem)
    return sorted(found)


def find(kind: str, name: str) -> ModuleType:
    """Import the module called `name` among `beholder.<kind>`.

    Raises:
        UsageError: when there is no such name, with the nearest known ones.
    """
    known = names(kind)
    if name not in known:
        raise UsageError(unknown(kind.rstrip("s"), name, known))
    for entry in metadata.entry_points(group=f"beholder.{kind}", name=name):
        module: ModuleType = entry.load()
        return module
    return import_module(f"beholder.{kind}.{name}")


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """Say that `name` is unknown, what is known, and what may have been meant.

    >>> unknown("model", "irs", ["iris", "one-align"])
    "unknown model 'irs': did you mean 'iris'? (known: iris, one-align)"
    """
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f": did you mean {close[0]!r}?" if close else ";"
    return f"unknown {what} {name!r}{hint} (known: {', '.join(known)})"
