"""Where weights come from: a folder or file of the user's, or the Hugging Face Hub and its cache.

What is in the cache is used without asking anybody; nothing touches the network when
`HF_HUB_OFFLINE` is set. A file that is on no Hub is fetched by the user: the recipe says which it
is, where it is found and where it goes.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from beholder._optional import require
from beholder.errors import MissingExtraError, ModelError

WANTED: Final = ("*.json", "*.safetensors", "*.bin", "*.model", "*.txt", "*.jinja")
"""What is fetched of a repository: weights, tokenizer, settings; no code."""
SETTINGS: Final = ("config.json", "adapter_config.json")
"""One of them is in every whole repository."""


@dataclass(frozen=True)
class Weights:
    """The files of one model."""

    id: str = ""
    """Name on the Hugging Face Hub."""
    revision: str = "main"
    """Branch, tag or commit."""
    bytes: int = 0
    """Size of the download, about."""
    folder: str = ""
    """A folder that is used instead of the Hub."""
    file: str = ""
    """A single file, in `folder` or on the Hub, that holds everything, e.g. `LIQE.pt`."""
    source: str = ""
    """Where that file is found."""
    base: "Weights | None" = None
    """For adapters: the model they change."""
    teach: str = ""
    """Where there are none yet: the name under which `beholder train` makes them over `base`."""
    published: str = ""
    """With `teach`: the model that has the weights of its authors, where they published any."""

    @classmethod
    def parse(cls, fields: Mapping[str, Any]) -> "Weights":
        """Read the `[weights]` of a recipe.

        Raises:
            TypeError: when a field is unknown.
            ModelError: when neither a name nor a folder is given, nor a base to teach over.
        """
        inner = fields.get("base")
        made = cls(**{**fields, "base": cls.parse(inner) if inner else None})
        if not (made.id or made.folder or (made.teach and made.base)):
            raise ModelError(
                "[weights] needs an id on the Hugging Face Hub, a folder, or what to teach over"
            )
        return made

    @property
    def path(self) -> Path:
        """Where the user's folder or file is."""
        return Path(self.folder).expanduser() / self.file

    @property
    def total_bytes(self) -> int:
        """Size of everything that is downloaded."""
        return self.bytes + (self.base.total_bytes if self.base else 0)

    def command(self) -> str:
        """Return the command that fetches these files.

        >>> Weights("q-future/one-align").command()
        'hf download q-future/one-align --revision main'
        """
        names = " ".join(name for name in (self.id, self.file) if name)
        return f"hf download {names} --revision {self.revision}"


def find(weights: Weights) -> dict[str, Path]:
    """Return the place of `weights`, and of their `base` where they have one; fetch what lacks.

    It is a folder, or the `file` they name.

    Raises:
        ModelError: when a folder or file is missing, weights are not here and cannot be fetched,
            with the commands that fetch all that lacks; or they are to be taught first.
        MissingExtraError: when the Hub's package is needed and not installed.
    """
    if weights.teach:
        raise ModelError(_untaught(weights))
    parts = {"weights": weights}
    if weights.base:
        parts["base"] = weights.base
    try:
        return {name: _find(each) for name, each in parts.items()}
    except _NotHereError as error:
        lacking = [each for each in parts.values() if not each.folder and not _cached(each)]
        commands = " && ".join(each.command() for each in lacking)
        raise ModelError(f"{error}; where there is a network run: {commands}") from error


def start(weights: Weights) -> Weights:
    """Return what teaching begins with: the weights themselves, or what they are to be over."""
    return weights.base if weights.teach and weights.base else weights


def is_here(weights: Weights) -> bool:
    """Tell whether everything can be loaded without a download."""
    if weights.teach or (weights.base and not is_here(weights.base)):
        return False
    if weights.folder:
        return weights.path.is_file() if weights.file else weights.path.is_dir()
    try:
        return _cached(weights) is not None
    except MissingExtraError:
        return False


def _untaught(weights: Weights) -> str:
    """Say that a model is to be taught first, or which one has the weights of its authors."""
    way = (
        f"beholder train --model {weights.teach} …, then score with --model FOLDER, the folder it "
        "made"
    )
    if weights.published:
        return (
            f"{weights.teach} is to be trained on your opinions; the weights of its authors are "
            f"--model {weights.published}. To train it: {way}"
        )
    return f"nobody published weights of {weights.teach}: train it first, {way}"


class _NotHereError(Exception):
    """Files are not on this machine, and did not come: `str` says why."""


def _find(weights: Weights) -> Path:
    if weights.folder:
        return _given(weights)
    here = _cached(weights)
    if here:
        return here
    if _offline():
        raise _NotHereError(
            f"{weights.id} is not on this machine, or not whole, and HF_HUB_OFFLINE forbids "
            "fetching it"
        )
    return _fetch(weights)


def _given(weights: Weights) -> Path:
    """Return the user's folder, or the file in it."""
    path = weights.path
    if weights.file and not path.is_file():
        place = f": fetch it from {weights.source} and put it there" if weights.source else ""
        raise ModelError(f"there is no file {path}, which should hold the weights{place}")
    if not weights.file and not path.is_dir():
        raise ModelError(f"there is no folder {weights.folder}; it should hold the weights")
    return path


def _cached(weights: Weights) -> Path | None:
    """Return the snapshot in the cache, or the file in it, unless a download was broken off."""
    hub = require("huggingface_hub", "models")
    try:
        folder = Path(
            hub.snapshot_download(weights.id, revision=weights.revision, local_files_only=True)
        )
    except _failures():
        return None
    if weights.file:
        return folder / weights.file if (folder / weights.file).is_file() else None
    return folder if _is_complete(folder) else None


def _is_complete(folder: Path) -> bool:
    """Tell whether settings and weights are there, every file that an index names included."""
    if not any((folder / name).is_file() for name in SETTINGS):
        return False
    for index in folder.glob("*.index.json"):
        names = _named(index)
        if names and all((folder / name).is_file() for name in names):
            return True
    whole = ("model.safetensors", "pytorch_model.bin", "adapter_model.safetensors")
    return any((folder / name).is_file() for name in (*whole, "adapter_model.bin"))


def _named(index: Path) -> set[str]:
    """Return the files that an index names; none where it cannot be read."""
    try:
        read = json.loads(index.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return set()
    places = read.get("weight_map") if isinstance(read, dict) else None
    return set(map(str, places.values())) if isinstance(places, dict) else set()


def _fetch(weights: Weights) -> Path:
    hub = require("huggingface_hub", "models")
    wanted = [weights.file] if weights.file else list(WANTED)
    try:
        folder = Path(
            hub.snapshot_download(weights.id, revision=weights.revision, allow_patterns=wanted)
        )
        return folder / weights.file
    except _failures() as error:
        raise _NotHereError(
            f"{weights.id} could not be fetched ({type(error).__name__}: {_first(error)})"
        ) from error


def _failures() -> tuple[type[Exception], ...]:
    """Return the errors by which the Hub's package says that it cannot."""
    errors = require("huggingface_hub.errors", "models")
    return (errors.HTTPError, errors.HfHubHTTPError, OSError, ValueError)


def _first(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else "no reason given"


def _offline() -> bool:
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")
