"""CLIP-IQA's score: does `Good photo.` or `Bad photo.` fit the picture better?

Softmax over each pair of opposite texts (arXiv 2207.12396); the score is the mean over the pairs.
Other properties are read the same way and stand in the details. With learned contexts around the
texts it is CLIP-IQA+; with texts' features from the checkpoint, QualiCLIP (arXiv 2403.11176).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

from beholder._names import unknown
from beholder.backbones.base import Backbone
from beholder.backbones.clip.model import Clip
from beholder.backbones.clip.network import words
from beholder.backbones.clip.prompting import PLACES, text_features, with_context
from beholder.errors import ModelError, UsageError
from beholder.levels import antonyms, statistics
from beholder.levels.antonyms import Pair
from beholder.levels.scale import WEIGHTS
from beholder.media.frames import Frames
from beholder.scorers import _asking as asking
from beholder.scorers._asking import WORDLESS, Answer, Asking, Row
from beholder.scorers.align import worst
from beholder.scorers.base import Encoded, Rating, Scorer

OPTIONS: Final = ("pairs", "attributes", "contexts", "features", "segment")
"""What may be chosen."""
_CONTEXT: Final = "ctx"
"""The last part of the name under which checkpoints keep a learned context."""
_WORTH: Final = {"good": WEIGHTS[0], "bad": WEIGHTS[-1]}


@dataclass(frozen=True)
class ClipIqa(Scorer):
    """A backbone asked which of two texts fits better."""

    asking: Asking
    pairs: Mapping[str, Pair]
    """Those whose mean is the score."""
    attributes: Mapping[str, Pair]
    """Those that stand in the details."""
    asked: tuple[str, ...]
    """What the backbone is asked: the texts of all these pairs, or what stands for them."""
    taught: Mapping[str, str]
    """`contexts`: where the texts of the score stand in a learned context; `features`: under which
    name the checkpoint keeps theirs. Empty where it is not so."""

    @property
    def tasks(self) -> tuple[str, ...]:
        """What it can be asked."""
        return self.asking.tasks

    def settings(self) -> Mapping[str, Any]:
        """Return all that can change a rating, as JSON."""
        return {
            "scorer": "clipiqa",
            "pairs": [list(pair) for pair in self.pairs.values()],
            "attributes": {name: list(pair) for name, pair in self.attributes.items()},
            **self.taught,
            **self.asking.settings(),
        }

    def encode(self, frames: Frames) -> Encoded:
        """Read the frames one by one and prepare each; memory does not grow with the clip."""
        return self.asking.encode(frames)

    def judge(self, inputs: Sequence[Encoded], task: str) -> list[Rating]:
        """Rate a batch: one rating an input, in order."""
        answers = self.asking.ask(inputs, task, lambda _: self.asked)
        return [self._rating(each) for each in answers]

    def _rating(self, answer: Answer) -> Rating:
        if answer.error:
            return Rating(float("nan"), error=answer.error)
        good = self._good(answer.logits)
        masses = {"good": good, "bad": 1.0 - good}
        worths = tuple(_WORTH.values())
        value = statistics.expectation(tuple(masses.values()), worths)
        timeline = [(seconds, _on_scale(self._good(row))) for seconds, row in answer.moments]
        return Rating(
            value=value,
            level=statistics.nearest(value, tuple(_WORTH), worths),
            probabilities=masses,
            spread=statistics.spread(tuple(masses.values()), worths),
            timeline=timeline,
            worst=worst(timeline) if self.asking.segment else None,
            details=self._details(answer.logits),
        )

    def _good(self, row: Row) -> float:
        return math.fsum(antonyms.shares(row[: 2 * len(self.pairs)])) / len(self.pairs)

    def _details(self, row: Row) -> dict[str, Any]:
        """Return the share of each attribute, and of each pair where there are several."""
        shares = antonyms.shares(row)
        count = len(self.pairs)
        found = {
            "pairs": dict(zip(self.pairs, shares, strict=False)) if count > 1 else {},
            "attributes": dict(zip(self.attributes, shares[count:], strict=True)),
        }
        return {name: each for name, each in found.items() if each}


def _on_scale(good: float) -> float:
    return statistics.expectation((good, 1.0 - good), tuple(_WORTH.values()))


def _texts(pairs: Mapping[str, Pair]) -> tuple[str, ...]:
    return tuple(text for pair in pairs.values() for text in pair)


def build(backbone: Backbone, settings: Mapping[str, Any]) -> ClipIqa:
    """Make the scorer from options.

    Raises:
        UsageError: when one of them cannot be right.
        ModelError: when the checkpoint lacks what the method needs, or is of another method.
    """
    pairs = antonyms.pairs(settings.get("pairs", ["quality"]))
    attributes = antonyms.pairs(settings.get("attributes", []), "attributes")
    if not pairs:
        raise UsageError("the score is the mean over pairs of texts, got none: give at least one")
    taught = {name: str(settings.get(name, "")) for name in ("contexts", "features")}
    asked = _teach(backbone, pairs, **taught) + _texts(attributes)
    made = asking.build(backbone, {**settings, "prompts": WORDLESS, "clips": "frames"})
    return ClipIqa(made, pairs, attributes, asked, taught)


def _teach(
    backbone: Backbone, pairs: Mapping[str, Pair], contexts: str, features: str
) -> tuple[str, ...]:
    """Return what the backbone is asked for the pairs, after it was taught what stands for them."""
    texts = _texts(pairs)
    if not isinstance(backbone, Clip):
        if contexts or features:
            raise UsageError("learned contexts and features of texts are of a CLIP")
        return texts
    if contexts:
        found = _in_context(backbone, texts, contexts)
    elif features:
        found = _kept(backbone, len(texts), features)
    else:
        _refuse_rest(backbone)
        return texts
    names = tuple(f"learned: {text}" for text in texts)
    backbone.remember(dict(zip(names, found, strict=True)))
    return names


def _in_context(clip: Clip, texts: Sequence[str], place: str) -> Tensor:
    """Return the features of texts with the learned context of the checkpoint around them."""
    if place not in PLACES:
        raise UsageError(unknown("place of the texts in their context", place, PLACES))
    found = [each for name, each in clip.rest.items() if name.rpartition(".")[2] == _CONTEXT]
    if len(found) != 1:
        raise ModelError(
            f"the checkpoint holds {len(found)} learned contexts (tensors called {_CONTEXT}); "
            "this method needs one: take the file that the recipe names"
        )
    network, context = clip.network, found[0].to(clip.network.device)
    read = clip.tokens.read(texts)
    ids, ends = read.ids.to(network.device), read.ends.to(network.device)
    lengths = [len(clip.tokens.ids(text)) for text in texts]
    with torch.inference_mode():
        plain = words(network, ids)
        width = plain.shape[-1]
        if context.shape[-1] != width or (context.dim() == 3 and len(context) != len(texts)):
            raise ModelError(
                f"the learned context is {tuple(context.shape)}; for {len(texts)} texts over this "
                f"CLIP it is (vectors, {width}): it was taught over another CLIP or for other texts"
            )
        embedded = with_context(plain, context, lengths, place)
        return text_features(network, embedded, ends + context.shape[-2])


def _kept(clip: Clip, count: int, name: str) -> Tensor:
    """Return the features that the checkpoint keeps for the texts."""
    kept = clip.rest.get(name)
    width = clip.network.text_projection.weight.shape[0]  # type: ignore[index]
    if kept is None or kept.shape != (count, width):
        got = f"it is {tuple(kept.shape)}" if kept is not None else "there is none"
        raise ModelError(
            f"the checkpoint should keep the features of {count} texts as {name}, "
            f"({count}, {width}); {got}: take the file that the recipe names"
        )
    return kept


def _refuse_rest(clip: Clip) -> None:
    if clip.rest:
        raise ModelError(
            f"besides CLIP the checkpoint holds {', '.join(list(clip.rest)[:3])}, which this "
            "method does not use: name the recipe of its method"
        )
