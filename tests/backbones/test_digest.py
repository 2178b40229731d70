"""The digests by which weights are told apart."""

import hashlib
import os

import pytest

pytest.importorskip("torch")

from beholder.backbones._digest import sha256
from beholder.backbones.chat import files
from beholder.backbones.owl2 import shards
from beholder.errors import ModelError

FILES = {"config.json": "{}", "model.safetensors": "x", "notes.md": "y"}


@pytest.fixture
def folder(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_the_digest_of_a_file_is_that_of_its_bytes(folder):
    assert sha256(folder / "notes.md") == hashlib.sha256(b"y").hexdigest()


def test_a_link_is_believed_only_where_it_leads_to_a_name_that_is_a_digest(folder):
    (folder / ("ab" * 32)).write_text("x")
    for target, said in [("ab" * 32, "ab" * 32), ("notes.md", hashlib.sha256(b"y").hexdigest())]:
        link = folder / f"to-{target}"
        link.symlink_to(folder / target)
        assert sha256(link) == said


@pytest.mark.parametrize("name", ["gone.bin", "loop.bin"])
def test_a_file_that_cannot_be_read_is_named(folder, name):
    (folder / "loop.bin").symlink_to(folder / "loop.bin")
    with pytest.raises(ModelError, match=rf"{name} cannot be read"):
        sha256(folder / name)


def test_weights_keep_the_digests_that_stand_in_tables(folder):
    whole = "0bfc67f355015eec9a05fff4d9913ee39d47ece36df1b864be85a8119f296b5d"
    assert files.digest(folder) == whole
    os.utime(folder / "config.json", (0, 0))
    (folder / "notes.md").write_text("something else")
    assert files.digest(folder) == whole
    parts = [shards.Shard(folder / name) for name in ("config.json", "model.safetensors")]
    two = "4e995e582b7f3b34afd3e9c130b0f92b724e1437ea5f8d7340bb398aa2e8f206"
    assert shards.digest(parts) == two
    assert shards.digest(parts[1:]) == hashlib.sha256(b"x").hexdigest()
