"""The towers compute what OpenAI's code computed with the same random weights."""

import json

import pytest
import torch

from beholder.backbones.clip import loading
from beholder.backbones.clip.network import cosines, embed, see, words
from beholder.backbones.clip.positions import positions
from beholder.backbones.clip.prompting import text_features, vision_states
from beholder.errors import ModelError

PAIRS = (
    ("Good photo.", "Bad photo."),
    ("Sharp photo.", "Blurry photo."),
    ("Bright photo.", "Dark photo."),
)


@pytest.fixture(scope="session")
def recorded(clip_fixture):
    return clip_fixture("clip_tiny/embeddings")


def read(loaded, texts):
    found = loaded.tokens.read(texts)
    return text_features(loaded.network, words(loaded.network, found.ids), found.ends)


def near(found, wanted, atol=5e-6):
    torch.testing.assert_close(found, wanted, rtol=0, atol=atol)


def test_pictures_have_the_recorded_features_and_states_after_every_layer(loaded, recorded):
    pixels = recorded["in.pixels"]
    with torch.inference_mode():
        near(see(loaded.network, pixels), recorded["out.image_embeds"])
        states = list(vision_states(loaded.network, embed(loaded.network, pixels)))
    assert len(states) == 4
    for number, each in enumerate(states):
        near(each, recorded[f"out.vision_hidden_{number}"])


def test_texts_have_the_recorded_features_and_logits(loaded, recorded, clip_file):
    texts = json.loads(clip_file("clip_tiny/embeddings.json").read_text())["texts"]
    with torch.inference_mode():
        found = read(loaded, texts)
        near(found, recorded["out.text_embeds"])
        scale = loaded.network.logit_scale.exp()
        logits = scale * cosines(see(loaded.network, recorded["in.pixels"]), found)
    near(logits, recorded["out.logits_per_image"], 1e-5)


def test_a_text_has_the_same_features_whatever_stands_beside_it(loaded):
    with torch.inference_mode():
        both = read(loaded, ["Good photo.", "a photo of a bad photo of a good photo of a photo"])
        near(read(loaded, ["Good photo."]), both[:1])


@pytest.mark.parametrize("case", ["native.pos0", "native.pos1", "other.pos0", "other.pos1"])
@pytest.mark.parametrize("tower", ["vit", "rn"])
def test_pictures_of_any_size_have_the_recorded_logits(loaded, residual, clip_fixture, tower, case):
    numbers = clip_fixture(f"clipiqa/fixed_{tower}")
    here = loaded if tower == "vit" else loading.load(residual, torch.float32)
    network = here.network
    size, recorded_as = case.split(".")
    places = {"pos0": "none", "pos1": "table"}[recorded_as]
    with torch.inference_mode():
        seen = see(network, numbers[f"in.{size}"], places)
        near(seen, numbers[f"out.{case}.image_embeds"], 1e-5)
        scale = network.logit_scale.exp()
        said = [scale * cosines(seen, read(here, pair)) for pair in PAIRS]
    near(torch.stack(said, 1), numbers[f"out.{case}.logits"], 1e-5)


def test_interpolated_positions_are_those_of_transformers(loaded):
    pixels = torch.randn(2, 3, 80, 113, generator=torch.Generator().manual_seed(0))
    parts = loaded.network.vision_model.embeddings
    with torch.inference_mode():
        near(embed(loaded.network, pixels), parts(pixels, interpolate_pos_encoding=True))


def test_positions_of_the_taught_size_are_the_table_itself_whatever_the_kind():
    table = torch.randn(10, 4)
    for kind in ("grid", "table"):
        assert positions(table, 3, 3, kind) is table


def test_a_longer_grid_keeps_the_class_token_and_the_corners_in_order():
    table = torch.arange(5.0)[:, None].expand(5, 2)
    found = positions(table, 2, 6)
    assert found.shape == (13, 2)
    assert found[0, 0] == 0
    rows = found[1:, 0].reshape(2, 6)
    assert (rows[:, 0] < rows[:, -1]).all()
    assert (rows[0] < rows[1]).all()


def test_a_picture_smaller_than_a_patch_or_a_map_is_refused_with_its_size(loaded, residual):
    with pytest.raises(ModelError, match=r"40×15 px; this CLIP sees patches of 16 px"):
        see(loaded.network, torch.zeros(1, 3, 15, 40))
    network = loading.load(residual, torch.float32).network
    with pytest.raises(ModelError, match=r"40×31 px; this CLIP sees from 32 px"):
        see(network, torch.zeros(1, 3, 31, 40))


def test_a_residual_network_takes_no_prompts(residual):
    network = loading.load(residual, torch.float32).network
    with pytest.raises(ModelError, match="needs a transformer"):
        embed(network, torch.zeros(1, 3, 64, 64))


def test_residual_features_depend_on_interpolated_positions_only_at_other_sizes(residual):
    network = loading.load(residual, torch.float32).network
    pixels = torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        square = pixels[..., :64]
        assert torch.equal(see(network, square, "grid"), see(network, square, "table"))
        assert not torch.allclose(see(network, pixels, "grid"), see(network, pixels, "table"))
