"""UniQA's head against what its authors' code computes on a small random CLIP."""

import json

import pytest
import torch
from torch.nn import functional

from beholder.backbones.clip import loading
from beholder.backbones.clip.network import see
from beholder.backbones.clip.uniqa import GROUPS, UniQa

MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(3, 1, 1)
DEVIATION = torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(3, 1, 1)
RECORDED = {"single": "single", "ensemble": "ensemble", "generated": "agiqa"}
PLACES = {"pos1": "grid", "pos0": "none"}


@pytest.fixture(scope="module")
def loaded(tiny_clip):
    return loading.load(tiny_clip, torch.float32)


@pytest.fixture(scope="module")
def recorded(clip_fixture):
    return clip_fixture("uniqa/head")


@pytest.fixture
def head(loaded, recorded):
    def make(groups="ensemble"):
        made = UniQa(loaded.network, loaded.tokens, GROUPS[groups])
        weights = {
            name.removeprefix("in.weight."): tensor
            for name, tensor in recorded.items()
            if name.startswith("in.weight.")
        }
        assert made.trainable().keys() == weights.keys()
        made.load_state_dict(weights, strict=False)
        return made

    return make


def pixels(pictures):
    return (pictures.permute(0, 3, 1, 2).float() / 255 - MEAN) / DEVIATION


def five(picture, side=64):
    """Centre and corners, as the deterministic test of the authors takes them."""
    height, width = picture.shape[1:3]
    tops, lefts = height - side, width - side
    places = [(tops // 2, lefts // 2), (0, 0), (0, lefts), (tops, 0), (tops, lefts)]
    return torch.cat([picture[:, y : y + side, x : x + side] for y, x in places])


@pytest.mark.parametrize("places", PLACES)
@pytest.mark.parametrize("groups", GROUPS)
def test_scores_loss_and_gradients_agree_with_the_authors(head, recorded, groups, places):
    network, wanted = head(groups), f"out.{RECORDED[groups]}.{places}"
    scores = network(pixels(recorded["in.uint8"]), places=PLACES[places])
    assert torch.allclose(scores, recorded[f"{wanted}.score"][:, 0], rtol=0, atol=2e-6)
    loss = functional.mse_loss(scores, recorded["in.mos"][:, 0])
    loss.backward()
    assert loss.item() == pytest.approx(recorded[f"{wanted}.loss"].item(), abs=2e-6)
    for name, parameter in network.trainable().items():
        grad = recorded[f"{wanted}.grad.{name}"]
        assert torch.allclose(parameter.grad, grad, rtol=1e-4, atol=1e-6), name
    crops = pixels(five(recorded["in.uint8_big"]))
    with torch.no_grad():
        mean = network(crops, places=PLACES[places]).mean()
    assert mean.item() == pytest.approx(recorded[f"{wanted}.five_crop_80x96"].item(), abs=2e-6)


def test_adapted_features_agree_with_the_authors(head, loaded, recorded):
    with torch.no_grad():
        adapted = head().adapter(see(loaded.network, pixels(recorded["in.uint8"])))
    assert torch.allclose(adapted, recorded["out.adapted"], rtol=0, atol=1e-5)


def test_groups_of_texts_are_those_of_the_authors(clip_file):
    known = json.loads(clip_file("uniqa/head.json").read_text())["groups"]
    assert [list(group) for group in GROUPS["ensemble"]] == known["ensemble"]
    assert [list(group) for group in GROUPS["generated"]] == known["agiqa"]
    assert list(GROUPS["single"][0]) == known["single"]


def test_texts_that_are_read_once_give_the_same_scores(head, recorded):
    network = head()
    with torch.no_grad():
        again = network(pixels(recorded["in.uint8"]), network.read())
        assert torch.equal(network(pixels(recorded["in.uint8"])), again)


def test_only_the_head_learns(head, recorded):
    network = head()
    before = {name: each.clone() for name, each in network.clip.named_parameters()}
    step = torch.optim.Adam(network.trainable().values(), lr=2e-4)
    network(pixels(recorded["in.uint8"])).sum().backward()
    step.step()
    assert all(torch.equal(before[name], each) for name, each in network.clip.named_parameters())
    assert all(each.grad.abs().sum() > 0 for each in network.trainable().values())
