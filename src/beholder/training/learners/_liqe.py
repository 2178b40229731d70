"""LIQE as a learner: both towers of CLIP, from opinions, scene classes and distortions.

Recipe of the paper: `mixtures/liqe.toml`. Columns `scene_class` (one word or several, with commas
between) and `distortion` are in the words of the recipe; where one is empty, that picture teaches
nothing of it. The losses weigh what dynamic weight average says, counted in batches.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from beholder._names import unknown
from beholder.backbones.clip.liqe import likelihoods, marginals
from beholder.backbones.clip.network import Network
from beholder.errors import UsageError
from beholder.levels import joint
from beholder.prompts import Prompt
from beholder.recipes.recipe import Recipe
from beholder.scorers import liqe
from beholder.scorers.base import Encoded
from beholder.scorers.liqe import QUALITY, Liqe
from beholder.training.clip_losses import (
    binary_fidelity,
    class_fidelity,
    dynamic_weights,
    pair_fidelity,
)
from beholder.training.learners import _folder
from beholder.training.learners._over_clip import Opened, corners, mirrored, opened
from beholder.training.learners.base import Kept, Layout, Learner
from beholder.training.lesson import Lesson

COLUMNS: Final[Mapping[str, str]] = {"scene": "scene_class", "distortion": "distortion"}
"""Kind → the column of the table that names it."""
LOSSES: Final[Mapping[str, str]] = {
    QUALITY: "fidelity",
    "scene": "scene",
    "distortion": "distortion",
}
"""Kind → the name of its loss."""
PERIOD: Final = 200
"""Batches after which the losses are weighed anew, as in the paper; 0: they weigh the same."""
BESIDE: Final = ("config.json", "vocab.json", "merges.txt")
"""Files that are copied from beside the weights."""


class Balance(nn.Module):
    """Mean losses of the periods before, kept with the weights so that a run can go on."""

    def __init__(self, names: Sequence[str], period: int) -> None:
        super().__init__()
        self.names = tuple(names)
        self.period = period
        self.register_buffer("sums", torch.zeros(len(names)))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))
        self.register_buffer("means", torch.zeros(2, len(names)))
        """Of the last period but one, and of the last."""
        self.register_buffer("periods", torch.zeros((), dtype=torch.int64))

    sums: Tensor
    count: Tensor
    means: Tensor
    periods: Tensor

    def weigh(self, losses: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the losses times what they weigh now; while learning, take note of them."""
        known = self.means[2 - min(int(self.periods), 2) :].tolist()
        # A loss that was 0 throughout has no ratio: it has nothing to teach and weighs as it is.
        rows = [[max(value, 1e-12) for value in row] for row in known]
        epochs = [dict(zip(self.names, row, strict=True)) for row in rows]
        weights = dynamic_weights(self.names, epochs)
        if self.training and self.period:
            self._note(torch.stack([losses[name].detach() for name in self.names]))
        return {name: weights[name] * losses[name] for name in self.names}

    def _note(self, losses: Tensor) -> None:
        self.sums += losses.to(self.sums)
        self.count += 1
        if int(self.count) == self.period:
            self.means.copy_(torch.stack([self.means[1], self.sums / self.period]))
            self.sums.zero_()
            self.count.zero_()
            self.periods += 1


class Towers(nn.Module):
    """What learns, with what is known of its losses."""

    def __init__(self, clip: Network, balance: Balance) -> None:
        super().__init__()
        self.clip = clip
        self.balance = balance


class Learning(Learner):
    """Both towers; the scale of the logits stays."""

    network: Towers
    rate = 5e-6

    def __init__(self, begun: Opened, sources: Sequence[Path], period: int) -> None:
        self.recipe = begun.recipe
        self.clip = begun.clip
        self.settings = begun.settings
        self.crops = begun.crops
        self.words = liqe.build(self.clip, self.settings).words
        template = str(self.settings.get("template", liqe.TEMPLATE))
        self.texts = self.clip.tokens.read(joint.texts(template, self.words))
        losses = [LOSSES[kind] for kind in self.words]
        self.network = Towers(self.clip.network, Balance(losses, period))
        self._sources = sources

    def parts(self) -> Mapping[str, Sequence[str]]:
        """Return the towers; the scale is in none and is frozen."""
        return {
            "vision": ("clip.vision_model", "clip.visual_projection"),
            "text": ("clip.text_model", "clip.text_projection"),
        }

    def lora(self) -> Mapping[str, Layout]:
        """Return nothing: the method teaches all weights."""
        return {}

    def usual(self, *, soft: bool) -> Mapping[str, float]:  # noqa: ARG002 - pairs need no levels
        """Return 1 for each: they are balanced as they come."""
        return dict.fromkeys(self.network.balance.names, 1.0)

    def scorer(self) -> Liqe:
        """Return a new scorer over `network` as it now is."""
        return liqe.build(self.clip.anew(), self.settings)

    def losses(
        self,
        examples: Sequence[Encoded],
        lessons: Sequence[Lesson],
        prompts: Sequence[Prompt],  # noqa: ARG002 - the texts are those of the recipe
    ) -> Mapping[str, Tensor]:
        """Return the losses of a batch by name, balanced; 0 where nothing is known."""
        found = self._marginals(examples)
        worths = torch.tensor([*self._worths()]).to(found[QUALITY])
        told = torch.tensor([each.opinion for each in lessons]).to(worths)
        sets = torch.tensor([each.set for each in lessons], device=worths.device)
        losses = {LOSSES[QUALITY]: pair_fidelity(found[QUALITY] @ worths, told, sets)}
        for kind, of in (("scene", binary_fidelity), ("distortion", class_fidelity)):
            if kind in found:
                losses[LOSSES[kind]] = self._named(kind, found[kind], lessons, of)
        self.network.balance.train(self.network.training)
        return self.network.balance.weigh(losses)

    def _marginals(self, examples: Sequence[Encoded]) -> dict[str, Tensor]:
        device = self.clip.network.device
        texts = replace(self.texts, ids=self.texts.ids.to(device), ends=self.texts.ends.to(device))
        learning = self.network.training
        seen = [each.parts[0] for each in examples]
        cut = [each.cut(corners(each, self.crops, learning=learning)) for each in seen]
        pixels = self.clip.views.normalise(torch.cat(cut).to(device))
        if learning:
            pixels = mirrored(pixels, torch.rand(len(pixels)) < 0.5)
        windows = pixels.view(len(examples), -1, *pixels.shape[1:])
        return marginals(likelihoods(self.clip.network, windows, texts), self.words)

    def _worths(self) -> Sequence[float]:
        return [float(each) for each in self.settings["levels"].values()]

    def _named(self, kind: str, said: Tensor, lessons: Sequence[Lesson], of: object) -> Tensor:
        """Return a loss over the pictures of which the table names the kind."""
        rows = [classes(each, COLUMNS[kind], self.words[kind]) for each in lessons]
        wanted = torch.tensor(rows).to(said)
        known = wanted.sum(1) > 0
        assert callable(of)
        loss: Tensor = of(said[known], wanted[known]) if known.any() else 0.0 * said.sum()
        return loss

    def save(self, folder: Path, kept: Kept) -> None:
        """Write both towers under the names of transformers, the tokenizer and the recipe."""
        folder.mkdir(parents=True, exist_ok=True)
        for source in self._sources:
            beside = source if source.is_dir() else source.parent
            for name in BESIDE:
                if (beside / name).is_file():
                    shutil.copyfile(beside / name, folder / name)
        state = {
            name: each.detach().cpu().contiguous()
            for name, each in self.clip.network.named_parameters()
        }
        save_file(state, folder / "model.safetensors", {"format": "pt"})
        _folder.write_recipe(self, folder, kept)


def classes(lesson: Lesson, column: str, words: Sequence[str]) -> list[float]:
    """Return 1 for each word that a column names, 0 for the others; all 0 where it is empty.

    Raises:
        UsageError: for an unknown word.
    """
    said = [each.strip() for each in str(lesson.details.get(column) or "").split(",")]
    named = [each for each in said if each]
    for each in named:
        if each not in words:
            raise UsageError(f"{lesson.name or lesson.path}: {unknown(column, each, words)}")
    return [float(word in named) for word in words]


def load(recipe: Recipe, files: Mapping[str, Path], dtype: str) -> Learning:
    """Open LIQE to learn, from a CLIP or from what was taught before.

    Raises:
        ModelError: when its weights cannot be used.
        UsageError: for an option that cannot be right.
    """
    period = recipe.options.get("period", PERIOD)
    if not isinstance(period, int) or isinstance(period, bool) or period < 0:
        raise UsageError(f"learner.period is {period!r}; it is a whole number from 0")
    options = {name: each for name, each in recipe.options.items() if name != "period"}
    begun = opened(replace(recipe, options=options), files, dtype)
    return Learning(begun, _folder.sources(files), period)
