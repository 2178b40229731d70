"""Pristine pictures through a method that measures distances: the statistics it rates by."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from beholder import _names
from beholder.engine.options import choose
from beholder.engine.rater import bring
from beholder.errors import MediaError, UsageError
from beholder.media.items import Item
from beholder.media.reading import read
from beholder.media.sampling import FrameRule
from beholder.recipes import recipe as recipes
from beholder.scorers.base import Fitter


@dataclass(frozen=True)
class Fitted:
    """What came of it."""

    about: str
    """What the statistics are of, in a few words."""
    failures: Mapping[str, str]
    """Path → why it could not be used."""


def load(
    model: str,
    *,
    device: str = "auto",
    options: Mapping[str, Any] | None = None,
) -> tuple[Fitter, FrameRule]:
    """Load what fits the statistics of a model, and the rule by which it looks at clips.

    Raises:
        UsageError: for an unknown model, device or option, or a model that rates by no statistics.
        ModelError: when its weights are not here or cannot be used.
    """
    recipe = recipes.load(model)
    chosen = choose(recipe, options or {})
    if not hasattr(chosen.scorer, "fitter"):
        known = ", ".join(name for name in recipes.names() if _is_fitted(recipes.load(name).scorer))
        raise UsageError(f"{recipe.name} rates by no statistics; models that do: {known}")
    fitter: Fitter = chosen.scorer.fitter(bring(chosen, device, "auto"), chosen.of_scorer)
    return fitter, FrameRule.parse(recipe.frames)


def _is_fitted(scorer: str) -> bool:
    return hasattr(_names.find("scorers", scorer), "fitter")


def fit(
    fitter: Fitter,
    rule: FrameRule,
    items: Iterable[Item],
    out: Path,
    step: Callable[[Item, str], None] | None = None,
) -> Fitted:
    """Show every item to a method and write its statistics; what cannot be read is left out.

    `step` is told of each item, and why it was left out.

    Raises:
        UsageError: when there were too few pictures.
        TableError: when the disk does not take the file.
    """
    failures: dict[str, str] = {}
    for item in items:
        error = item.error or _add(fitter, item, rule)
        if error:
            failures[item.path] = error
        if step:
            step(item, error)
    return Fitted(fitter.save(out), failures)


def _add(fitter: Fitter, item: Item, rule: FrameRule) -> str:
    """Show one item; return why it could not be."""
    try:
        frames = read(item.file, rule)
        try:
            fitter.add(fitter.encode(frames))
        finally:
            frames.close()
    except MediaError as error:
        return str(error)
    return ""
