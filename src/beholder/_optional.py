"""Dependencies that not everybody needs."""

from importlib import import_module
from types import ModuleType

from beholder.errors import MissingExtraError


def require(module: str, extra: str) -> ModuleType:
    """Import an optional module.

    Raises:
        MissingExtraError: with the exact line that installs it.
    """
    try:
        return import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise MissingExtraError(
            f"this needs {package}, which is not installed: pip install 'beholder[{extra}]'"
        ) from error
