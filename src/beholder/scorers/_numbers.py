"""Methods that say numbers instead of weighing words: a network taught over CLIP, and its scale.

The network looks at the views of a picture; every number is averaged over them, then over the
frames of a clip. The first one is the rating, on the range of the opinions that were taught.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import torch
from jaxtyping import Float
from torch import Tensor

from beholder.backbones.base import Backbone
from beholder.backbones.clip.model import Clip
from beholder.backbones.clip.taught import Taught, fill
from beholder.errors import ModelError, UsageError
from beholder.levels import statistics
from beholder.levels.scale import LEVELS, WEIGHTS, Scale
from beholder.media.frames import Frames
from beholder.prompts import Prompt
from beholder.scorers import _asking as asking
from beholder.scorers._asking import WORDLESS, Asking, Row
from beholder.scorers.align import worst
from beholder.scorers.base import Encoded, Rating, Scorer

RATING: Final = "quality"
"""Name of the first number."""
_NATURAL: Final = Scale(WEIGHTS[-1], WEIGHTS[0])
"""On which all scorers rate."""

Say = Callable[[Float[Tensor, "views 3 height width"]], Float[Tensor, "views numbers"]]


class Numbers(Backbone):
    """A CLIP with what was taught over it: a candidate is the name of a number."""

    def __init__(self, clip: Clip, names: Sequence[str], say: Say) -> None:
        self._clip = clip
        self._names = tuple(names)
        self._say = say

    def settings(self) -> Mapping[str, Any]:
        """Return all that can change a number, as JSON."""
        return self._clip.settings()

    def encode(self, pictures: Any) -> Any:
        """Return the views of exactly one picture. Thread-safe, on the CPU."""
        return self._clip.encode(pictures)

    def logits(
        self,
        examples: Sequence[Any],
        prompt: Prompt,  # noqa: ARG002 - nothing is asked
        candidates: Sequence[str],
    ) -> Float[Tensor, "batch candidates"]:
        """Return the numbers of these names, averaged over views, float32 on the CPU."""
        found = torch.zeros(len(examples), len(self._names))
        with torch.inference_mode():
            for owners, pixels in self._clip.pixels(examples):
                said = self._say(pixels)
                found.index_add_(0, torch.tensor(owners), said.float().cpu())
        counts = torch.tensor([len(each.windows) for each in examples])
        return (found / counts[:, None])[:, [self._names.index(name) for name in candidates]]


@dataclass(frozen=True)
class Numbered(Scorer):
    """A network whose first number is the rating."""

    name: str
    """Of the method."""
    asking: Asking
    names: tuple[str, ...]
    """Of the numbers; the first is the rating."""
    taught: Scale
    """What the rating is stated on: the range of the opinions."""
    explain: Callable[[Mapping[str, float]], Mapping[str, Any]]
    """From the numbers by name to what stands in the details."""
    chosen: Mapping[str, Any] = field(default_factory=dict)
    """Options of the method that can change a rating."""

    @property
    def tasks(self) -> tuple[str, ...]:
        """What it can be asked."""
        return self.asking.tasks

    def settings(self) -> Mapping[str, Any]:
        """Return all that can change a rating, as JSON."""
        return {
            "scorer": self.name,
            "range": [self.taught.low, self.taught.high],
            **self.chosen,
            **self.asking.settings(),
        }

    def encode(self, frames: Frames) -> Encoded:
        """Read the frames one by one and prepare each; memory does not grow with the clip."""
        return self.asking.encode(frames)

    def judge(self, inputs: Sequence[Encoded], task: str) -> list[Rating]:
        """Rate a batch: one rating an input, in order."""
        answers = self.asking.ask(inputs, task, lambda _: self.names)
        return [
            Rating(float("nan"), error=each.error)
            if each.error
            else self._rating(each.logits, each.moments)
            for each in answers
        ]

    def _rating(self, row: Row, moments: Sequence[tuple[float, Row]]) -> Rating:
        timeline = [(seconds, self._value(each)) for seconds, each in moments]
        value = self._value(row)
        return Rating(
            value=value,
            level=statistics.nearest(value, LEVELS, WEIGHTS),
            timeline=timeline,
            worst=worst(timeline) if self.asking.segment else None,
            details=self.explain(dict(zip(self.names, row, strict=True))),
        )

    def _value(self, row: Row) -> float:
        """Move the rating to the 1-5 scale."""
        share = (row[0] - self.taught.low) / (self.taught.high - self.taught.low)
        return _NATURAL.low + share * (_NATURAL.high - _NATURAL.low)


def scale(settings: Mapping[str, Any], usual: tuple[float, float]) -> Scale:
    """Return the `range` of the opinions that were taught.

    Raises:
        UsageError: when it is not two increasing numbers.
    """
    given = settings.get("range", usual)
    try:
        low, high = (float(each) for each in given)
    except (TypeError, ValueError):
        low = high = 0.0
    if not -float("inf") < low < high < float("inf"):
        raise UsageError(f"range is {given!r}; it is two numbers, the worst opinion and the best")
    return Scale(low, high)


def give(network: Taught, clip: Clip) -> None:
    """Give a new network the weights that stand beside CLIP, and make it ready to rate.

    Raises:
        ModelError: when there are none, or they do not fit.
    """
    if not clip.rest:
        raise ModelError(
            "besides CLIP there are no weights of this method: train it first with "
            "`beholder train`, then score with --model FOLDER, the folder it made"
        )
    fill(network, clip.rest, "the folder")
    network.to(clip.network.device, clip.network.dtype).eval()


def asked(clip: Clip, names: Sequence[str], say: Say, settings: Mapping[str, Any]) -> Asking:
    """Return what asks for numbers, as the `segment` of the settings says."""
    given = {"prompts": WORDLESS, "clips": "frames", "segment": settings.get("segment")}
    return asking.build(Numbers(clip, names, say), given)
