"""What learns, and how fast, is what was asked for: counted parameter by parameter."""

import sys
from pathlib import Path

import pytest
import torch

pytest.importorskip("peft", reason="needs pip install 'beholder[train]'")

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "backbones" / "chat")]

import tiny  # noqa: E402

from beholder.errors import UsageError  # noqa: E402
from beholder.training import adapters, opening  # noqa: E402
from beholder.training.config import Adapter, Config, Data, Train  # noqa: E402

OWL2 = HERE.parent / "fixtures" / "owl2" / "tiny_mha"
LORA = Adapter("lora")


@pytest.fixture(scope="module")
def llava(tmp_path_factory):
    return str(tiny.llava(tmp_path_factory.mktemp("llava")))


def opened(model=OWL2):
    return opening.load(Config(str(model), (Data("planted"),)), ("quality",))


def prepared(adapter=Adapter(), model=OWL2, **train):  # noqa: B008 - a record
    learner = opened(model)
    adapters.prepare(learner, adapter, Train(**train), seed=0)
    return learner


def learning(learner):
    return {n for n, w in learner.network.named_parameters() if w.requires_grad}


def added(names):
    return {name.partition(".lora_")[0] for name in names if adapters.is_added(name)}


def test_all_weights_learn_unless_something_else_is_said():
    learner = prepared()
    assert learning(learner) == {n for n, _ in learner.network.named_parameters()}
    (group, rest) = adapters.groups(learner, Train(decay=0.1))
    assert {group["lr"], rest["lr"]} == {2e-5}
    assert sorted([group["weight_decay"], rest["weight_decay"]]) == [0.0, 0.1]
    of_vectors = group if group["weight_decay"] == 0 else rest
    assert all(each.ndim == 1 for each in of_vectors["params"])


@pytest.mark.parametrize("name", ["q-align", "deqa"])
def test_low_rank_additions_of_the_originals_are_where_theirs_were(name):
    learner = prepared(Adapter("lora", preset=name))
    names = learning(learner)
    assert added(names) == {
        f"model.layers.{layer}.self_attn.{module}"
        for layer in range(3)
        for module in ("q_proj", "v_proj.multiway.1")
    }
    whole = {name.split(".")[1] for name in names if not adapters.is_added(name)}
    expected = {"visual_abstractor"} if name == "q-align" else {"visual_abstractor", "vision_model"}
    assert whole == expected
    by_name = dict(learner.network.named_parameters())
    for part in whole:
        of_part = {n for n in by_name if n.startswith(f"model.{part}")}
        assert of_part <= names
    assert by_name["model.layers.0.self_attn.q_proj.lora_A.default.weight"].shape == (128, 64)
    (rate,) = {group["lr"] for group in adapters.groups(learner, Train())}
    assert rate == (2e-4 if name == "q-align" else 2e-5)


def test_rates_by_part_reach_every_parameter_of_the_part_and_no_other():
    rates = {"abstractor": 3e-6, "vision": 7e-6}
    learner = prepared(rates=rates)
    names = {id(each): name for name, each in learner.network.named_parameters()}
    found = {}
    for group in adapters.groups(learner, Train(rate=1e-4, rates=rates)):
        for each in group["params"]:
            assert id(each) not in found
            found[id(each)] = group["lr"]
    assert found.keys() == names.keys()
    counts = {}
    for number, name in names.items():
        part = name.split(".")[1] if name.startswith("model.vis") else "language"
        expected = {"vision_model": 7e-6, "visual_abstractor": 3e-6}.get(part, 1e-4)
        assert found[number] == expected, name
        counts[part] = counts.get(part, 0) + 1
    assert counts == {"vision_model": 31, "visual_abstractor": 48, "language": 42}


def test_a_frozen_part_keeps_its_weights_and_gets_no_optimiser():
    learner = prepared(freeze=("vision", "language"))
    assert {name.split(".")[1] for name in learning(learner)} == {"visual_abstractor"}
    count = sum(len(group["params"]) for group in adapters.groups(learner, Train()))
    assert count == len(learning(learner))


def test_a_chat_model_gets_additions_where_it_reads_and_its_connector_learns_whole(llava):
    learner = prepared(LORA, llava)
    names = learning(learner)
    assert {name.split(".")[1] for name in added(names)} == {"language_model"}
    assert len(added(names)) == 2 * 7
    whole = {n for n in names if not adapters.is_added(n)}
    assert {name.split(".")[1] for name in whole} == {"multi_modal_projector"}


def test_iris_gets_additions_that_are_merged_without_changing_what_it_says():
    learner = prepared(LORA, "iris")
    assert len(added(learning(learner))) > 10
    for name, each in learner.network.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(each, std=0.05)
    x = torch.randn(1, 4, learner.network.design.width, generator=torch.Generator().manual_seed(0))
    before, _ = learner.network.read(x)
    adapters.merge(learner.network)
    after, _ = learner.network.read(x)
    assert not added(dict(learner.network.named_parameters()))
    torch.testing.assert_close(after, before, atol=1e-5, rtol=1e-5)


def test_modules_may_be_named_and_a_name_that_fits_none_lists_those_that_would():
    learner = prepared(Adapter("lora", modules=("o_proj",), rank=2))
    assert len(added(learning(learner))) == 3
    with pytest.raises(UsageError, match=r"ends in wrong; its linear modules end in .*q_proj"):
        prepared(Adapter("lora", modules=("wrong",)))


def test_additions_begin_at_nothing_and_depend_on_the_seed_alone():
    torch.manual_seed(1)
    one = prepared(LORA)
    torch.manual_seed(2)
    two = prepared(LORA)
    state, other = one.network.state_dict(), two.network.state_dict()
    assert all(torch.equal(state[name], other[name]) for name in state)
    assert all(not each.any() for name, each in state.items() if "lora_B" in name)


@pytest.mark.parametrize(
    ("adapter", "train", "said"),
    [
        (Adapter("qlora"), {}, "kind of adapter 'qlora'"),
        (Adapter("lora", preset="deqq"), {}, "'deqq': did you mean 'deqa'"),
        (Adapter(), {"freeze": ("visoin",)}, "'visoin': did you mean 'vision'"),
        (Adapter(), {"rates": {"abstracter": 1.0}}, "did you mean 'abstractor'"),
        (Adapter(), {"freeze": ("vision", "abstractor", "language")}, "no weight of"),
        (LORA, {"rates": {"vision": 1e-5}}, "no weight of it learns"),
    ],
)
def test_what_cannot_be_reached_is_refused(adapter, train, said):
    with pytest.raises(UsageError, match=said):
        prepared(adapter, **train)
