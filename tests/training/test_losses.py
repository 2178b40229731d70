"""The losses are those of the originals: recorded numbers of DeQA-Score, and by hand."""

import json
import math
from pathlib import Path

import pytest
import torch

from beholder.training import losses
from beholder.training.lesson import Lesson
from beholder.training.saying import Answer, averaged, losses_of, pairwise

ROOT = Path(__file__).parents[2]
TINY = ROOT / "tests" / "fixtures" / "owl2" / "tiny_mha"
DEQA = ROOT.parent / "shared" / "fixtures" / "owl2" / "deqa" / "losses.json"
CASE = DEQA.parents[1] / "tiny_mha" / "cases" / "h_train_collated2.safetensors"
WORTH = torch.tensor([5.0, 4.0, 3.0, 2.0, 1.0])
OPENING = 6
"""Words of the answer before the level."""


@pytest.fixture(scope="module")
def recorded():
    """What DeQA-Score computed."""
    if not DEQA.is_file():
        pytest.skip(f"{DEQA} is not here: recorded numbers lie beside the repository")
    return json.loads(DEQA.read_text())


@pytest.fixture(scope="module")
def network():
    """The network it was computed with."""
    from beholder.backbones.owl2.loading import load

    return load(TINY, torch.float32).network.requires_grad_(True)


@pytest.fixture
def answers(recorded, network):
    """What the network says of the recorded batch, with gradients."""
    from safetensors.torch import load_file

    from beholder.backbones.owl2 import lessons

    tensors = load_file(CASE)
    rows = []
    for row, keep in enumerate(tensors["in.attention_mask"].bool()):
        ids = tensors["in.input_ids"][row][keep].tolist()
        labels = tensors["in.labels"][row][keep].tolist()
        rows.append(lessons.Lesson(ids, [tensors["in.images"][row].reshape(1, 3, 56, 56)], labels))
    network.zero_grad()
    said = lessons.supervised(network, rows)
    counts = list(said.counts)
    return [
        Answer(logits, labels, OPENING)
        for logits, labels in zip(said.logits.split(counts), said.labels.split(counts), strict=True)
    ]


def taught(recorded, side):
    gt = recorded["gt"]
    return [
        Lesson(Path(), "quality", "image", 0, opinion, deviation, 0, tuple(shares))
        for opinion, deviation, shares in zip(
            gt[f"scores_{side}"],
            gt[f"stds_{side}"],
            recorded[f"level_probs_{side}"],
            strict=True,
        )
    ]


def found(recorded, answers, side):
    said = answers if side == "A" else answers[::-1]
    levels = torch.tensor(recorded["config"]["level_ids"])
    return losses_of(said, taught(recorded, side), levels, WORTH.tolist())


@pytest.mark.parametrize("side", ["A", "B"])
def test_soft_label_losses_are_the_recorded_ones(recorded, answers, side):
    parts = found(recorded, answers, side)
    whole = recorded["rating"]["closed=True,fix_std=True"]
    total = parts["level_kl"] + parts["wording"]
    assert total.item() == pytest.approx(whole[f"loss_next_token_{side}"], abs=1e-5)
    assert parts["in_level"].item() == pytest.approx(whole[f"loss_in_level_{side}"], abs=1e-6)


def test_the_level_loss_alone_is_the_recorded_one(recorded, answers):
    assert found(recorded, answers, "A")["level_kl"].item() == pytest.approx(
        recorded["softkl_kl_only_A"], abs=1e-5
    )


def test_gradients_of_soft_label_losses_are_the_recorded_ones(recorded, answers, network):
    parts = found(recorded, answers, "A")
    (parts["level_kl"] + parts["wording"]).backward()
    assert norms(network, recorded["softkl_grad_norms_A"]) == pytest.approx(
        recorded["softkl_grad_norms_A"], rel=1e-4
    )


@pytest.mark.parametrize("fixed", [True, False])
def test_fidelity_of_pairs_is_the_recorded_one(recorded, answers, fixed):
    first, second = level_logits(recorded, answers)
    scores, spreads = losses.expectation(first, WORTH), losses.deviation(first, WORTH)
    expected = recorded["rating"][f"closed=True,fix_std={fixed}"]
    assert scores.tolist() == pytest.approx(expected["scores_A"], abs=1e-5)
    assert spreads.tolist() == pytest.approx(expected["stds_A"], abs=1e-5)
    stated = None if fixed else torch.cat([spreads, losses.deviation(second, WORTH)])
    loss = of_pairs(recorded, first, second, stated)
    assert loss.item() == pytest.approx(expected["continuous"], abs=1e-6)


def test_the_whole_loss_of_pairs_and_its_gradients_are_the_recorded_ones(
    recorded, answers, network
):
    first, second = level_logits(recorded, answers)
    total = of_pairs(recorded, first, second)
    for side in "AB":
        parts = found(recorded, answers, side)
        total = total + 0.05 * (parts["level_kl"] + parts["wording"])
    assert total.item() == pytest.approx(recorded["pair_total_loss_train_sh"], abs=1e-5)
    total.backward()
    expected = recorded["pair_total_grad_norms"]
    assert norms(network, expected) == pytest.approx(expected, rel=1e-4)


def level_logits(recorded, answers):
    levels = recorded["config"]["level_ids"]
    first = torch.stack([each.logits[each.level] for each in answers])[:, levels]
    return first, first.flip(0)


def of_pairs(recorded, first, second, spreads=None):
    """DeQA-Score compares each input with one other: item i of A with item i of B."""
    gt = recorded["gt"]
    opinions = torch.tensor(gt["scores_A"] + gt["scores_B"])
    deviations = torch.tensor(gt["stds_A"] + gt["stds_B"])
    pairs = losses.pairs_within(torch.tensor([0, 1, 0, 1]))
    scores = losses.expectation(torch.cat([first, second]), WORTH)
    return losses.fidelity(scores, losses.preferred(opinions, deviations), pairs, spreads)


def norms(network, names):
    by_name = dict(network.named_parameters())
    return {name: by_name[name].grad.double().norm().item() for name in names}


def test_a_batch_is_compared_within_its_sets_and_tasks():
    def lesson(number, opinion, task="quality"):
        return Lesson(Path(), task, "image", number, opinion, math.nan, 0, (1.0,))

    alone = pairwise(torch.tensor([1.0, 9.0]), [lesson(0, 1.0), lesson(0, 2.0)])
    batch = [lesson(0, 1.0), lesson(1, 99.0), lesson(0, 2.0), lesson(0, 3.0, "aesthetics")]
    mixed = pairwise(torch.tensor([1.0, 2.0, 9.0, 4.0]), batch)
    assert mixed.item() == pytest.approx(alone.item())


def test_without_pairs_the_fidelity_loss_is_zero_and_has_a_gradient():
    scores = torch.tensor([3.0], requires_grad=True)
    one = Lesson(Path(), "quality", "image", 0, 3.0, 0.5, 0, (1.0,))
    loss = pairwise(scores, [one])
    loss.backward()
    assert loss.item() == 0
    assert scores.grad.tolist() == [0.0]


def test_fidelity_is_least_where_the_model_is_as_sure_as_people():
    wanted = losses.preferred(torch.tensor([3.0, 2.0]), torch.tensor([1.0, 1.0]))
    assert wanted[0, 1].item() == pytest.approx(0.5 * (1 + math.erf(0.5)), abs=1e-6)
    pair = losses.pairs_within(torch.tensor([0, 0]))
    agreeing = losses.fidelity(torch.tensor([3.0, 2.0]), wanted, pair)
    surer = losses.fidelity(torch.tensor([5.0, 1.0]), wanted, pair)
    assert agreeing.item() == pytest.approx(0.0, abs=1e-6)
    assert surer.item() > 0.1


def test_where_no_deviation_is_known_the_better_opinion_wins_and_equals_draw():
    wanted = losses.preferred(torch.tensor([3.0, 2.0, 2.0]), torch.full((3,), math.nan))
    assert wanted[0].tolist() == [0.5, 1.0, 1.0]
    assert wanted[1].tolist() == [0.0, 0.5, 0.5]


def test_the_level_loss_of_one_hot_labels_is_the_cross_entropy_of_the_level():
    logits = torch.randn(3, 20, generator=torch.Generator().manual_seed(0))
    levels = torch.tensor([4, 7, 2, 9, 11])
    one_hot = torch.eye(5)[[0, 3, 4]]
    expected = torch.nn.functional.cross_entropy(logits, levels[[0, 3, 4]])
    assert losses.level_kl(logits, levels, one_hot).item() == pytest.approx(expected.item())


def test_the_in_level_loss_is_not_pushed_below_its_floor():
    sure = torch.full((2, 8), -50.0)
    sure[:, 3] = 50.0
    levels = torch.tensor([1, 2, 3, 4, 5])
    assert losses.in_level(sure, levels).item() == pytest.approx(losses.FLOOR)
    assert losses.in_level(-sure, levels).item() == pytest.approx(3 / 7, abs=1e-6)


def test_parts_of_an_input_are_averaged_before_they_are_judged():
    labels = torch.tensor([1, 0])
    one, two = (Answer(torch.full((2, 3), value), labels, 1) for value in (1.0, 3.0))
    assert averaged([one, two]).logits.tolist() == [[2.0] * 3] * 2
    assert averaged([one]) is one
