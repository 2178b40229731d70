"""Pictures become the squares that the models were taught with, to the bit."""

import hashlib
import json

import numpy as np
import pytest
import torch
from PIL import Image

from beholder.backbones.owl2 import pixels
from beholder.backbones.owl2.pixels import Pixels
from beholder.errors import ModelError
from beholder.media.reading import read
from beholder.media.sampling import FrameRule

MEAN = np.array((0.48145466, 0.4578275, 0.40821073), np.float32).reshape(3, 1, 1)
STD = np.array((0.26862954, 0.26130258, 0.27577711), np.float32).reshape(3, 1, 1)


def normalised(rule: Pixels, picture: Image.Image) -> np.ndarray:
    return rule.normalise(rule.square(np.asarray(picture))[None])[0].numpy()


def sha256(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def test_every_recorded_picture_is_equal_to_the_bit(shared):
    recorded = json.loads((shared / "preprocess" / "info.json").read_text())["images"]
    assert len(recorded) == 8
    for name, about in recorded.items():
        picture = Image.open(shared / "preprocess" / f"{name}.png").convert("RGB")
        assert sha256(normalised(Pixels(), picture)) == about["eval_convert_rgb"]["sha256_float32"]
        cropped = about.get("no_padding_short_edge_then_center_crop")
        if cropped:
            got = sha256(normalised(Pixels(aspect="crop"), picture))
            assert got == cropped["sha256_float32"]


def test_padding_has_the_mean_colour_and_floors_odd_offsets():
    rule = Pixels(side=6)
    square = rule.square(np.zeros((3, 6, 3), np.uint8))
    assert square[:, 0, 0].tolist() == [122, 116, 104]
    assert (square[0, :, 0] == 0).tolist() == [False, True, True, True, False, False]


def test_normalising_is_that_of_the_reference_for_every_value():
    values = np.arange(256, dtype=np.uint8)
    scaled = (values * (1 / 255)).astype(np.float32)
    expected = (np.broadcast_to(scaled.reshape(16, 16), (3, 16, 16)) - MEAN) / STD
    given = torch.from_numpy(values).view(1, 1, 16, 16).expand(1, 3, 16, 16)
    assert np.array_equal(Pixels().normalise(given)[0].numpy(), expected)


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (3, 2), (1, 3), (1, 500)])
def test_a_picture_a_few_pixels_wide_keeps_its_channels(size):
    colour = np.broadcast_to(np.array([200, 100, 50], np.uint8), (*size, 3)).copy()
    square = Pixels(side=56).square(colour)
    assert square.shape == (3, 56, 56)
    red, green, blue = square.float().mean((1, 2)).tolist()
    assert red > green > blue


@pytest.mark.parametrize("mode", ["L", "LA", "P", "1", "CMYK", "RGBA", "I;16"])
def test_pictures_of_every_mode_are_seen_as_their_colours(tmp_path, mode, make_picture):
    picture = make_picture(1, 90, 61)
    path = tmp_path / ("a.tiff" if mode == "CMYK" else "a.png")
    if mode == "I;16":
        grey = np.asarray(picture.convert("L")).astype(np.uint16) * 257
        Image.fromarray(grey).save(path)
        seen = Image.merge("RGB", [picture.convert("L")] * 3)
    else:
        picture.convert(mode).save(path)
        seen = picture.convert(mode).convert("RGB")
    [frame] = read(path, FrameRule(1)).pictures
    off = Pixels().square(frame.pixels).float() - Pixels().square(np.asarray(seen)).float()
    assert off.abs().mean() < 1


def test_the_orientation_of_a_photograph_is_applied(tmp_path, make_picture):
    picture = make_picture(2, 80, 40)
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(tmp_path / "a.png", exif=exif)
    [frame] = read(tmp_path / "a.png", FrameRule(1)).pictures
    upright = np.asarray(picture.transpose(Image.Transpose.ROTATE_270))
    assert torch.equal(Pixels().square(frame.pixels), Pixels().square(upright))


@pytest.mark.parametrize(
    "sizes",
    [
        {"size": 56, "crop_size": 56},
        {"size": {"shortest_edge": 56}, "crop_size": {"height": 56, "width": 56}},
        {},
    ],
)
def test_every_spelling_of_a_size_is_read(tmp_path, sizes):
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(sizes))
    assert pixels.read(tmp_path, 56) == Pixels(side=56)


def test_a_folder_without_the_file_has_the_rule_of_clip(tmp_path):
    assert pixels.read(tmp_path, 448) == Pixels()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"size": 224, "crop_size": 224}, "224 px; the model sees 56 px"),
        ({"size": {"height": 56, "width": 60}}, "60"),
        ({"do_normalize": False}, "do_normalize"),
    ],
)
def test_a_rule_that_does_not_fit_the_model_is_refused(tmp_path, values, said):
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(values))
    with pytest.raises(ModelError, match=said):
        pixels.read(tmp_path, 56)
