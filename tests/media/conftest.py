"""What the tests of pictures and clips share."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest


def import_file(path: Path) -> ModuleType:
    """Import a file that is in no package."""
    name = f"beholder_tests_{path.stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def make() -> ModuleType:
    """The makers of files."""
    return import_file(Path(__file__).with_name("makers.py"))


@pytest.fixture(scope="session")
def load() -> Callable[[Path], ModuleType]:
    """Imports a script by its path."""
    return import_file
