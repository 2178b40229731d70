"""Losses of LIQE against what its authors' code gives, and by hand."""

import math

import pytest
import torch

from beholder.training import clip_losses
from beholder.training.clip_losses import (
    binary_fidelity,
    class_fidelity,
    dynamic_weights,
    pair_fidelity,
)


@pytest.fixture
def losses(clip_fixture):
    return clip_fixture("liqe/losses")


def test_pairs_within_each_set_agree_with_the_authors_and_so_do_their_gradients(losses):
    scores = losses["in.quality"].requires_grad_()
    sets = torch.repeat_interleave(torch.arange(2), losses["in.num_per_task"])
    loss = pair_fidelity(scores, losses["in.mos"], sets)
    loss.backward()
    assert loss.item() == pytest.approx(losses["out.quality"].item(), abs=2e-6)
    assert torch.allclose(scores.grad, losses["out.grad_quality"], rtol=1e-4, atol=1e-6)


def test_pairs_of_one_set_agree_with_the_authors(losses):
    sets = torch.zeros(7, dtype=torch.int64)
    loss = pair_fidelity(losses["in.quality"], losses["in.mos"], sets)
    assert loss.item() == pytest.approx(losses["out.quality_single_task"].item(), abs=2e-6)


def test_the_loss_of_the_distortion_agrees_with_the_authors(losses):
    said = losses["in.dist_prob"].requires_grad_()
    loss = class_fidelity(said, losses["in.distortion"].float())
    loss.backward()
    assert loss.item() == pytest.approx(losses["out.distortion"].item(), abs=2e-6)
    assert torch.allclose(said.grad, losses["out.grad_dist_prob"], rtol=1e-4, atol=1e-6)


def test_the_loss_of_several_scenes_agrees_with_the_authors(losses):
    said = losses["in.scene_prob"].requires_grad_()
    loss = binary_fidelity(said, losses["in.scene"].float())
    loss.backward()
    assert loss.item() == pytest.approx(losses["out.scene"].item(), abs=2e-6)
    assert torch.allclose(said.grad, losses["out.grad_scene_prob"], rtol=1e-4, atol=1e-6)


def test_dynamic_weights_agree_with_the_authors(clip_fixture):
    dwa = clip_fixture("liqe/dwa")
    names = ("quality", "distortion", "scene")
    epochs: list[dict[str, float]] = []
    for steps, means, weights in zip(
        dwa["in.losses"], dwa["out.avg_cost"], dwa["out.lambda_weight"], strict=True
    ):
        found = dynamic_weights(names, epochs)
        assert list(found.values()) == pytest.approx(weights.tolist(), abs=2e-6)
        epochs.append(dict(zip(names, steps.mean(dim=0).tolist(), strict=True)))
        assert list(epochs[-1].values()) == pytest.approx(means.tolist(), abs=2e-6)


def test_ties_want_one_half_and_a_perfect_order_far_apart_costs_nothing():
    sets = torch.zeros(2, dtype=torch.int64)
    tied = torch.tensor([50.0, 50.0])
    assert pair_fidelity(torch.tensor([2.0, 2.0]), tied, sets).item() == pytest.approx(0, abs=1e-6)
    apart = torch.tensor([5.0, -5.0])
    right = pair_fidelity(apart, torch.tensor([1.0, 0.0]), sets)
    assert right.item() == pytest.approx(-math.sqrt(clip_losses.EPSILON), abs=1e-6)
    assert pair_fidelity(apart, torch.tensor([0.0, 1.0]), sets).item() > 0.99


def test_opinions_of_different_sets_are_never_compared():
    scores, sets = torch.tensor([1.0, 2.0, 3.0, 4.0]), torch.tensor([0, 1, 0, 1])
    plain = pair_fidelity(scores, torch.tensor([1.0, 20.0, 2.0, 30.0]), sets)
    moved = pair_fidelity(scores, torch.tensor([1.0, -20.0, 2.0, -10.0]), sets)
    assert plain.item() == moved.item()


def test_a_batch_without_pairs_teaches_nothing_and_is_no_error():
    scores = torch.tensor([1.0, 2.0], requires_grad=True)
    loss = pair_fidelity(scores, torch.tensor([1.0, 2.0]), torch.tensor([0, 1]))
    loss.backward()
    assert loss.item() == 0
    assert scores.grad.tolist() == [0, 0]


def test_a_lone_picture_does_not_dilute_the_pairs_of_the_others():
    scores, opinions = torch.tensor([1.0, 2.0, 9.0]), torch.tensor([2.0, 1.0, 1.0])
    two = pair_fidelity(scores[:2], opinions[:2], torch.tensor([0, 0]))
    assert pair_fidelity(scores, opinions, torch.tensor([0, 0, 1])).item() == two.item()


def test_a_loss_that_stopped_falling_weighs_more():
    epochs = [{"a": 1.0, "b": 1.0}, {"a": 1.0, "b": 0.1}]
    weights = dynamic_weights(["a", "b"], epochs)
    assert weights["a"] > 1 > weights["b"]
    assert sum(weights.values()) == pytest.approx(2)
