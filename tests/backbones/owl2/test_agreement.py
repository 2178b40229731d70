"""The network computes what the reference computes, and the right thing where that is wrong."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from beholder.backbones.owl2 import lessons, loading
from beholder.backbones.owl2.network import Network

TOLERANCE = 1e-4
CASES = sorted(
    path.stem
    for path in (Path(__file__).parents[2] / "fixtures/owl2/tiny_mha/cases").glob("*.safetensors")
)
SHARED_CASES = [
    *(("tiny_mha", name) for name in ("c_video1_4f", "c_video2_equal", "c_video_5d")),
    ("tiny_mha", "h_train_single_nomask"),
    *(
        ("tiny_gqa", name)
        for name in (
            "a_single",
            "b_batch3",
            "c_video1_2f",
            "c_video1_4f",
            "c_video2_ragged_4f_2f",
            "d_text",
            "h_train_collated2",
            "h_train_ragged_list",
        )
    ),
]


@pytest.fixture(scope="module")
def network(tiny) -> Network:
    return loading.load(tiny, torch.float32).network


@pytest.mark.parametrize("case", CASES)
def test_logits_loss_and_gradients_are_those_of_the_reference(network, tiny, recorded, case):
    _agree(network, tiny / "cases" / case, recorded)


@pytest.mark.parametrize(("checkpoint", "case"), SHARED_CASES)
def test_every_other_recorded_case_agrees_too(shared, recorded, checkpoint, case):
    network = loading.load(shared / checkpoint, torch.float32).network
    _agree(network, shared / checkpoint / "cases" / case, recorded)


def _agree(network: Network, case: Path, recorded) -> None:
    batch, tensors = recorded(case.with_suffix(".safetensors"))
    if "out.logits" in tensors:
        with torch.inference_mode():
            logits = lessons.logits(network, batch)
            layout = lessons.read(network, batch)[1]
        for row, length in enumerate(layout.lengths):
            got, expected = logits[row, :length], tensors["out.logits"][row, :length]
            torch.testing.assert_close(got, expected, atol=TOLERANCE, rtol=0)
    if "out.loss" in tensors:
        network.requires_grad_(True)
        network.zero_grad()
        loss = lessons.loss(network, batch)
        loss.backward()
        assert loss.item() == pytest.approx(tensors["out.loss"].item(), abs=1e-5)
        norms = {n: p.grad.double().norm().item() for n, p in network.named_parameters()}
        expected = json.loads(case.with_suffix(".grad_norms.json").read_text())
        assert norms == pytest.approx(expected, rel=1e-4, abs=1e-5)
        for name, parameter in network.named_parameters():
            if f"grad.{name}" in tensors:
                torch.testing.assert_close(
                    parameter.grad, tensors[f"grad.{name}"], atol=1e-4, rtol=1e-4
                )
        network.requires_grad_(False)


def test_the_vision_tower_and_the_abstractor_agree_by_themselves(network, tiny, recorded):
    batch, tensors = recorded(tiny / "cases" / "a_single.safetensors")
    with torch.inference_mode():
        seen = network.model.vision_model(batch[0].pictures[0])
        tokens = network.see(batch[0].pictures[0])
    expected = tensors["trace.vision.last_hidden_state"]
    torch.testing.assert_close(seen, expected, atol=TOLERANCE, rtol=0)
    expected = tensors["trace.abstractor.last_hidden_state"]
    torch.testing.assert_close(tokens, expected, atol=TOLERANCE, rtol=0)


def test_the_shorter_clip_of_a_batch_is_read_at_its_own_end_not_at_padding(network, tiny, recorded):
    batch, tensors = recorded(tiny / "cases" / "c_video2_ragged_4f_2f.safetensors")
    _, alone = recorded(tiny / "cases" / "c_video1_2f.safetensors")
    with torch.inference_mode():
        states, layout = lessons.read(network, batch)
        logits = network.lm_head(states[layout.last])[:, [340, 337, 336, 338, 335]]
    torch.testing.assert_close(logits[0], tensors["out.level_logits"][0], atol=1e-4, rtol=0)
    torch.testing.assert_close(logits[1], alone["out.level_logits"][0], atol=1e-4, rtol=0)
    assert (logits[1] - tensors["out.level_logits"][1]).abs().max() > 0.1


def test_double_precision_is_as_close_as_rounding_allows(shared, recorded):
    network = loading.load(shared / "tiny_mha", torch.float64).network
    batch, _ = recorded(shared / "tiny_mha" / "cases" / "a_single.safetensors")
    tensors = load_file(shared / "tiny_mha" / "cases" / "a_single_fp64.safetensors")
    batch = [lessons.Lesson(each.ids, [p.double() for p in each.pictures]) for each in batch]
    with torch.inference_mode():
        logits = lessons.logits(network, batch)
    torch.testing.assert_close(logits, tensors["out.logits"].double(), atol=2e-5, rtol=0)


@pytest.mark.parametrize(
    ("dtype", "name", "tolerance"),
    [(torch.float16, "fp16", 0.15), (torch.bfloat16, "bf16", 1.0)],
)
def test_half_precision_differs_as_the_reference_does(shared, recorded, dtype, name, tolerance):
    network = loading.load(shared / "tiny_mha", dtype).network
    batch, _ = recorded(shared / "tiny_mha" / "cases" / "b_batch3.safetensors")
    tensors = load_file(shared / "tiny_mha" / "cases" / f"b_batch3_{name}.safetensors")
    with torch.inference_mode():
        logits = lessons.logits(network, batch).float()
    torch.testing.assert_close(logits, tensors["out.logits"].float(), atol=tolerance, rtol=0)


def test_the_7b_has_the_names_and_shapes_of_the_published_one(shared):
    recorded = json.loads((shared / "real_7b" / "param_shapes.json").read_text())
    network = loading.build(loading.Config())
    shapes = {name: list(p.shape) for name, p in network.state_dict().items()}
    expected = {**_shapes(recorded["parameters"]), **_shapes(recorded["persistent_buffers"])}
    assert shapes == expected
    assert len(shapes) == 862
    assert sum(p.numel() for p in network.parameters()) == 8_197_859_328
    assert all(p.is_meta for p in network.parameters())


def _shapes(entries) -> dict[str, list[int]]:
    items = entries.items() if isinstance(entries, dict) else ((e["name"], e) for e in entries)
    return {name: e["shape"] if isinstance(e, dict) else e for name, e in items}


def test_a_batch_without_labels_teaches_nothing(network):
    with pytest.raises(lessons.ModelError, match="no token of this batch"):
        lessons.loss(network, [lessons.Lesson([1, 5, 7], labels=[-100] * 3)])


def test_a_place_without_a_picture_is_refused(network):
    with pytest.raises(lessons.ModelError, match="1 places for pictures got 0"):
        lessons.logits(network, [lessons.Lesson([1, -200, 7])])


def test_labels_that_do_not_match_their_ids_are_refused(network):
    with pytest.raises(lessons.ModelError, match="3 tokens need as many labels, got 2"):
        lessons.loss(network, [lessons.Lesson([1, 5, 7], labels=[-100, 5])])


def test_pictures_and_text_alone_can_share_a_batch(network, tiny, recorded):
    batch, _ = recorded(tiny / "cases" / "a_single.safetensors")
    text, _ = recorded(tiny / "cases" / "d_text.safetensors")
    with torch.inference_mode():
        together = lessons.logits(network, batch + text)
        alone = lessons.logits(network, text)
    torch.testing.assert_close(together[1, : alone.shape[1]], alone[0], atol=2e-5, rtol=0)
