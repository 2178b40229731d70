"""GRepQ agrees with its authors' numbers on both paths; odd input says what is wrong."""

import json
import math
from importlib import resources

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import beholder
from beholder.backbones import clip
from beholder.backbones.iris import load as load_iris
from beholder.backbones.resnet18 import Network
from beholder.errors import MediaError, ModelError, UsageError
from beholder.media.frames import Frames, Picture
from beholder.scorers import _patches as patches
from beholder.scorers import grepq
from beholder.scorers._gaussian import fit


@pytest.fixture(scope="module")
def low_numbers(clip_fixture):
    return clip_fixture("grepq/low")


def test_a_distance_is_the_authors(low_numbers):
    # Theirs is in single precision, where the same formula wavers by 1e-5 of the distance.
    clean = fit(low_numbers["in.pristine"])
    found = [grepq.distance(each, clean) for each in low_numbers["in.test"]]
    assert found == pytest.approx(low_numbers["out.distance"].tolist(), rel=1e-5)
    likenesses = [grepq.likeness(each) for each in found]
    assert likenesses == pytest.approx(low_numbers["out.score"].tolist(), abs=2e-6)


def test_a_picture_is_at_no_distance_from_itself(low_numbers):
    clean = fit(low_numbers["in.pristine"])
    assert grepq.distance(low_numbers["in.identical"], clean) == 0.0
    assert grepq.likeness(0.0) == 0.5


def test_sharp_and_colourful_patches_are_those_the_authors_keep(low_numbers):
    given = low_numbers["in.patches"]
    sharp = patches.near_the_best(patches.sharpness(given), patches.SHARP)
    colourful = patches.near_the_best(patches.colourfulness(given), patches.COLOURFUL)
    assert sharp.nonzero().flatten().tolist() == low_numbers["out.sharp_index"].tolist()
    assert colourful.nonzero().flatten().tolist() == low_numbers["out.colorful_index"].tolist()
    kept = patches.worth_keeping(given).nonzero().flatten().tolist()
    assert kept == low_numbers["out.selected_index"].tolist()


@pytest.mark.parametrize("shade", [0, 128])
def test_of_a_flat_or_grey_picture_no_patch_is_kept(shade):
    assert not patches.worth_keeping(torch.full((4, 3, 32, 32), shade / 255)).any()


def test_patches_stand_where_the_authors_are(clip_file):
    for case in json.loads(clip_file("grepq/patches.json").read_text())["cases"]:
        height, width = case["hw"]
        rows, columns = np.mgrid[:height, :width]
        places = np.stack([rows // 256, rows % 256, columns % 256], -1).astype(np.uint8)
        for name, stride in (("test", 48), ("pristine", 96)):
            corners = patches.patches(places, 96, stride)[:, :, 0, 0].int()
            tops, lefts = (256 * corners[:, 0] + corners[:, 1]).tolist(), corners[:, 2].tolist()
            expected = case[f"{name}_patches_yx"]
            assert [[t, left % 256] for t, left in zip(tops, lefts, strict=True)] == [
                [top, left % 256] for top, left in expected
            ]


def test_the_high_level_is_the_authors(clip_fixture, tiny_clip):
    recorded = clip_fixture("grepq/high")
    model = clip.load(tiny_clip, views="whole")
    texts = model.texts(grepq.TEXTS)
    assert torch.allclose(texts, recorded["out.text_embeds"], rtol=0, atol=1e-5)
    found = grepq.goodness(recorded["in.image_embeds"], texts)
    assert torch.allclose(found, recorded["out.score"], rtol=0, atol=2e-6)
    seen = model.encode([Picture(recorded["in.uint8"].numpy())])
    features = model.features([seen])[0]
    assert torch.allclose(features, recorded["out.image_score_embed"], rtol=0, atol=1e-5)
    assert torch.allclose(
        grepq.goodness(features, texts), recorded["out.image_score"], rtol=0, atol=2e-6
    )


@pytest.fixture(scope="module")
def files(tiny_clip, clip_fixture, tmp_path_factory):
    """Small files of random weights in the published formats."""
    folder = tmp_path_factory.mktemp("grepq")
    stored = load_file(tiny_clip / "openai_state_dict.safetensors")
    texts = {name: tensor for name, tensor in stored.items() if not name.startswith("visual.")}
    tower = clip_fixture("clipiqa/rn_tiny_visual")
    save_file({**texts, **tower}, folder / "rn.safetensors")
    for name in ("vocab.json", "merges.txt"):
        (folder / name).write_bytes((tiny_clip / name).read_bytes())
    torch.manual_seed(0)
    torch.save({"model": {"state_dict": Network(4, 6, 5).state_dict()}}, folder / "low.tar")
    taught = {n.removeprefix("visual."): t * 1.01 for n, t in tower.items()}
    taught.pop("attnpool.positional_embedding")
    torch.save(taught, folder / "high.pth")
    return folder


@pytest.fixture
def model(files):
    return clip.load(files / "rn.safetensors", views="whole", positions="none")


def still(picture):
    pixels = np.asarray(picture)
    return Frames("image", pixels.shape[1], pixels.shape[0], None, [Picture(pixels)])


@pytest.fixture
def settings(files, model, make_picture):
    path = files / "clean.safetensors"
    chosen = {"low": str(files / "low.tar"), "statistics": str(path)}
    if not path.is_file():
        fitter = grepq.fitter(model, chosen)
        for seed in range(6):
            fitter.add(fitter.encode(still(make_picture(seed, 300, 200))))
        assert fitter.save(path).startswith("6 pictures, ")
    return chosen


def test_a_rating_is_the_sum_of_both_paths_and_says_them(model, settings, make_picture):
    scorer = grepq.build(model, settings)
    picture = make_picture(9, 200, 150)
    rating = scorer.judge([scorer.encode(still(picture))], "quality")[0]
    seen = model.encode([Picture(np.asarray(picture))])
    high = grepq.goodness(model.features([seen])[0], model.texts(grepq.TEXTS)).item()
    cut = patches.patches(np.asarray(picture), 96, 48).float() / 255
    far = grepq.distance(scorer.low.features(cut), scorer.statistics.gaussian)
    assert rating.details == pytest.approx(
        {"high": high, "low": 1 / (1 + math.exp(far / 100)), "distance": far}
    )
    assert rating.value == pytest.approx(rating.details["high"] + rating.details["low"])
    assert 0 < rating.value < 1.5


def test_the_tower_that_was_taught_changes_the_high_level_alone(
    files, model, settings, make_picture
):
    shown = still(make_picture(9, 200, 150))
    plain = grepq.build(model, settings)
    before = plain.judge([plain.encode(shown)], "quality")[0].details
    taught = grepq.build(model, {**settings, "high": str(files / "high.pth")})
    after = taught.judge([taught.encode(still(make_picture(9, 200, 150)))], "quality")[0].details
    assert after["high"] != before["high"]
    assert after["low"] == before["low"]
    assert taught.settings()["high"] != plain.settings()["high"] == ""


def test_a_picture_of_one_patch_is_refused_and_of_two_measured(model, settings, make_picture):
    scorer = grepq.build(model, settings)
    two = scorer.judge([scorer.encode(still(make_picture(1, 144, 96)))], "quality")[0]
    assert math.isfinite(two.value)
    with pytest.raises(MediaError, match="143×96 pixels; GRepQ needs at least 96"):
        scorer.encode(still(make_picture(1, 143, 96)))


def test_statistics_are_of_clean_patches_side_by_side(model, settings, make_picture):
    scorer = grepq.build(model, settings)
    cut = [patches.patches(np.asarray(make_picture(n, 300, 200)), 96, 96) / 255 for n in range(6)]
    kept = torch.cat([each[patches.worth_keeping(each)] for each in cut])
    wanted, found = fit(scorer.low.features(kept)), scorer.statistics.gaussian
    assert torch.allclose(found.mean, wanted.mean)
    assert torch.allclose(found.covariance, wanted.covariance)


def test_too_few_clean_patches_are_told(model, settings, tmp_path):
    fitter = grepq.fitter(model, settings)
    fitter.add(fitter.encode(still(np.zeros((96, 96, 3), np.uint8))))
    with pytest.raises(UsageError, match="1 picture has 0 sharp and colourful patches"):
        fitter.save(tmp_path / "s.safetensors")


def test_the_shipped_recipe_rates_with_small_files_in_its_places(files, settings, make_picture):
    text = resources.files("beholder.recipes").joinpath("grepq.toml").read_text()
    for told, here in (
        ('id = "timm/resnet50_clip.openai"', f'folder = "{files}"'),
        ('file = "open_clip_model.safetensors"', 'file = "rn.safetensors"'),
        ("~/.cache/beholder/grepq/low_level_model_weights.tar", settings["low"]),
        ("~/.cache/beholder/grepq/high_level_model_weights.pth", str(files / "high.pth")),
        ("~/.cache/beholder/grepq/statistics.safetensors", settings["statistics"]),
    ):
        assert told in text
        text = text.replace(told, here)
    (files / "grepq.toml").write_text(text)
    rater = beholder.load(str(files / "grepq.toml"), device="cpu")
    score = rater.score(make_picture(9, 200, 150))
    assert (score.scale, score.level, score.probabilities) == ("GRepQ sum", "", {})
    assert score.value == pytest.approx(score.details["high"] + score.details["low"])


@pytest.mark.parametrize("name", ["low", "high"])
def test_a_file_that_lacks_is_told_with_where_it_is_found(model, settings, tmp_path, name):
    lacking = {**settings, name: str(tmp_path / "none.tar")}
    with pytest.raises(ModelError, match=rf"none.tar, which should hold the {name} level.*GRepQ"):
        grepq.build(model, lacking)


def test_a_high_level_for_a_transformer_is_refused(files, tiny_clip, settings):
    chosen = {**settings, "high": str(files / "high.pth")}
    with pytest.raises(ModelError, match="use RN50"):
        grepq.build(clip.load(tiny_clip, views="whole"), chosen)


def test_a_high_level_of_other_tensors_is_refused(files, model, settings, tmp_path):
    torch.save({"conv1.weight": torch.zeros(2)}, tmp_path / "odd.pth")
    with pytest.raises(ModelError, match=r"missing .*1 of another shape \(conv1.weight: "):
        grepq.build(model, {**settings, "high": str(tmp_path / "odd.pth")})


@pytest.mark.parametrize("make", [grepq.build, grepq.fitter])
def test_a_backbone_that_is_no_clip_is_refused(make):
    with pytest.raises(UsageError, match="grepq stands on the features of a CLIP"):
        make(load_iris(), {})
