"""Options of a backbone, as a person gives them: known names, fitting kinds of values."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from beholder._names import unknown
from beholder.errors import UsageError

Options = TypeVar("Options")


def pick(kind: type[Options], given: Mapping[str, Any], whose: str) -> Options:
    """Make a record of options from those given; every field of `kind` has a default.

    Texts stay texts; numbers are not negative, and whole where the default is.

    Raises:
        UsageError: for an unknown name, with the known ones, or for a value of another kind.
    """
    defaults: dict[str, Any] = {field.name: field.default for field in fields(kind)}  # type: ignore[arg-type]
    for name, value in given.items():
        if name not in defaults:
            raise UsageError(unknown(f"option of {whose}", name, defaults))
        if not _fits(value, defaults[name]):
            wanted = {str: "a text", int: "a whole number"}.get(type(defaults[name]), "a number")
            raise UsageError(f"{name} of {whose} is {value!r}; it is {wanted}, 0 or above")
    alike = {name: type(defaults[name])(value) for name, value in given.items()}
    return kind(**alike)


def _fits(value: Any, default: Any) -> bool:
    if isinstance(value, bool) or isinstance(default, str):
        return isinstance(value, str) and isinstance(default, str)
    allowed = (int, float) if isinstance(default, float) else (int,)
    return isinstance(value, allowed) and value >= 0
