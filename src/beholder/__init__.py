"""Beholder scores pictures and videos the way people rate them.

    import beholder
    print(beholder.load("iris").score("photo.jpg"))

Names are imported on first use: `import beholder` is instant and loads no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __version__: str
    from beholder.engine.rater import Rater as Rater
    from beholder.engine.rater import load as load
    from beholder.errors import BeholderError as BeholderError
    from beholder.errors import MediaError as MediaError
    from beholder.errors import ModelError as ModelError
    from beholder.errors import UsageError as UsageError
    from beholder.score import Score as Score

_HOMES = {
    "BeholderError": "beholder.errors",
    "MediaError": "beholder.errors",
    "ModelError": "beholder.errors",
    "Rater": "beholder.engine.rater",
    "Score": "beholder.score",
    "UsageError": "beholder.errors",
    "load": "beholder.engine.rater",
}

__all__ = [*_HOMES, "__version__"]  # noqa: PLE0604 - the keys are strings


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("importlib.metadata").version("beholder")
    if name not in _HOMES:
        raise AttributeError(f"module 'beholder' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
