"""UniQA's score: the expected level over several groups of texts, after a small learned adapter.

In each group five texts say the levels; the shares of the levels are averaged over groups and
windows (arXiv 2406.01069). A checkpoint without a head is read without an adapter, the levels worth
0.2 to 1: the method's zero-shot form.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from jaxtyping import Float
from torch import Tensor

from beholder._names import unknown
from beholder.backbones.base import Backbone, Example
from beholder.backbones.clip.model import Clip
from beholder.backbones.clip.taught import fill
from beholder.backbones.clip.uniqa import GROUPS, UniQa
from beholder.errors import UsageError
from beholder.levels import statistics
from beholder.media.frames import Frames, Picture
from beholder.prompts import Prompt
from beholder.scorers import _asking as asking
from beholder.scorers._asking import WORDLESS, Answer, Asking, Row
from beholder.scorers._over_clip import clip_of
from beholder.scorers.align import worst
from beholder.scorers.base import Encoded, Rating, Scorer

LEVELS: Final = ("perfect", "good", "fair", "poor", "bad")
"""The words of the first group, best first."""
OPTIONS: Final = ("groups", "range", "segment")
"""What may be chosen; `range` is that of the opinions while it is taught."""


@dataclass(frozen=True)
class Uniqa(Scorer):
    """A CLIP with a head, asked for the shares of the levels."""

    asking: Asking
    groups: Sequence[Sequence[str]]
    """Texts of the levels, each group worst first."""
    worths: Sequence[float]
    """What the levels are worth on the 1-5 scale, best first."""
    taught: bool
    """Whether the head was taught by opinions."""

    @property
    def tasks(self) -> tuple[str, ...]:
        """What it can be asked."""
        return self.asking.tasks

    def settings(self) -> Mapping[str, Any]:
        """Return all that can change a rating, as JSON; the weights' hash covers the head."""
        return {
            "scorer": "uniqa",
            "groups": [list(group) for group in self.groups],
            "taught": self.taught,
            **self.asking.settings(),
        }

    def encode(self, frames: Frames) -> Encoded:
        """Read the frames one by one and prepare each; memory does not grow with the clip."""
        return self.asking.encode(frames)

    def judge(self, inputs: Sequence[Encoded], task: str) -> list[Rating]:
        """Rate a batch: one rating an input, in order."""
        return [self._rating(each) for each in self.asking.ask(inputs, task, lambda _: LEVELS)]

    def _rating(self, answer: Answer) -> Rating:
        if answer.error:
            return Rating(float("nan"), error=answer.error)
        shares = answer.logits
        value = self._value(shares)
        timeline = [(seconds, self._value(row)) for seconds, row in answer.moments]
        return Rating(
            value=value,
            level=statistics.nearest(value, LEVELS, self.worths),
            probabilities=dict(zip(LEVELS, shares, strict=True)),
            spread=statistics.spread(shares, self.worths),
            timeline=timeline,
            worst=worst(timeline) if self.asking.segment else None,
        )

    def _value(self, shares: Row) -> float:
        return statistics.expectation(shares, self.worths)


class Shares(Backbone):
    """A CLIP that answers with the share of each level instead of a logit."""

    def __init__(self, clip: Clip, head: UniQa) -> None:
        self._clip = clip
        self._head = head
        with torch.inference_mode():
            self._texts = head.read()

    def settings(self) -> Mapping[str, Any]:
        """Return those of CLIP."""
        return self._clip.settings()

    def encode(self, pictures: Iterable[Picture]) -> Example:
        """Prepare one picture as CLIP does. Thread-safe."""
        return self._clip.encode(pictures)

    def logits(
        self,
        examples: Sequence[Example],
        prompt: Prompt,  # noqa: ARG002 - the texts are those of the head
        candidates: Sequence[str],  # noqa: ARG002
    ) -> Float[Tensor, "batch candidates"]:
        """Return the share of each level, best first, averaged over windows and groups."""
        with torch.inference_mode():
            seen = self._clip.features(examples)
            rows = [self._head.shares(each, self._texts).mean((0, 1)) for each in seen]
            return torch.stack(rows).flip(1).float().cpu()


def build(backbone: Backbone, settings: Mapping[str, Any]) -> Uniqa:
    """Make the scorer from options; the head is in the file of weights, or there is none.

    Raises:
        UsageError: when the model is no CLIP, or the groups cannot be right.
        ModelError: when the file of weights holds something other than a head beside CLIP.
    """
    clip = clip_of(backbone, "uniqa", ("scale",))
    head = new(clip, settings)
    if clip.rest:
        fill(head, clip.rest, "the checkpoint")
    else:
        head.adapter.silence()
    head.to(clip.network.device, clip.network.dtype)
    return over(head, clip, settings, taught=bool(clip.rest))


def new(clip: Clip, settings: Mapping[str, Any]) -> UniQa:
    """Make a head that knows nothing yet.

    Raises:
        UsageError: when the groups cannot be right.
    """
    return UniQa(clip.network, clip.tokens, _groups(settings.get("groups", "ensemble")))


def over(head: UniQa, clip: Clip, settings: Mapping[str, Any], *, taught: bool = True) -> Uniqa:
    """Make the scorer of a head as it now is."""
    chosen = {**settings, "prompts": WORDLESS, "clips": "frames"}
    worths = [1.0 + 4.0 * worth for worth in reversed(head.score_level.tolist())]
    groups = _groups(settings.get("groups", "ensemble"))
    return Uniqa(asking.build(Shares(clip, head), chosen), groups, worths, taught)


def _groups(given: Any) -> Sequence[Sequence[str]]:
    if isinstance(given, str):
        if given not in GROUPS:
            raise UsageError(unknown("groups of texts", given, GROUPS))
        return GROUPS[given]
    fit = isinstance(given, list | tuple) and len(given) > 0
    for group in given if fit else ():
        fit = fit and isinstance(group, list | tuple) and len(group) == len(LEVELS)
        fit = fit and all(isinstance(text, str) and text.strip() for text in group)
    if not fit:
        raise UsageError(
            f"groups are {given!r}; they are {', '.join(GROUPS)}, or lists of {len(LEVELS)} texts, "
            "worst first"
        )
    return [tuple(group) for group in given]
