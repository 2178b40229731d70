"""The forms in which the published code asks mPLUG-Owl2 for a level: data, chosen by name.

One repository asks the same question in several ways, and they give different scores. `scorer` is
the default; the others are here to reproduce numbers.
"""

import re
from dataclasses import dataclass
from typing import Final

from beholder._names import unknown
from beholder.errors import UsageError
from beholder.prompts import Prompt

IMAGE: Final = "<|image|>"
"""What stands for a picture, or for all frames of a clip, in a sentence."""
DEFAULT: Final = "scorer"
_SYSTEM: Final = (
    "A chat between a curious user and an artificial intelligence assistant. The assistant gives "
    "helpful, detailed, and polite answers to the user's questions. "
)


@dataclass(frozen=True)
class Form:
    """How question, picture and opening of the answer follow each other."""

    template: str
    swaps_opening: bool = False
    """Whether `The quality of the image is` becomes `The image of the quality is`."""

    def compose(self, prompt: Prompt) -> str:
        """Return the sentence, with `<|image|>` where the picture goes.

        >>> FORMS["evaluation"].compose(Prompt("How good?", "It is"))
        'USER: How good?\\n<|image|> ASSISTANT: It is'
        """
        opening = prompt.opening
        if self.swaps_opening:
            opening = re.sub(r"The (\w+) of the (\w+) is", r"The \2 of the \1 is", opening)
        return self.template.format(question=prompt.question, image=IMAGE, opening=opening)


FORMS: Final = {
    "scorer": Form("USER: {question}\n{image}\nASSISTANT: {opening}"),
    "evaluation": Form("USER: {question}\n{image} ASSISTANT: {opening}"),
    "picture-first": Form("USER: {image}{question} ASSISTANT: {opening}"),
    "released": Form("USER: {question}\n{image}\nASSISTANT: {opening}", swaps_opening=True),
    "training": Form("USER: {image}\n{question} ASSISTANT: {opening}"),
    "training-system": Form(_SYSTEM + "USER: {image}\n{question} ASSISTANT: {opening}"),
}
"""`scorer`: Q-Align's and DeQA-Score's scorer classes, and `score` of the hosted code.
`evaluation`: the scripts behind the published quality figures; a space where the scorer has a line
break. `picture-first`: the scripts for aesthetics, and those of Q-Instruct and Q-Boost.
`released`: `score` of the code on GitHub, whose opening has two words swapped. `training`: the
picture first, as in training; `training-system` with the chat preamble that its scripts select."""


def form(name: str) -> Form:
    """Return a form by name.

    Raises:
        UsageError: when there is none of this name, with the nearest known one.
    """
    if name not in FORMS:
        raise UsageError(unknown("prompt form", name, FORMS))
    return FORMS[name]
