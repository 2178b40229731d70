"""CLIP as a backbone: logits of any texts, averaged over views, however pictures are batched."""

import numpy as np
import pytest
import torch

from beholder.backbones import clip
from beholder.backbones.clip import model as models
from beholder.backbones.clip.network import cosines
from beholder.errors import MediaError, ModelError, UsageError
from beholder.media.frames import Picture
from beholder.prompts import Prompt

PLAIN = Prompt("", "")
TEXTS = ["Good photo.", "Bad photo.", "a cat"]


def noise(seed, height=80, width=96):
    rng = np.random.default_rng(seed)
    return Picture(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.fixture(scope="session")
def load(tiny_clip):
    return lambda **options: clip.load(tiny_clip, **options)


def test_logits_are_scaled_cosines_averaged_over_the_views(load):
    backbone = load(views="five")
    examples = [backbone.encode([noise(seed)]) for seed in range(2)]
    found = backbone.logits(examples, PLAIN, TEXTS)
    texts = backbone.texts(TEXTS)
    for row, seen in zip(found, backbone.features(examples), strict=True):
        assert seen.shape == (5, 32)
        wanted = backbone.network.logit_scale.exp() * cosines(seen, texts).mean(0)
        torch.testing.assert_close(row, wanted, rtol=0, atol=1e-5)


def test_a_row_does_not_depend_on_the_pictures_beside_it(load, monkeypatch):
    backbone = load(views="whole")
    pictures = [noise(0), noise(1, 64, 64), noise(2, 130, 70), noise(3), noise(4, 64, 64)]
    examples = [backbone.encode([each]) for each in pictures]
    together = backbone.logits(examples, PLAIN, TEXTS)
    alone = [backbone.logits([each], PLAIN, TEXTS)[0] for each in examples]
    torch.testing.assert_close(together, torch.stack(alone), rtol=0, atol=1e-5)


def test_many_views_go_through_the_tower_in_bounded_batches(tiny_clip, monkeypatch):
    monkeypatch.setitem(models.PIXELS_AT_ONCE, "cpu", 4 * 64 * 64)
    backbone = clip.load(tiny_clip, views="random", count=7)
    examples = [backbone.encode([noise(seed)]) for seed in range(2)]
    sizes = [len(pixels) for _, pixels in backbone.pixels(examples)]
    assert sizes == [4, 4, 4, 2]
    large = clip.load(tiny_clip, views="whole")
    assert [len(p) for _, p in large.pixels([large.encode([noise(0, 200, 300)])])] == [1]


def test_each_text_is_read_once(load, monkeypatch):
    read = []
    backbone = load()
    plain = models.text_features
    monkeypatch.setattr(
        models, "text_features", lambda *given: read.append(len(given[1])) or plain(*given)
    )
    first = backbone.texts(TEXTS)
    again = backbone.texts([*TEXTS[::-1], TEXTS[0]])
    assert read == [3]
    assert torch.equal(again, first[[2, 1, 0, 0]])


def test_many_texts_are_the_same_as_a_few(load, monkeypatch):
    whole = load().texts(TEXTS)
    monkeypatch.setattr(models, "TEXTS_AT_ONCE", 2)
    torch.testing.assert_close(load().texts(TEXTS), whole, rtol=0, atol=1e-5)


def test_features_that_are_remembered_stand_for_their_text(load):
    backbone = load()
    backbone.remember({"learned": torch.arange(32.0)})
    assert torch.equal(backbone.texts(["learned"])[0], torch.arange(32.0))


def test_a_candidate_goes_on_after_an_opening(load):
    backbone = load()
    example = [backbone.encode([noise(0)])]
    opened = backbone.logits(example, Prompt("unread", "a photo of a"), ["cat", "dog"])
    whole = backbone.logits(example, PLAIN, ["a photo of a cat", "a photo of a dog"])
    assert torch.equal(opened, whole)


def test_no_picture_gives_no_row_and_no_text_is_refused(load):
    backbone = load()
    assert backbone.logits([], PLAIN, TEXTS).shape == (0, 3)
    with pytest.raises(UsageError, match="at least one"):
        backbone.logits([], PLAIN, [])


def test_exactly_one_picture_is_looked_at(load):
    with pytest.raises(ModelError, match="got 2"):
        load().encode([noise(0), noise(1)])


def test_a_picture_smaller_than_a_patch_is_an_error_of_that_picture(load):
    with pytest.raises(MediaError, match=r"40×15 px .* below 16 px a side: enlarge it"):
        load(views="whole").encode([noise(0, 15, 40)])


def test_another_scale_stretches_the_logits(load):
    own, other = load(), load(scale=100)
    example = [own.encode([noise(0)])]
    assert other.scale == 100.0
    ratio = other.logits(example, PLAIN, TEXTS) / own.logits(example, PLAIN, TEXTS)
    torch.testing.assert_close(ratio, torch.full((1, 3), 100 / own.scale))


def test_everything_moves_to_the_device_of_the_network(load):
    backbone = load(views="five")
    backbone.network.to("meta")
    example = [backbone.encode([noise(0)])]
    assert backbone.features(example)[0].device.type == "meta"
    assert backbone.texts(TEXTS).device.type == "meta"
    backbone.remember({"learned": torch.zeros(32)})
    assert backbone.texts(["learned"]).device.type == "meta"


def test_the_side_of_a_window_is_that_of_the_tower_unless_said(load):
    assert load().views.side == 64
    assert load(side=48, positions="grid").encode([noise(0)]).size == (48, 48)


def test_whatever_changes_a_logit_changes_the_settings(load, tiny_clip):
    plain = load().settings()
    for changed in (
        {"views": "five"},
        {"side": 32},
        {"colours": "imagenet"},
        {"positions": "none"},
        {"scale": 50.0},
        {"seed": 1},
        {"dtype": "bfloat16"},
    ):
        assert load(**changed).settings() != plain
    assert load().settings() == plain


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"view": "whole"}, "unknown option of clip 'view': did you mean 'views'"),
        ({"views": "hole"}, "did you mean 'whole'"),
        ({"positions": "gird"}, "did you mean 'grid'"),
        ({"count": 1.5}, "count of clip is 1.5; it is a whole number"),
        ({"scale": -1}, "scale of clip is -1"),
    ],
)
def test_an_option_that_cannot_be_right_is_refused(load, options, message):
    with pytest.raises(UsageError, match=message):
        load(**options)


def test_weights_and_their_numbers_must_be_given(tiny_clip):
    with pytest.raises(ModelError, match="clip needs weights"):
        clip.load()
    with pytest.raises(ModelError, match="clip runs in float32, bfloat16, float16, got 'int8'"):
        clip.load(tiny_clip, dtype="int8")
