"""What a user chooses besides the recipe: told apart into what is the scorer's and the backbone's.

`{"scorer": "boost", "tones": "ensemble", "words": "exact"}`: the first names another scorer, the
second is an option of that scorer, the third of the backbone.
"""

import inspect
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any, Final

from beholder import _names
from beholder.errors import UsageError
from beholder.recipes.recipe import Recipe

GIVEN: Final = ("weights", "base", "device", "dtype", "options")
"""Parameters of a backbone's `load` that are no options."""
_ASKED: Final = "questions"
"""The option of every scorer that asks some."""


@dataclass(frozen=True)
class Chosen:
    """A recipe with what was chosen, sorted by whom it concerns."""

    recipe: Recipe
    scorer: ModuleType
    backbone: ModuleType
    of_scorer: Mapping[str, Any]
    """What the scorer is built from: the recipe's prompts, levels and clips, and options."""
    of_backbone: Mapping[str, Any]


def choose(recipe: Recipe, options: Mapping[str, Any]) -> Chosen:
    """Sort options by whom they concern.

    Raises:
        UsageError: for a scorer or an option that does not exist, with the nearest known ones.
    """
    taught = _known(_names.find("scorers", recipe.scorer), "build")
    recipe = replace(recipe, scorer=str(options.get("scorer", recipe.scorer)))
    scorer = _names.find("scorers", recipe.scorer)
    backbone = _names.find("backbones", recipe.backbone)
    own, below = _known(scorer, "build"), _known(backbone, "load")
    if _ASKED in own and not recipe.prompts:
        raise UsageError(
            f"{recipe.name} answers no questions, so {recipe.scorer}, which asks, cannot rate by it"
        )
    given = recipe.options.items()
    of_scorer = {"prompts": recipe.prompts, "levels": recipe.levels, "clips": recipe.clips}
    of_scorer |= {name: value for name, value in given if name in taught and name in own}
    of_backbone = {name: value for name, value in given if name not in taught}
    for name, value in options.items():
        if name in own:
            of_scorer[name] = value
        elif name in below:
            of_backbone[name] = value
        elif name != "scorer":
            raise UsageError(_names.unknown("option", name, ("scorer", *own, *below)))
    return Chosen(recipe, scorer, backbone, of_scorer, of_backbone)


def _known(module: ModuleType, maker: str) -> tuple[str, ...]:
    """Return the options a module states, or else the parameters of its maker."""
    if hasattr(module, "OPTIONS"):
        return tuple(module.OPTIONS)
    parameters = inspect.signature(getattr(module, maker)).parameters
    return tuple(name for name in parameters if name not in GIVEN)


def parse(texts: Iterable[str]) -> dict[str, Any]:
    """Read `name=value`; a value is read as TOML where it is some, as plain text otherwise.

    Raises:
        UsageError: when there is no `=`, or a name is given twice.

    >>> parse(["segment=2", "clips=whole", "levels=['gut', 'schlecht']"])
    {'segment': 2, 'clips': 'whole', 'levels': ['gut', 'schlecht']}
    """
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name:
            raise UsageError(f"--set {text!r} is not NAME=VALUE, e.g. clips=whole")
        if name in found:
            raise UsageError(f"--set {name} is given twice: {found[name]!r} and {value!r}")
        try:
            found[name] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            found[name] = value.strip()
    return found
