"""Q-Align's score: softmax over the level words alone, weighted by what the words are worth.

The closed set and the expectation are those of Q-Align (arXiv 2312.17090, section 3); softmax is
taken in double precision. A clip is judged frame by frame, the logits averaged over frames
(`clips = "frames"`), or as a whole in one prompt (`clips = "whole"`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from beholder.backbones.base import Backbone, Example
from beholder.levels import statistics
from beholder.media.frames import Frames
from beholder.prompts import Prompt
from beholder.scorers.base import Encoded, Rating, Scorer

PARTS_AT_ONCE = 32
"""The most examples that go through the device together."""


@dataclass(frozen=True)
class Align(Scorer):
    """A backbone asked for one of the level words."""

    backbone: Backbone
    prompts: Mapping[str, Mapping[str, Prompt]]
    """Task → `image`, and `video` where whole clips are judged → what is asked."""
    levels: Mapping[str, float]
    """Word → worth, best first."""
    clips: str = "frames"
    """`frames` or `whole`."""

    @property
    def tasks(self) -> tuple[str, ...]:
        """What it can be asked."""
        return tuple(self.prompts)

    def settings(self) -> Mapping[str, Any]:
        """Return all that can change a rating, as JSON."""
        prompts = {
            task: {media: asdict(prompt) for media, prompt in by_media.items()}
            for task, by_media in self.prompts.items()
        }
        return {
            "scorer": "align",
            "levels": dict(self.levels),
            "clips": self.clips,
            "prompts": prompts,
            "backbone": dict(self.backbone.settings()),
        }

    def encode(self, frames: Frames) -> Encoded:
        """Read the frames one by one and prepare each; memory does not grow with the clip."""
        if self.clips == "whole" and frames.media == "video":
            return Encoded(frames.media, (None,), (self.backbone.encode(frames.pictures),))
        parts = [(each.seconds, self.backbone.encode([each])) for each in frames.pictures]
        times, examples = zip(*parts, strict=True)
        return Encoded(frames.media, times, examples)

    def judge(self, inputs: Sequence[Encoded], task: str) -> list[Rating]:
        """Rate a batch: one rating an input, in order."""
        logits: list[list[list[float]]] = [[] for _ in inputs]
        for media, indices in self._by_prompt(inputs).items():
            flat = [(i, part) for i in indices for part in inputs[i].parts]
            rows = self._logits([part for _, part in flat], self.prompts[task][media])
            for (i, _), row in zip(flat, rows, strict=True):
                logits[i].append(row)
        return [self._rating(each, rows) for each, rows in zip(inputs, logits, strict=True)]

    def _by_prompt(self, inputs: Sequence[Encoded]) -> dict[str, list[int]]:
        groups: dict[str, list[int]] = {}
        for i, each in enumerate(inputs):
            whole = self.clips == "whole" and each.media == "video"
            groups.setdefault("video" if whole else "image", []).append(i)
        return groups

    def _logits(self, parts: Sequence[Example], prompt: Prompt) -> Iterator[list[float]]:
        words = list(self.levels)
        for start in range(0, len(parts), PARTS_AT_ONCE):
            chunk = parts[start : start + PARTS_AT_ONCE]
            yield from self.backbone.logits(chunk, prompt, words).tolist()

    def _rating(self, each: Encoded, rows: Sequence[Sequence[float]]) -> Rating:
        words, weights = tuple(self.levels), tuple(self.levels.values())
        mean = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
        probabilities = statistics.softmax(mean)
        value = statistics.expectation(probabilities, weights)
        timeline = [
            (seconds, statistics.expectation(statistics.softmax(row), weights))
            for seconds, row in zip(each.times, rows, strict=True)
            if seconds is not None
        ]
        return Rating(
            value=value,
            level=statistics.nearest(value, words, weights),
            probabilities=dict(zip(words, probabilities, strict=True)),
            spread=statistics.spread(probabilities, weights),
            timeline=timeline,
        )


def build(backbone: Backbone, settings: Mapping[str, Any]) -> Align:
    """Make the scorer from the `prompts`, `levels` and `clips` of a recipe."""
    prompts = {
        task: {media: Prompt(**words) for media, words in by_media.items()}
        for task, by_media in settings["prompts"].items()
    }
    return Align(backbone, prompts, settings["levels"], settings.get("clips", "frames"))
