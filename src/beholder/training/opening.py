"""The name of a model → a learner, by the backbone of its recipe."""

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from beholder import _names
from beholder.backbones import weights
from beholder.backbones.device import resolve_device
from beholder.errors import UsageError
from beholder.recipes import recipe as recipes
from beholder.recipes.recipe import Recipe
from beholder.training.config import Config
from beholder.training.learners.base import Learner
from beholder.training.questions import STANDARD

KIND: Final = "training.learners"
FORMS: Final = ("scoring", "training")


def load(config: Config, tasks: Collection[str] = ()) -> Learner:
    """Open the model of a config, on the CPU, to be taught some tasks (all it knows, if none).

    Raises:
        UsageError: for an unknown model, form or option, or a model that cannot learn.
        ModelError: when its weights are not here or cannot be used.
    """
    if config.prompts.form not in FORMS:
        raise UsageError(_names.unknown("form", config.prompts.form, FORMS))
    recipe = _knowing(recipes.load(config.model), tasks)
    known = _names.names(KIND)
    if recipe.backbone not in known:
        raise UsageError(
            f"{recipe.name} is a {recipe.backbone} model, which cannot be taught; "
            f"models of {', '.join(known)} can"
        )
    recipe = replace(recipe, options={**recipe.options, **config.learner})
    files = weights.find(weights.start(recipe.weights)) if recipe.weights else {}
    learner: Learner = _names.find(KIND, recipe.backbone).load(
        recipe, files, _stored_as(config), config.prompts.form
    )
    return learner


def _knowing(recipe: Recipe, tasks: Collection[str]) -> Recipe:
    """Return a recipe that asks for every task; one it refuses is refused by what is read."""
    missing = [task for task in tasks if task not in recipe.prompts]
    added = {
        task: {
            media: {"question": prompt.question, "opening": prompt.opening}
            for (of, media), prompt in STANDARD.items()
            if of == task
        }
        for task in missing
    }
    refuses = {task: why for task, why in recipe.refuses.items() if task not in missing}
    return replace(recipe, prompts={**recipe.prompts, **added}, refuses=refuses)


def _stored_as(config: Config) -> str:
    """Return the numbers the weights are read in: those that do not learn may be short."""
    device = resolve_device(config.train.device)
    short = config.adapter.kind == "lora" and config.train.dtype != "float32"
    return "bfloat16" if short and device.startswith("cuda") else "float32"
