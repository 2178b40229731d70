"""Any image-text model of transformers as a learner: its own chat template, the answer learned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

import torch
from jaxtyping import Int
from torch import Tensor

from beholder.backbones import chat, words
from beholder.backbones.base import Backbone
from beholder.backbones.chat import batch
from beholder.backbones.chat.asking import Seen
from beholder.backbones.words import Tokens
from beholder.errors import UsageError
from beholder.prompts import Prompt
from beholder.recipes.recipe import Recipe
from beholder.training.learners import _folder
from beholder.training.learners._speaker import Speaker, Turn
from beholder.training.learners.base import Kept, Layout
from beholder.training.saying import Answer

_SEES: Final = ("vis", "image", "patch")
"""Parts of the names of what looks at pixels."""
_TALKS: Final = ("language", "text", "lm_head", "embed_tokens", "layers", "norm")
"""Parts of the names of what reads and answers."""
_JOINS: Final = ("merger", "project", "connector", "abstractor", "resampler", "aligner")
"""Parts of the names of what stands between them."""


@dataclass(frozen=True)
class Spoken:
    """An answer after its opening, as tokens."""

    tail: Tokens
    """The level, a full stop, the mark that ends an answer."""
    opening: int
    """Tokens of the opening, which are learned too."""


class Chat(Speaker):
    """A conversation of one question, and an answer that is learned."""

    def __init__(self, recipe: Recipe, backbone: chat.Chat, sources: Sequence[Path]) -> None:
        self.recipe = recipe
        self.network = backbone.network
        self._backbone = backbone
        self._sources = sources
        self._spoken = lru_cache(maxsize=1024)(self._spell)

    def parts(self) -> Mapping[str, Sequence[str]]:
        """Return part → prefixes of the names of its parameters, by what families call them."""
        found: dict[str, dict[str, None]] = {}
        for name, _ in self.network.named_parameters():
            found.setdefault(_part(name), {})[_prefix(name)] = None
        return {part: tuple(prefixes) for part, prefixes in found.items()}

    def lora(self) -> Mapping[str, Layout]:
        """Return two layouts: every linear module that reads, or Q-Align's two of each layer."""
        reads = tuple(self.parts().get("language", ()))
        join = ("connector",) if "connector" in self.parts() else ()
        return {
            "language": Layout(modules=(), inside=reads, whole=join, rate=2e-4),
            "q-align": Layout(
                ("q_proj", "v_proj"), inside=reads, rank=128, alpha=256.0, whole=join, rate=2e-4
            ),
        }

    def backbone(self) -> Backbone:
        """Return a new backbone over the network, where it now is."""
        old = self._backbone
        return chat.Chat(self.network, old.eyes, old.about, old.by, str(self._device))

    def levels(self) -> Int[Tensor, " levels"]:
        """Return the first tokens of the level words, best first."""
        return torch.tensor(self._level_ids, device=self._device)

    @cached_property
    def _level_ids(self) -> list[int]:
        eyes, by_media = self._backbone.eyes, next(iter(self.recipe.prompts.values()))
        text = eyes.text(Prompt(**next(iter(by_media.values()))), 1)
        spelled = words.spell(eyes.tokenizer(), text, self.words)
        return list(words.first_tokens(eyes.tokenizer(), self.words, spelled))

    def say(self, turns: Sequence[Turn]) -> Sequence[Answer]:
        """Return what is said where words of the answers are due."""
        eyes = self._backbone.eyes
        seen: list[Seen] = [each.example for each in turns]
        readings = [
            eyes.read(each, eyes.text(turn.prompt, len(each.stand_ins)))
            for each, turn in zip(seen, turns, strict=True)
        ]
        spoken = [self._spoken(each.prompt, each.level) for each in turns]
        features = batch.side_by_side([each.features for each in seen])
        moved = chat.Chat(self.network, eyes, {}, device=str(self._device)).inputs(
            readings, [each.tail for each in spoken], features
        )
        counts = [each.opening + len(each.tail) for each in spoken]
        out = self.network(**moved, logits_to_keep=max(counts) + 1, use_cache=False)
        return [
            Answer(out.logits[row, -1 - count : -1], moved["input_ids"][row, -count:], each.opening)
            for row, (count, each) in enumerate(zip(counts, spoken, strict=True))
        ]

    def _spell(self, prompt: Prompt, level: str) -> Spoken:
        eyes = self._backbone.eyes
        known = eyes.tokenizer()
        text = eyes.text(prompt, 1)
        end = eyes.end(prompt, f"{prompt.opening.rstrip()} {level}.")
        (word,) = words.spell(known, text, [level])
        (tail,) = words.spell(known, text, [f"{level}.{end}"])
        if tail[: len(word)] != word:
            tail = (*word, *known.encode(end))
        opened = list(known.encode(text))
        asked = list(known.encode(eyes.text(Prompt(prompt.question, ""), 1)))
        return Spoken(tail, len(opened) - _shared(opened, asked))

    @property
    def _device(self) -> torch.device:
        return next(self.network.parameters()).device

    def recompute(self) -> None:
        """Compute the activations of every layer twice, the way of the library."""
        plain: Any = self.network
        plain.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})

    def save(self, folder: Path, kept: Kept) -> None:
        """Write a checkpoint of transformers, or a folder of adapters, with its recipe."""
        _folder.save(self, self._sources, folder, kept)


def _shared(first: Sequence[int], second: Sequence[int]) -> int:
    """Return how many tokens two texts begin with alike."""
    same = (a == b for a, b in zip(first, second, strict=False))
    return sum(1 for _ in takewhile(bool, same))


def _prefix(name: str) -> str:
    """Return as much of a parameter's name as tells its part."""
    steps = name.split(".")
    joins = [i for i, step in enumerate(steps) if any(mark in step for mark in _JOINS)]
    size = joins[0] + 1 if joins else min(2, len(steps) - 1)
    return ".".join(steps[:size])


def _part(name: str) -> str:
    prefix = _prefix(name)
    if any(mark in prefix for mark in _JOINS):
        return "connector"
    if any(mark in prefix for mark in _SEES):
        return "vision"
    return "language" if any(mark in prefix for mark in _TALKS) else "connector"


def load(recipe: Recipe, files: Mapping[str, Path], dtype: str, form: str, **options: Any) -> Chat:
    """Open a folder to learn.

    Raises:
        ModelError: when the folder cannot be used.
        UsageError: for an unknown option, words weighed exactly, or a form of its own.
    """
    if form == "training":
        raise UsageError(
            "a chat model has one form, its chat template: prompts.form = 'training' is for owl2"
        )
    told = {**recipe.options, **options}
    if told.get("words", "first") != "first":
        raise UsageError(
            f"words={told['words']!r} cannot be learned; a chat model learns the first token of "
            "each level: words=first, with words that differ in it"
        )
    opened = chat.load(**{**files, "dtype": dtype, **told})
    return Chat(recipe, opened, _folder.sources(files))
