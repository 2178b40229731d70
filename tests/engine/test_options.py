"""What a user chooses reaches the scorer or the backbone, or is refused by name."""

from dataclasses import replace

import pytest

from beholder.engine.options import choose, parse
from beholder.errors import UsageError
from beholder.recipes import recipe


def test_options_go_to_whom_they_concern():
    chosen = choose(
        recipe.load("q-realign-mini"),
        {"scorer": "boost", "tones": "binary", "segment": 2, "words": "exact"},
    )
    assert chosen.recipe.scorer == "boost"
    assert (chosen.of_scorer["tones"], chosen.of_scorer["segment"]) == ("binary", 2)
    assert chosen.of_backbone == {"words": "exact"}
    assert chosen.of_scorer["prompts"] == chosen.recipe.prompts


def test_without_options_a_recipe_is_as_it_was():
    known = recipe.load("iris")
    assert choose(known, {}).recipe == known


@pytest.mark.parametrize(
    ("model", "options", "said"),
    [
        ("iris", {"tones": "binary"}, "unknown option 'tones'"),
        ("iris", {"clip": "whole"}, "did you mean 'clips'"),
        ("iris", {"scorer": "bost"}, "did you mean 'boost'"),
        ("iris", {"scorer": "asking"}, "unknown scorer 'asking'"),
        ("q-realign-pro", {"word": "exact"}, "did you mean 'words'"),
    ],
)
def test_what_does_not_exist_is_refused_with_what_does(model, options, said):
    with pytest.raises(UsageError, match=said):
        choose(recipe.load(model), options)


def test_what_a_recipe_chooses_goes_to_whom_it_concerns_and_gives_way_to_the_user():
    known = recipe.load("mdfs")
    chosen = choose(known, {})
    assert chosen.of_backbone == {"width": 2.0, "depth": 3.1}
    assert chosen.of_scorer["statistics"] == known.options["statistics"]
    chosen = choose(known, {"statistics": "mine.safetensors", "width": 1})
    assert chosen.of_scorer["statistics"] == "mine.safetensors"
    assert chosen.of_backbone == {"width": 1, "depth": 3.1}


def test_options_of_a_recipes_scorer_are_not_those_of_another():
    known = replace(recipe.load("iris"), scorer="boost", options={"tones": "binary"})
    assert "tones" in choose(known, {}).of_scorer
    chosen = choose(known, {"scorer": "align"})
    assert "tones" not in {**chosen.of_scorer, **chosen.of_backbone}


def test_a_recipe_without_questions_is_not_asked_any():
    with pytest.raises(UsageError, match="mdfs answers no questions, so align, which asks"):
        choose(recipe.load("mdfs"), {"scorer": "align"})


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["clips"], "'clips' is not NAME=VALUE"),
        (["=whole"], "is not NAME=VALUE"),
        (["clips=whole", "clips=frames"], "clips is given twice"),
    ],
)
def test_settings_that_are_none_are_refused(texts, said):
    with pytest.raises(UsageError, match=said):
        parse(texts)


def test_a_value_is_toml_or_text():
    assert parse(["a=1", "b=1.5", "c = true", "d=[1, 2]", "e='x=y'", "f=a, b", "g="]) == {
        "a": 1,
        "b": 1.5,
        "c": True,
        "d": [1, 2],
        "e": "x=y",
        "f": "a, b",
        "g": "",
    }
