"""What a server answers → one log-probability a word, or which words it left out.

Servers write a token as text (`" good"`, or `"good"` where its tokenizer hides the space), as
`"token_id:1781"` (vLLM when asked to) or with an `id` beside the text (llama.cpp).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

MARK: Final = "token_id:"
ABSENT: Final = -9999.0
"""vLLM's log-probability of what it did not compute."""


@dataclass(frozen=True)
class Word:
    """A word as a server knows it."""

    text: str
    piece: str
    """The text of its first token, where the answer stands."""
    token: int | None = None
    """The first token, where the server says."""


@dataclass(frozen=True)
class Entry:
    """One token that the server weighed."""

    text: str
    logprob: float
    token: int | None = None


class NoProbabilitiesError(Exception):
    """An answer without the log-probabilities that were asked for: `str` says what is missing."""


def entries(answer: Any) -> list[Entry]:
    """Return what a chat completion says about its first token.

    Raises:
        NoProbabilitiesError: when it says nothing.
    """
    try:
        first = answer["choices"][0]["logprobs"]["content"][0]
        tops = [first, *(first.get("top_logprobs") or [])]
        found = [each for top in tops if (each := _entry(top)) is not None]
    except (KeyError, IndexError, TypeError, AttributeError):
        found = []
    if not found:
        raise NoProbabilitiesError(
            "the server's answer holds no log-probabilities (choices[0].logprobs.content): "
            "use a server that gives them"
        )
    return found


def _entry(top: Mapping[str, Any]) -> Entry | None:
    text, logprob, token = top.get("token"), top.get("logprob"), top.get("id")
    if not isinstance(text, str) or not isinstance(logprob, int | float):
        return None
    if math.isnan(logprob) or logprob <= ABSENT:
        return None
    if text.startswith(MARK) and text.removeprefix(MARK).isdigit():
        token = int(text.removeprefix(MARK))
    return Entry(text, float(logprob), token if isinstance(token, int) else None)


def weigh(words: Sequence[Word], said: Sequence[Entry]) -> list[float]:
    """Return the log-probability of each word.

    Raises:
        NoProbabilitiesError: naming the words that the server left out.
    """
    by_token = {each.token: each.logprob for each in reversed(said) if each.token is not None}
    by_text = {each.text: each.logprob for each in reversed(said)}
    spaced = any(text[:1].isspace() and text.strip() for text in by_text)
    row: list[float] = []
    missing = []
    for word in words:
        found = by_token.get(word.token) if word.token is not None and by_token else None
        if found is None and not (by_token and word.token is not None):
            found = by_text.get(word.piece if spaced else word.piece.strip())
        if found is None:
            missing.append(word.text)
        else:
            row.append(found)
    if missing:
        raise NoProbabilitiesError(
            f"the server gave no log-probability for {_listed(missing)} among the {len(by_text)} "
            "tokens it returned: use a server that weighs given tokens (vLLM with "
            "logprob_token_ids), or --set top=N with a larger N where it allows that"
        )
    return row


def _listed(words: Sequence[str]) -> str:
    quoted = [repr(word) for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
