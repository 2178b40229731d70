"""Q-Boost's score: how good, average or poor a model that was never taught levels calls it.

Triadic-Tone Integration and Multi-Prompt Ensemble of Q-Boost (arXiv 2312.15300): the ensemble of
words is the default for clips and off for stills, as its authors found best. The arithmetic is in
`levels/tones.py`; any backbone can be asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from beholder._names import unknown
from beholder.backbones.base import Backbone
from beholder.errors import UsageError
from beholder.levels import statistics, tones
from beholder.levels.scale import Scale
from beholder.media.frames import Frames, Media
from beholder.scorers import _asking as asking
from beholder.scorers._asking import Asking, Row
from beholder.scorers.align import worst
from beholder.scorers.base import Encoded, Rating, Scorer

AUTO: Final[Mapping[Media, str]] = {"image": "triadic", "video": "ensemble"}
"""Media → the way of asking that Q-Boost found best for it."""
OPTIONS: Final = ("tones", *asking.OPTIONS)
"""What may be chosen."""
_NATURAL: Final = Scale(0.0, 1.0)
_WORTH: Final = {
    tone: 1.0 + 4.0 * (worth - _NATURAL.low) / (_NATURAL.high - _NATURAL.low)
    for tone, worth in tones.WORTH.items()
}
"""What a tone is worth on the 1-5 scale, on which all scorers rate."""


@dataclass(frozen=True)
class Boost(Scorer):
    """A backbone asked for words of three tones."""

    asking: Asking
    way: str = "auto"
    """`triadic`, `ensemble`, `binary`, or `auto`: by the media."""

    @property
    def tasks(self) -> tuple[str, ...]:
        """What it can be asked."""
        return self.asking.tasks

    def settings(self) -> Mapping[str, Any]:
        """Return all that can change a rating, as JSON."""
        ways = {media: self._way(media) for media in AUTO}
        return {
            "scorer": "boost",
            "tones": {media: [way, *tones.WAYS[way]] for media, way in ways.items()},
            **self.asking.settings(),
        }

    def encode(self, frames: Frames) -> Encoded:
        """Read the frames one by one and prepare each; memory does not grow with the clip."""
        return self.asking.encode(frames)

    def judge(self, inputs: Sequence[Encoded], task: str) -> list[Rating]:
        """Rate a batch: one rating an input, in order."""
        answers = self.asking.ask(inputs, task, lambda media: tones.WAYS[self._way(media)])
        return [
            Rating(float("nan"), error=answer.error)
            if answer.error
            else self._rating(answer.logits, answer.moments, self._way(each.media))
            for each, answer in zip(inputs, answers, strict=True)
        ]

    def _way(self, media: Media) -> str:
        return AUTO[media] if self.way == "auto" else self.way

    def _rating(self, row: Row, moments: Sequence[tuple[float, Row]], way: str) -> Rating:
        masses = _tones(row, way)
        value = _value(masses)
        timeline = [(seconds, _value(_tones(each, way))) for seconds, each in moments]
        worths = [_WORTH[tone] for tone in masses]
        return Rating(
            value=value,
            level=statistics.nearest(value, tuple(_WORTH), tuple(_WORTH.values())),
            probabilities=masses,
            spread=statistics.spread(tuple(masses.values()), worths),
            timeline=timeline,
            worst=worst(timeline) if self.asking.segment else None,
            details={"tones": way},
        )


def _tones(row: Row, way: str) -> dict[str, float]:
    return tones.probabilities(dict(zip(tones.WAYS[way], row, strict=True)), way)


def _value(masses: Mapping[str, float]) -> float:
    return statistics.expectation(tuple(masses.values()), [_WORTH[tone] for tone in masses])


def build(backbone: Backbone, settings: Mapping[str, Any]) -> Boost:
    """Make the scorer from the `prompts` and `clips` of a recipe, and from options.

    Raises:
        UsageError: when one of them cannot be right.
    """
    way = str(settings.get("tones", "auto"))
    if way != "auto" and way not in tones.WAYS:
        raise UsageError(unknown("way to ask for tones", way, ("auto", *tones.WAYS)))
    return Boost(asking.build(backbone, settings), way)
