"""The losses of GRepQ are its authors', and fall when what is alike draws together."""

import pytest
import torch

from beholder.training.grepq_losses import groups, quality_aware


@pytest.fixture(scope="module")
def recorded(clip_fixture):
    return clip_fixture("grepq/losses")


def leaf(tensor):
    return tensor.clone().requires_grad_()


def test_the_loss_of_versions_and_its_gradients_are_the_authors(recorded):
    one, other = leaf(recorded["in.feat1"]), leaf(recorded["in.feat2"])
    loss = quality_aware(one, other, recorded["in.similarity"])
    loss.backward()
    assert loss.item() == pytest.approx(recorded["out.quality_aware"].item(), abs=2e-6)
    assert torch.allclose(one.grad, recorded["out.grad_feat1"], rtol=1e-4, atol=1e-6)
    assert torch.allclose(other.grad, recorded["out.grad_feat2"], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("temperature", "name"), [(0.5, "group_t0.5"), (1.0, "group_t1.0")])
def test_the_loss_of_groups_is_the_authors(recorded, temperature, name):
    loss = groups(recorded["in.group_high"], recorded["in.group_low"], temperature)
    assert loss.item() == pytest.approx(recorded[f"out.{name}"].item(), abs=2e-6)


def test_the_gradients_of_the_loss_of_groups_are_the_authors(recorded):
    high, low = leaf(recorded["in.group_high"]), leaf(recorded["in.group_low"])
    groups(high, low, 1.0).backward()
    assert torch.allclose(high.grad, recorded["out.grad_group_high"], rtol=1e-4, atol=1e-6)
    assert torch.allclose(low.grad, recorded["out.grad_group_low"], rtol=1e-4, atol=1e-6)


def test_versions_that_are_all_alike_have_no_loss():
    features = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0))
    assert quality_aware(features, features, torch.ones(2, 3, 3)).item() == pytest.approx(0.0)


def test_groups_that_draw_apart_have_less_loss():
    first, second = torch.eye(2).repeat(1, 3).view(2, 6)[:, :2], torch.tensor([[1.0, 1.0]] * 2)
    together = groups(first, first)
    apart = groups(second, -second)
    assert apart < together
