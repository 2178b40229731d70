"""Words → token ids, by asking a tokenizer in the place where the answer stands.

What a word is in tokens depends on what stands before it (` good` is another token than `good`),
so nothing is looked up: the opening is tokenised with and without the word, and the difference is
the word. A word is then weighed by its first token, or exactly by all of them.
"""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from beholder.errors import ModelError

BYS: Final = ("first", "exact")
"""`first`: the logit of a word's first token. `exact`: the log-probability of all its tokens."""

WEIGH_EXACTLY: Final = "use other words, or weigh whole words with --set words=exact"
"""What to do about words that begin alike."""

Tokens = tuple[int, ...]


@dataclass(frozen=True)
class Tokenizer:
    """The three things that are asked of a tokenizer."""

    encode: Callable[[str], Sequence[int]]
    """Text → token ids, nothing added at either end."""
    decode: Callable[[Sequence[int]], str]
    unknown: int | None = None
    """The token that stands for what is not in the vocabulary."""


def following(context: str, word: str) -> str:
    """Return the word as it follows the context: after a space, where there is one in that script.

    >>> following("The quality is", "good"), following("assistant\\n", "good")
    (' good', 'good')
    >>> following("图像质量", "优")
    '优'
    """
    wide = context and unicodedata.east_asian_width(context[-1]) in "WF"
    return word if not context or context[-1].isspace() or wide else f" {word}"


def spell(tokenizer: Tokenizer, context: str, words: Sequence[str]) -> list[Tokens]:
    """Return the tokens of each word where it follows the context.

    Raises:
        ModelError: when the tokenizer does not know a word, or runs it together with the context.
    """
    before = tuple(tokenizer.encode(context))
    return [_spell(tokenizer, context, before, word) for word in words]


def _spell(tokenizer: Tokenizer, context: str, before: Tokens, word: str) -> Tokens:
    whole = tuple(tokenizer.encode(context + following(context, word)))
    tokens = whole[len(before) :]
    tail = context[-24:]
    if whole[: len(before)] != before:
        raise ModelError(
            f"the tokenizer joins {word!r} with the end of {tail!r}: end the opening with a word"
        )
    if not tokens or tokenizer.unknown in tokens:
        raise ModelError(
            f"the tokenizer of this model does not know the word {word!r}: use other words"
        )
    return tokens


def first_tokens(
    tokenizer: Tokenizer,
    words: Sequence[str],
    spelled: Sequence[Tokens],
    way_out: str = WEIGH_EXACTLY,
) -> Tokens:
    """Return the first token of each word, by which the words can be told apart.

    Raises:
        ModelError: when they cannot, with the way out.
    """
    owners: dict[int, str] = {}
    for word, tokens in zip(words, spelled, strict=True):
        piece = tokenizer.decode(tokens[:1])
        if not any(letter.isalnum() for letter in piece):
            raise ModelError(
                f"{word!r} is {len(tokens)} tokens and the first, {piece!r}, "
                f"says nothing about it: {way_out}"
            )
        other = owners.setdefault(tokens[0], word)
        if other is not word:
            raise ModelError(
                f"{other!r} and {word!r} begin with the same token {piece!r} "
                f"and cannot be told apart by it: {way_out}"
            )
    return tuple(owners)


def steps(words: Sequence[str], spelled: Sequence[Tokens]) -> Mapping[Tokens, Tokens]:
    """Return every beginning of a word → the tokens that may come next: what exact weighing reads.

    Raises:
        ModelError: when one word is the beginning of another, or stands there twice.

    >>> steps(["good", "poor"], [(1, 2), (3,)])
    {(): (1, 3), (1,): (2,)}
    """
    for word, tokens in zip(words, spelled, strict=True):
        begun = [w for w, t in zip(words, spelled, strict=True) if t[: len(tokens)] == tokens]
        if len(begun) > 1:
            raise ModelError(
                f"{word!r} is the beginning of {begun[1]!r}: they cannot be told apart, "
                "use other words"
            )
    found: dict[Tokens, dict[int, None]] = {}
    for tokens in spelled:
        for at, token in enumerate(tokens):
            found.setdefault(tokens[:at], {})[token] = None
    return {beginning: tuple(after) for beginning, after in found.items()}
