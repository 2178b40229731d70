"""Weights are taken from a folder or the cache without asking anybody, or the way is told."""

import json
import socket
from pathlib import Path

import pytest

from beholder.backbones import weights
from beholder.backbones.weights import Weights
from beholder.errors import ModelError
from beholder.recipes import recipe

COMMIT = "0" * 40


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """An empty cache of the Hub."""
    pytest.importorskip("huggingface_hub")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return tmp_path


def store(cache: Path, name: str, *files: str, index: dict[str, str] | None = None) -> Path:
    repository = cache / f"models--{name.replace('/', '--')}"
    snapshot = repository / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)
    for file in files:
        (snapshot / file).write_text("{}")
    if index:
        text = json.dumps({"weight_map": index})
        (snapshot / "pytorch_model.bin.index.json").write_text(text)
    return snapshot


def test_a_cached_model_is_found_without_a_network(cache):
    snapshot = store(cache, "a/b", "config.json", "model.safetensors")
    assert weights.find(Weights("a/b")) == {"weights": snapshot}
    assert weights.is_here(Weights("a/b"))


def test_a_missing_model_offline_names_the_command_that_fetches_it(cache):
    with pytest.raises(ModelError, match="hf download a/b --revision v2"):
        weights.find(Weights("a/b", "v2"))
    assert not weights.is_here(Weights("a/b", "v2"))


def test_a_download_that_was_broken_off_does_not_count(cache):
    store(cache, "a/b", "config.json", "one.bin", index={"x": "one.bin", "y": "two.bin"})
    assert not weights.is_here(Weights("a/b"))
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE forbids"):
        weights.find(Weights("a/b"))


def test_a_model_cut_into_files_counts_when_all_are_there(cache):
    snapshot = store(
        cache, "a/b", "config.json", "one.bin", "two.bin", index={"x": "one.bin", "y": "two.bin"}
    )
    assert weights.find(Weights("a/b")) == {"weights": snapshot}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"weight_map": 3}'])
def test_an_index_that_cannot_be_read_does_not_count(cache, text):
    store(cache, "a/b", "config.json", "one.bin").joinpath(
        "model.safetensors.index.json"
    ).write_text(text)
    assert not weights.is_here(Weights("a/b"))
    with pytest.raises(ModelError, match=r"not whole.*hf download a/b --revision main"):
        weights.find(Weights("a/b"))


def test_weights_without_their_settings_do_not_count(cache):
    store(cache, "a/b", "model.safetensors")
    with pytest.raises(ModelError, match="hf download a/b --revision main"):
        weights.find(Weights("a/b"))


def test_everything_that_lacks_is_told_at_once(cache):
    with pytest.raises(ModelError, match=r"run: hf download a/lora .* && hf download a/base "):
        weights.find(Weights("a/lora", base=Weights("a/base")))
    store(cache, "a/lora", "adapter_config.json", "adapter_model.bin")
    with pytest.raises(ModelError, match=r"run: hf download a/base --revision main$"):
        weights.find(Weights("a/lora", base=Weights("a/base")))


def test_adapters_are_here_when_their_base_is_too(cache):
    adapters = Weights("a/lora", base=Weights("a/base"))
    there = store(cache, "a/lora", "adapter_config.json", "adapter_model.bin")
    assert not weights.is_here(adapters)
    base = store(cache, "a/base", "config.json", "pytorch_model.bin")
    assert weights.is_here(adapters)
    assert weights.find(adapters) == {"weights": there, "base": base}


def test_a_folder_is_used_as_it_is(tmp_path):
    assert weights.find(Weights(folder=str(tmp_path))) == {"weights": tmp_path}
    assert weights.is_here(Weights(folder=str(tmp_path)))


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(ModelError, match="nowhere"):
        weights.find(Weights(folder=str(tmp_path / "nowhere")))


def test_a_failed_download_tells_why_and_how_else(cache, monkeypatch):
    monkeypatch.delenv("HF_HUB_OFFLINE")
    hub = pytest.importorskip("huggingface_hub")

    def fail(name, *, local_files_only=False, **_options):
        raise OSError("no route to host")

    monkeypatch.setattr(hub, "snapshot_download", fail)
    with pytest.raises(ModelError, match=r"no route to host.*hf download a/b --revision main"):
        weights.find(Weights("a/b"))


def test_one_file_of_a_repository_is_enough(cache):
    one = Weights("a/many", file="liqe.pt")
    with pytest.raises(ModelError, match=r"hf download a/many liqe\.pt --revision main"):
        weights.find(one)
    snapshot = store(cache, "a/many", "liqe.pt")
    assert weights.find(one) == {"weights": snapshot / "liqe.pt"}
    assert weights.is_here(one)
    assert not weights.is_here(Weights("a/many", file="other.pt"))


def test_a_file_that_is_on_no_hub_is_asked_for_by_name(tmp_path):
    lacking = Weights(folder=str(tmp_path), file="LIQE.pt", source="its authors' drive")
    with pytest.raises(ModelError, match=r"LIQE\.pt.*fetch it from its authors' drive"):
        weights.find(lacking)
    (tmp_path / "LIQE.pt").write_bytes(b"")
    assert weights.find(lacking) == {"weights": tmp_path / "LIQE.pt"}


def test_what_nobody_published_is_to_be_trained_over_its_base(cache):
    untaught = Weights(teach="mine", base=Weights("a/b", bytes=5))
    with pytest.raises(ModelError, match=r"weights of mine.*beholder train --model mine"):
        weights.find(untaught)
    store(cache, "a/b", "config.json", "model.safetensors")
    assert not weights.is_here(untaught)
    assert weights.start(untaught) == untaught.base
    assert weights.start(untaught.base) == untaught.base
    assert untaught.total_bytes == 5


def test_the_method_without_weights_points_to_the_model_with_those_of_its_authors():
    with pytest.raises(ModelError) as told:
        weights.find(recipe.load("liqe").weights)
    assert "nobody published" not in str(told.value)
    assert "authors are --model liqe-mix. To train it: beholder train --model liqe " in str(
        told.value
    )
    assert recipe.load("liqe-mix").weights.source


def test_what_is_to_be_trained_names_what_it_is_trained_over():
    with pytest.raises(ModelError, match="what to teach over"):
        Weights.parse({"teach": "mine"})
