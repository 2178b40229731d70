"""MP-IQE scores with weights that were taught, and says what to do without any."""

import numpy as np
import pytest
import torch

import beholder
from beholder.backbones.clip import load, taught
from beholder.backbones.clip.mpiqe import MpIqe
from beholder.engine.rater import load as rater
from beholder.errors import ModelError, UsageError
from beholder.levels.attributes import DISTORTIONS, SCENES
from beholder.media.frames import Frames, Picture
from beholder.scorers import mpiqe

VIEWS = {"views": "random", "side": 64, "count": 3}


@pytest.fixture(scope="module")
def folder(tiny_clip, tmp_path_factory):
    """A folder as training leaves it: taught weights over the small CLIP, and a recipe."""
    folder = tmp_path_factory.mktemp("taught")
    clip = load(tiny_clip)
    torch.manual_seed(0)
    taught.save(folder, MpIqe(clip.network, clip.tokens))
    (folder / "recipe.toml").write_text(f"""
format = 1
name = "mine"
about = "Taught here"
licence = "mine"
backbone = "clip"
scorer = "mpiqe"
weights = {{ folder = '{folder}', file = "{taught.FILE}", base = {{ folder = '{tiny_clip}' }} }}
options = {{ views = "random", side = 64, count = 3, range = [0, 10] }}
""")
    return folder


@pytest.fixture
def clip(folder, tiny_clip):
    return load(folder / taught.FILE, base=tiny_clip, **VIEWS)


def pixels(seed, height=96, width=128):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def still(seed):
    return Frames("image", 128, 96, None, [Picture(pixels(seed))])


def rate(scorer, *frames):
    return scorer.judge([scorer.encode(each) for each in frames], "quality")


def test_the_score_is_the_mean_over_windows_on_the_range_that_was_taught(clip):
    scorer = mpiqe.build(clip, {"range": [2, 10]})
    (rating,) = rate(scorer, still(1))
    network = MpIqe(clip.network, clip.tokens).eval()
    taught.fill(network, clip.rest, "it")
    with torch.no_grad():
        said = [network(each) for _, each in clip.pixels([clip.encode([Picture(pixels(1))])])]
    score = float(torch.cat([each.score for each in said]).mean())
    assert rating.value == pytest.approx(1 + 4 * (score - 2) / 8, abs=1e-5)
    scene = int(torch.cat([each.scenes for each in said]).mean(0).argmax())
    assert rating.details["scene"] == SCENES[scene]
    assert tuple(rating.details["distortions"]) == DISTORTIONS
    assert sum(rating.details["scenes"].values()) == pytest.approx(1)


def test_a_clip_is_the_mean_of_its_frames_and_has_a_timeline(clip):
    scorer = mpiqe.build(clip, {})
    frames = [Picture(pixels(1), 0.0), Picture(pixels(2), 0.5)]
    whole, first, second = rate(scorer, Frames("video", 128, 96, 1.0, frames), still(1), still(2))
    assert whole.value == pytest.approx((first.value + second.value) / 2, abs=1e-5)
    assert [seconds for seconds, _ in whole.timeline] == [0.0, 0.5]
    assert whole.timeline[1][1] == pytest.approx(second.value, abs=1e-5)


def test_a_picture_scores_the_same_among_others(clip):
    scorer = mpiqe.build(clip, {})
    (alone,) = rate(scorer, still(1))
    among = rate(scorer, still(2), still(1), still(3))[1]
    assert among.value == pytest.approx(alone.value, abs=1e-5)


def test_following_the_released_code_is_another_score_and_another_fingerprint(clip):
    paper, released = (mpiqe.build(clip, {"follow": each}) for each in ("paper", "released"))
    assert rate(paper, still(1))[0].value != rate(released, still(1))[0].value
    assert paper.settings() != released.settings()
    assert mpiqe.build(clip, {"range": [0, 1]}).settings() != paper.settings()


def test_a_folder_that_was_taught_scores_by_its_recipe(folder):
    model = beholder.load(str(folder / "recipe.toml"))
    score = model.score(pixels(1))
    assert score.model == "mine"
    assert score.details["scene"] in SCENES
    assert score.scale == "1-5"


def test_without_weights_the_way_to_them_is_told_before_anything_is_fetched():
    with pytest.raises(ModelError, match=r"nobody published weights of mpiqe.*train --model mpiqe"):
        rater("mpiqe")


def test_a_plain_clip_is_refused(tiny_clip):
    with pytest.raises(ModelError, match="no weights of this method: train it first"):
        mpiqe.build(load(tiny_clip, **VIEWS), {})


@pytest.mark.parametrize("option", [{"positions": "none"}, {"scale": 50.0}])
def test_options_of_clip_that_the_network_would_not_use_are_refused(tiny_clip, option):
    with pytest.raises(UsageError, match="cannot be chosen for mpiqe: leave"):
        mpiqe.build(load(tiny_clip, **VIEWS, **option), {})


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"follow": "paperr"}, "did you mean 'paper'"),
        ({"range": [5, 1]}, r"range is \[5, 1\]"),
        ({"range": 5}, "range is 5; it is two numbers"),
        ({"range": [1, "x"]}, r"range is \[1, 'x'\]"),
    ],
)
def test_options_that_cannot_be_right_are_refused(clip, options, told):
    with pytest.raises(UsageError, match=told):
        mpiqe.build(clip, options)


def test_another_backbone_is_refused(table):
    with pytest.raises(UsageError, match="mpiqe stands on the features of a CLIP"):
        mpiqe.build(table(), {})
