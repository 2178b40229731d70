"""What a model's folder holds, as its `config.json` says.

A new architecture with a backbone of its own is one line of `KNOWN`; every other one is asked as a
chat model, by the recipe `_chat.toml`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from beholder.backbones._json import read_json
from beholder.backbones.weights import Weights
from beholder.errors import ModelError

KNOWN: Final = {"mplug_owl2": "one-align", "clip": "clip-iqa-vit"}
"""`model_type` → the recipe by which a folder of this architecture is asked."""
OTHER: Final = "_chat"
"""The recipe for every other architecture."""
DTYPES: Final = ("float32", "bfloat16", "float16")
RECIPE: Final = "recipe.toml"
"""A recipe that stands in a folder itself; it goes before `config.json`."""
_ADAPTER: Final = "adapter_config.json"


@dataclass(frozen=True)
class Found:
    """What a folder says of itself."""

    name: str
    model_type: str
    recipe: str
    """The recipe by which it is asked."""
    weights: Weights
    dtype: str
    """The numeric type its weights are stored in; empty when it does not say."""


def read(folder: Path) -> Found:
    """Read the `config.json` of a folder.

    Raises:
        ModelError: when there is none, or it does not say what it describes.
    """
    config = read_json(folder / "config.json")
    kind = config.get("model_type")
    if not isinstance(kind, str):
        raise ModelError(
            f"{folder / 'config.json'} names no model_type, so it is not known what it describes"
        )
    dtype = str(config.get("dtype") or config.get("torch_dtype")).removeprefix("torch.")
    return Found(
        name=folder.resolve().name,
        model_type=kind,
        recipe=KNOWN.get(kind, OTHER),
        weights=weights(folder),
        dtype=dtype if dtype in DTYPES else "",
    )


def weights(folder: Path) -> Weights:
    """Return a folder as weights, with the model that its adapters change."""
    return Weights(folder=str(folder), base=_base(folder))


def _base(folder: Path) -> Weights | None:
    """Return the model that a folder of adapters changes: a folder, or a name on the Hub."""
    if not (folder / _ADAPTER).is_file():
        return None
    base = str(read_json(folder / _ADAPTER).get("base_model_name_or_path") or "")
    if not base:
        raise ModelError(f"{folder / _ADAPTER} does not name its base_model_name_or_path")
    for place in (Path(base), folder / base):
        if place.is_dir():
            return Weights(folder=str(place))
    return Weights(id=base)
