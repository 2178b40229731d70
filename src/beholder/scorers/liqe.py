"""LIQE's score: quality read from texts that also name a scene and a distortion.

One softmax goes over the texts of every combination (arXiv 2303.14968): 5 qualities, 9 scenes and
11 distortions are 495 texts. The sums over all texts that name a word give the expected quality,
and the likely scene and distortion, which stand in the details. A template that names fewer kinds
asks less; the words may be any.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import Formatter
from typing import Any, Final

from beholder.backbones.base import Backbone
from beholder.errors import UsageError
from beholder.levels import attributes, joint, statistics
from beholder.media.frames import Frames
from beholder.scorers import _asking as asking
from beholder.scorers._asking import Answer, Asking, Row
from beholder.scorers.align import worst, worth
from beholder.scorers.base import Encoded, Rating, Scorer

TEMPLATE: Final = "a photo of a {scene} with {distortion} artifacts, which is of {quality} quality"
QUALITY: Final = "quality"
KINDS: Final = (QUALITY, "scene", "distortion")
"""What a template may name, in the order of the texts: the last changes fastest."""
OPTIONS: Final = ("levels", "template", "scenes", "distortions", "segment")
"""What may be chosen."""


@dataclass(frozen=True)
class Liqe(Scorer):
    """A backbone asked how well each text fits."""

    asking: Asking
    template: str
    """A text with `{quality}`, and with `{scene}` and `{distortion}` or without."""
    levels: Mapping[str, float]
    """Word for a quality → worth on the 1-5 scale, best first."""
    words: Mapping[str, tuple[str, ...]]
    """Kind → its words, in the order of `KINDS`: those kinds that the template names."""

    @property
    def tasks(self) -> tuple[str, ...]:
        """What it can be asked."""
        return self.asking.tasks

    def settings(self) -> Mapping[str, Any]:
        """Return all that can change a rating, as JSON."""
        return {
            "scorer": "liqe",
            "template": self.template,
            "levels": dict(self.levels),
            "words": {kind: list(words) for kind, words in self.words.items()},
            **self.asking.settings(),
        }

    def encode(self, frames: Frames) -> Encoded:
        """Read the frames one by one and prepare each; memory does not grow with the clip."""
        return self.asking.encode(frames)

    def judge(self, inputs: Sequence[Encoded], task: str) -> list[Rating]:
        """Rate a batch: one rating an input, in order."""
        texts = joint.texts(self.template, self.words)
        return [self._rating(each) for each in self.asking.ask(inputs, task, lambda _: texts)]

    def _rating(self, answer: Answer) -> Rating:
        if answer.error:
            return Rating(float("nan"), error=answer.error)
        found = joint.marginals(statistics.softmax(answer.logits), self.words)
        qualities, worths = found[QUALITY], tuple(self.levels.values())
        value = self._value(answer.logits)
        timeline = [(seconds, self._value(row)) for seconds, row in answer.moments]
        return Rating(
            value=value,
            level=statistics.nearest(value, tuple(self.levels), worths),
            probabilities=qualities,
            spread=statistics.spread(tuple(qualities.values()), worths),
            timeline=timeline,
            worst=worst(timeline) if self.asking.segment else None,
            details=_likely(found),
        )

    def _value(self, row: Row) -> float:
        qualities = joint.marginals(statistics.softmax(row), self.words)[QUALITY]
        return statistics.expectation(tuple(qualities.values()), tuple(self.levels.values()))


def _likely(found: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """Return the likeliest scene and distortion, and how likely each is."""
    others = {kind: masses for kind, masses in found.items() if kind != QUALITY}
    likely = {kind: max(masses, key=masses.__getitem__) for kind, masses in others.items()}
    return {**likely, **{f"{kind}s": dict(masses) for kind, masses in others.items()}}


def build(backbone: Backbone, settings: Mapping[str, Any]) -> Liqe:
    """Make the scorer from the `levels` of a recipe, and from options.

    Raises:
        UsageError: when one of them cannot be right.
    """
    template = str(settings.get("template", TEMPLATE))
    levels = worth(settings["levels"])
    words = {
        QUALITY: tuple(levels),
        "scene": _words("scenes", settings.get("scenes", attributes.SCENES)),
        "distortion": _words("distortions", settings.get("distortions", attributes.DISTORTIONS)),
    }
    named = _named(template)
    used = {kind: each for kind, each in words.items() if kind in named}
    prompts = {"quality": {"image": {"question": template, "opening": ""}}}
    made = asking.build(backbone, {**settings, "prompts": prompts, "clips": "frames"})
    return Liqe(made, template, levels, used)


def _named(template: str) -> set[str]:
    """Return the kinds that a template names."""
    try:
        parts = [*Formatter().parse(template)]
    except ValueError as error:
        raise UsageError(f"template {template!r} cannot be read: {error}") from error
    named = {
        f"{name}:{form or how}" if form or how else name
        for _, name, form, how in parts
        if name is not None
    }
    if QUALITY not in named or not named <= set(KINDS):
        raise UsageError(
            f"template {template!r} names {', '.join(sorted(named)) or 'nothing'} in braces; "
            "it names quality, and may name scene and distortion"
        )
    return named


def _words(name: str, given: Any) -> tuple[str, ...]:
    words = given.split(",") if isinstance(given, str) else given
    if not isinstance(words, list | tuple):
        raise UsageError(f"{name} are {given!r}; they are words, as a list or with commas between")
    found = tuple(str(word).strip() for word in words)
    if not found or not all(found) or len(set(found)) < len(found):
        raise UsageError(f"{name} {given!r} are not one or more different words")
    return found
