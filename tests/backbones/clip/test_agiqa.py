"""Both CLIP-AGIQA networks agree with recordings of their authors' code, and learn."""

import json
from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from beholder.backbones.clip import loading, taught
from beholder.backbones.clip.agiqa import Fu, FuDesign, Tang, TangDesign, fu_losses

NONE = -1.0
"""What the recording says of a weight that got no gradient."""


@pytest.fixture(scope="module")
def clip(tiny_clip):
    return loading.load(tiny_clip, torch.float32)


def weights(recorded):
    return {n[len("in.weight.") :]: t for n, t in recorded.items() if n.startswith("in.weight.")}


def gradients(network, loss):
    own = network.trainable()
    found = torch.autograd.grad(loss, list(own.values()), allow_unused=True)
    return dict(zip(own, found, strict=True))


def norm(gradient):
    return NONE if gradient is None else float(gradient.norm())


def close(got, wanted, atol):
    torch.testing.assert_close(got.detach(), wanted, atol=atol, rtol=0)


class TestFu:
    @pytest.fixture
    def recorded(self, clip_fixture):
        return clip_fixture("agiqa_fu/forward_loss")

    @pytest.fixture
    def names(self, clip_file):
        return json.loads(clip_file("agiqa_fu/forward_loss.json").read_text())["grad_names"]

    @pytest.fixture
    def make(self, clip, recorded):
        def network(design):
            made = Fu(clip.network, clip.tokens, design)
            taught.fill(made, tensors(weights(recorded), design), "the recording")
            return made.eval()

        return network

    @pytest.mark.parametrize(
        ("name", "atol", "rel"),
        [
            pytest.param("exact", 2e-6, 1e-4, id="exact"),
            pytest.param("released", 1e-4, 1e-3, id="with prompts in half precision"),
            pytest.param("noaux", 1e-4, 1e-3, id="without guidance, in half precision"),
        ],
    )
    def test_ratings_losses_and_gradients_are_those_of_the_authors_code(
        self, make, recorded, names, name, atol, rel
    ):
        guided = name != "noaux"
        network = make(FuDesign(guided=guided))
        rated = network(recorded["in.pixels"])
        each = fu_losses(rated, recorded["in.mos"], recorded["in.alignment"])
        close(rated.quality, recorded[f"out.{name}.score"][:, 0], atol)
        close(each["quality"], recorded[f"out.{name}.loss_quality"], atol)
        total = each["quality"]
        if guided:
            close(rated.alignment, recorded[f"out.{name}.alignment"][:, 0], atol)
            close(each["alignment"], recorded[f"out.{name}.loss_alignment"], atol)
            total = total + 0.1 * each["alignment"]
        close(total, recorded[f"out.{name}.loss_total"], atol)
        found = theirs(gradients(network, total))
        wanted = dict(zip(names, recorded[f"out.{name}.grad_norm"].tolist(), strict=True))
        for which, each in wanted.items():
            assert found.get(which, NONE) == pytest.approx(each, rel=rel, abs=1e-6), which

    def test_features_and_guided_prompts_are_those_of_the_authors_code(self, make, recorded):
        network = make(FuDesign())
        quality, alignment = network.read()
        close(quality, recorded["out.exact.text_embeds"], 1e-5)
        close(alignment, recorded["out.exact.aux_text_embeds"], 1e-5)
        close(network.guided(), recorded["out.exact.target_visual_prompts"], 1e-5)

    def test_gradients_reach_every_prompt_at_every_layer_and_nothing_of_clip(self, clip):
        torch.manual_seed(0)
        network = Fu(clip.network, clip.tokens)
        rated = network(torch.randn(3, 3, 64, 64))
        each = fu_losses(rated, torch.tensor([0.1, 0.5, 0.9]), torch.tensor([0.9, 0.1, 0.5]))
        (each["quality"] + 0.1 * each["alignment"]).backward()
        for asked in (network.quality, network.alignment):
            for prompts in (asked.contexts.vectors, asked.texts, asked.pictures):
                assert (prompts.grad.norm(dim=-1) > 0).all()
        assert {name.partition(".")[0] for name in network.trainable()} == {
            "quality", "alignment", "mixers"
        }  # fmt: skip
        assert all(each.grad is None for each in network.clip.parameters())

    def test_alignment_that_nobody_knows_is_not_asked_for(self, clip):
        network = Fu(clip.network, clip.tokens)
        with torch.no_grad():
            rated = network(torch.randn(2, 3, 64, 64))
        nan = float("nan")
        none = fu_losses(rated, torch.tensor([0.1, 0.5]), torch.tensor([nan, nan]))
        assert float(none["alignment"]) == 0
        one = fu_losses(rated, torch.tensor([0.1, 0.5]), torch.tensor([nan, 0.25]))
        assert float(one["alignment"]) == pytest.approx((float(rated.alignment[1]) - 0.25) ** 2)


def tensors(recorded, design):
    """The authors' weights under our names."""
    made = {}
    whose = {"quality": "prompt_learner_tar", "alignment": "prompt_learner_aux"}
    for mine, name in list(whose.items())[: 2 if design.guided else 1]:
        made[f"{mine}.contexts.vectors"] = recorded[f"{name}.ctx"][None]
        made[f"{mine}.texts"] = torch.stack([recorded[f"{name}.prompts_text.{i}"] for i in (0, 1)])
        made[f"{mine}.pictures"] = torch.stack(
            [recorded[f"{name}.prompts_vis.{i}"] for i in (0, 1, 2)]
        )
    for end in ("weight", "bias") if design.guided else ():
        made[f"mixers.0.{end}"] = recorded[f"prompt_learner_tar.proj.{end}"]
        for layer in (1, 2):
            name = f"prompt_learner_tar.compound_prompt_projections.{layer - 1}.{end}"
            made[f"mixers.{layer}.{end}"] = recorded[name]
    return made


def theirs(found):
    """Norms of gradients under the authors' names."""
    norms = {}
    for name, gradient in found.items():
        first, _, rest = name.partition(".")
        whose = "prompt_learner_aux" if first == "alignment" else "prompt_learner_tar"
        if rest == "contexts.vectors":
            norms[f"{whose}.ctx"] = norm(gradient)
        elif first == "mixers":
            layer, _, end = rest.partition(".")
            deeper = f"compound_prompt_projections.{int(layer) - 1}"
            norms[f"{whose}.{deeper if int(layer) else 'proj'}.{end}"] = norm(gradient)
        else:
            kind = {"texts": "prompts_text", "pictures": "prompts_vis"}[rest]
            for layer, each in enumerate(gradient):
                norms[f"{whose}.{kind}.{layer}"] = norm(each)
    return norms


class TestTang:
    @pytest.fixture
    def recorded(self, clip_fixture):
        return clip_fixture("agiqa_tang/forward_loss")

    @pytest.fixture
    def make(self, clip, recorded):
        def network(design):
            made = Tang(clip.network, clip.tokens, replace(design, hidden=24))
            found = weights(recorded)
            renamed = {
                name.replace("regression", "rate"): each
                for name, each in found.items()
                if name.startswith("regression")
            }
            context = {"levels.vectors": found["prompt_learner.ctx"][None]}
            taught.fill(made, {**renamed, **context}, "the recording")
            return made.eval()

        return network

    @pytest.mark.parametrize("place", ["end", "front", "middle"])
    def test_ratings_losses_and_gradients_are_those_of_the_authors_code(
        self, make, recorded, place
    ):
        network = make(TangDesign(place=place))
        rated = network(recorded["in.pixels"])
        loss = functional.mse_loss(rated, recorded["in.mos"])
        close(network.read(), recorded[f"out.{place}.text_embeds"], 1e-5)
        close(rated, recorded[f"out.{place}.score"], 2e-6)
        close(loss, recorded[f"out.{place}.loss"], 2e-6)
        found = [norm(each) for each in gradients(network, loss).values()]
        assert found == pytest.approx(
            recorded[f"out.{place}.grad_norm"].tolist(), rel=1e-4, abs=1e-6
        )

    def test_the_gradient_of_the_context_is_that_recorded(self, make, recorded):
        network = make(TangDesign())
        loss = functional.mse_loss(network(recorded["in.pixels"]), recorded["in.mos"])
        (found,) = torch.autograd.grad(loss, [network.levels.vectors])
        torch.testing.assert_close(found[0], recorded["out.grad.ctx"], rtol=1e-4, atol=1e-6)

    def test_what_learns_is_the_context_and_the_head(self, clip):
        network = Tang(clip.network, clip.tokens, TangDesign(hidden=24))
        network.train()(torch.randn(2, 3, 64, 64)).sum().backward()
        assert set(network.trainable()) == {
            "levels.vectors", "rate.1.weight", "rate.1.bias", "rate.4.weight", "rate.4.bias"
        }  # fmt: skip
        assert (network.levels.vectors.grad.norm(dim=-1) > 0).all()
        assert all(each.grad is None for each in network.clip.parameters())
