"""Tiny models with random weights learn a planted quality signal, and then another one."""

import math
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from scipy.stats import spearmanr

pytest.importorskip("accelerate", reason="needs pip install 'beholder[train]'")

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "backbones" / "chat")]

import tiny  # noqa: E402
from planted import lessons  # noqa: E402

from beholder.engine import rater  # noqa: E402
from beholder.training import opening, teach  # noqa: E402
from beholder.training.config import Adapter, Config, Data, Keep, Prompts, Train  # noqa: E402
from beholder.training.learners.base import Kept  # noqa: E402
from beholder.training.questions import Questions  # noqa: E402

OWL2 = HERE.parent / "fixtures" / "owl2" / "tiny_mha"
GOOD = 0.8
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """The maker of untaught models: kind → folder, or name."""
    made = {"iris": "iris"}

    def make(kind):
        if kind not in made:
            folder = tmp_path_factory.mktemp(kind)
            made[kind] = str(owl2(folder) if kind == "owl2" else tiny.FAMILIES[kind](folder))
        return made[kind]

    return make


def owl2(folder):
    """Write the tiny mPLUG-Owl2 with the random weights that training usually begins with."""
    for name in ("config.json", "preprocessor_config.json", "tokenizer.model"):
        shutil.copyfile(OWL2 / name, folder / name)
    random = torch.Generator().manual_seed(0)
    tensors = load_file(OWL2 / "model.safetensors")
    for name, each in tensors.items():
        if each.ndim > 1 and not name.endswith("pos_embed"):
            wide = each[0].numel()
            tensors[name] = torch.randn(each.shape, generator=random) / math.sqrt(wide)
        elif each.ndim == 1:
            tensors[name] = torch.full_like(each, float("norm" in name and "bias" not in name))
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    return folder


def taught(config, pictures, run, **planted):
    """Teach, write the folder, and return learner, outcome and what the folder says to new ones."""
    learner = opening.load(config, ("quality",))
    outcome = teach.fit(
        learner,
        lessons(pictures, range(256), **planted),
        lessons(pictures, range(5000, 5032), **planted),
        config,
        run,
        Questions(learner.recipe, config.seed, pool=False),
    )
    kept = Kept("mine", tasks=("quality",), merge=config.adapter.merge)
    learner.save(run / "model", kept)
    held_out = lessons(pictures, range(9000, 9060), **planted)
    opened = rater.load(str(run / "model"), device="cpu")
    scores = [opened.score(str(each.path)).value for each in held_out]
    return outcome, float(spearmanr(scores, [each.opinion for each in held_out])[0])


def told(model, rate=1e-3, **given):
    return Config(
        model=str(model),
        data=(Data("planted"),),
        prompts=Prompts(questions="scoring"),
        train=Train(batch=16, steps=100, rate=rate, workers=0, device="cpu"),
        keep=Keep(steps=50, log=10),
        **given,
    )


@pytest.mark.parametrize(
    ("kind", "soft"),
    [("owl2", False), ("owl2", True), ("llava", False)],
    ids=["owl2-hard", "owl2-soft", "llava-hard"],
)
def test_a_tiny_model_learns_blur_and_then_brightness_by_low_rank_additions(
    models, pictures, tmp_path, kind, soft
):
    config = told(models(kind), {"owl2": 1e-3, "llava": 2e-3}[kind])
    config = replace(config, train=replace(config.train, steps={"owl2": 100, "llava": 200}[kind]))
    outcome, follows = taught(config, pictures, tmp_path / "first", soft=soft)
    assert follows > GOOD
    assert outcome.done
    losses = [line["loss"] for line in outcome.history if "loss" in line]
    assert losses[-1] < losses[0] / 2
    second = replace(
        config,
        model=str(tmp_path / "first" / "model"),
        adapter=Adapter("lora", rank=8, alpha=16.0, dropout=0.0),
        train=replace(config.train, rate=3e-3),
    )
    before = rater.load(second.model, device="cpu")
    bright = lessons(pictures, range(9000, 9060), soft=soft, signal="bright")
    said = [before.score(str(each.path)).value for each in bright]
    assert spearmanr(said, [each.opinion for each in bright])[0] < GOOD
    _, follows = taught(second, pictures, tmp_path / "second", soft=soft, signal="bright")
    assert follows > GOOD


def test_iris_is_tuned_to_brightness_which_it_was_not_taught_to_mind(models, pictures, tmp_path):
    config = told("iris")
    config = replace(config, train=replace(config.train, steps=60))
    _, follows = taught(config, pictures, tmp_path, signal="bright", side=64)
    assert follows > GOOD


def test_scores_of_the_saved_folder_are_those_of_the_validation(models, pictures, tmp_path):
    config = told(models("owl2"))
    config = replace(config, train=replace(config.train, steps=4), keep=Keep(steps=4))
    outcome, _ = taught(config, pictures, tmp_path)
    last = next(line for line in outcome.history if "srcc" in line)
    opened = rater.load(str(tmp_path / "model"), device="cpu")
    held = lessons(pictures, range(5000, 5032))
    scores = np.array([opened.score(str(each.path)).value for each in held])
    assert last["srcc"] == pytest.approx(spearmanr(scores, [each.opinion for each in held])[0])
