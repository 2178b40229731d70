"""Pillow's warnings, silenced for our own reads only.

`warnings.catch_warnings` is shared by all threads, so it cannot be used while many pictures are
decoded at once. Instead Pillow's modules get a stand-in for the `warnings` module that asks
whether the current context is one of ours; everybody else's warnings pass through.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from typing import Any, Final

_reading: Final = ContextVar("beholder_reading", default=False)
_MODULES: Final = (
    "Image",
    "ImageFile",
    "TiffImagePlugin",
    "PngImagePlugin",
    "JpegImagePlugin",
    "GifImagePlugin",
    "WebPImagePlugin",
)


class _Warnings:
    """Stands in for the `warnings` module inside Pillow."""

    def warn(self, message: Any, category: Any = None, stacklevel: int = 1, **rest: Any) -> None:
        if not _reading.get():
            warnings.warn(message, category, stacklevel=stacklevel + 1, **rest)

    def __getattr__(self, name: str) -> Any:
        return getattr(warnings, name)


_stand_in: Final = _Warnings()


@contextmanager
def quietly() -> Iterator[None]:
    """Read with Pillow without a warning, in this thread, whatever the filters say."""
    for name in _MODULES:
        module = import_module(f"PIL.{name}")
        if getattr(module, "warnings", None) is warnings:
            module.__dict__["warnings"] = _stand_in
    token = _reading.set(True)
    try:
        yield
    finally:
        _reading.reset(token)
