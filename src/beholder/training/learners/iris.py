"""iris as a learner: the dialogue it was taught with, about cells of a picture."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from jaxtyping import Int
from torch import Tensor

from beholder.backbones import iris
from beholder.backbones.base import Backbone
from beholder.backbones.iris import model, weights
from beholder.backbones.iris.network import Network
from beholder.backbones.iris.words import ASSISTANT, END, IMAGE, USER, Words
from beholder.prompts import Prompt
from beholder.recipes.recipe import Recipe
from beholder.training import adapters
from beholder.training.learners import _folder
from beholder.training.learners._speaker import Speaker, Turn
from beholder.training.learners.base import Kept, Layout
from beholder.training.saying import Answer


class Iris(Speaker):
    """A question, the views of a picture, and an answer that is learned."""

    network: Network
    rate = 3e-4

    def __init__(self, recipe: Recipe, loaded: weights.Loaded) -> None:
        self.recipe = recipe
        self.network = loaded.network
        self._loaded = loaded
        self._words = Words(loaded.words)

    def parts(self) -> Mapping[str, Sequence[str]]:
        """Return part → prefixes of the names of its parameters."""
        return {
            "vision": ("reader",),
            "abstractor": ("abstractor",),
            "language": ("words", "places", "layers", "norm"),
        }

    def lora(self) -> Mapping[str, Layout]:
        """Return one layout: small additions to every linear module."""
        return {"all": Layout(modules=(), rank=8, alpha=16.0, dropout=0.0, rate=1e-3)}

    def backbone(self) -> Backbone:
        """Return a new backbone: what it remembers fits the weights as they are."""
        return model.Iris(self._loaded, str(self.network.places.device))

    def levels(self) -> Int[Tensor, " levels"]:
        """Return the numbers of the level words, best first."""
        return self._numbers([self._words.single(word) for word in self.words])

    def say(self, turns: Sequence[Turn]) -> Sequence[Answer]:
        """Return what is said where words of the answers are due."""
        answers: dict[int, Answer] = {}
        for prompt in dict.fromkeys(each.prompt for each in turns):
            chosen = [i for i, each in enumerate(turns) if each.prompt == prompt]
            said = self._say(prompt, [turns[i] for i in chosen])
            answers.update(zip(chosen, said, strict=True))
        return [answers[i] for i in range(len(turns))]

    def _say(self, prompt: Prompt, turns: Sequence[Turn]) -> list[Answer]:
        network, words = self.network, self._words
        asked = self._numbers(words.ids(f"{USER} {prompt.question} {IMAGE}"))
        _, memory = network.read(network.words(asked)[None])
        opening = words.ids(f"{ASSISTANT} {prompt.opening}")
        rows = [[*opening, words.single(each.level), *words.ids(f". {END}")] for each in turns]
        spoken = self._numbers(rows)
        seen = [each.example for each in turns]
        heard = network.words(spoken[:, :-1])
        table = torch.cat([model.see(network, seen), heard.to(network.places.dtype)], 1)
        states, _ = network.read(table, memory)
        every = torch.arange(len(words.words), device=spoken.device)
        said = network.say(states[:, network.design.tokens :], every)
        learned = said.float() / self._loaded.temperature
        return [
            Answer(logits, labels, len(opening) - 1)
            for logits, labels in zip(learned, spoken[:, 1:], strict=True)
        ]

    def _numbers(self, values: Sequence[int] | Sequence[Sequence[int]]) -> Tensor:
        return torch.tensor(values, device=self.network.places.device)

    def save(self, folder: Path, kept: Kept) -> None:
        """Write the file of weights, additions added in, and its recipe."""
        folder.mkdir(parents=True, exist_ok=True)
        adapters.merge(self.network)
        loaded = replace(self._loaded, network=self.network)
        weights.save(folder / weights.FILE, loaded.network, loaded.words, loaded.temperature)
        _folder.write_recipe(self, folder, kept)


def load(recipe: Recipe, files: Mapping[str, Path], dtype: str, form: str) -> Iris:  # noqa: ARG001
    """Open iris to learn; it has one form.

    Raises:
        ModelError: when its file cannot be used.
    """
    return Iris(recipe, iris.load(files.get("weights"), dtype="float32").loaded)
