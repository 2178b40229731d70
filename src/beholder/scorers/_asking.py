"""Asking a backbone for words: which question, of which frames, and what of it is a timeline.

What methods that read words have in common. A clip is asked about frame by frame, the logits
averaged (`clips = "frames"`), or as a whole in one prompt (`clips = "whole"`). Several questions
are averaged, too. The methods themselves are arithmetic on what comes back.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from beholder._names import unknown
from beholder.backbones.base import Backbone, Example
from beholder.errors import UsageError
from beholder.media.frames import Frames, Media, Picture
from beholder.prompts import Prompt
from beholder.scorers.base import Encoded

PARTS_AT_ONCE: Final = 32
"""The most examples that go through the device together."""
CLIPS: Final = ("frames", "whole")
OPTIONS: Final = ("clips", "questions", "segment")
"""What may be chosen about asking."""
WORDLESS: Final = {"quality": {"image": {"question": "", "opening": ""}}}
"""Prompts of a method that asks no question: it compares with texts of its own."""

Row = list[float]
"""One logit a word."""


@dataclass(frozen=True)
class Answer:
    """What a backbone said about one input."""

    logits: Row
    """One a word, averaged over frames and questions."""
    moments: tuple[tuple[float, Row], ...] = ()
    """Seconds and logits of each frame, or of each segment, for a clip."""
    error: str = ""
    """Why there are none."""


@dataclass(frozen=True)
class Asking:
    """A backbone, and how it is asked."""

    backbone: Backbone
    prompts: Mapping[str, Mapping[str, tuple[Prompt, ...]]]
    """Task → `image`, and `video` where whole clips are judged → what is asked."""
    clips: str = "frames"
    """`frames` or `whole`."""
    segment: float | None = None
    """Seconds of one entry of a timeline; None: every frame, and none of a whole clip."""

    @property
    def tasks(self) -> tuple[str, ...]:
        """What it can be asked."""
        return tuple(self.prompts)

    def settings(self) -> dict[str, Any]:
        """Return all that can change a logit, as JSON."""
        prompts = {
            task: {media: _plain(asked) for media, asked in by_media.items()}
            for task, by_media in self.prompts.items()
        }
        return {
            "clips": self.clips,
            "prompts": prompts,
            **segment_told(self.segment),
            "backbone": dict(self.backbone.settings()),
        }

    def encode(self, frames: Frames) -> Encoded:
        """Read the frames one by one and prepare each; memory does not grow with the clip."""
        if not self._whole(frames.media):
            parts = [(each.seconds, self.backbone.encode([each])) for each in frames.pictures]
            times, examples = zip(*parts, strict=True)
            return Encoded(frames.media, times, examples)
        moments: list[tuple[float, Example]] = []
        pictures = frames.pictures if self.segment is None else self._noting(frames, moments)
        whole = self.backbone.encode(pictures)
        return Encoded(frames.media, (None,), (whole,), tuple(moments))

    def _noting(self, frames: Frames, moments: list[tuple[float, Example]]) -> Iterator[Picture]:
        """Pass the pictures on, and prepare each by itself on the way."""
        for picture in frames.pictures:
            if picture.seconds is not None:
                moments.append((picture.seconds, self.backbone.encode([picture])))
            yield picture

    def ask(
        self, inputs: Sequence[Encoded], task: str, words: Callable[[Media], Sequence[str]]
    ) -> list[Answer]:
        """Ask about a batch: one answer an input, in order; `words` depend on the media."""
        answers: dict[int, Answer] = {}
        for media in dict.fromkeys(each.media for each in inputs):
            chosen = [i for i, each in enumerate(inputs) if each.media == media]
            said = self._ask([inputs[i] for i in chosen], task, words(media))
            answers.update(zip(chosen, said, strict=True))
        return [answers[i] for i in range(len(inputs))]

    def _ask(self, inputs: Sequence[Encoded], task: str, words: Sequence[str]) -> list[Answer]:
        flat = [
            example
            for each in inputs
            for example in (*each.parts, *(example for _, example in each.moments))
        ]
        prompts = self._prompts(task, inputs[0].media)
        asked = [list(self._logits(flat, prompt, words)) for prompt in prompts]
        rows = iter([_mean(of_one) for of_one in zip(*asked, strict=True)])
        return [self._answer(each, rows) for each in inputs]

    def _prompts(self, task: str, media: Media) -> tuple[Prompt, ...]:
        """Return what is asked; a frame on its own is an image, unless only clips are known."""
        known = self.prompts[task]
        first, second = ("video", "image") if self._whole(media) else ("image", "video")
        return known.get(first) or known[second]

    def _whole(self, media: Media) -> bool:
        return self.clips == "whole" and media == "video"

    def _logits(
        self, examples: Sequence[Example], prompt: Prompt, words: Sequence[str]
    ) -> Iterator[Row]:
        for start in range(0, len(examples), PARTS_AT_ONCE):
            chunk = examples[start : start + PARTS_AT_ONCE]
            for example, row in zip(
                chunk, self.backbone.logits(chunk, prompt, words).tolist(), strict=True
            ):
                yield row if _readable(row) else _Unreadable(self.backbone.why(example))

    def _answer(self, each: Encoded, rows: Iterator[Row]) -> Answer:
        parts = [next(rows) for _ in each.parts]
        frames = [(seconds, next(rows)) for seconds, _ in each.moments]
        frames += [(t, row) for t, row in zip(each.times, parts, strict=True) if t is not None]
        for row in (*parts, *(row for _, row in frames)):
            if isinstance(row, _Unreadable):
                return Answer([], error=row.why)
        return Answer(_mean(parts), tuple(segments(frames, self.segment)))


def segments(
    frames: Sequence[tuple[float, Row]], length: float | None
) -> Iterator[tuple[float, Row]]:
    """Average the frames of each segment; its time is that of its beginning. None: every frame.

    >>> list(segments([(0.0, [1.0]), (0.5, [2.0]), (1.0, [4.0])], 1.0))
    [(0.0, [1.5]), (1.0, [4.0])]
    """
    if length is None:
        yield from frames
        return
    groups: dict[int, list[Row]] = {}
    for seconds, row in frames:
        groups.setdefault(math.floor(seconds / length + 1e-9), []).append(row)
    for number, rows in groups.items():
        yield number * length, _mean(rows)


class _Unreadable(list[float]):
    """A row that holds no numbers, and why."""

    def __init__(self, why: str) -> None:
        super().__init__()
        self.why = why


def _readable(row: Row) -> bool:
    return not any(math.isnan(each) or each == math.inf for each in row) and max(row) > -math.inf


def _mean(rows: Sequence[Row]) -> Row:
    if len(rows) == 1:
        return rows[0]
    broken = next((row for row in rows if isinstance(row, _Unreadable)), None)
    if broken is not None:
        return broken
    return [math.fsum(column) / len(rows) for column in zip(*rows, strict=True)]


def _plain(asked: Sequence[Prompt]) -> Any:
    return asdict(asked[0]) if len(asked) == 1 else [asdict(each) for each in asked]


def build(backbone: Backbone, settings: Mapping[str, Any]) -> Asking:
    """Make it from the `prompts`, `clips`, `questions` and `segment` of a recipe or of options.

    Raises:
        UsageError: when one of them cannot be right.
    """
    clips = str(settings.get("clips", "frames"))
    if clips not in CLIPS:
        raise UsageError(unknown("way to judge clips", clips, CLIPS))
    questions = settings.get("questions")
    prompts = {
        task: {media: _asked(words, questions) for media, words in by_media.items()}
        for task, by_media in settings["prompts"].items()
    }
    return Asking(backbone, prompts, clips, segment_of(settings))


def segment_of(settings: Mapping[str, Any]) -> float | None:
    """Return the `segment` of options in seconds; None where there is none.

    Raises:
        UsageError: when it is no length.
    """
    segment = settings.get("segment")
    length = isinstance(segment, int | float) and not isinstance(segment, bool)
    if segment is not None and not (length and 0 < segment < math.inf):
        raise UsageError(f"segment is {segment!r}; it is a length in seconds, above 0")
    return None if segment is None else float(segment)


def _asked(words: Mapping[str, str], questions: Any) -> tuple[Prompt, ...]:
    """Return the prompt of a recipe, or its opening after each of other questions."""
    if questions is None:
        return (Prompt(**words),)
    if isinstance(questions, str):
        questions = [questions]
    known = isinstance(questions, list | tuple) and len(questions) > 0
    if not known or not all(isinstance(each, str) and each.strip() for each in questions):
        raise UsageError(f"questions are {questions!r}; they are one sentence or a list of them")
    return tuple(Prompt(each, words["opening"]) for each in questions)


def segment_told(segment: float | None) -> dict[str, float]:
    """Return what settings say of a segment: nothing where there is none."""
    return {} if segment is None else {"segment": segment}
