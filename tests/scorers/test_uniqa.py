"""UniQA end to end: from a picture to a score, with a head in the file of weights and without."""

import math
import re
from importlib import resources

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

import beholder
from beholder.backbones import clip
from beholder.backbones.clip.uniqa import GROUPS
from beholder.errors import ModelError, UsageError
from beholder.scorers import uniqa

OPTIONS = {"views": "five", "side": 64, "count": 1}


@pytest.fixture(scope="module")
def head(clip_fixture):
    """What the authors' code keeps of a head."""
    return {
        name.removeprefix("in.weight."): tensor
        for name, tensor in clip_fixture("uniqa/head").items()
        if name.startswith("in.weight.")
    }


@pytest.fixture(scope="module")
def folder(tiny_clip, head, tmp_path_factory):
    """A CLIP with a head, one without, and heads alone."""
    made = tmp_path_factory.mktemp("uniqa")
    for name in ("vocab.json", "merges.txt"):
        (made / name).write_bytes((tiny_clip / name).read_bytes())
    towers = load_file(tiny_clip / "openai_state_dict.safetensors")
    save_file(towers, made / "plain.safetensors")
    save_file({**towers, **head}, made / "whole.safetensors")
    torch.save({"params": head}, made / "head.pth")
    return made


def twin(folder, file, base=""):
    """Write the recipe that ships, with its weights in a folder."""
    text = resources.files("beholder.recipes").joinpath("uniqa.toml").read_text()
    below = f"[weights.base]\nfolder = '{folder}'\nfile = '{base}'\n" if base else ""
    here = f"[weights]\nfolder = '{folder}'\nfile = '{file}'\n{below}\n"
    path = folder / f"{file}.toml"
    path.write_text(re.sub(r"\[weights\].*?\n(?=\[)", here, text, flags=re.DOTALL))
    return str(path)


def load(folder, file, base="", **options):
    where = {"device": "cpu", "dtype": "float32"}
    return beholder.load(twin(folder, file, base), **where, options={**OPTIONS, **options})


@pytest.fixture(scope="module")
def big(clip_fixture):
    """The picture of 96×80 px that the authors' code scored by five crops."""
    return clip_fixture("uniqa/head")["in.uint8_big"][0].numpy()


@pytest.mark.parametrize("groups", [("single", "single"), ("generated", "agiqa")])
def test_a_picture_scores_as_with_the_authors_code(folder, clip_fixture, big, groups):
    wanted = clip_fixture("uniqa/head")[f"out.{groups[1]}.pos1.five_crop_80x96"].item()
    score = load(folder, "whole.safetensors", groups=groups[0]).score(big)
    assert score.value == pytest.approx(1 + 4 * wanted, abs=8e-6)


def test_the_default_is_the_ensemble_and_its_numbers_hang_together(folder, clip_fixture, big, head):
    wanted = clip_fixture("uniqa/head")["out.ensemble.pos1.five_crop_80x96"].item()
    score = load(folder, "whole.safetensors").score(big)
    assert score.value == pytest.approx(1 + 4 * wanted, abs=8e-6)
    assert list(score.probabilities) == ["perfect", "good", "fair", "poor", "bad"]
    assert sum(score.probabilities.values()) == pytest.approx(1, abs=1e-6)
    worths = [1 + 4 * each for each in reversed(head["score_level"].tolist())]
    shares = score.probabilities.values()
    assert score.value == pytest.approx(math.fsum(map(math.prod, zip(shares, worths, strict=True))))


def test_a_head_alone_is_put_over_a_clip(folder, big):
    whole = load(folder, "whole.safetensors").score(big)
    apart = load(folder, "head.pth", base="plain.safetensors").score(big)
    assert apart.value == whole.value
    assert apart.fingerprint != whole.fingerprint


def test_without_a_head_the_features_stay_and_the_levels_are_evenly_worth(folder, big):
    rater = load(folder, "plain.safetensors", groups="single")
    score = rater.score(big)
    backbone = clip.load(folder / "plain.safetensors", views="five", side=64)
    (seen,) = backbone.features([backbone.encode([_picture(big)])])
    alike = backbone.scale * torch.nn.functional.normalize(seen, dim=1)
    alike = alike @ torch.nn.functional.normalize(backbone.texts(GROUPS["single"][0]), dim=1).T
    value = (alike.softmax(1) @ torch.tensor([0.2, 0.4, 0.6, 0.8, 1.0])).mean().item()
    assert score.value == pytest.approx(1 + 4 * value, abs=1e-5)
    assert score.value != pytest.approx(load(folder, "whole.safetensors").score(big).value, abs=0.1)


def _picture(pixels):
    from beholder.media.frames import Picture

    return Picture(pixels)


def test_random_windows_are_those_of_the_seed(folder, big):
    chosen = {"views": "random", "count": 10}
    first = load(folder, "whole.safetensors", **chosen)
    again = load(folder, "whole.safetensors", **chosen)
    other = load(folder, "whole.safetensors", **chosen, seed=1)
    assert first.score(big).value == again.score(big).value
    assert first.score(big).value != other.score(big).value
    assert first.fingerprint == again.fingerprint != other.fingerprint


def test_a_clip_is_the_mean_of_its_frames_and_has_a_timeline(folder, big, tmp_path):
    rater = load(folder, "whole.safetensors")
    frames = [Image.fromarray(each) for each in (big, np.full_like(big, 40), big[::-1])]
    alone = [rater.score(each).value for each in frames]
    frames[0].save(
        tmp_path / "clip.png",
        save_all=True,
        append_images=frames[1:],
        duration=1000,
        default_image=False,
    )
    score = rater.score(str(tmp_path / "clip.png"))
    assert [value for _, value in score.details["timeline"]] == pytest.approx(alone, abs=1e-5)
    assert score.value == pytest.approx(sum(alone) / 3, abs=1e-5)


def test_a_scale_that_the_head_would_not_use_is_refused(folder):
    with pytest.raises(UsageError, match="scale cannot be chosen for uniqa: leave scale out"):
        load(folder, "whole.safetensors", scale=50.0)


def test_a_picture_smaller_than_a_window_is_an_error_row(folder, big):
    small, good = load(folder, "whole.safetensors").score([big[:40], big])
    assert "96×40 px" in small.error
    assert not good.error


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda head: head.pop("score_level"), "1 missing .score_level."),
        (lambda head: head.update(ctx=torch.zeros(2)), "1 unexpected .ctx."),
        (
            lambda head: head.update(score_level=torch.zeros(4)),
            r"the checkpoint does not hold .* \(score_level: \(4,\) instead of \(5,\)\)",
        ),
    ],
)
def test_a_head_that_is_none_of_this_clip_is_refused(folder, head, change, said, tmp_path):
    broken = dict(head)
    change(broken)
    torch.save(broken, folder / "broken.pth")
    with pytest.raises(ModelError, match=said):
        load(folder, "broken.pth", base="plain.safetensors")


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ("ensembel", "did you mean 'ensemble'"),
        ([], r"groups are \[\]"),
        ([["bad", "good"]], "lists of 5 texts"),
        ([["a", "b", "c", "d", ""]], "lists of 5 texts"),
        (3, "groups are 3"),
    ],
)
def test_groups_that_cannot_be_right_are_refused(folder, groups, said):
    with pytest.raises(UsageError, match=said):
        load(folder, "plain.safetensors", groups=groups)


def test_texts_of_the_users_are_groups_like_any(folder, big):
    mine = [["awful", "poor", "fair", "fine", "great"]]
    rater = load(folder, "plain.safetensors", groups=mine)
    assert rater.settings["groups"] == mine
    assert rater.score(big).value != load(folder, "plain.safetensors").score(big).value


def test_a_model_without_features_is_refused(table):
    with pytest.raises(UsageError, match="uniqa stands on the features of a CLIP"):
        uniqa.build(table(), {})
