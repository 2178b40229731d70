"""A folder that was saved is opened for scoring, and says what the learner said."""

import sys
from pathlib import Path

import pytest
import torch

pytest.importorskip("peft", reason="needs pip install 'beholder[train]'")

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "backbones" / "chat")]

import tiny  # noqa: E402
from planted import lessons  # noqa: E402

from beholder.engine import rater  # noqa: E402
from beholder.errors import ModelError  # noqa: E402
from beholder.media.reading import read  # noqa: E402
from beholder.media.sampling import FrameRule  # noqa: E402
from beholder.recipes import recipe as recipes  # noqa: E402
from beholder.recipes import writing  # noqa: E402
from beholder.training import adapters, opening  # noqa: E402
from beholder.training.config import Adapter, Config, Data, Train  # noqa: E402
from beholder.training.learners.base import Kept  # noqa: E402

OWL2 = HERE.parent / "fixtures" / "owl2" / "tiny_mha"
LORA = Adapter("lora", rank=2)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return {
        "owl2": str(OWL2),
        "iris": "iris",
        "llava": str(tiny.llava(tmp_path_factory.mktemp("llava"))),
    }


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return lessons(tmp_path_factory.mktemp("pictures"), range(1))[0].path


def changed(model, adapter):
    """A learner whose every learning weight has moved."""
    learner = opening.load(Config(model, (Data("planted"),)), ("quality",))
    adapters.prepare(learner, adapter, Train(), seed=0)
    random = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for each in learner.network.parameters():
            if each.requires_grad:
                each.add_(torch.randn(each.shape, generator=random), alpha=0.05)
    return learner


def said(learner, path):
    seen = learner.encode(read(path, FrameRule.parse("1")))
    learner.network.eval()
    return learner.scorer().judge([seen], "quality")[0].value


@pytest.mark.parametrize(
    ("kind", "adapter", "merge"),
    [
        ("owl2", Adapter(), True),
        ("owl2", LORA, True),
        ("owl2", LORA, False),
        ("llava", Adapter(), True),
        ("llava", LORA, True),
        ("llava", LORA, False),
        ("iris", Adapter(), True),
        ("iris", LORA, True),
    ],
)
def test_a_saved_folder_says_what_was_taught(models, path, tmp_path, kind, adapter, merge):
    learner = changed(models[kind], adapter)
    expected = said(learner, path)
    untaught = rater.load(models[kind], device="cpu").score(str(path)).value
    learner.save(tmp_path / "mine", Kept("mine", licence="MIT", tasks=("quality",), merge=merge))
    opened = rater.load(str(tmp_path / "mine"), device="cpu")
    assert opened.score(str(path)).value == pytest.approx(expected, abs=2e-3)
    assert abs(untaught - expected) > 5e-3
    assert (opened.recipe.name, opened.recipe.licence) == ("mine", "MIT")
    assert tuple(opened.recipe.prompts) == ("quality",)
    alone = (tmp_path / "mine" / "adapter_config.json").is_file()
    assert alone == (not merge)
    assert alone != any((tmp_path / "mine" / name).is_file() for name in WHOLE)


WHOLE = ("model.safetensors", "iris.safetensors")


def test_transformers_opens_what_is_its_own(models, tmp_path):
    from transformers import AutoModelForImageTextToText

    learner = changed(models["llava"], LORA)
    learner.save(tmp_path, Kept("mine"))
    theirs = AutoModelForImageTextToText.from_pretrained(tmp_path).state_dict()
    ours = learner.network.state_dict()
    assert theirs.keys() == ours.keys()
    assert all(torch.equal(theirs[name], ours[name]) for name in ours)


def test_additions_without_their_base_are_refused(models, path, tmp_path):
    folder = tmp_path / "base"
    tiny.llava(folder)
    changed(str(folder), LORA).save(tmp_path / "mine", Kept("mine", merge=False))
    folder.rename(tmp_path / "gone")
    with pytest.raises(ModelError):
        rater.load(str(tmp_path / "mine"), device="cpu")


def test_what_was_taught_is_taught_on(models, path, tmp_path):
    first = changed(models["owl2"], Adapter())
    first.save(tmp_path / "first", Kept("first"))
    second = changed(str(tmp_path / "first"), LORA)
    expected = said(second, path)
    second.save(tmp_path / "second", Kept("second", merge=False))
    opened = rater.load(str(tmp_path / "second"), device="cpu")
    assert opened.score(str(path)).value == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize("name", recipes.names())
def test_a_recipe_is_the_same_when_it_was_written_and_read(name):
    recipe = recipes.load(name)
    read_again = recipes.parse(writing.text(recipe), "again")
    assert vars(read_again) | {"weights": None} == vars(recipe) | {"weights": None}
