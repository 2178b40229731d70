"""Pictures and a question → what the model reads, by its own processor and chat template.

The two halves are apart: `Eyes.see` prepares pixels without knowing the question, `Eyes.read` puts
the question around what was seen. Each picture's place in the text is held by a text of its own
(`stand_ins`), as long as the model needs for a picture of that size.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from PIL import Image
from torch import Tensor

from beholder.backbones.words import Tokenizer
from beholder.errors import MediaError, ModelError
from beholder.media.frames import Picture
from beholder.prompts import Prompt

TEXT_KEYS: Final = ("input_ids", "attention_mask", "mm_token_type_ids", "token_type_ids")
OFFSETS: Final = "text_replacement_offsets"
SWITCHES: Final = ("enable_thinking", "thinking")
"""Turned off where the template knows them: the answer comes without a train of thought."""


@dataclass(frozen=True)
class Seen:
    """What is kept of one input: pixels as the model wants them, no question."""

    features: Mapping[str, Tensor]
    """By the name of the model's argument; pictures stand in the first dimension."""
    stand_ins: tuple[str, ...]
    """For each picture, the text that holds its place."""


@dataclass(frozen=True)
class Reading:
    """One input with its question, as token ids."""

    ids: tuple[int, ...]
    kinds: tuple[int, ...]
    """For each token: 0 text, 1 picture. Empty where the model does not ask for it."""


@dataclass(frozen=True)
class Eyes:
    """A processor, and how many pixels of a picture it is given."""

    processor: Any
    longest: int = 0
    """Pictures are shrunk to this many pixels on the longer side; 0: by the processor alone."""
    longest_of_clip: int = 0
    """The same for the frames of a clip that are looked at together."""

    @property
    def wants_kinds(self) -> bool:
        """Whether the model must be told which tokens are pictures."""
        return bool(getattr(self.processor, "return_mm_token_type_ids", False))

    def see(self, pictures: Iterable[Picture]) -> Seen:
        """Prepare one picture, or the frames of a clip as several pictures. Thread-safe.

        Raises:
            ModelError: when there is none, or the processor cannot be asked like this.
            MediaError: when the processor refuses pictures like these.
        """
        images = self._images(pictures)
        if not images:
            raise ModelError("a chat model looks at one picture or more, got none")
        try:
            out = self.processor(
                images=[images],
                text=[self.processor.image_token * len(images)],
                return_tensors="pt",
                return_text_replacement_offsets=True,
            )
        except ValueError as error:
            width, height = images[0].size
            said = " ".join(str(error).split())
            raise MediaError(
                f"this model cannot look at {width}×{height} pixels ({said}): use another model, "
                "or crop the picture"
            ) from error
        if OFFSETS not in out:
            kind = type(self.processor).__name__
            raise ModelError(f"{kind} does not say where pictures stand: this model cannot be used")
        stand_ins = tuple(each["replacement"] for each in out[OFFSETS][0])
        left = (*TEXT_KEYS, OFFSETS)
        return Seen({name: out[name] for name in out if name not in left}, stand_ins)

    def _images(self, pictures: Iterable[Picture]) -> list[Image.Image]:
        """Read the pictures; frames of a clip are shrunk as they come, so memory stays bounded."""
        stream = iter(pictures)
        head = [picture for _, picture in zip(range(2), stream, strict=False)]
        side = self.longest if len(head) < 2 else self.longest_of_clip
        return [
            *(shrunk(picture, side) for picture in head),
            *(shrunk(picture, side) for picture in stream),
        ]

    def text(self, prompt: Prompt, count: int) -> str:
        """Return the conversation up to where the level word comes, with `count` pictures in it."""
        question = {
            "role": "user",
            "content": [{"type": "image"}] * count + [{"type": "text", "text": prompt.question}],
        }
        start = self._render([question], add_generation_prompt=True)
        opening = prompt.opening.rstrip()
        if not opening:
            return start
        whole = self._render(
            [question, _message("assistant", opening)], add_generation_prompt=False
        )
        return start + _gap(start, whole, opening) + opening

    def end(self, prompt: Prompt, answer: str) -> str:
        """Return the mark that ends an answer: what the template puts after it, else the model's.

        `answer` is the whole answer, the opening of the prompt with it.
        """
        whole = self._render(
            [_message("user", prompt.question), _message("assistant", answer)],
            add_generation_prompt=False,
        )
        after = whole.rpartition(answer)[2].strip() if answer in whole else ""
        return after or str(self.processor.tokenizer.eos_token or "")

    def _render(self, messages: list[dict[str, Any]], *, add_generation_prompt: bool) -> str:
        template = self._template
        silent = {name: False for name in SWITCHES if re.search(rf"\b{name}\b", template)}
        rendered: str = self.processor.apply_chat_template(
            messages,
            chat_template=template,
            tokenize=False,
            add_generation_prompt=add_generation_prompt,
            **silent,
        )
        return rendered

    @property
    def _template(self) -> str:
        found = self.processor.chat_template or self.processor.tokenizer.chat_template
        return str(found["default"] if isinstance(found, dict) else found)

    def read(self, seen: Seen, text: str) -> Reading:
        """Return the tokens of a conversation with the pictures that were seen.

        Raises:
            ModelError: when the template does not have a place for each picture.
        """
        places = text.count(self.processor.image_token)
        if places != len(seen.stand_ins):
            raise ModelError(
                f"the chat template has {places} places for {len(seen.stand_ins)} pictures: "
                "this model cannot be shown them"
            )
        (whole,), _ = self.processor.get_text_with_replacements(
            [text], images_replacements=list(seen.stand_ins)
        )
        ids = self._ids(whole)
        kinds = self.processor.create_mm_token_type_ids([ids])[0] if self.wants_kinds else []
        return Reading(tuple(ids), tuple(kinds))

    def _ids(self, text: str) -> list[int]:
        tokenizer = self.processor.tokenizer
        begun = tokenizer.bos_token is not None and text.startswith(tokenizer.bos_token)
        ids: list[int] = tokenizer(text, add_special_tokens=not begun)["input_ids"]
        while ids and ids[-1] == tokenizer.eos_token_id and not text.endswith(tokenizer.eos_token):
            ids.pop()
        return ids

    def tokenizer(self) -> Tokenizer:
        """Return the tokenizer as `words` asks it."""
        own = self.processor.tokenizer
        return Tokenizer(
            encode=lambda text: own(text, add_special_tokens=False)["input_ids"],
            decode=own.decode,
            unknown=own.unk_token_id,
        )


def _message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "content": [{"type": "text", "text": text}]}


def _gap(start: str, whole: str, opening: str) -> str:
    """Return the space that the template itself puts before an answer, e.g. after `ASSISTANT:`.

    >>> _gap("USER: hi ASSISTANT:", "USER: hi ASSISTANT: The end", "The end")
    ' '
    >>> _gap("user hi assistant", "another form", "The end")
    ''
    """
    if not whole.startswith(start):
        return ""
    gap, found, _ = whole[len(start) :].partition(opening)
    return gap if found and gap.isspace() else ""


def shrunk(picture: Picture, longest: int) -> Image.Image:
    """Return a picture of at most so many pixels on the longer side; 0: as it is."""
    image = Image.fromarray(picture.pixels)
    side = max(image.size)
    if not longest or side <= longest:
        return image
    size = [max(1, round(each * longest / side)) for each in image.size]
    return image.resize((size[0], size[1]), Image.Resampling.BICUBIC)
