"""The words that iris reads and says: a closed vocabulary, one token a word.

It covers the ten questions of Q-Align's syllabus and their answers, nothing else. iris has never
read a question about aesthetics, since it was taught without human labels and none can be
computed.
"""

import re
from collections.abc import Sequence
from typing import Final

from beholder.errors import ModelError
from beholder.levels.scale import LEVELS
from beholder.prompts import IMAGE_QUALITY, QUALITY_QUESTIONS

USER: Final = "<user>"
IMAGE: Final = "<image>"
ASSISTANT: Final = "<assistant>"
END: Final = "<end>"

_TOKEN: Final = re.compile(r"<[a-z]+>|'s|[a-z]+|[^\sa-z]")


def split(text: str) -> list[str]:
    """Cut a sentence into lower-case words and marks.

    >>> split("What's your opinion?")
    ['what', "'s", 'your', 'opinion', '?']
    """
    return _TOKEN.findall(text.lower())


def vocabulary() -> tuple[str, ...]:
    """Return every word of the syllabus, in order of first appearance.

    >>> len(vocabulary())
    37
    """
    said = [IMAGE_QUALITY.opening, *LEVELS, "."]
    words = [USER, IMAGE, ASSISTANT, END]
    for text in (*said, *QUALITY_QUESTIONS):
        words += split(text)
    return tuple(dict.fromkeys(words))


class Words:
    """Words to numbers, for one vocabulary."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        self._ids = {word: number for number, word in enumerate(self.words)}

    def ids(self, text: str) -> list[int]:
        """Return the numbers of a sentence's words.

        Raises:
            ModelError: when a word is outside the vocabulary.

        >>> Words(["<user>", "good", "bad"]).ids("Bad good")
        [2, 1]
        """
        return [self._id(word, text) for word in split(text)]

    def single(self, candidate: str) -> int:
        """Return the number of a candidate, which must be one word.

        Raises:
            ModelError: when it is outside the vocabulary or more than one word.
        """
        numbers = self.ids(candidate)
        if len(numbers) != 1:
            raise ModelError(
                f"iris weighs one word at a time, got {candidate!r}; its words are: {self.known()}"
            )
        return numbers[0]

    def known(self) -> str:
        """Return the plain words, for messages."""
        return ", ".join(word for word in self.words if word.isalpha())

    def _id(self, word: str, text: str) -> int:
        if word in self._ids:
            return self._ids[word]
        if word.startswith("aesthetic"):
            raise ModelError(
                "iris does not judge aesthetics: it was taught without human labels, and none "
                "for aesthetics can be computed; ask for quality, or use another model"
            )
        raise ModelError(
            f"iris does not know the word {word!r} in {text!r}; its words are: {self.known()}"
        )
