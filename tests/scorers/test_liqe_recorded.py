"""LIQE as it is published against what its authors' code computes with a small random CLIP."""

import hashlib
import json
import re
from importlib import resources

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

import beholder
from beholder.backbones.clip.views import Views
from beholder.errors import ModelError
from beholder.levels.joint import texts
from beholder.media.frames import Picture
from beholder.media.reading import read
from beholder.media.sampling import FrameRule
from beholder.prompts import Prompt
from beholder.recipes import recipe

IMAGES = {"image1": "image_330x420.png", "image2": "image_900x1400.png"}
"""Name of the recording → its picture."""


@pytest.fixture(scope="module")
def folder(tiny_clip, clip_fixture, tmp_path_factory):
    """A small CLIP for windows of 224 px."""
    made = tmp_path_factory.mktemp("liqe")
    for name in ("vocab.json", "merges.txt"):
        (made / name).write_bytes((tiny_clip / name).read_bytes())
    weights = load_file(tiny_clip / "openai_state_dict.safetensors")
    places = clip_fixture("clip_tiny/positional_embedding_224")
    weights["visual.positional_embedding"] = places["visual.positional_embedding"]
    save_file(weights, made / "liqe.safetensors")
    return made


def twin(folder, file, name="liqe-mix"):
    """Write a recipe that ships, with its weights in a folder."""
    text = resources.files("beholder.recipes").joinpath(f"{name}.toml").read_text()
    here = f"[weights]\nfolder = '{folder}'\nfile = '{file}'\n\n"
    path = folder / f"{file}.toml"
    path.write_text(re.sub(r"\[weights\].*?(?=\[options\])", here, text, flags=re.DOTALL))
    return str(path)


@pytest.fixture(scope="module")
def rater(folder):
    return beholder.load(twin(folder, "liqe.safetensors"), device="cpu", dtype="float32")


@pytest.mark.parametrize("name", IMAGES)
def test_score_scene_and_distortion_agree_with_the_authors_demo(
    rater, clip_file, clip_fixture, name
):
    known = clip_fixture("liqe/demo")
    score = rater.score(clip_file(f"liqe/{IMAGES[name]}"))
    assert score.value == pytest.approx(known[f"out.{name}.score"].item(), abs=2e-6)
    for kind in ("scene", "distortion"):
        wanted = known[f"out.{name}.{kind}_marginal"][0].tolist()
        masses = score.details[f"{kind}s"]
        assert list(masses.values()) == pytest.approx(wanted, abs=2e-6)
        assert score.details[kind] == list(masses)[int(known[f"out.{name}.{kind}"])]
    qualities = known[f"out.{name}.quality_marginal"][0].tolist()
    assert list(score.probabilities.values()) == pytest.approx(qualities[::-1], abs=2e-6)


def test_the_module_of_the_authors_that_sees_one_crop_fifteen_times_is_not_followed(
    rater, clip_file, clip_fixture
):
    value = rater.score(clip_file(f"liqe/{IMAGES['image1']}")).value
    assert abs(value - clip_fixture("liqe/demo")["out.standalone_bug.score"].item()) > 0.05


@pytest.mark.parametrize("name", IMAGES)
def test_logits_of_every_crop_agree_with_the_authors(rater, clip_file, clip_fixture, name):
    known = clip_fixture("liqe/demo")
    scorer = rater.scorer
    clip = scorer.asking.backbone
    frames = read(clip_file(f"liqe/{IMAGES[name]}"), FrameRule.parse("1/s"))
    (picture,) = frames.pictures
    seen = clip.encode([picture])
    wanted = json.loads(clip_file("liqe/texts.json").read_text())["texts"]
    rows = clip.logits([seen], Prompt("", ""), wanted)
    assert torch.allclose(rows[0], known[f"out.{name}.mean_logits"], rtol=0, atol=1e-5)
    crops = clip.views.normalise(seen.cut(seen.windows))
    assert torch.allclose(crops.mean((2, 3)), known[f"out.{name}.crop_mean"], rtol=0, atol=1e-5)
    exact = hashlib.sha256(crops.numpy().tobytes()).digest()
    assert exact == bytes(known[f"out.{name}.crop_sha256"].tolist())


def test_crops_are_where_the_authors_demo_takes_them(rater, clip_file):
    views = rater.scorer.asking.backbone.views
    assert isinstance(views, Views)
    cases = json.loads(clip_file("liqe/crops.json").read_text())["cases"]
    assert len(cases) == 17
    for case in cases:
        seen = views.look(np.zeros((*case["input_hw"], 3), np.uint8))
        assert list(seen.pixels.shape[1:]) == case["resized_hw"]
        assert [list(corner) for corner in seen.windows] == case["top_left_yx"]


@pytest.mark.parametrize(
    ("wrap", "prefix"),
    [("model_state_dict", ""), ("params", "clip_model."), ("state_dict", "module.")],
)
def test_checkpoints_of_the_authors_and_of_others_open_and_score_alike(
    rater, folder, clip_file, wrap, prefix
):
    tensors = load_file(folder / "liqe.safetensors")
    stored = {prefix + name: tensor for name, tensor in tensors.items()}
    torch.save({wrap: stored, "epoch": 3}, folder / f"{wrap}.pt")
    other = beholder.load(twin(folder, f"{wrap}.pt"), device="cpu", dtype="float32")
    path = clip_file(f"liqe/{IMAGES['image1']}")
    assert other.score(path).value == rater.score(path).value
    assert other.fingerprint != ""


def test_a_checkpoint_that_lacks_a_layer_is_refused_by_the_name_of_what_is_missing(folder):
    tensors = load_file(folder / "liqe.safetensors")
    del tensors["visual.transformer.resblocks.1.mlp.c_fc.weight"]
    torch.save(tensors, folder / "holes.pt")
    with pytest.raises(ModelError, match=r"layers\.1\.mlp\.fc1\.weight"):
        beholder.load(twin(folder, "holes.pt"), device="cpu", dtype="float32")


def test_a_picture_smaller_than_a_window_is_an_error_row_and_leaves_the_others(rater, clip_file):
    path = str(clip_file(f"liqe/{IMAGES['image1']}"))
    small, good = rater.score([Image.new("RGB", (300, 200)), path])
    assert "300×200 px" in small.error
    assert not good.error


@pytest.mark.parametrize("name", [n for n in recipe.names() if n.startswith("liqe")])
def test_recipes_name_the_texts_of_the_authors(name, folder, clip_file):
    made = beholder.load(twin(folder, "liqe.safetensors", name), device="cpu", dtype="float32")
    known = json.loads(clip_file("liqe/texts.json").read_text())
    asked = texts(made.scorer.template, made.scorer.words)
    assert sorted(asked) == sorted(known["texts"])
    small = Picture(np.full((240, 260, 3), 120, np.uint8))
    assert 1 <= made.score(small.pixels).value <= 5
