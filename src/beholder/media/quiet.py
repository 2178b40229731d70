"""Pillow's warnings and its own size limit, set aside for our own reads only.

`warnings.catch_warnings` and `Image.MAX_IMAGE_PIXELS` are shared by all threads and by everybody
who uses Pillow in the process, so neither is touched. Instead Pillow's modules get stand-ins that
ask whether the current context is one of ours: then nothing is said and our own limit holds;
everybody else finds Pillow as it was.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from importlib import import_module
from typing import Any, Final

from PIL import Image

from beholder.media import limits

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
_BOMB_CHECK: Final = "_decompression_bomb_check"


class _Warnings:
    """Stands in for the `warnings` module inside Pillow."""

    def warn(self, message: Any, category: Any = None, stacklevel: int = 1, **rest: Any) -> None:
        if not _reading.get():
            warnings.warn(message, category, stacklevel=stacklevel + 1, **rest)

    def __getattr__(self, name: str) -> Any:
        return getattr(warnings, name)


@contextmanager
def quietly() -> Iterator[None]:
    """Read with Pillow without a warning, in this thread, whatever the filters say."""
    _stand_in()
    token = _reading.set(True)
    try:
        yield
    finally:
        _reading.reset(token)


@lru_cache(maxsize=1)
def _stand_in() -> None:
    """Put the stand-ins in place, once; a Pillow without these names stays as it is."""
    quiet = _Warnings()
    for name in _MODULES:
        module = import_module(f"PIL.{name}")
        if getattr(module, "warnings", None) is warnings:
            module.__dict__["warnings"] = quiet
    original = getattr(Image, _BOMB_CHECK, None)
    if original is None:
        return

    def check(size: tuple[int, int], *rest: Any, **named: Any) -> None:
        if _reading.get():
            limits.check_size(*size)
        else:
            original(size, *rest, **named)

    Image.__dict__[_BOMB_CHECK] = check
