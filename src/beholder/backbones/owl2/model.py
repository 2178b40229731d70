"""mPLUG-Owl2 as a backbone: squares in worker threads, everything else for whole batches.

The short way to a rating: what stands before the picture is read once and remembered, the picture
is looked at once for all questions, and in the last layer and the output head only the last
position and the candidate words are computed. Nothing waits for the device before the answer.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from beholder.backbones.base import Backbone
from beholder.backbones.owl2 import forms
from beholder.backbones.owl2.decoder import Memory
from beholder.backbones.owl2.features import Features, Seen
from beholder.backbones.owl2.layout import Span, plan
from beholder.backbones.owl2.lessons import PLACEHOLDER
from beholder.backbones.owl2.network import Network
from beholder.backbones.owl2.pixels import Pixels
from beholder.backbones.owl2.tokens import Tokens
from beholder.errors import ModelError
from beholder.media.frames import Picture
from beholder.prompts import Prompt

KEPT: Final = 1024
"""Pictures whose visual tokens are kept: about half a gigabyte of a 7B in bfloat16."""
TOKENS_AT_ONCE: Final = 16384
"""Most tokens that go through the decoder together, unless one clip alone has more."""
PICTURES_AT_ONCE: Final = {"cpu": 1}
"""Pictures that go through the vision tower together; one keeps a CPU's cache warm."""
_PICTURES_ELSEWHERE: Final = 32


@dataclass(frozen=True)
class Parts:
    """Everything a folder holds."""

    network: Network
    tokens: Tokens
    pixels: Pixels
    digest: str
    """SHA-256 of the weights."""


class Owl2(Backbone):
    """A multimodal model that is asked for a level, in one of the published forms."""

    def __init__(self, parts: Parts, form: str = forms.DEFAULT, numbers: str = "") -> None:
        self.parts = parts
        self._network = parts.network
        self._tokens = parts.tokens
        self._pixels = parts.pixels
        self._digest = parts.digest
        self._form_name, self._form = form, forms.form(form)
        self._numbers = numbers or str(parts.network.dtype).removeprefix("torch.")
        self._features = Features(KEPT)
        self._remember = lru_cache(maxsize=8)(self._network.remember)
        self._there = lru_cache(maxsize=64)(self._move)
        kind = parts.network.device.type
        self._at_once = PICTURES_AT_ONCE.get(kind, _PICTURES_ELSEWHERE)

    def settings(self) -> Mapping[str, Any]:
        """Return all that can change a logit: weights, sizes, words, form, pixels, dtype."""
        return {
            "architecture": "mplug_owl2",
            "weights": self._digest,
            "config": asdict(self._network.config),
            "tokenizer": self._tokens.digest,
            "form": self._form_name,
            "pixels": dict(self._pixels.settings()),
            "dtype": self._numbers,
        }

    def encode(self, pictures: Iterable[Picture]) -> Seen:
        """Return the squares of a picture, or of all frames of a clip. Thread-safe, on the CPU.

        Raises:
            ModelError: when there is no picture.
        """
        squares = [self._pixels.square(each.pixels) for each in pictures]
        if not squares:
            raise ModelError("at least one picture is needed, got 0")
        return Seen(torch.stack(squares))

    def logits(
        self, examples: Sequence[Seen], prompt: Prompt, candidates: Sequence[str]
    ) -> Float[Tensor, "batch candidates"]:
        """Return the logit of each candidate as the next word of the answer, float32 on the CPU.

        Raises:
            ModelError: when a candidate is not one token, or the tokenizer lacks the question.
        """
        words = self._tokens.words(list(candidates))
        before, after = self._ask(prompt)
        if not examples:
            return torch.zeros(0, len(words))
        with torch.inference_mode():
            past = self._remember(before)
            looked = self._look(examples)
            chosen = self._there(tuple(words))
            said = [
                self._network.say(self._answer(part, before, after, past), chosen)
                for part in _parts(looked)
            ]
            return torch.cat(said).float().cpu()

    def _ask(self, prompt: Prompt) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the tokens before and after the picture."""
        ids = self._tokens.ids(self._form.compose(prompt))
        if ids.count(PLACEHOLDER) != 1 or ids[-1] == PLACEHOLDER:
            raise ModelError(
                f"{prompt.question!r} must leave exactly one place for the picture, before the "
                f"opening of the answer; it has {ids.count(PLACEHOLDER)}"
            )
        place = ids.index(PLACEHOLDER)
        return tuple(ids[:place]), tuple(ids[place + 1 :])

    def _look(self, examples: Sequence[Seen]) -> list[Float[Tensor, "_ width"]]:
        """Return the visual tokens of every example, looking only at those not kept."""
        new = [each for each in examples if self._features.get(each) is None]
        looked = {each: self._features.get(each) for each in examples}
        if new:
            seen = self._see(torch.cat([each.squares for each in new]))
            parts = torch.split(seen, [len(each.squares) for each in new])
            for each, part in zip(new, parts, strict=True):
                tokens = part.flatten(0, 1).clone()
                looked[each] = tokens
                self._features.keep(each, tokens)
        return [each for each in map(looked.get, examples) if each is not None]

    def _move(self, numbers: tuple[int, ...]) -> Int[Tensor, " numbers"]:
        """Return token ids on the device; kept, since moving them would wait for it."""
        return torch.tensor(numbers, dtype=torch.long, device=self._network.device)

    def _see(self, squares: Tensor) -> Float[Tensor, "pictures tokens width"]:
        """Look at pictures, a few at a time."""
        network = self._network
        seen = []
        for part in torch.split(squares, self._at_once):
            there = _fast(part, network.device).to(network.device, non_blocking=True)
            seen.append(network.see(self._pixels.normalise(there).to(network.dtype)))
        return torch.cat(seen)

    def _answer(
        self,
        looked: Sequence[Float[Tensor, "_ width"]],
        before: Sequence[int],
        after: Sequence[int],
        past: Sequence[Memory],
    ) -> Float[Tensor, "batch width"]:
        """Return the state in which each answer's next word is chosen."""
        network = self._network
        tail = network.words(self._there(tuple(after)))
        rows = tuple((Span(len(each), is_image=True), Span(len(after))) for each in looked)
        layout = plan(rows, len(before), network.device)
        table = torch.cat([*looked, tail.repeat(len(looked), 1)])
        return network.answer(table, layout, past)


def _fast(squares: Tensor, device: torch.device) -> Tensor:
    """Return pixels where a GPU can take them from while it computes."""
    return squares.pin_memory() if device.type == "cuda" else squares


def _parts(looked: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    """Cut a batch into parts of a bounded number of tokens."""
    part: list[Tensor] = []
    for tokens in looked:
        if part and sum(map(len, part)) + len(tokens) > TOKENS_AT_ONCE:
            yield part
            part = []
        part.append(tokens)
    if part:
        yield part
