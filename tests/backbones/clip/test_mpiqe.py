"""MP-IQE's network agrees with recordings of the authors' code, and learns where it should."""

import json
from dataclasses import replace

import pytest
import torch

from beholder.backbones.clip import loading, taught
from beholder.backbones.clip.mpiqe import PAPER, RELEASED, Design, MpIqe, losses
from beholder.errors import ModelError

RENAMED = {
    "prompt_embeddings": "prompts",
    "deep_features_embeddings": "deeper",
    "global_features_learner.ctx": "scenes.vectors",
    "local_features_learner.ctx": "distortions.vectors",
    "prompt_proj": "widen",
    "encoder_proj": "narrow",
    "bunch_decoder": "decoder",
    "decoder_mlp1": "rate",
    "spatial_logit_scale": "focus",
    "logit_scale": "scale",
}
SIZES = {"feedforward": 128, "hidden": 16}


def ours(name: str) -> str:
    for theirs, own in RENAMED.items():
        if name.startswith(theirs):
            return own + name.removeprefix(theirs)
    return ""


@pytest.fixture
def recorded(clip_fixture):
    return clip_fixture("mpiqe/forward_loss")


@pytest.fixture
def names(clip_file):
    return json.loads(clip_file("mpiqe/forward_loss.json").read_text())["parameter_names"]


@pytest.fixture(scope="module")
def clip(tiny_clip):
    return loading.load(tiny_clip, torch.float32)


@pytest.fixture
def make(clip, recorded):
    weights = {n[len("in.weight.") :]: t for n, t in recorded.items() if n.startswith("in.weight.")}
    tensors = {ours(name): each for name, each in weights.items() if ours(name)}

    def network(design: Design) -> MpIqe:
        made = MpIqe(clip.network, clip.tokens, replace(design, **SIZES))
        taught.fill(made, tensors, "the recording")
        return made.eval()

    return network


def close(got, wanted, atol):
    torch.testing.assert_close(got.detach(), wanted, atol=atol, rtol=0)


def test_texts_tokens_and_logits_are_those_of_the_authors_code(make, recorded):
    network = make(PAPER)
    said, texts = network(recorded["in.pixels"]), network.read()
    close(texts.scenes, recorded["out.scene_text"], 1e-5)
    close(texts.distortions, recorded["out.distortion_text"], 1e-5)
    close(network.see(recorded["in.pixels"]), recorded["out.tokens"], 1e-5)
    close(said.scenes, recorded["out.scene_logits"], 1e-5)


@pytest.mark.parametrize(("name", "design"), [("paper", PAPER), ("released", RELEASED)])
def test_windows_and_distortions_are_those_of_the_paper_or_of_the_released_code(
    make, recorded, name, design
):
    network = make(design)
    patches = recorded["out.tokens"][:, 1:].reshape(4, 4, 4, -1)
    close(network.pool(patches), recorded[f"out.{name}.windows"], 0)
    said = network(recorded["in.pixels"])
    close(said.distortions, recorded[f"out.{name}.distortion_logits"], 1e-5)


def test_a_window_holds_the_largest_of_its_own_patches(fresh):
    patches = torch.zeros(1, 6, 6, 32)
    patches[0, 4, 1] = torch.arange(1.0, 33.0)
    windows = fresh.pool(patches)[0]
    assert windows.shape == (9, 32)
    assert torch.equal(windows[6], patches[0, 4, 1])
    assert windows.sum() == windows[6].sum()


def test_each_text_rates_and_the_score_is_their_mean(make, recorded):
    network = make(PAPER)
    rated = network.judge(recorded["out.tokens"], network.read())
    close(rated, recorded["out.per_query_train"], 5e-6)
    close(network(recorded["in.pixels"]).score, recorded["out.score_train"], 2e-6)


def test_the_released_code_scores_with_other_queries_than_it_learned_with(make, recorded):
    network = make(replace(RELEASED, dropout=0.0))
    close(network(recorded["in.pixels"]).score, recorded["out.score_eval"], 2e-6)
    close(network.train()(recorded["in.pixels"]).score, recorded["out.score_train"], 2e-6)
    close(
        make(replace(PAPER, queries="raw"))(recorded["in.pixels"]).score,
        recorded["out.score_eval"],
        2e-6,
    )


def found(network, recorded):
    said = network(recorded["in.pixels"])
    labels = [recorded[f"in.{kind}"].tolist() for kind in ("scene", "distortion")]
    each = losses(said, recorded["in.mos"], *labels)
    total = each["scene"] + each["distortion"] + 0.5 * each["quality"]
    return {"scene": each["scene"], "distortion": each["distortion"],
            "smooth_l1": each["quality"], "total": total}  # fmt: skip


@pytest.mark.parametrize(("name", "windows"), [("paper", "places"), ("released", "mixed")])
def test_losses_and_the_gradients_of_all_that_learns_are_those_recorded(
    make, recorded, names, name, windows
):
    network = make(replace(PAPER, windows=windows))
    losses = found(network, recorded)
    close(losses["scene"], recorded["out.scene_loss"], 2e-6)
    close(losses["smooth_l1"], recorded["out.smooth_l1"], 2e-6)
    close(losses["distortion"], recorded[f"out.{name}.distortion_loss"], 2e-6)
    close(losses["total"], recorded[f"out.{name}.total_loss_alpha1_beta0.5"], 5e-6)
    for kind, loss in losses.items():
        norms = norms_of(network, loss)
        wanted = dict(zip(names, recorded[f"out.{name}.grad_norm_{kind}"].tolist(), strict=True))
        assert {n for n in norms if n in wanted} == set(norms)
        for theirs, norm in norms.items():
            assert norm == pytest.approx(wanted[theirs], rel=1e-4, abs=1e-6), (kind, theirs)


def norms_of(network, loss):
    """Norm of each gradient under the authors' names; -1 where there is none."""
    own = network.trainable()
    gradients = torch.autograd.grad(loss, list(own.values()), retain_graph=True, allow_unused=True)
    theirs = {mine: name for name, mine in RENAMED.items()}
    norms = {}
    for name, gradient in zip(own, gradients, strict=True):
        mine = next(each for each in theirs if name == each or name.startswith(f"{each}."))
        norm = -1.0 if gradient is None else float(gradient.norm())
        norms[theirs[mine] + name.removeprefix(mine)] = norm
    return norms


def test_gradients_are_those_recorded_number_by_number(make, recorded):
    network = make(PAPER)
    total = found(network, recorded)["total"]
    whose = {
        "shallow_prompts": network.prompts,
        "deep_prompts": network.deeper,
        "ctx_scene": network.scenes.vectors,
    }
    gradients = torch.autograd.grad(total, list(whose.values()))
    for name, gradient in zip(whose, gradients, strict=True):
        wanted = recorded[f"out.paper.grad.{name}"]
        torch.testing.assert_close(gradient, wanted, rtol=1e-4, atol=1e-6)


def test_a_text_depends_on_its_own_context_or_on_one_for_all(clip):
    own = MpIqe(clip.network, clip.tokens, Design(**SIZES))
    shared = MpIqe(clip.network, clip.tokens, Design(own=False, **SIZES))
    assert own.scenes.vectors.shape[:2] == (9, 8)
    assert own.distortions.vectors.shape[:2] == (11, 8)
    assert shared.scenes.vectors.shape[:2] == shared.distortions.vectors.shape[:2] == (1, 8)


@pytest.fixture
def fresh(clip):
    torch.manual_seed(0)
    return MpIqe(clip.network, clip.tokens, Design(**SIZES))


def step(network):
    torch.manual_seed(1)
    said = network(torch.randn(3, 3, 64, 64))
    each = losses(said, torch.tensor([20.0, 50.0, 80.0]), [0, 3, 8], [1, -1, 10])
    return each["scene"] + each["distortion"] + 0.5 * each["quality"]


def test_gradients_reach_every_prompt_at_every_layer_and_every_context(fresh):
    step(fresh.train()).backward()
    assert len(fresh.deeper) == 2
    for prompts in (fresh.prompts, fresh.deeper):
        assert (prompts.grad.norm(dim=2) > 0).all()
    for contexts in (fresh.scenes, fresh.distortions):
        assert (contexts.vectors.grad.norm(dim=2) > 0).all()


def test_what_learns_is_exactly_prompts_and_heads_and_no_weight_of_clip_moves(fresh):
    own = fresh.trainable()
    parts = {name.partition(".")[0] for name in own}
    prompts, heads = {"scenes", "distortions", "prompts", "deeper"}, {"decoder", "rate"}
    assert parts == prompts | heads | {"widen", "narrow", "scale", "focus"}
    assert {n for n, each in fresh.named_parameters() if each.requires_grad} == set(own)
    before = {name: each.clone() for name, each in fresh.clip.named_parameters()}
    started = {name: each.detach().clone() for name, each in own.items()}
    optimiser = torch.optim.Adam(own.values(), lr=1e-2)
    step(fresh.train()).backward()
    optimiser.step()
    assert all(torch.equal(before[name], each) for name, each in fresh.clip.named_parameters())
    assert all(each.grad is None for each in fresh.clip.parameters())
    assert all(not torch.equal(started[name], each) for name, each in own.items())


def test_the_released_code_leaves_out_contexts_and_the_prompts_of_deeper_layers(
    clip, fresh, clip_file
):
    released = MpIqe(clip.network, clip.tokens, replace(RELEASED, **SIZES))
    told = json.loads(clip_file("mpiqe/forward_loss.json").read_text())
    left_out = {ours(name) for name in told["learnable_but_not_in_released_optimizer"]}
    assert fresh.trainable().keys() - released.trainable().keys() == left_out
    listed = {ours(name) for name in told["released_optimizer_trains"]} - {""}
    assert released.trainable().keys() == listed
    assert released.own().keys() == fresh.trainable().keys()


def test_a_kind_is_learned_where_it_is_known(fresh):
    with torch.no_grad():
        said = fresh(torch.randn(2, 3, 64, 64))
    each = losses(said, torch.tensor([1.0, 2.0]), [-1, -1], [-1, 4])
    assert float(each["scene"]) == 0
    wanted = torch.nn.functional.cross_entropy(
        said.distortions[1:], torch.tensor([4]), label_smoothing=0.1
    )
    assert float(each["distortion"]) == pytest.approx(float(wanted), rel=1e-6)


def test_a_picture_need_not_be_square(fresh):
    said = fresh(torch.randn(2, 3, 48, 80))
    assert said.score.shape == (2,)
    assert said.distortions.isfinite().all()


def test_weights_come_back_as_they_were_saved(fresh, clip, tiny_clip, tmp_path):
    pixels = torch.randn(2, 3, 64, 64)
    taught.save(tmp_path, fresh)
    opened = loading.load(tmp_path, torch.float32, base=tiny_clip)
    other = MpIqe(opened.network, opened.tokens, Design(**SIZES))
    taught.fill(other, opened.rest, "it")
    assert torch.equal(fresh.eval()(pixels).score, other.eval()(pixels).score)
    assert opened.digest != clip.digest


def test_weights_of_another_method_or_size_are_refused(fresh):
    tensors = {name: each.detach() for name, each in fresh.trainable().items()}
    with pytest.raises(ModelError, match=r"deeper: \(5, 4, 32\) instead of \(2, 4, 32\)"):
        taught.fill(fresh, {**tensors, "deeper": torch.zeros(5, 4, 32)}, "here")
    del tensors["scale"]
    with pytest.raises(ModelError, match=r"1 missing \(scale\); 1 unexpected \(scales\)"):
        taught.fill(fresh, {**tensors, "scales": torch.zeros(())}, "here")
