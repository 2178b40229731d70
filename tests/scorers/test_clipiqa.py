"""CLIP-IQA by hand and against recorded numbers; its learned kin from small checkpoints."""

from importlib import resources
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from beholder.backbones import clip
from beholder.backbones.clip.network import cosines
from beholder.engine import rater
from beholder.errors import ModelError, UsageError
from beholder.levels import antonyms
from beholder.media.frames import Frames, Picture
from beholder.recipes import recipe
from beholder.scorers import clipiqa

GOOD, BAD = antonyms.PAIRS["quality"]
SHARP, BLURRY = antonyms.PAIRS["sharpness"]
OURS = [name for name in recipe.names() if recipe.load(name).scorer == "clipiqa"]


def build(backbone, **settings):
    return clipiqa.build(backbone, {"prompts": {}, "levels": {}, "clips": "frames", **settings})


def rate(backbone, *inputs, **settings):
    scorer = build(backbone, **settings)
    return scorer.judge([scorer.encode(each) for each in inputs], "quality")


def share(first, second):
    return float(1 / (1 + np.exp(second - first)))


def test_the_score_is_how_far_good_outweighs_bad(table, still):
    (rating,) = rate(table({GOOD: 2.0, BAD: 1.0}), still())
    good = share(2.0, 1.0)
    assert rating.value == pytest.approx(1 + 4 * good, abs=1e-12)
    assert rating.level == "good"
    assert dict(rating.probabilities) == pytest.approx({"good": good, "bad": 1 - good})
    assert rating.spread == pytest.approx(4 * (good * (1 - good)) ** 0.5)
    assert not rating.details


def test_the_score_is_the_mean_over_the_pairs_which_stand_in_the_details(table, still):
    said = {GOOD: 2.0, BAD: 1.0, "Crisp.": -1.0, "Soft.": 1.0}
    (rating,) = rate(table(said), still(), pairs=["quality", "Crisp. / Soft."])
    parts = {"quality": share(2, 1), "Crisp.": share(-1, 1)}
    assert rating.details["pairs"] == pytest.approx(parts)
    assert rating.value == pytest.approx(1 + 2 * sum(parts.values()))


def test_attributes_are_told_and_do_not_change_the_score(table, still):
    said = {GOOD: 2.0, BAD: 1.0, SHARP: 0.0, BLURRY: 3.0, "Old.": 1.0, "New.": 1.0}
    (plain,) = rate(table(said), still())
    (rating,) = rate(table(said), still(), attributes=["sharpness", "Old. / New."])
    assert rating.value == plain.value
    assert rating.details == {
        "attributes": pytest.approx({"sharpness": share(0, 3), "Old.": share(1, 1)})
    }


def test_a_clip_is_rated_by_its_frames_and_has_a_timeline(table, make_clip):
    rows = [{GOOD: 3.0, BAD: 0.0}, {GOOD: 0.0, BAD: 1.0}]
    (rating,) = rate(table(*rows), make_clip)
    assert rating.value == pytest.approx(1 + 4 * share(1.5, 0.5))
    assert [value for _, value in rating.timeline] == pytest.approx(
        [1 + 4 * share(3, 0), 1 + 4 * share(0, 1)]
    )


@pytest.fixture
def make_clip():
    pictures = [Picture(np.full((4, 4, 3), n, np.uint8), float(n)) for n in range(2)]
    return Frames("video", 4, 4, 2.0, pictures)


@pytest.mark.parametrize("tower", ["vit", "rn"])
@pytest.mark.parametrize("case", ["native.pos0", "native.pos1", "other.pos0", "other.pos1"])
def test_recorded_logits_give_the_recorded_scores(clip_fixture, table, still, tower, case):
    recorded = clip_fixture(f"clipiqa/fixed_{tower}")
    logits, scores = recorded[f"out.{case}.logits"], recorded[f"out.{case}.score"]
    pairs = [antonyms.PAIRS[name] for name in ("quality", "sharpness", "brightness")]
    texts = [text for pair in pairs for text in pair]
    rows = [dict(zip(texts, each.flatten().tolist(), strict=True)) for each in logits]
    inputs = [still(number) for number in range(len(rows))]
    ratings = rate(table(*rows), *inputs, attributes="sharpness, brightness")
    for rating, wanted in zip(ratings, scores.tolist(), strict=True):
        found = [(rating.value - 1) / 4, *rating.details["attributes"].values()]
        assert found == pytest.approx(wanted, abs=2e-6)


@pytest.fixture
def residual(tiny_clip, clip_fixture, tmp_path):
    """A file of a small CLIP with a residual network, and its tokenizer beside it."""
    stored = load_file(tiny_clip / "openai_state_dict.safetensors")
    texts = {name: tensor for name, tensor in stored.items() if not name.startswith("visual.")}
    save_file({**texts, **clip_fixture("clipiqa/rn_tiny_visual")}, tmp_path / "rn.safetensors")
    for name in ("vocab.json", "merges.txt"):
        (tmp_path / name).write_bytes((tiny_clip / name).read_bytes())
    return tmp_path / "rn.safetensors"


@pytest.mark.parametrize("wrap", [lambda c: c, lambda c: {"params": {"prompt_learner.ctx": c}}])
def test_clip_iqa_plus_asks_texts_in_their_learned_context(tiny_clip, clip_fixture, tmp_path, wrap):
    recorded = clip_fixture("clipiqa/plus_vit")
    torch.save(wrap(recorded["in.ctx"]), tmp_path / "prompts.pth")
    backbone = clip.load(tmp_path / "prompts.pth", base=tiny_clip, positions="none")
    options = recipe.load("clip-iqa-plus").options
    scorer = build(backbone, contexts=options["contexts"], pairs=options["pairs"])
    found = backbone.texts(scorer.asked)
    torch.testing.assert_close(found, recorded["out.middle.text"], rtol=0, atol=1e-5)


def test_a_context_moves_to_the_device_of_the_network(tiny_clip, tmp_path):
    torch.save({"ctx": torch.randn(4, 64)}, tmp_path / "prompts.pth")
    backbone = clip.load(tmp_path / "prompts.pth", base=tiny_clip)
    backbone.network.to("meta")
    assert backbone.texts(build(backbone, contexts="middle").asked).device.type == "meta"


def test_each_text_may_have_a_context_of_its_own(tiny_clip, clip_fixture, tmp_path):
    context = clip_fixture("clipiqa/plus_vit")["in.ctx"]
    torch.save({"ctx": torch.stack([context, 2 * context])}, tmp_path / "own.pth")
    torch.save({"ctx": context}, tmp_path / "shared.pth")
    pairs = ["Good photo.. / Bad photo.."]
    own, shared = (
        build_features(tmp_path / name, tiny_clip, pairs) for name in ("own.pth", "shared.pth")
    )
    torch.testing.assert_close(own[0], shared[0])
    assert not torch.allclose(own[1], shared[1])


def build_features(path, base, pairs):
    backbone = clip.load(path, base=base)
    return backbone.texts(build(backbone, contexts="middle", pairs=pairs).asked)


def test_attributes_of_clip_iqa_plus_are_read_without_the_context(tiny_clip, tmp_path):
    torch.save({"ctx": torch.randn(4, 64)}, tmp_path / "prompts.pth")
    backbone = clip.load(tmp_path / "prompts.pth", base=tiny_clip)
    scorer = build(backbone, contexts="end", attributes=["quality"])
    learned, plain = backbone.texts(scorer.asked).split(2)
    assert torch.equal(plain, clip.load(tiny_clip).texts([GOOD, BAD]))
    assert not torch.allclose(learned, plain)


def test_qualiclip_takes_the_features_that_its_checkpoint_keeps(
    residual, clip_fixture, tmp_path, tiny_clip
):
    recorded = clip_fixture("qualiclip/head")
    stored = {f"clip_model.{n}": tensor for n, tensor in load_file(residual).items()}
    stored["prompts_features"] = recorded["in.prompts_features"]
    torch.save(stored, tmp_path / "qualiclip.pth")
    options = dict(recipe.load("qualiclip").options)
    scorer_options = {name: options.pop(name) for name in ("features", "pairs")}
    backbone = clip.load(tmp_path / "qualiclip.pth", **options)
    scorer = build(backbone, **scorer_options)
    logits = backbone.scale * cosines(recorded["in.image_embeds"], backbone.texts(scorer.asked))
    shares = [antonyms.shares(row) for row in logits.tolist()]
    # At a scale of 100 the last bit of a cosine is 3e-6 of a share.
    assert np.array(shares) == pytest.approx(recorded["out.pair_prob"].numpy(), abs=4e-6)
    assert np.mean(shares, 1) == pytest.approx(recorded["out.score"].numpy(), abs=2e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pairs": []}, "got none: give at least one"),
        ({"pairs": ["sharpnes"]}, "unknown property 'sharpnes': did you mean 'sharpness'"),
        ({"pairs": ["Good. / "]}, "not two different texts"),
        ({"pairs": ["Same. / Same."]}, "not two different texts"),
        ({"pairs": 3}, "pairs are 3; they are a list"),
        ({"attributes": [3]}, r"attributes are \[3\]"),
        ({"contexts": "middle"}, "are of a CLIP"),
    ],
)
def test_texts_that_cannot_be_asked_are_refused(table, settings, message):
    with pytest.raises(UsageError, match=message):
        build(table(), **settings)


def test_a_checkpoint_without_what_the_method_needs_is_refused(tiny_clip):
    backbone = clip.load(tiny_clip)
    with pytest.raises(ModelError, match="holds 0 learned contexts"):
        build(backbone, contexts="middle")
    with pytest.raises(ModelError, match=r"features of 2 texts as it, \(2, 32\); there is none"):
        build(backbone, features="it")
    with pytest.raises(UsageError, match="'midle': did you mean 'middle'"):
        build(backbone, contexts="midle")


def test_a_context_of_another_clip_or_for_other_texts_is_refused(tiny_clip, tmp_path):
    for name, shape in (("wide", (16, 512)), ("many", (14, 16, 64))):
        torch.save({"ctx": torch.zeros(shape)}, tmp_path / f"{name}.pth")
        backbone = clip.load(tmp_path / f"{name}.pth", base=tiny_clip)
        with pytest.raises(ModelError, match="taught over another CLIP or for other texts"):
            build(backbone, contexts="middle")


def test_a_checkpoint_of_another_method_is_refused(tiny_clip, tmp_path):
    stored = load_file(tiny_clip / "openai_state_dict.safetensors")
    for name in ("vocab.json", "merges.txt"):
        (tmp_path / name).write_bytes((tiny_clip / name).read_bytes())
    torch.save({**stored, "adapter.fc.0.weight": torch.zeros(2)}, tmp_path / "other.pth")
    with pytest.raises(ModelError, match=r"adapter\.fc\.0\.weight, which this method does not use"):
        build(clip.load(tmp_path / "other.pth"))


def checkpoints(name: str, tiny_clip: Path, residual: Path, place: Path) -> str:
    """Return the `[weights]` of a recipe on small checkpoints in the published format."""
    known = recipe.load(name)
    assert known.weights is not None
    is_vit = "vit" in known.about.lower()
    base = tiny_clip / "openai_state_dict.safetensors" if is_vit else residual
    if known.options.get("contexts"):
        torch.save({"ctx": torch.randn(16, 64)}, place / "ctx.pth")
        return _weights(place / "ctx.pth") + _weights(base, "weights.base")
    if known.options.get("features"):
        count = 2 * len(known.options["pairs"])
        stored = {f"clip_model.{n}": tensor for n, tensor in load_file(residual).items()}
        torch.save({**stored, "prompts_features": torch.randn(count, 32)}, place / "q.pth")
        return _weights(place / "q.pth")
    return _weights(base)


def _weights(path: Path, table: str = "weights") -> str:
    return f'[{table}]\nfolder = "{path.parent}"\nfile = "{path.name}"\n\n'


def test_a_folder_of_clip_is_asked_for_good_and_bad(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "clip", "torch_dtype": "float32"}')
    found = recipe.load(str(tmp_path))
    assert (found.backbone, found.scorer, found.dtype) == ("clip", "clipiqa", "float32")
    assert found.weights is not None
    assert found.weights.path == tmp_path


def test_there_are_recipes_of_clip_iqa():
    assert {"clip-iqa", "clip-iqa-plus", "qualiclip"} <= set(OURS)


@pytest.mark.parametrize("name", OURS)
def test_each_recipe_rates_a_picture_with_a_checkpoint_of_its_format(
    name, tiny_clip, residual, tmp_path, make_picture
):
    text = resources.files("beholder.recipes").joinpath(f"{name}.toml").read_text()
    head, _, rest = text.partition("[weights]")
    rest = rest[rest.index("[options]") :]
    (tmp_path / "own.toml").write_text(
        head + checkpoints(name, tiny_clip, residual, tmp_path) + rest
    )
    found = rater.load(str(tmp_path / "own.toml"), device="cpu")
    pictures = [make_picture(seed, 120, 96) for seed in range(2)]
    *scores, small = found.score([*pictures, make_picture(2, 15, 40)])
    assert [score.error for score in scores] == ["", ""]
    is_refused = found.recipe.options["views"] == "whole"
    assert ("enlarge it" in small.error) == is_refused
    assert all(1 < score.value < 5 for score in scores)
    assert scores[0].value != scores[1].value
    assert found.settings["backbone"]["views"]["kind"] == found.recipe.options["views"]
