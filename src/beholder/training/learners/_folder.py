"""The folder of a taught model: its weights or its additions, what stood beside them, a recipe."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn

from beholder._optional import require
from beholder.recipes import folders, writing
from beholder.training import adapters
from beholder.training.learners.base import Kept, Learner

_BESIDE: Final = (".json", ".jinja", ".model", ".txt")
"""Endings of files that belong to a model without being weights."""
_NOT: Final = (".index.json", "adapter_config.json", "trainer_state.json")
_SHARD: Final = "5GB"


def sources(files: Mapping[str, Path]) -> list[Path]:
    """Return the folders a model was read from, the base of adapters first."""
    return [files[name] for name in ("base", "weights") if name in files]


def save(learner: Learner, sources: Sequence[Path], folder: Path, kept: Kept) -> None:
    """Write a folder as those it came from: whole, or additions to the one it was taught from."""
    folder.mkdir(parents=True, exist_ok=True)
    for source in sources:
        _copy_beside(source, folder)
    base = _named(learner)
    if learner.layout and base and not kept.merge:
        adapters.write(learner.network, learner.layout, folder, base)
    else:
        adapters.merge(learner.network)
        _write(learner.network.to(getattr(torch, learner.recipe.dtype)), folder)
    write_recipe(learner, folder, kept)


def write_recipe(learner: Learner, folder: Path, kept: Kept) -> None:
    """Write the recipe by which the folder is opened: that of its origin, for what was taught."""
    recipe = learner.recipe
    tasks = kept.tasks or tuple(recipe.prompts)
    own = replace(
        recipe,
        name=kept.name,
        about=kept.about or f"Taught from {recipe.name}",
        licence=kept.licence or recipe.licence,
        prompts={task: recipe.prompts[task] for task in tasks},
        published={},
        source="",
    )
    (folder / folders.RECIPE).write_text(writing.text(own), encoding="utf-8")


def _named(learner: Learner) -> str:
    """Return how additions name their base; empty where it is itself made of two."""
    weights = learner.recipe.weights
    if weights is None or weights.base:
        return ""
    return str(Path(weights.folder).resolve()) if weights.folder else weights.id


def _copy_beside(source: Path, folder: Path) -> None:
    for path in sorted(source.iterdir()):
        if path.suffix in _BESIDE and path.is_file() and not path.name.endswith(_NOT):
            shutil.copyfile(path, folder / path.name)


def _write(network: nn.Module, folder: Path) -> None:
    """Write all weights under the names of the architecture."""
    plain: Any = network
    if hasattr(network, "save_pretrained"):
        plain.save_pretrained(folder, max_shard_size=_SHARD)
        return
    hub = require("huggingface_hub", "models")
    hub.save_torch_state_dict(network.state_dict(), folder, max_shard_size=_SHARD)
