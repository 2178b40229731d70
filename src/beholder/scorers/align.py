"""Q-Align's score: softmax over the level words alone, weighted by what the words are worth.

The closed set and the expectation are those of Q-Align (arXiv 2312.17090, section 3); softmax is
taken in double precision. The words may be any: five, seven, another language.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from beholder.backbones.base import Backbone
from beholder.errors import UsageError
from beholder.levels import statistics
from beholder.levels.scale import WEIGHTS
from beholder.media.frames import Frames
from beholder.scorers import _asking as asking
from beholder.scorers._asking import Answer, Asking
from beholder.scorers.base import Encoded, Rating, Scorer

OPTIONS: Final = ("levels", *asking.OPTIONS)
"""What may be chosen."""


@dataclass(frozen=True)
class Align(Scorer):
    """A backbone asked for one of the level words."""

    asking: Asking
    levels: Mapping[str, float]
    """Word → worth on the 1-5 scale, best first."""

    @property
    def tasks(self) -> tuple[str, ...]:
        """What it can be asked."""
        return self.asking.tasks

    def settings(self) -> Mapping[str, Any]:
        """Return all that can change a rating, as JSON."""
        return {"scorer": "align", "levels": dict(self.levels), **self.asking.settings()}

    def encode(self, frames: Frames) -> Encoded:
        """Read the frames one by one and prepare each; memory does not grow with the clip."""
        return self.asking.encode(frames)

    def judge(self, inputs: Sequence[Encoded], task: str) -> list[Rating]:
        """Rate a batch: one rating an input, in order."""
        words = tuple(self.levels)
        return [self._rating(each) for each in self.asking.ask(inputs, task, lambda _: words)]

    def _rating(self, answer: Answer) -> Rating:
        if answer.error:
            return Rating(float("nan"), error=answer.error)
        words, weights = tuple(self.levels), tuple(self.levels.values())
        probabilities = statistics.softmax(answer.logits)
        value = statistics.expectation(probabilities, weights)
        timeline = [
            (seconds, statistics.expectation(statistics.softmax(row), weights))
            for seconds, row in answer.moments
        ]
        return Rating(
            value=value,
            level=statistics.nearest(value, words, weights),
            probabilities=dict(zip(words, probabilities, strict=True)),
            spread=statistics.spread(probabilities, weights),
            timeline=timeline,
            worst=worst(timeline) if self.asking.segment else None,
        )


def worst(timeline: Sequence[tuple[float, float]]) -> tuple[float, float] | None:
    """Return the first moment of lowest value, or None where there is no timeline.

    >>> worst([(0.0, 3.0), (1.0, 2.0), (2.0, 2.0)])
    (1.0, 2.0)
    """
    return min(timeline, key=lambda moment: moment[1], default=None)


def worth(levels: Any) -> dict[str, float]:
    """Return word → worth on the 1-5 scale, best first.

    Words alone, as a list or with commas between, are best first and evenly spaced from 5 to 1.

    Raises:
        UsageError: when there are not two different words, or a worth is outside 1 to 5.

    >>> worth("gut, mittel, schlecht")
    {'gut': 5.0, 'mittel': 3.0, 'schlecht': 1.0}
    """
    if not isinstance(levels, Mapping | str | list | tuple):
        raise UsageError(f"levels {levels!r} are not two or more different words")
    if isinstance(levels, Mapping):
        pairs = [(str(word).strip(), number) for word, number in levels.items()]
    else:
        words = levels.split(",") if isinstance(levels, str) else list(levels)
        steps = max(len(words) - 1, 1)
        high, low = WEIGHTS[0], WEIGHTS[-1]
        numbers = [high - (high - low) * i / steps for i in range(len(words))]
        pairs = list(zip((str(word).strip() for word in words), numbers, strict=True))
    if len(pairs) < 2 or len(dict(pairs)) < len(pairs) or not all(word for word, _ in pairs):
        raise UsageError(f"levels {levels!r} are not two or more different words")
    for word, number in pairs:
        if not (isinstance(number, int | float) and WEIGHTS[-1] <= number <= WEIGHTS[0]):
            raise UsageError(
                f"level {word!r} is worth {number!r}: give numbers from 1 (worst) to 5 (best), "
                "or the words alone, best first"
            )
    return {word: float(number) for word, number in sorted(pairs, key=lambda pair: -pair[1])}


def build(backbone: Backbone, settings: Mapping[str, Any]) -> Align:
    """Make the scorer from the `prompts`, `levels` and `clips` of a recipe, and from options.

    Raises:
        UsageError: when one of them cannot be right.
    """
    return Align(asking.build(backbone, settings), worth(settings["levels"]))
