"""Methods over CLIP as learners: which one, the scorer of the recipe says."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Final

from beholder.errors import UsageError
from beholder.recipes.recipe import Recipe
from beholder.training.learners.base import Learner

METHODS: Final = ("clipagiqa", "liqe", "mpiqe", "uniqa")
"""Scorers whose weights can be taught; each has a file `_NAME.py` here."""


def load(recipe: Recipe, files: Mapping[str, Path], dtype: str, form: str) -> Learner:  # noqa: ARG001
    """Open the method of a recipe to learn; it asks nothing, so it has one form.

    Raises:
        UsageError: when this method learns nothing, or an option cannot be right.
        ModelError: when its weights cannot be used.
    """
    if recipe.scorer not in METHODS:
        raise UsageError(
            f"{recipe.name} rates by {recipe.scorer}, which is not taught here; "
            f"{', '.join(METHODS)} are"
        )
    module = import_module(f"beholder.training.learners._{recipe.scorer}")
    made: Learner = module.load(recipe, files, dtype)
    return made
