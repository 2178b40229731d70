"""Prompts go where they should, learn everywhere, and leave the backbone alone."""

import pytest
import torch

from beholder.backbones.clip.network import cosines, embed, see, words
from beholder.backbones.clip.prompting import text_features, vision_states, with_context
from beholder.errors import UsageError


@pytest.fixture
def pixels():
    return torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def prompts(layers, count=4, width=128, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return {each: torch.randn(count, width, generator=generator) for each in layers}


def last(loaded, pixels, given):
    *_, states = vision_states(loaded.network, embed(loaded.network, pixels), given)
    return states


def test_no_prompts_and_prompts_of_no_length_are_the_plain_tower(loaded, pixels):
    plain = last(loaded, pixels, {})
    assert plain.shape == (2, 17, 128)
    torch.testing.assert_close(last(loaded, pixels, prompts(range(3), count=0)), plain)
    vision, projection = loaded.network.vision_model, loaded.network.visual_projection
    features = projection(vision.post_layernorm(plain[:, 0]))
    torch.testing.assert_close(features, see(loaded.network, pixels))


def test_the_order_of_prompts_changes_nothing(loaded, pixels):
    given = prompts(range(3))
    turned = {layer: each.flip(0) for layer, each in given.items()}
    torch.testing.assert_close(last(loaded, pixels, given), last(loaded, pixels, turned))


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_prompts_of_each_layer_change_what_comes_out(loaded, pixels, layer):
    given = prompts(range(3))
    other = {**given, layer: 2 * given[layer]}
    assert not torch.allclose(last(loaded, pixels, given), last(loaded, pixels, other))


def test_prompts_that_are_not_replaced_go_on(loaded, pixels):
    """Layer 0 alone is felt in the last layer; one replaced at once is felt only through others."""
    once, plain = last(loaded, pixels, prompts([0])), last(loaded, pixels, {})
    assert not torch.allclose(once, plain)
    replaced = last(loaded, pixels, prompts([0]) | {2: torch.zeros(4, 128)})
    assert not torch.allclose(once, replaced)


def test_each_picture_may_have_prompts_of_its_own(loaded, pixels):
    own = torch.stack([prompts([0], seed=seed)[0] for seed in (1, 2)])
    both = last(loaded, pixels, {0: own})
    for number in range(2):
        alone = last(loaded, pixels[number : number + 1], {0: own[number]})
        torch.testing.assert_close(both[number : number + 1], alone, atol=1e-5, rtol=1e-5)


def test_gradients_reach_every_prompt_of_both_towers_and_no_weight(loaded, pixels):
    network = loaded.network
    seen = {layer: each.requires_grad_() for layer, each in prompts(range(3)).items()}
    deep = {layer: each.requires_grad_() for layer, each in prompts([1, 2], 4, 64).items()}
    context = torch.randn(4, 64, requires_grad=True)
    read = loaded.tokens.read(["good photo", "bad photo"])
    embedded = with_context(words(network, read.ids), context)
    texts = text_features(network, embedded, read.ends + 4, deep)
    states = last(loaded, pixels, seen)
    pictures = network.visual_projection(network.vision_model.post_layernorm(states[:, 0]))
    cosines(pictures, texts)[:, 0].sum().backward()
    for each in (context, *seen.values(), *deep.values()):
        assert each.grad is not None
        assert (each.grad.abs().sum(-1) > 0).all()
    assert all(each.grad is None for each in network.parameters())


def test_deep_prompts_stand_right_after_the_beginning_of_texts(loaded):
    network = loaded.network
    read = loaded.tokens.read(["good photo", "bad photo"])
    embedded = words(network, read.ids)
    plain = text_features(network, embedded, read.ends)
    zeros = text_features(network, embedded, read.ends, {1: torch.zeros(2, 64)})
    assert not torch.allclose(plain, zeros)
    whole = {1: torch.zeros(2, 64), 2: torch.zeros(2, 64)}
    covered = text_features(network, embedded, read.ends, whole)
    assert torch.isfinite(covered).all()
    assert not torch.allclose(covered, zeros)


def test_a_context_stands_around_the_words_as_asked():
    embedded = torch.tensor([[1.0], [7.0], [8.0], [9.0]])[None]
    context = torch.tensor([[0.1], [0.2]])
    rows = {
        place: with_context(embedded, context, [2], place)[0, :, 0].tolist()
        for place in ("front", "middle", "end")
    }
    assert rows["end"] == pytest.approx([1, 0.1, 0.2, 7, 8, 9])
    assert rows["front"] == pytest.approx([1, 7, 8, 0.1, 0.2, 9])
    assert rows["middle"] == pytest.approx([1, 0.1, 7, 8, 0.2, 9])
    with pytest.raises(UsageError, match="'midle': did you mean 'middle'"):
        with_context(embedded, context, [2], "midle")


@pytest.mark.parametrize("place", ["front", "middle", "end"])
def test_clip_iqa_plus_has_the_recorded_texts_scores_loss_and_gradient(loaded, clip_fixture, place):
    recorded = clip_fixture("clipiqa/plus_vit")
    network = loaded.network
    texts = ["Good photo..", "Bad photo.."]
    context = recorded["in.ctx"].clone().requires_grad_()
    read = loaded.tokens.read(texts)
    assert read.ids[:, 1:].tolist() == recorded["out.input_ids"][:, 17:21].tolist()
    names = [len(loaded.tokens.ids(text)) for text in texts]
    embedded = with_context(words(network, read.ids), context, names, place)
    found = text_features(network, embedded, read.ends + len(context))
    torch.testing.assert_close(found, recorded[f"out.{place}.text"], rtol=0, atol=1e-5)
    seen = see(network, recorded["in.pixels"], "none")
    score = (network.logit_scale.exp() * cosines(seen, found)).softmax(-1)[:, :1]
    torch.testing.assert_close(score, recorded[f"out.{place}.score"], rtol=0, atol=2e-6)
    loss = torch.nn.functional.mse_loss(score, recorded["in.mos"])
    torch.testing.assert_close(loss, recorded[f"out.{place}.loss"], rtol=0, atol=2e-6)
    loss.backward()
    torch.testing.assert_close(
        context.grad, recorded[f"out.{place}.grad_ctx"], rtol=1e-4, atol=1e-6
    )
