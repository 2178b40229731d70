"""Cards: one small TOML per benchmark, `cards/NAME.toml`; the file name is the name.

A card holds what is known for sure. What could not be verified is left out and named in
`unverified`.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from typing import Any

from beholder._names import unknown
from beholder.errors import TableError, UsageError
from beholder.levels.scale import Scale


@dataclass(frozen=True)
class Bounds:
    """Between which opinions the five equal bins of the hard levels lie."""

    low: float
    high: float
    outside: str = "drop"
    """What Q-Align did with opinions outside: `drop` the record or `clip` to the end levels."""


@dataclass(frozen=True)
class Card:
    """What is known about a benchmark; `cards/koniq.toml` shows most fields."""

    name: str
    title: str
    media: str
    """`image` or `video`."""
    task: str
    """`quality` or `aesthetics`."""
    items: int | None = None
    """How many rated items the whole set has."""
    scale: Scale | None = None
    higher_is_better: bool | None = None
    """False for DMOS; None where releases differ."""
    levels: Bounds | None = None
    splits: str = ""
    """How the field divides it, in words."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Split or list → number of items."""
    scene: str = ""
    """Regular expression; its first group in a file's name is the scene."""
    distortion: str = ""
    """Regular expression; its first group in a file's name is the kind of distortion."""
    not_rated: str = ""
    """Regular expression of files that come with the set and are not part of it."""
    tables: tuple[str, ...] = ()
    """Names of opinion tables, looked for below the root."""
    folders: tuple[str, ...] = ()
    """Folders below the root in which files are looked for."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Our name → the column of its tables, where the reader would not find it."""
    licence: str = ""
    obtain: str = ""
    paper: str = ""
    notes: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()
    """Fields that could not be verified and are therefore left out."""

    def scene_of(self, path: str) -> str:
        """Return the scene of a file, in lower case; empty where the name does not tell."""
        return _group(self.scene, path)

    def distortion_of(self, path: str) -> str:
        """Return the kind of distortion of a file, in lower case; empty where not told."""
        return _group(self.distortion, path)

    def find_table(self, root: Path) -> Path:
        """Return the first of its tables in `root` or in one of its own folders below.

        Other folders are not searched: many sets call their table `labels.txt`.

        Raises:
            UsageError: when there is none, with the names that were looked for.
        """
        for name in self.tables:
            for folder in self.places(root):
                if (folder / name).is_file():
                    return folder / name
        looked = ", ".join(self.tables) or "(the card names no table: give it yourself)"
        below = ", ".join(self.folders)
        raise UsageError(
            f"no opinion table of {self.title} is in {root} or its folders {below};"
            f" looked for {looked}"
        )

    def places(self, root: Path) -> list[Path]:
        """Return the folders in which its files are looked for."""
        return [root, *(root / folder for folder in self.folders)]


def names() -> list[str]:
    """Return the names of all cards, sorted."""
    return sorted(path.name.removesuffix(".toml") for path in _shipped())


def load(name: str) -> Card:
    """Read a card by its name, its title (`KonIQ-10k`), or a path that ends in `.toml`.

    Raises:
        UsageError: when there is no such card, with the nearest known ones.
        TableError: when the file is not a card of format 1.
    """
    if name.endswith(".toml"):
        path: Traversable = Path(name)
        if not path.is_file():
            raise UsageError(f"there is no card file {name}")
        return parse(path.read_text(encoding="utf-8"), Path(name).stem)
    known = names()
    if name in known:
        path = resources.files("beholder.datasets").joinpath("cards", f"{name}.toml")
        return parse(path.read_text(encoding="utf-8"), name)
    titled = (card for card in map(load, known) if card.title.casefold() == name.casefold())
    card = next(titled, None)
    if card is None:
        raise UsageError(unknown("benchmark", name, known))
    return card


def parse(text: str, name: str) -> Card:
    """Read the text of a card.

    Raises:
        TableError: when the text is not a card of format 1.
    """
    try:
        fields: dict[str, Any] = tomllib.loads(text)
        version = fields.pop("format", None)
        if version != 1:
            raise TableError(f"card {name} has format {version!r}; this Beholder reads 1")
        if "range" in fields:
            fields["scale"] = Scale(*map(float, fields.pop("range")))
        if "levels" in fields:
            fields["levels"] = Bounds(**fields.pop("levels"))
        lists = {key: tuple(value) for key, value in fields.items() if isinstance(value, list)}
        for pattern in ("scene", "distortion", "not_rated"):
            re.compile(fields.get(pattern, ""))
        return Card(**{"name": name, **fields, **lists})
    except (tomllib.TOMLDecodeError, TypeError, re.error) as error:
        raise TableError(f"{name} is not a benchmark card: {error}") from error


def _group(pattern: str, path: str) -> str:
    found = re.search(pattern, PurePosixPath(path).name) if pattern else None
    return found[1].lower() if found else ""


def _shipped() -> list[Traversable]:
    folder = resources.files("beholder.datasets").joinpath("cards")
    return [path for path in folder.iterdir() if path.name.endswith(".toml")]
