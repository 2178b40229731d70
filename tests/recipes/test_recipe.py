"""Every recipe that ships can be used as it stands, and a model's folder needs none."""

import json
import re
from importlib import resources
from pathlib import Path

import pytest
from PIL import Image

import beholder
from beholder import _names
from beholder.backbones.owl2 import forms, llama2
from beholder.errors import ModelError, UsageError
from beholder.prompts import Prompt
from beholder.recipes import recipe

OWL2 = [name for name in recipe.names() if recipe.load(name).backbone == "owl2"]
TINY = Path(__file__).parents[1] / "fixtures" / "owl2" / "tiny_mha"


@pytest.mark.parametrize("name", recipe.names())
def test_a_recipe_names_a_backbone_a_scorer_a_licence_and_plausible_figures(name):
    known = recipe.load(name)
    assert known.name == name
    assert known.licence
    assert known.backbone in _names.names("backbones")
    assert known.scorer in _names.names("scorers")
    assert not known.prompts.keys() & known.refuses.keys()
    for figures in known.published.values():
        assert figures.keys() == {"srcc", "plcc"}
        assert all(0 < each < 1 for each in figures.values())
    assert bool(known.published) == bool(known.source)


@pytest.mark.parametrize("name", OWL2)
def test_a_recipe_of_mplug_owl2_is_asked_without_a_tokenizer(name):
    known = recipe.load(name)
    form = forms.form(known.options["form"])
    for by_media in known.prompts.values():
        assert "video" in by_media or known.clips == "frames"
        for words in by_media.values():
            chunks = form.compose(Prompt(**words)).split(forms.IMAGE)
            assert len(chunks) == 2
            assert all(llama2.encode(chunk) for chunk in chunks)
    assert all(len(llama2.encode(word) or []) == 1 for word in known.levels)


@pytest.mark.parametrize("name", OWL2)
def test_a_recipe_of_mplug_owl2_says_where_its_weights_are_and_their_size(name):
    weights = recipe.load(name).weights
    assert weights is not None
    assert "/" in weights.id
    assert weights.total_bytes >= 16_409_100_288
    assert (weights.base is not None) == (name == "deqa-score-lora")


def test_a_folder_of_mplug_owl2_is_asked_like_one_align_in_its_own_numbers():
    found = recipe.load(str(TINY))
    one_align = recipe.load("one-align")
    assert found.prompts == one_align.prompts
    assert found.options == one_align.options
    assert (found.name, found.dtype, found.backbone) == ("tiny_mha", "float32", "owl2")
    assert found.published == {}


def test_a_folder_of_any_other_architecture_is_asked_as_a_chat_model(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "internvl", "dtype": "bfloat16"}')
    found = recipe.load(str(tmp_path))
    assert (found.backbone, found.dtype, found.frames) == ("chat", "bfloat16", "8")
    assert found.weights is not None
    assert found.weights.folder == str(tmp_path)


def test_adapters_name_their_base(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "mplug_owl2"}')
    adapter = tmp_path / "adapter_config.json"
    adapter.write_text('{"base_model_name_or_path": "MAGAer13/mplug-owl2-llama2-7b"}')
    weights = recipe.load(str(tmp_path)).weights
    assert weights is not None
    assert weights.base is not None
    assert weights.base.id == "MAGAer13/mplug-owl2-llama2-7b"
    adapter.write_text(json.dumps({"base_model_name_or_path": str(TINY)}))
    weights = recipe.load(str(tmp_path)).weights
    assert weights is not None
    assert weights.base is not None
    assert weights.base.folder == str(TINY)
    adapter.write_text("{}")
    with pytest.raises(ModelError, match="does not name its base"):
        recipe.load(str(tmp_path))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "there is no config.json in"),
        ("{", "cannot be read as JSON"),
        ("[]", "holds list"),
        ("{}", "names no model_type"),
    ],
)
def test_a_folder_that_does_not_say_what_it_holds_is_refused(tmp_path, text, said):
    if text is not None:
        (tmp_path / "config.json").write_text(text)
    with pytest.raises(ModelError, match=said):
        recipe.load(str(tmp_path))


def test_an_unknown_name_is_answered_with_the_nearest_known_one():
    with pytest.raises(UsageError, match="did you mean 'one-align'"):
        recipe.load("one_align")


def test_a_path_that_is_not_there_is_not_taken_for_a_name():
    with pytest.raises(UsageError, match="there is no folder models/one-align"):
        recipe.load("models/one-align")


def test_a_recipe_of_the_users_can_choose_the_form(tmp_path, monkeypatch):
    text = "\n".join(
        [
            'format = 1\nname = "mine"\nabout = "x"\nlicence = "x"',
            'backbone = "owl2"\nscorer = "align"',
            f"[weights]\nfolder = '{TINY}'",
            '[options]\nform = "evaluation"',
            "[levels]\ngood = 5.0\nbad = 1.0",
            '[prompts.quality.image]\nquestion = "Q?"\nopening = "It is"',
        ]
    )
    path = tmp_path / "mine.toml"
    path.write_text(text)
    assert recipe.load(str(path)).options == {"form": "evaluation"}


@pytest.mark.parametrize(
    ("weights", "said"), [('color = "red"', "color"), ('revision = "main"', "needs an id")]
)
def test_weights_that_say_nothing_useful_are_refused(weights, said):
    with pytest.raises(ModelError, match=said):
        recipe.parse(f"format = 1\n[weights]\n{weights}", "mine.toml")


@pytest.mark.parametrize("name", OWL2)
def test_a_recipe_of_mplug_owl2_rates_pictures_and_clips_on_a_small_twin(name, tmp_path):
    pytest.importorskip("sentencepiece")
    text = resources.files("beholder.recipes").joinpath(f"{name}.toml").read_text()
    here = f"[weights]\nfolder = '{TINY}'\n\n"
    twin = re.sub(r"\[weights\].*?(?=\[options\])", here, text, flags=re.DOTALL)
    (tmp_path / "twin.toml").write_text(twin)
    rater = beholder.load(str(tmp_path / "twin.toml"), device="cpu", dtype="float32")
    frames = [Image.new("RGB", (30, 20), colour) for colour in ("red", "green", "blue")]
    frames[0].save(tmp_path / "clip.gif", save_all=True, append_images=frames[1:], duration=900)
    for task in rater.recipe.prompts:
        for source in (frames[0], str(tmp_path / "clip.gif")):
            score = rater.score(source, task)
            assert 1 <= score.value <= 5
            assert list(score.probabilities) == list(rater.recipe.levels)
