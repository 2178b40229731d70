"""Texts as CLIP reads them: byte pairs between a mark of the beginning and one of the end.

The 48894 merges are those of OpenAI's CLIP (MIT licence, see NOTICE), kept as data of the package,
since published checkpoints hold no tokenizer. The tokenizer itself is that of transformers; unlike
OpenAI's it does not repair broken text, such as `&amp;`.
"""

import hashlib
import lzma
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import torch
from jaxtyping import Int
from torch import Tensor

from beholder._optional import require
from beholder.backbones._json import read_json
from beholder.errors import ModelError, UsageError

MERGES: Final = Path(__file__).parent / "merges.txt.xz"
BEGINNING: Final = "<|startoftext|>"
END: Final = "<|endoftext|>"
LONGEST: Final = 77
"""Most tokens of a text, both marks included."""


@dataclass(frozen=True)
class Read:
    """Texts as numbers, filled up to the longest with the mark of the end."""

    ids: Int[Tensor, "texts tokens"]
    ends: Int[Tensor, " texts"]
    """Where each text ends: the place of its mark."""


@dataclass(frozen=True)
class Tokens:
    """A tokenizer and what tells it from others."""

    tokenizer: Any
    digest: str
    """SHA-256 of its merges."""

    @property
    def size(self) -> int:
        """How many tokens there are."""
        return len(self.tokenizer)

    def ids(self, text: str) -> list[int]:
        """Return the numbers of a text, without the marks.

        >>> package().ids("Good photo.")
        [886, 1125, 269]
        """
        numbers: list[int] = self.tokenizer.encode(text, add_special_tokens=False)
        return numbers

    def read(self, texts: Sequence[str]) -> Read:
        """Return texts as numbers.

        Raises:
            UsageError: when there is no text, or one is empty or too long.
        """
        if not texts:
            raise UsageError("CLIP compares a picture with texts, got none: give at least one")
        begin, end = (self.tokenizer.convert_tokens_to_ids(mark) for mark in (BEGINNING, END))
        rows = [[begin, *self._checked(text), end] for text in texts]
        width = max(map(len, rows))
        filled = [row + [end] * (width - len(row)) for row in rows]
        return Read(torch.tensor(filled), torch.tensor([len(row) - 1 for row in rows]))

    def _checked(self, text: str) -> list[int]:
        numbers = self.ids(text)
        if not numbers:
            raise UsageError(f"{text!r} holds no word that a picture could be compared with")
        if len(numbers) > LONGEST - 2:
            raise UsageError(
                f"{text[:40]!r}… is {len(numbers)} tokens; CLIP reads {LONGEST - 2}: shorten it"
            )
        return numbers


@cache
def package() -> Tokens:
    """Return the tokenizer of the published models: 49408 tokens."""
    raw = MERGES.read_bytes()
    merges = [tuple(line.split(" ")) for line in lzma.decompress(raw).decode().splitlines()]
    letters = list(_letters())
    names = [*letters, *(f"{letter}</w>" for letter in letters)]
    names += [first + second for first, second in merges] + [BEGINNING, END]
    vocabulary = {name: number for number, name in enumerate(names)}
    made = _transformers().CLIPTokenizer(vocab=vocabulary, merges=merges)
    return Tokens(made, hashlib.sha256(raw).hexdigest())


def read(folder: Path) -> Tokens:
    """Return the tokenizer of a folder where it holds one, or else that of the package.

    Raises:
        ModelError: when its files cannot be used.
    """
    for place in (folder, folder / "tokenizer"):
        vocabulary, merges = place / "vocab.json", place / "merges.txt"
        if vocabulary.is_file() and merges.is_file():
            return _of_folder(vocabulary, merges)
    return package()


def _of_folder(vocabulary: Path, merges: Path) -> Tokens:
    names = read_json(vocabulary)
    raw = merges.read_bytes()
    lines = [line for line in raw.decode().splitlines() if line and not line.startswith("#version")]
    if not {BEGINNING, END} <= names.keys():
        raise ModelError(
            f"{vocabulary} holds no {BEGINNING} and {END}: it is no vocabulary of CLIP"
        )
    pairs = [tuple(line.split(" ")) for line in lines]
    made = _transformers().CLIPTokenizer(vocab=names, merges=pairs)
    return Tokens(made, hashlib.sha256(raw).hexdigest())


def _letters() -> Iterator[str]:
    """Yield the character that stands for each byte, in the order of GPT-2's byte-level pairs."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1)]
    plain += range(ord("®"), ord("ÿ") + 1)
    yield from map(chr, plain)
    yield from (chr(256 + number) for number in range(256 - len(plain)))


def _transformers() -> Any:
    return require("transformers", extra="models")
