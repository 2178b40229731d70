"""MDFS agrees with its authors' numbers; small, flat and foreign input says what is wrong."""

import math

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from beholder.backbones import efficientnet
from beholder.backbones.efficientnet import Network, Size
from beholder.backbones.iris import load as load_iris
from beholder.errors import MediaError, ModelError, UsageError
from beholder.media.frames import Frames, Picture
from beholder.scorers import _measuring as measuring
from beholder.scorers import mdfs
from beholder.scorers._gaussian import fit

GROUPS = (2, 3, 5, 10, 14)
TESTS = ("test_good", "test_bad", "test_offbyone")


@pytest.fixture(scope="module")
def numbers(clip_fixture):
    return clip_fixture("mdfs/mdfs")


def windows_of(numbers, name):
    maps = [numbers[f"in.{name}.f{level}"] for level in range(1, 6)]
    return mdfs.windows(mdfs.pyramid(maps), GROUPS)


@pytest.mark.parametrize("name", TESTS)
def test_pyramid_means_and_weights_are_the_authors(numbers, name):
    maps = [numbers[f"in.{name}.f{level}"] for level in range(1, 6)]
    found = windows_of(numbers, name)
    assert torch.allclose(mdfs.pyramid(maps), numbers[f"out.{name}.pyramid"], rtol=0, atol=1e-5)
    assert torch.allclose(found.means, numbers[f"out.{name}.local_mean"], rtol=0, atol=1e-5)
    weights = numbers[f"out.{name}.weights"].flatten().double()
    assert torch.allclose(mdfs.importance(found.contrasts), weights, rtol=0, atol=2e-6)


def test_rows_and_statistics_of_the_training_pictures_are_the_authors(numbers):
    rows = [mdfs.chosen(windows_of(numbers, f"train{number}")) for number in range(8)]
    assert [len(each) for each in rows] == numbers["out.train_counts"].tolist()
    joined = torch.cat(rows)
    assert torch.allclose(joined, numbers["out.train_matrix"], rtol=0, atol=1e-5)
    found = fit(joined)
    assert torch.allclose(found.mean.float(), numbers["out.reference_mean"][0], atol=1e-6)
    assert torch.allclose(found.covariance.float(), numbers["out.reference_cov"], atol=1e-6)


@pytest.mark.parametrize("name", TESTS)
def test_a_distance_is_the_authors(numbers, name):
    found = mdfs.distance(windows_of(numbers, name), fit(numbers["out.train_matrix"]))
    assert found == pytest.approx(float(numbers[f"out.{name}.score"]), abs=1e-5)


def test_large_maps_have_larger_windows_further_apart(clip_fixture):
    numbers = clip_fixture("mdfs/window5")
    found = mdfs.windows(numbers["in.f"], (1, 1, 1, 2, 2))
    assert torch.allclose(found.means, numbers["out.local_mean"], rtol=0, atol=1e-5)
    assert torch.allclose(mdfs.chosen(found), numbers["out.selected"], rtol=0, atol=1e-5)
    distance = mdfs.distance(found, fit(numbers["in.reference"]))
    assert distance == pytest.approx(float(numbers["out.score"]), abs=1e-5)


@pytest.fixture(scope="module")
def trunk(tmp_path_factory):
    torch.manual_seed(0)
    network = Network(Size(0.1, 0.3))
    path = tmp_path_factory.mktemp("trunk") / "tiny.pth"
    torch.save(network.state_dict(), path)
    return efficientnet.load(path, width=0.1, depth=0.3)


def frames(*pictures):
    pixels = [np.asarray(each) for each in pictures]
    height, width = pixels[0].shape[:2]
    media = "image" if len(pixels) == 1 else "video"
    times = [None] if len(pixels) == 1 else range(len(pixels))
    shown = [Picture(each, time) for each, time in zip(pixels, map(_float, times), strict=True)]
    return Frames(media, width, height, None, shown)


def _float(value):
    return None if value is None else float(value)


@pytest.fixture(scope="module")
def fitted(trunk, make_picture, tmp_path_factory):
    path = tmp_path_factory.mktemp("fitted") / "pristine.safetensors"
    fitter = mdfs.fitter(trunk, {})
    for seed in range(6):
        fitter.add(fitter.encode(frames(make_picture(seed, 320, 256))))
    assert fitter.save(path).startswith("6 pictures, ")
    return path


def test_statistics_that_were_written_are_those_of_all_windows(trunk, fitted, make_picture):
    looks = [mdfs.look(trunk, np.asarray(make_picture(seed, 320, 256))) for seed in range(6)]
    expected = fit(torch.cat([mdfs.chosen(each) for each in looks]))
    scorer = mdfs.build(trunk, {"statistics": str(fitted)})
    assert torch.allclose(scorer.statistics.gaussian.mean, expected.mean)
    assert torch.allclose(scorer.statistics.gaussian.covariance, expected.covariance)


def test_statistics_are_read_by_those_who_may_read_new_files(fitted, tmp_path):
    (tmp_path / "new").touch()
    assert fitted.stat().st_mode == (tmp_path / "new").stat().st_mode


def test_a_matrix_of_features_as_the_authors_keep_it_gives_the_same(trunk, make_picture, tmp_path):
    looks = [mdfs.look(trunk, np.asarray(make_picture(seed, 320, 256))) for seed in range(6)]
    rows = torch.cat([mdfs.chosen(each) for each in looks])
    torch.save(rows, tmp_path / "MDFS_weights.pth")
    scorer = mdfs.build(trunk, {"statistics": str(tmp_path / "MDFS_weights.pth")})
    assert torch.allclose(scorer.statistics.gaussian.covariance, fit(rows).covariance)


def test_a_rating_is_the_negated_distance_and_a_clip_the_mean_of_its_frames(
    trunk, fitted, make_picture
):
    scorer = mdfs.build(trunk, {"statistics": str(fitted)})
    one, two = make_picture(20, 128, 96), make_picture(21, 128, 96)
    still, clip = scorer.judge([scorer.encode(frames(one)), scorer.encode(frames(one, two))], "")
    looked = mdfs.look(trunk, np.asarray(one))
    assert still.value == -mdfs.distance(looked, scorer.statistics.gaussian)
    assert still.value < 0
    assert not still.timeline
    assert [seconds for seconds, _ in clip.timeline] == [0.0, 1.0]
    assert clip.timeline[0][1] == pytest.approx(still.value)
    assert clip.value == pytest.approx(sum(value for _, value in clip.timeline) / 2)


def test_a_timeline_of_segments_has_their_means_and_the_worst(trunk, fitted, make_picture):
    chosen = {"statistics": str(fitted), "segment": 2}
    scorer = mdfs.build(trunk, chosen)
    shown = frames(*(make_picture(seed, 96, 64) for seed in range(4)))
    rating = scorer.judge([scorer.encode(shown)], "quality")[0]
    each = mdfs.build(trunk, {"statistics": str(fitted)})
    again = frames(*(make_picture(seed, 96, 64) for seed in range(4)))
    values = [value for _, value in each.judge([each.encode(again)], "quality")[0].timeline]
    expected = [(0.0, sum(values[:2]) / 2), (2.0, sum(values[2:]) / 2)]
    assert [seconds for seconds, _ in rating.timeline] == [0.0, 2.0]
    assert dict(rating.timeline) == pytest.approx(dict(expected))
    assert rating.worst == min(rating.timeline, key=lambda moment: moment[1])
    with pytest.raises(UsageError, match="segment is -1"):
        mdfs.build(trunk, {**chosen, "segment": -1})


def test_a_flat_picture_has_a_finite_rating(trunk, fitted):
    scorer = mdfs.build(trunk, {"statistics": str(fitted)})
    flat = np.full((64, 64, 3), 128, np.uint8)
    assert math.isfinite(scorer.judge([scorer.encode(frames(flat))], "quality")[0].value)


def test_the_smallest_picture_is_measured_and_a_smaller_one_refused(trunk, fitted, make_picture):
    scorer = mdfs.build(trunk, {"statistics": str(fitted)})
    least = scorer.judge([scorer.encode(frames(make_picture(1, 49, 49)))], "quality")[0]
    assert math.isfinite(least.value)
    with pytest.raises(MediaError, match="48×90 pixels; MDFS needs at least 49"):
        scorer.encode(frames(make_picture(1, 48, 90)))


def test_a_distance_that_is_no_number_is_an_error_of_its_row(make_picture):
    given = measuring.encode(frames(make_picture(1)), mdfs.LEAST, "MDFS")
    rating = measuring.rate([given], lambda _: measuring.Reading(math.nan))[0]
    assert math.isnan(rating.value)
    assert "statistics of pristine pictures are singular" in rating.error


def test_too_few_pictures_are_told_with_what_is_needed(trunk, make_picture, tmp_path):
    fitter = mdfs.fitter(trunk, {})
    fitter.add(fitter.encode(frames(make_picture(1, 64, 64))))
    with pytest.raises(UsageError, match=r"1 picture has \d+ windows.* its 48 channels"):
        fitter.save(tmp_path / "few.safetensors")
    with pytest.raises(UsageError, match="0 pictures have 0 windows"):
        mdfs.fitter(trunk, {}).save(tmp_path / "none.safetensors")


def test_missing_statistics_say_how_to_make_them(trunk, tmp_path):
    with pytest.raises(ModelError, match=r"no statistics .* at .*none.pth: `beholder fit`"):
        mdfs.build(trunk, {"statistics": str(tmp_path / "none.pth")})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"method": "grepq"}, "made with method 'grepq', not 'mdfs'"),
        ({"weights": "f" * 64}, "made with weights 'ffffffffffffffff'"),
        ({"format": "2"}, "made with format '2', not '1'"),
    ],
)
def test_statistics_of_another_method_trunk_or_format_are_refused(
    trunk, fitted, tmp_path, change, said
):
    kept = {"format": "1", "method": "mdfs", "weights": trunk.sha256, **change}
    save_file(load_file(fitted), tmp_path / "odd.safetensors", kept)
    with pytest.raises(ModelError, match=said):
        mdfs.build(trunk, {"statistics": str(tmp_path / "odd.safetensors")})


@pytest.mark.parametrize(
    ("held", "said"),
    [
        (torch.ones(5, 3), "describes 3 channels; mdfs with these weights has 48"),
        (torch.ones(40), r"holds \(40,\); expected a matrix"),
        ({"a": torch.ones(2)}, "holds dict; expected a matrix"),
    ],
)
def test_a_file_that_is_no_statistics_is_refused_by_what_it_holds(trunk, tmp_path, held, said):
    torch.save(held, tmp_path / "odd.pth")
    with pytest.raises(ModelError, match=said):
        mdfs.build(trunk, {"statistics": str(tmp_path / "odd.pth")})


@pytest.mark.parametrize("name", ["broken.pth", "broken.safetensors"])
def test_a_broken_file_is_refused_by_name(trunk, tmp_path, name):
    (tmp_path / name).write_bytes(b"these are no tensors")
    with pytest.raises(ModelError, match=f"{name} cannot be read as statistics"):
        mdfs.build(trunk, {"statistics": str(tmp_path / name)})


@pytest.mark.parametrize("make", [mdfs.build, mdfs.fitter])
def test_a_backbone_that_answers_in_words_is_no_trunk(make):
    with pytest.raises(UsageError, match="trunk of an EfficientNet"):
        make(load_iris(), {"statistics": ""})
