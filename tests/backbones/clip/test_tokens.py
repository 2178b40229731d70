"""Texts become the numbers that OpenAI's tokenizer gave them."""

import json

import pytest

from beholder.backbones.clip import tokens
from beholder.errors import ModelError, UsageError


def test_every_recorded_text_has_its_published_numbers(clip_file, tiny_clip):
    recorded = json.loads(clip_file("clip_tiny/texts.json").read_text())["texts"]
    some = {text: ids for text, ids in recorded.items() if text}
    small = tokens.read(tiny_clip)
    assert len(some) == 743
    for text, ids in some.items():
        for read, kind in ((tokens.package(), "real"), (small, "tiny")):
            found = read.read([text])
            assert found.ids[0].tolist() == ids[kind]
            assert found.ends.tolist() == [len(ids[kind]) - 1]


def test_the_vocabulary_of_the_package_is_the_published_one():
    package = tokens.package()
    assert package.size == 49408
    assert package.read(["Good photo."]).ids.tolist() == [[49406, 886, 1125, 269, 49407]]


def test_a_short_text_is_filled_up_and_its_end_is_known():
    found = tokens.package().read(["good", "a very good photo of a cat"])
    assert found.ids.shape == (2, 9)
    assert found.ends.tolist() == [2, 8]
    assert found.ids[0, 2:].unique().tolist() == [49407]


def test_capitals_and_spaces_make_no_difference():
    package = tokens.package()
    assert package.ids("  GOOD \n photo.") == package.ids("good photo.")


@pytest.mark.parametrize("text", ["", "   \n"])
def test_a_text_without_a_word_is_refused(text):
    with pytest.raises(UsageError, match="holds no word"):
        tokens.package().read(["good", text])


def test_no_text_is_refused():
    with pytest.raises(UsageError, match="got none: give at least one"):
        tokens.package().read([])


def test_a_text_may_be_as_long_as_clip_reads_and_no_longer():
    package = tokens.package()
    assert package.read(["cat " * 75]).ids.shape == (1, 77)
    with pytest.raises(UsageError, match="is 76 tokens; CLIP reads 75: shorten it"):
        package.read(["cat " * 76])


def test_a_vocabulary_of_another_kind_of_model_is_refused(tmp_path):
    (tmp_path / "vocab.json").write_text('{"a": 0}')
    (tmp_path / "merges.txt").write_text("#version: 0.2\n")
    with pytest.raises(ModelError, match="it is no vocabulary of CLIP"):
        tokens.read(tmp_path)
