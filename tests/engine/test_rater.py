"""One rater: anything that can be looked at goes in, a Score that says what it is comes out."""

import dataclasses
import io
import math
from pathlib import Path

import av
import numpy as np
import pytest

import beholder
from beholder.errors import MediaError, ModelError, UsageError


@pytest.fixture(scope="module")
def iris():
    return beholder.load("iris", device="cpu")


def clip(path, shades, size=64):
    """A clip at 4 frames a second, one grey level a frame."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=4)
        stream.width = stream.height = size
        for shade in shades:
            pixels = np.full((size, size, 3), shade, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        container.mux(stream.encode(None))
    return path


def test_a_path_bytes_an_image_and_an_array_of_one_picture_get_one_score(
    iris, make_picture, tmp_path
):
    image = make_picture(3)
    path = tmp_path / "a.png"
    image.save(path)
    sources = [str(path), path, path.read_bytes(), image, np.asarray(image)]
    scores = [iris.score(source) for source in sources]
    assert {score.value for score in scores} == {scores[0].value}
    assert scores[0].path == scores[1].path == str(path)
    assert (scores[0].width, scores[0].height, scores[0].media) == (96, 72, "image")


def test_a_list_gives_a_list_and_what_cannot_be_judged_says_why(iris, make_picture, tmp_path):
    (tmp_path / "empty.jpg").touch()
    good, bad = iris.score([make_picture(1), tmp_path / "empty.jpg"])
    assert 1 <= good.value <= 5
    assert math.isnan(bad.value)
    assert "0 bytes" in bad.error
    assert bad.path.endswith("empty.jpg")


def test_a_single_input_that_cannot_be_judged_raises(iris, tmp_path):
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(MediaError, match="0 bytes"):
        iris.score(tmp_path / "empty.jpg")


def test_a_score_prints_its_scale_spread_level_and_model(iris, make_picture):
    score = iris.score(make_picture(1))
    assert str(score).startswith(f"score: {score.value:.2f} ± {score.spread:.2f} on 1-5 (")
    assert "quality, iris" in str(score)
    assert float(score) == score.value


def test_a_clip_has_a_score_for_each_moment_that_was_looked_at(iris, tmp_path):
    score = iris.score(clip(tmp_path / "c.mp4", range(40, 240, 10)))
    times = [seconds for seconds, _ in score.details["timeline"]]
    assert (score.media, score.seconds) == ("video", 5.0)
    assert times == [0.0, 1.0, 2.0, 3.0, 4.0]
    values = [value for _, value in score.details["timeline"]]
    assert min(values) - 0.2 <= score.value <= max(values) + 0.2


def test_a_clip_of_one_frame_repeated_scores_as_its_frame(iris, tmp_path):
    path = clip(tmp_path / "c.mp4", [128] * 12)
    whole = beholder.load("iris", device="cpu", frames="3").score(path)
    single = beholder.load("iris", device="cpu", frames="1").score(path)
    assert whole.value == pytest.approx(single.value, abs=1e-3)


@pytest.mark.parametrize(
    "options", [{"scale": "0-1"}, {"frames": "4"}, {"dtype": "bfloat16"}], ids=str
)
def test_an_option_that_can_change_a_score_changes_the_fingerprint(iris, options):
    assert beholder.load("iris", device="cpu", **options).fingerprint != iris.fingerprint


@pytest.mark.parametrize(
    "options",
    [
        {"scorer": "boost"},
        {"levels": {"excellent": 5.0, "good": 4.5, "fair": 3.0, "poor": 2.0, "bad": 1.0}},
        {"clips": "whole"},
        {"segment": 2.0},
        {"questions": ["Rate the quality of this image."]},
    ],
    ids=str,
)
def test_an_option_of_the_scorer_changes_the_fingerprint(iris, options):
    assert beholder.load("iris", device="cpu", options=options).fingerprint != iris.fingerprint


def test_the_weights_are_in_the_fingerprint(iris):
    assert len(iris.settings["backbone"]["weights"]) == 64


@pytest.mark.parametrize("name", ["decoders", "pixels", "frames", "scale", "backbone", "prompts"])
def test_whatever_can_change_a_score_is_in_the_settings(iris, name):
    assert iris.settings[name]
    without = {key: value for key, value in iris.settings.items() if key != name}
    other = dataclasses.replace(iris)
    other.__dict__["settings"] = without
    assert other.fingerprint != iris.fingerprint


def test_the_timeline_is_on_the_scale_of_the_score(tmp_path):
    path = clip(tmp_path / "c.mp4", range(40, 240, 10))
    plain = beholder.load("iris", device="cpu").score(path).details["timeline"]
    percent = beholder.load("iris", device="cpu", scale="0-100").score(path).details["timeline"]
    for (_, value), (_, other) in zip(plain, percent, strict=True):
        assert other == pytest.approx((value - 1) * 25)


def test_frames_may_be_given_as_a_number(iris):
    assert str(beholder.load("iris", device="cpu", frames=8).rule) == "8"


def test_the_same_settings_give_the_same_fingerprint_on_any_number_of_loads(iris):
    assert beholder.load("iris", device="cpu").fingerprint == iris.fingerprint


def test_aesthetics_is_refused_with_the_reason(iris, make_picture):
    with pytest.raises(UsageError, match="never shown human aesthetics labels"):
        iris.score(make_picture(1), task="aesthetics")


def test_other_words_than_the_five_are_judged_by_their_own_worth(make_picture):
    two = beholder.load("iris", device="cpu", options={"levels": {"good": 5.0, "bad": 1.0}})
    score = two.score(make_picture(1))
    assert list(score.probabilities) == ["good", "bad"]
    assert score.value == pytest.approx(1 + 4 * score.probabilities["good"])


def test_a_recipe_of_ones_own_is_loaded_from_its_path(iris, tmp_path):
    shipped = Path(beholder.__file__).parent / "recipes" / "iris.toml"
    text = shipped.read_text().replace('name = "iris"', 'name = "mine"')
    (tmp_path / "mine.toml").write_text(text)
    mine = beholder.load(str(tmp_path / "mine.toml"), device="cpu")
    assert (mine.recipe.name, mine.fingerprint != iris.fingerprint) == ("mine", True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("format = 2", "format 2"),
        ('name = "x"', "format None"),
        ('format = 1\nnam = "x"', "unknown field 'nam': did you mean 'name'"),
        ('format = 1\nname = "x"', "lacks about, licence"),
        ("format = ", "not a recipe"),
    ],
)
def test_a_file_that_is_no_recipe_is_refused_with_the_reason(tmp_path, text, said):
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(ModelError, match=said):
        beholder.load(str(tmp_path / "mine.toml"))


def test_bytes_of_a_clip_are_judged_as_the_clip(iris, tmp_path):
    path = clip(tmp_path / "c.mp4", range(40, 240, 10))
    assert iris.score(path.read_bytes()).value == iris.score(path).value


def test_an_array_that_is_no_picture_is_refused_with_its_shape(iris):
    with pytest.raises((MediaError, UsageError), match=r"7"):
        iris.score(np.zeros((4, 4, 7), np.uint8))


def test_an_image_of_pillow_in_another_mode_is_judged(iris, make_picture):
    image = make_picture(2)
    buffer = io.BytesIO()
    image.convert("L").save(buffer, "PNG")
    assert iris.score(image.convert("L")).value == iris.score(buffer.getvalue()).value
