"""A recipe says how a released model is asked: backbone, scorer, prompts, levels, licence."""

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from beholder._names import unknown
from beholder.errors import ModelError, UsageError


@dataclass(frozen=True)
class Recipe:
    """What a TOML file in this folder holds; `iris.toml` shows every field."""

    name: str
    about: str
    licence: str
    backbone: str
    """Name of a module in `backbones/`."""
    scorer: str
    """Name of a module in `scorers/`."""
    prompts: Mapping[str, Mapping[str, Mapping[str, str]]]
    """Task → media → question and opening."""
    levels: Mapping[str, float]
    """Word → worth on the 1-5 scale, best first."""
    frames: str = "1/s"
    """Which frames of a clip are looked at."""
    clips: str = "frames"
    """How a clip is judged: `frames` or `whole`."""
    refuses: Mapping[str, str] = field(default_factory=dict)
    """Task → why this model must not be asked."""

    def check_task(self, task: str) -> None:
        """Refuse a task the model was not made for.

        Raises:
            UsageError: with the reason the recipe gives, or the known tasks.
        """
        if task in self.prompts:
            return
        if task in self.refuses:
            known = ", ".join(self.prompts)
            raise UsageError(
                f"{self.name} does not rate {task}: {self.refuses[task]} (it rates: {known})"
            )
        raise UsageError(unknown("task", task, self.prompts))


def names() -> list[str]:
    """Return the names of the recipes that ship with Beholder, sorted."""
    return sorted(path.name.removesuffix(".toml") for path in _shipped())


def load(name: str) -> Recipe:
    """Read a recipe by name, or from a path that ends in `.toml`.

    Raises:
        UsageError: when there is no such recipe, with the nearest known ones.
        ModelError: when the file is not a recipe of format 1.
    """
    if name.endswith(".toml"):
        path: Traversable = Path(name)
        if not path.is_file():
            raise UsageError(f"there is no recipe file {name}")
    else:
        path = resources.files("beholder.recipes").joinpath(f"{name}.toml")
        if name not in names():
            raise UsageError(unknown("model", name, names()))
    return parse(path.read_text(encoding="utf-8"), name)


def parse(text: str, origin: str) -> Recipe:
    """Read the text of a recipe; `origin` names it in errors.

    Raises:
        ModelError: when the text is not a recipe of format 1.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ModelError(f"{origin} is not a recipe: {error}") from error
    version = values.pop("format", None)
    if version != 1:
        raise ModelError(f"recipe {origin} has format {version!r}; this Beholder reads 1")
    known = {field.name: field for field in fields(Recipe)}
    for name in values:
        if name not in known:
            raise ModelError(f"recipe {origin}: {unknown('field', name, known)}")
    missing = [
        name
        for name, each in known.items()
        if each.default is each.default_factory is MISSING and name not in values
    ]
    if missing:
        raise ModelError(f"recipe {origin} lacks {', '.join(missing)}")
    return Recipe(**values)


def _shipped() -> list[Traversable]:
    folder = resources.files("beholder.recipes")
    return [path for path in folder.iterdir() if path.name.endswith(".toml")]
