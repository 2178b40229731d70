"""Words are spelled where the answer stands, and must be told apart."""

import pytest

from beholder.backbones.words import Tokenizer, first_tokens, spell, steps
from beholder.errors import ModelError

PIECES = ["is", ":", " ", " good", "good", " fa", " fair", "ir", "ntastic", "a", " is"]


def greedy(text: str) -> list[int]:
    """The longest known piece first; 99 stands for what is unknown."""
    ids = []
    while text:
        piece = max((p for p in PIECES if text.startswith(p)), key=len, default="")
        ids.append(PIECES.index(piece) if piece else 99)
        text = text[max(len(piece), 1) :]
    return ids


def decode(ids) -> str:
    return "".join(PIECES[i] for i in ids)


TOKENIZER = Tokenizer(greedy, decode, unknown=99)


def test_a_word_is_spelled_with_its_space_after_a_word_and_without_at_the_start():
    assert spell(TOKENIZER, "is", ["good"]) == [(PIECES.index(" good"),)]
    assert spell(TOKENIZER, "", ["good"]) == [(PIECES.index("good"),)]


def test_a_word_the_tokenizer_does_not_know_is_refused():
    with pytest.raises(ModelError, match="'zebra'"):
        spell(TOKENIZER, "is", ["good", "zebra"])


def test_a_tokenizer_that_joins_a_word_with_what_stands_before_is_refused():
    joining = Tokenizer(lambda text: [len(text)], decode)
    with pytest.raises(ModelError, match="joins 'good' with the end of 'it is'"):
        spell(joining, "it is", ["good"])


def test_a_split_word_counts_by_its_first_token_when_no_other_shares_it():
    words = ["good", "fantastic"]
    spelled = spell(TOKENIZER, "is", words)
    assert len(spelled[1]) == 2
    assert first_tokens(TOKENIZER, words, spelled) == (spelled[0][0], spelled[1][0])


def test_two_words_with_the_same_first_token_are_refused_with_the_way_out():
    words = ["good", "fair", "fairy"]
    spelled = [(3,), (5, 7), (5, 8)]
    with pytest.raises(ModelError, match=r"'fair' and 'fairy' .* ' fa' .*--set words=exact"):
        first_tokens(TOKENIZER, words, spelled)


def test_a_word_that_begins_with_a_bare_space_is_refused():
    with pytest.raises(ModelError, match=r"'good' is 2 tokens and the first, ' '"):
        first_tokens(TOKENIZER, ["good"], [(2, 4)])


def test_exact_weighing_reads_every_beginning_once():
    spelled = [(1,), (2, 3, 4), (2, 3, 5), (2, 6)]
    assert steps(["a", "b", "c", "d"], spelled) == {(): (1, 2), (2,): (3, 6), (2, 3): (4, 5)}


def test_a_word_that_begins_another_cannot_be_weighed_exactly_either():
    with pytest.raises(ModelError, match="'good' is the beginning of 'goodish'"):
        steps(["good", "goodish"], [(1,), (1, 2)])
    with pytest.raises(ModelError, match="'good' is the beginning of 'good'"):
        steps(["good", "good"], [(1,), (1,)])
