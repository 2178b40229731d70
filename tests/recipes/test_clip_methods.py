"""Recipes of the CLIP side look at pictures as their authors' papers or code do."""

import pytest

from beholder.backbones.clip import Options
from beholder.recipes import recipe

LIQE = {"views": "even", "count": 15, "stride": 32, "stride_of_large": 48, "shrink": 768}
ANY_SIZE = {"views": "whole", "positions": "none"}
AUTHORS = {
    "liqe": LIQE,
    "liqe-mix": LIQE,
    "liqe-koniq": LIQE,
    "clip-iqa": ANY_SIZE,
    "clip-iqa-plus": {**ANY_SIZE, "contexts": "middle", "pairs": ["Good photo.. / Bad photo.."]},
    "qualiclip": {**ANY_SIZE, "scale": 100.0, "features": "prompts_features"},
    "grepq": ANY_SIZE,
    "uniqa": {"views": "random", "count": 10, "groups": "ensemble"},
    "mpiqe": {"views": "random", "count": 8, "follow": "paper"},
    "clip-agiqa-fu": {"views": "dense", "stride": 64, "colours": "imagenet", "guided": True},
}
"""Recipe → what is told of pictures and texts; what is not told of pictures is usual."""


@pytest.mark.parametrize("name", AUTHORS)
def test_pictures_are_looked_at_as_the_authors_do(name):
    usual = vars(Options())
    chosen = {**usual, **recipe.load(name).options}
    wanted = {**usual, **AUTHORS[name]}
    assert {option: chosen[option] for option in wanted} == {**wanted, "side": chosen["side"]}
    assert chosen["side"] in (0, 224)
