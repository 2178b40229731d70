"""A step of LIQE's training against what its authors' code computes on a small random CLIP."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from beholder.backbones import clip
from beholder.backbones.clip import checkpoint, loading
from beholder.backbones.clip.liqe import likelihoods, marginals
from beholder.backbones.clip.views import Views
from beholder.levels import attributes, joint
from beholder.scorers.liqe import TEMPLATE
from beholder.training.clip_losses import binary_fidelity, class_fidelity, pair_fidelity

QUALITIES = ("bad", "poor", "fair", "good", "perfect")
WORDS = {
    "quality": QUALITIES,
    "scene": attributes.SCENES,
    "distortion": attributes.DISTORTIONS,
}


@pytest.fixture(scope="module")
def recorded(clip_fixture):
    return clip_fixture("liqe/train")


@pytest.fixture(scope="module")
def loaded(tiny_clip, clip_fixture, tmp_path_factory):
    """A small CLIP for windows of 224 px that learns with all its weights but the scale."""
    folder = tmp_path_factory.mktemp("liqe")
    for name in ("vocab.json", "merges.txt"):
        (folder / name).write_bytes((tiny_clip / name).read_bytes())
    weights = load_file(tiny_clip / "openai_state_dict.safetensors")
    weights |= clip_fixture("clip_tiny/positional_embedding_224")
    save_file(weights, folder / "model.safetensors")
    found = loading.load(folder / "model.safetensors", torch.float32)
    found.network.requires_grad_()
    found.network.logit_scale.requires_grad_(requires_grad=False)
    return found


@pytest.fixture(scope="module")
def step(loaded, recorded):
    """Probabilities of all texts, and the losses of a batch of two data sets."""
    crops = recorded["in.crops56"].repeat_interleave(4, 2).repeat_interleave(4, 3)
    windows = Views("random", 224).normalise(crops.permute(0, 1, 4, 2, 3).flatten(0, 1))
    read = loaded.tokens.read(joint.texts(TEMPLATE, WORDS))
    said = likelihoods(loaded.network, windows.view(6, 3, 3, 224, 224), read)
    found = marginals(said, WORDS)
    scores = found["quality"] @ torch.arange(1.0, 6.0)
    sets = torch.repeat_interleave(torch.arange(2), recorded["in.num_per_task"])
    losses = {
        "quality": pair_fidelity(scores, recorded["in.mos"], sets),
        "scene": binary_fidelity(found["scene"], recorded["in.scene"].float()),
        "distortion": class_fidelity(found["distortion"], recorded["in.distortion"].float()),
    }
    return said, found, scores, losses


def test_probabilities_and_scores_agree_with_the_authors(step, recorded):
    said, found, scores, _ = step
    assert torch.allclose(said, recorded["out.prob"], rtol=0, atol=2e-6)
    assert torch.allclose(scores, recorded["out.score"], rtol=0, atol=2e-6)
    for kind in ("scene", "distortion"):
        assert torch.allclose(found[kind], recorded[f"out.{kind}_marginal"], rtol=0, atol=2e-6)


def test_marginals_are_those_of_plain_arithmetic(step):
    said, found, _, _ = step
    plain = joint.marginals(said[0].tolist(), WORDS)
    for kind, masses in found.items():
        assert masses[0].tolist() == pytest.approx(list(plain[kind].values()), abs=1e-6)


def test_losses_agree_with_the_authors(step, recorded):
    for name, loss in step[3].items():
        assert loss.item() == pytest.approx(recorded[f"out.{name}_loss"].item(), abs=2e-6), name


@pytest.mark.parametrize("of", ["quality", "scene", "distortion", "total"])
def test_gradients_of_every_weight_agree_with_the_authors(step, recorded, loaded, clip_file, of):
    losses = step[3]
    loss = sum(losses.values()) if of == "total" else losses[of]
    loaded.network.zero_grad()
    loss.backward(retain_graph=True)
    names = json.loads(clip_file("liqe/train.json").read_text())["parameter_names"]
    found = _norms(loaded.network, names)
    wanted = recorded[f"out.grad_norm_{of}"].numpy()
    assert len(names) == len(wanted) == 86
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)
    if of == "total":
        seen = loaded.network.visual_projection.weight.grad.T
        assert torch.allclose(seen, recorded["out.grad_visual_proj"], rtol=1e-4, atol=1e-6)
        told = loaded.network.text_projection.weight.grad.T
        assert torch.allclose(told, recorded["out.grad_text_projection"], rtol=1e-4, atol=1e-6)


def _norms(network, names):
    """The norm of the gradient of each of OpenAI's parameters; 0 where there is none."""
    grads = {name: each.grad for name, each in network.named_parameters()}
    numbered = {name: torch.full((3, 1), float(number)) for number, name in enumerate(names)}
    squares = np.zeros(len(names))
    for name, origin in checkpoint.parse(numbered, "it").towers.items():
        if grads[name] is not None:
            squares[int(origin.flatten()[0])] += float((grads[name] ** 2).sum())
    return squares**0.5


def test_a_backbone_made_anew_reads_texts_with_the_weights_as_they_are(tiny_clip):
    before = clip.load(tiny_clip)
    first = before.texts(["a photo"])
    with torch.no_grad():
        before.network.text_projection.weight.mul_(2)
    assert torch.equal(before.texts(["a photo"]), first)
    assert torch.allclose(before.anew().texts(["a photo"]), 2 * first)
    assert before.anew().settings() == before.settings()
