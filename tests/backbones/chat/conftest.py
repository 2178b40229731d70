"""Tiny checkpoints on disk, made once; without transformers these tests are skipped."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    """The maker of checkpoints: family → folder."""
    pytest.importorskip("transformers", reason="needs pip install 'beholder[models]'")
    import tiny

    made = {}

    def make(family: str) -> Path:
        if family not in made:
            made[family] = tiny.FAMILIES[family](tmp_path_factory.mktemp(family))
        return made[family]

    return make


@pytest.fixture(scope="session")
def loaded(checkpoint):
    """The loader of backbones: family → backbone, loaded once."""
    from beholder.backbones import chat

    here = {}

    def load(family: str):
        if family not in here:
            here[family] = chat.load(checkpoint(family))
        return here[family]

    return load
