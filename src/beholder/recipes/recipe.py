"""A recipe says how a released model is asked: backbone, scorer, prompts, levels, licence."""

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from beholder._names import unknown
from beholder.backbones.weights import Weights
from beholder.errors import ModelError, UsageError
from beholder.recipes import folders


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
    prompts: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    """Task → media → question and opening; none for a method that asks no questions."""
    levels: Mapping[str, float] = field(default_factory=dict)
    """Word → worth on the 1-5 scale, best first; none for a method with words of its own."""
    frames: str = "1/s"
    """Which frames of a clip are looked at."""
    clips: str = "frames"
    """How a clip is judged: `frames` or `whole`."""
    dtype: str = "float32"
    """The numeric type that `auto` stands for."""
    weights: Weights | None = None
    """Where the weights come from; None when they are in the package."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What the scorer and the backbone are told besides, e.g. the `form` of the prompt."""
    refuses: Mapping[str, str] = field(default_factory=dict)
    """Task → why this model must not be asked."""
    published: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Benchmark → `srcc` and `plcc` as its authors state them; nothing measured here."""
    source: str = ""
    """Where the published figures stand."""

    @property
    def tasks(self) -> tuple[str, ...]:
        """What it rates: that which it has prompts for, or quality where it asks no questions."""
        return tuple(self.prompts) or ("quality",)

    def check_task(self, task: str) -> None:
        """Refuse a task the model was not made for.

        Raises:
            UsageError: with the reason the recipe gives, or the known tasks.
        """
        if task in self.tasks:
            return
        if task in self.refuses:
            known = ", ".join(self.tasks)
            raise UsageError(
                f"{self.name} does not rate {task}: {self.refuses[task]} (it rates: {known})"
            )
        raise UsageError(unknown("task", task, self.tasks))


def names() -> list[str]:
    """Return the names of the recipes that ship with Beholder, sorted."""
    return sorted(name for name in map(_name, _shipped()) if not name.startswith("_"))


def load(name: str) -> Recipe:
    """Read a recipe by name, from a path that ends in `.toml`, or for a model's folder or server.

    A name comes first: a folder of the same name is `./name`.

    Raises:
        UsageError: when there is no such recipe, with the nearest known ones.
        ModelError: when the file is not a recipe of format 1, or the folder holds no model.
    """
    if name in names():
        return _read(name)
    if name.startswith(("http://", "https://")):
        return _of_server(name)
    if name.endswith(".toml"):
        path = Path(name)
        if not path.is_file():
            raise UsageError(f"there is no recipe file {name}")
        return parse(path.read_text(encoding="utf-8"), name)
    if (Path(name) / folders.RECIPE).is_file():
        return _of_taught(Path(name))
    if Path(name).is_dir():
        return _of_folder(folders.read(Path(name)))
    if "/" in name or "\\" in name:
        raise UsageError(f"there is no folder {name}; --model takes a name or a model's folder")
    raise UsageError(unknown("model", name, names()))


def parse(text: str, origin: str) -> Recipe:
    """Read the text of a recipe; `origin` names it in errors.

    Raises:
        ModelError: when the text is not a recipe of format 1.
    """
    try:
        values: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ModelError(f"{origin} is not a recipe: {error}") from error
    version = values.pop("format", None)
    if version != 1:
        raise ModelError(f"recipe {origin} has format {version!r}; this Beholder reads 1")
    known = {field.name: field for field in fields(Recipe)}
    for name in values:
        if name not in known:
            raise ModelError(f"recipe {origin}: {unknown('field', name, known)}")
    if "weights" in values:
        try:
            values["weights"] = Weights.parse(values["weights"])
        except TypeError as error:
            raise ModelError(f"the weights of recipe {origin} make no sense: {error}") from error
    missing = [
        name
        for name, each in known.items()
        if each.default is each.default_factory is MISSING and name not in values
    ]
    if missing:
        raise ModelError(f"recipe {origin} lacks {', '.join(missing)}")
    return Recipe(**values)


def _of_taught(folder: Path) -> Recipe:
    """Return the recipe that stands in a folder, with the weights beside it."""
    path = folder / folders.RECIPE
    recipe = parse(path.read_text(encoding="utf-8"), str(path))
    if recipe.weights:
        return replace(recipe, weights=replace(recipe.weights, folder=str(folder)))
    return replace(recipe, weights=folders.weights(folder))


def _of_folder(found: folders.Found) -> Recipe:
    """Return the recipe by which a folder is asked, in the numbers it is stored in."""
    template = _read(found.recipe)
    return replace(
        template,
        name=found.name,
        about=f"{found.model_type} in a folder",
        licence="see its folder",
        dtype=found.dtype or template.dtype,
        weights=found.weights,
        published={},
        source="",
    )


def _of_server(url: str) -> Recipe:
    """Return the recipe by which a server is asked: that of any chat model."""
    return replace(
        _read(folders.OTHER),
        name=urlsplit(url).netloc.rpartition("@")[2],
        about="A model on a server",
        licence="see its server",
        backbone="remote",
        options={"url": url},
    )


def _read(name: str) -> Recipe:
    text = resources.files("beholder.recipes").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return parse(text, name)


def _shipped() -> list[Traversable]:
    folder = resources.files("beholder.recipes")
    return [path for path in folder.iterdir() if path.name.endswith(".toml")]


def _name(path: Traversable) -> str:
    return path.name.removesuffix(".toml")
