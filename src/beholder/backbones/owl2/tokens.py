"""Text to token ids, the way mPLUG-Owl2 was taught: each side of a picture by itself.

The tokenizer is the SentencePiece model of the checkpoint's folder, used directly: newer tokenizer
classes drop a token from text that begins with a space. For a checkpoint with the LLaMA-2
vocabulary the built-in prompts need no tokenizer (`llama2.py`).
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from beholder._optional import require
from beholder.backbones.owl2 import llama2
from beholder.backbones.owl2.forms import IMAGE
from beholder.backbones.owl2.lessons import PLACEHOLDER
from beholder.errors import ModelError

FILE: Final = "tokenizer.model"
START: Final = 1
END: Final = 2
_END_MARK: Final = "</s>"

Encode = Callable[[str], list[int]]
"""Text to ids, as at the start of a sentence, without a start mark."""


class Tokens:
    """One vocabulary."""

    def __init__(self, encode: Encode, origin: str, digest: str = llama2.SHA256) -> None:
        self._encode = encode
        self._origin = origin
        self.digest = digest
        """SHA-256 of its SentencePiece model."""

    def ids(self, text: str) -> list[int]:
        """Return the ids of a sentence, with a placeholder for each `<|image|>`.

        The text between pictures is cut off and encoded by itself. A sentence that begins with
        text has one start mark; one that begins with a picture has one in each chunk of text.
        """
        chunks = [self._encode(chunk) if chunk else None for chunk in text.split(IMAGE)]
        starts = [START] if chunks[0] is None else []
        ids = [START] if chunks[0] is not None else []
        for number, chunk in enumerate(chunks):
            ids += [PLACEHOLDER] if number else []
            ids += [*starts, *chunk] if chunk is not None else []
        return ids

    def word(self, candidate: str) -> int:
        """Return the id of a word that may follow an opening.

        Raises:
            ModelError: when the word is more than one token, so that one logit cannot weigh it.
        """
        ids = self._encode(candidate)
        if len(ids) != 1:
            raise ModelError(
                f"{candidate!r} is {len(ids)} tokens {ids} in {self._origin}; "
                "a level must be a word of one token"
            )
        return ids[0]

    def words(self, candidates: "tuple[str, ...] | list[str]") -> list[int]:
        """Return the ids of words that are weighed against each other.

        Raises:
            ModelError: when a word is more than one token, or two words are the same token.
        """
        ids = [self.word(each) for each in candidates]
        for number, each in enumerate(ids):
            if each in ids[:number]:
                first, second = candidates[ids.index(each)], candidates[number]
                raise ModelError(f"{first!r} and {second!r} are the same token in {self._origin}")
        return ids


def read(folder: Path, size: int) -> Tokens:
    """Return the vocabulary of a folder whose model has `size` tokens.

    Raises:
        ModelError: when the folder has no tokenizer and the built-in ids do not fit either.
        MissingExtraError: when its tokenizer needs sentencepiece and that is not installed.
    """
    path = folder / FILE
    if not path.is_file():
        if size != llama2.SIZE:
            raise ModelError(
                f"there is no {FILE} in {folder}, and its {size} tokens are not LLaMA-2's "
                f"{llama2.SIZE}"
            )
        return Tokens(_built_in(folder), f"the LLaMA-2 vocabulary ({folder} has no {FILE})")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest == llama2.SHA256:
        return Tokens(_first_built_in(path, size), str(path))
    return Tokens(_sentencepiece(path, size), str(path), digest)


def _built_in(folder: Path) -> Encode:
    def encode(text: str) -> list[int]:
        ids = llama2.encode(text)
        if ids is None:
            raise ModelError(
                f"{text!r} is not in the built-in prompts and {folder} has no {FILE}; put the "
                "tokenizer of the model there"
            )
        return ids

    return encode


def _first_built_in(path: Path, size: int) -> Encode:
    """Use the built-in ids where they cover a text, so that sentencepiece may be missing."""
    rest: list[Encode] = []

    def encode(text: str) -> list[int]:
        ids = llama2.encode(text)
        if ids is not None:
            return ids
        if not rest:
            rest.append(_sentencepiece(path, size))
        return rest[0](text)

    return encode


def _sentencepiece(path: Path, size: int) -> Encode:
    """Read a SentencePiece model; it adds the space before a sentence itself."""
    try:
        model: Any = require("sentencepiece", "models").SentencePieceProcessor(str(path))
    except (OSError, RuntimeError) as error:
        raise ModelError(f"{path} cannot be read as a SentencePiece model: {error}") from error
    if model.vocab_size() > size:
        raise ModelError(f"{path} has {model.vocab_size()} tokens, its model {size}")

    def encode(text: str) -> list[int]:
        start = text.removesuffix(_END_MARK)
        ids: list[int] = model.encode(start)
        return ids if start == text else [*ids, END]

    return encode
