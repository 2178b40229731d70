"""Weights that the user fetches: a file in a folder, told by name where it lacks."""

import pytest

from beholder.backbones.weights import Weights, find, is_here
from beholder.errors import ModelError


def test_a_file_in_a_folder_is_found_by_its_path(tmp_path):
    (tmp_path / "LIQE.pt").touch()
    known = Weights(folder=str(tmp_path), file="LIQE.pt")
    assert find(known) == {"weights": tmp_path / "LIQE.pt"}
    assert is_here(known)


def test_the_home_folder_may_be_a_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "a.pth").touch()
    known = Weights(folder="~/models", file="a.pth")
    assert find(known) == {"weights": tmp_path / "models" / "a.pth"}
    assert is_here(known)


def test_a_file_that_lacks_is_told_with_its_place_and_where_it_is_found(tmp_path):
    known = Weights(folder=str(tmp_path), file="a.pth", source="https://example.org/a")
    assert not is_here(known)
    with pytest.raises(ModelError) as caught:
        find(known)
    assert f"there is no file {tmp_path / 'a.pth'}" in str(caught.value)
    assert "fetch it from https://example.org/a and put it there" in str(caught.value)


def test_a_folder_that_lacks_is_told(tmp_path):
    with pytest.raises(ModelError, match=r"no folder .*none; it should hold the weights"):
        find(Weights(folder=str(tmp_path / "none")))
