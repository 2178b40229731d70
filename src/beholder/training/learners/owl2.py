"""mPLUG-Owl2 as a learner: the answers of Q-Align's syllabus, in one of the published forms."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final

import torch
from jaxtyping import Int
from torch import Tensor

from beholder.backbones import owl2
from beholder.backbones.base import Backbone
from beholder.backbones.owl2 import forms, lessons, model, tokens
from beholder.backbones.owl2.lessons import IGNORED
from beholder.backbones.owl2.network import Network
from beholder.prompts import Prompt
from beholder.recipes.recipe import Recipe
from beholder.training.learners import _folder
from beholder.training.learners._recompute import recompute
from beholder.training.learners._speaker import Speaker, Turn
from beholder.training.learners.base import Kept, Layout
from beholder.training.saying import Answer

TRAINING: Final = "training-system"
"""The form that the scripts of the originals select for training."""
_FEW: Final = Layout(
    ("q_proj", "v_proj.multiway.1"), inside=("model.layers",), rank=128, alpha=256.0
)
"""What the layouts of the originals have in common."""


class Owl2(Speaker):
    """Pictures, question and answer as one sentence; the answer is learned."""

    def __init__(
        self, recipe: Recipe, parts: model.Parts, form: str, sources: Sequence[Path]
    ) -> None:
        self.recipe = recipe
        self.network: Network = parts.network
        self._parts = parts
        self._form = forms.form(form)
        self._sources = sources
        self._sentence = lru_cache(maxsize=1024)(self._compose)

    def parts(self) -> Mapping[str, Sequence[str]]:
        """Return part → prefixes of the names of its parameters."""
        return {
            "vision": ("model.vision_model",),
            "abstractor": ("model.visual_abstractor",),
            "language": ("model", "lm_head"),
        }

    def lora(self) -> Mapping[str, Layout]:
        """Return the layouts of Q-Align and of DeQA-Score, which differ in what learns whole."""
        return {
            "q-align": replace(_FEW, whole=("abstractor",), rate=2e-4),
            "deqa": replace(_FEW, whole=("vision", "abstractor"), rate=2e-5),
        }

    def backbone(self) -> Backbone:
        """Return a new backbone: what it remembers fits the weights as they are."""
        return model.Owl2(self._parts, self.recipe.options.get("form", forms.DEFAULT))

    def levels(self) -> Int[Tensor, " levels"]:
        """Return the tokens of the level words, best first."""
        return torch.tensor(self._level_ids, device=self.network.device)

    @cached_property
    def _level_ids(self) -> list[int]:
        return self._parts.tokens.words(self.words)

    def say(self, turns: Sequence[Turn]) -> Sequence[Answer]:
        """Return what is said where words of the answers are due."""
        network, pixels = self.network, self._parts.pixels
        sentences = [self._sentence(each.prompt, each.level) for each in turns]
        asked = []
        for turn, (ids, labels, _) in zip(turns, sentences, strict=True):
            squares = turn.example.squares.to(network.device)
            asked.append(lessons.Lesson(ids, [pixels.normalise(squares)], labels))
        said = lessons.supervised(network, asked)
        counts = list(said.counts)
        parts = zip(torch.split(said.logits, counts), torch.split(said.labels, counts), strict=True)
        return [
            Answer(logits, labels, level)
            for (logits, labels), (_, _, level) in zip(parts, sentences, strict=True)
        ]

    def _compose(self, prompt: Prompt, level: str) -> tuple[list[int], list[int], int]:
        """Return ids and labels of a sentence, and which label is the level."""
        spelling = self._parts.tokens
        asked = spelling.ids(self._form.compose(Prompt(prompt.question, "")).rstrip())
        opened = spelling.ids(self._form.compose(prompt))
        word = spelling.word(level)
        closed = spelling.ids(f"{level}.</s>")[1:]
        closing = closed[1:] if closed[0] == word else [tokens.END]
        opening = opened[len(asked) :]
        answer = [*opening, word, *closing]
        labels = [IGNORED] * len(asked) + answer
        return [*opened, word, *closing], labels, len(opening)

    def recompute(self) -> None:
        """Compute the activations of every layer twice."""
        body = self.network.model
        recompute([*body.layers, *body.vision_model.encoder.layers])

    def save(self, folder: Path, kept: Kept) -> None:
        """Write a folder as mPLUG-Owl2's are published, or one of adapters, with its recipe."""
        _folder.save(self, self._sources, folder, kept)


def load(recipe: Recipe, files: Mapping[str, Path], dtype: str, form: str, **options: Any) -> Owl2:
    """Open a folder to learn; `form` is `scoring` or `training`.

    Raises:
        ModelError: when the folder cannot be used.
        UsageError: for an unknown option.
    """
    told = {**recipe.options, **options}
    told_all: dict[str, Any] = {**files, "dtype": dtype, **told}
    opened = owl2.load(**told_all)
    asked = TRAINING if form == "training" else str(told.get("form", forms.DEFAULT))
    return Owl2(recipe, opened.parts, asked, _folder.sources(files))
