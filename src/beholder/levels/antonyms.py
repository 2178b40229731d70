"""Antonyms: two opposite texts, and how far a picture leans to the first of them.

CLIP-IQA (arXiv 2207.12396) reads a property as the softmax over the two texts' logits. The names
are those under which people rate such properties; where one text praises, it stands first, so that
more is better: a noisiness of 1 is a clean photo.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from beholder._names import unknown
from beholder.errors import UsageError
from beholder.levels.statistics import softmax


class Pair(NamedTuple):
    """Two opposite texts."""

    first: str
    """The one that is 1."""
    second: str


PAIRS: Final[Mapping[str, Pair]] = {
    "quality": Pair("Good photo.", "Bad photo."),
    "brightness": Pair("Bright photo.", "Dark photo."),
    "sharpness": Pair("Sharp photo.", "Blurry photo."),
    "noisiness": Pair("Clean photo.", "Noisy photo."),
    "colourfulness": Pair("Colorful photo.", "Dull photo."),
    "contrast": Pair("High contrast photo.", "Low contrast photo."),
    "complexity": Pair("Complex photo.", "Simple photo."),
    "naturalness": Pair("Natural photo.", "Synthetic photo."),
    "happiness": Pair("Happy photo.", "Sad photo."),
    "scariness": Pair("Scary photo.", "Peaceful photo."),
    "newness": Pair("New photo.", "Old photo."),
}
"""Property → its texts."""


def pairs(given: Any, what: str = "pairs") -> dict[str, Pair]:
    """Return name → texts, from names of properties and texts with ` / ` between.

    Raises:
        UsageError: for an unknown name, or what is no list of them.

    >>> list(pairs("sharpness, Crisp photo. / Soft photo."))
    ['sharpness', 'Crisp photo.']
    """
    listed = given.split(",") if isinstance(given, str) else given
    if not isinstance(listed, list | tuple) or not all(isinstance(each, str) for each in listed):
        raise UsageError(
            f"{what} are {given!r}; they are a list of names ({', '.join(PAIRS)}) or of texts "
            "such as 'Good photo. / Bad photo.'"
        )
    return dict(_pair(each.strip()) for each in listed)


def _pair(text: str) -> tuple[str, Pair]:
    if "/" not in text:
        if text not in PAIRS:
            raise UsageError(unknown("property", text, PAIRS))
        return text, PAIRS[text]
    first, _, second = (part.strip() for part in text.partition("/"))
    if not first or not second or "/" in second or first == second:
        raise UsageError(f"{text!r} is not two different texts with / between, the better first")
    return first, Pair(first, second)


def shares(logits: Sequence[float]) -> list[float]:
    """Return how far the picture leans to the first text of each pair, 0 to 1, from all logits.

    >>> shares([0.0, 0.0, 1000.0, 0.0])
    [0.5, 1.0]
    """
    return [softmax(logits[at : at + 2])[0] for at in range(0, len(logits), 2)]
