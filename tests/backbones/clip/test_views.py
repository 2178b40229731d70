"""Each rule shows the windows it says, and refuses pictures it cannot look at."""

import json

import numpy as np
import pytest
import torch

from beholder.backbones.clip.views import KINDS, Views
from beholder.errors import MediaError, UsageError


def grey(height, width):
    return np.full((height, width, 3), 128, np.uint8)


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_windows_by_number_are_those_of_liqe_at_every_recorded_size(clip_file):
    cases = json.loads(clip_file("liqe/crops.json").read_text())["cases"]
    rule = Views("even", 224, 15, 32, 48, 768)
    assert len(cases) == 17
    for case in cases:
        seen = rule.look(grey(*case["input_hw"]))
        assert list(seen.pixels.shape[1:]) == case["resized_hw"]
        assert [list(each) for each in seen.windows] == case["top_left_yx"]


def test_a_dense_grid_has_every_window_that_fits():
    seen = Views("dense", 32, stride=16).look(grey(64, 65))
    tops = (0, 16, 32)
    assert seen.windows == tuple((y, x) for y in tops for x in tops)


def test_five_windows_are_the_corners_and_the_middle():
    seen = Views("five", 32).look(grey(40, 48))
    assert seen.windows == ((0, 0), (0, 16), (8, 0), (8, 16), (4, 8))


def test_random_windows_are_the_same_every_time_and_others_with_another_seed():
    pixels = noise(90, 120)
    one, two = (Views("random", 32, 8).look(pixels).windows for _ in range(2))
    assert one == two
    assert len(set(one)) > 4
    assert all(0 <= y <= 58 and 0 <= x <= 88 for y, x in one)
    assert Views("random", 32, 8, seed=1).look(pixels).windows != one


def test_a_window_holds_the_pixels_of_its_place():
    pixels = noise(40, 50)
    seen = Views("five", 32).look(pixels)
    cut = seen.cut(seen.windows)
    for (y, x), each in zip(seen.windows, cut, strict=True):
        assert np.array_equal(each.permute(1, 2, 0).numpy(), pixels[y : y + 32, x : x + 32])


def test_a_whole_picture_is_shown_as_it_is():
    pixels = noise(37, 51)
    seen = Views("whole").look(pixels)
    assert seen.size == (37, 51)
    assert np.array_equal(seen.cut(seen.windows)[0].permute(1, 2, 0).numpy(), pixels)


def test_a_whole_picture_may_be_shrunk_by_its_short_side_but_never_enlarged():
    assert Views("whole", shrink=64).look(grey(128, 200)).size == (64, 100)
    assert Views("whole", shrink=64).look(grey(40, 200)).size == (40, 200)


def test_the_middle_is_cut_out_of_the_resized_picture():
    seen = Views("centre", 32).look(noise(64, 128))
    assert tuple(seen.pixels.shape) == (3, 32, 64)
    assert seen.windows == ((0, 16),)


def test_a_squashed_picture_is_all_there():
    seen = Views("squashed", 32).look(noise(50, 128))
    assert tuple(seen.pixels.shape) == (3, 32, 32)


@pytest.mark.parametrize("kind", ["even", "dense", "random", "five"])
def test_a_picture_smaller_than_a_window_is_refused_with_both_sizes(kind):
    with pytest.raises(MediaError, match=r"100×31 px and .* windows of 32 px: enlarge it"):
        Views(kind, 32).look(grey(31, 100))


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_of_the_size_of_a_window_is_that_window(kind):
    pixels = noise(32, 32)
    seen = Views(kind, 32, 3).look(pixels)
    for each in seen.cut(seen.windows):
        assert np.array_equal(each.permute(1, 2, 0).numpy(), pixels)


def test_colours_are_normalised_as_asked():
    pixels = torch.full((1, 3, 2, 2), 255, dtype=torch.uint8)
    clip = Views().normalise(pixels)[0, :, 0, 0]
    other = Views(colours="imagenet").normalise(pixels)[0, :, 0, 0]
    assert clip.tolist() == pytest.approx([1.930336, 2.074884, 2.145897], abs=1e-5)
    assert other.tolist() == pytest.approx([2.248908, 2.428571, 2.64], abs=1e-5)


def test_pixels_are_normalised_to_the_last_recorded_bit(clip_fixture):
    recorded = clip_fixture("clip_tiny/embeddings")
    pixels = Views().normalise(recorded["in.uint8"].permute(0, 3, 1, 2))
    assert torch.equal(pixels, recorded["in.pixels"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "center"}, "'center': did you mean 'centre'"),
        ({"colours": "imagnet"}, "did you mean 'imagenet'"),
        ({"stride": 0}, "stride of views is 0"),
        ({"count": 0}, "count of views is 0"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(options, message):
    with pytest.raises(UsageError, match=message):
        Views(**options)
