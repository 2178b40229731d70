"""Sentences become the ids that the models were taught with."""

import json
import shutil
from pathlib import Path

import pytest

from beholder.backbones.owl2 import forms, llama2, tokens
from beholder.errors import MissingExtraError, ModelError, UsageError
from beholder.prompts import IMAGE_AESTHETICS, IMAGE_QUALITY, QUALITY_QUESTIONS, Prompt

FIXTURES = Path(__file__).parents[2] / "fixtures" / "owl2"
TOY = json.loads((FIXTURES / "toy_ids.json").read_text())
LLAMA = json.loads((FIXTURES / "llama2_ids.json").read_text())
PROMPTS = ("prompts_score_method", "prompts_scorer_classes", "prompts_evaluate_scripts")
FORMS = dict(zip(PROMPTS, ("released", "scorer", "evaluation"), strict=True))


def sentences(recorded: dict, *sections: str) -> list:
    return [
        pytest.param(entry["text"], entry["ids"], id=f"{section}/{name}")
        for section in sections
        for name, entry in recorded[section].items()
    ]


def lessons(recorded: dict) -> list:
    found = [(e.get("template") or e.get("prompt_after_template"), e) for e in recorded["training"]]
    return [pytest.param(text, e["input_ids"], id=text) for text, e in found if text]


@pytest.fixture(scope="module")
def toy(tiny) -> tokens.Tokens:
    pytest.importorskip("sentencepiece")
    return tokens.read(tiny, 512)


@pytest.fixture(scope="module")
def built_in(tmp_path_factory) -> tokens.Tokens:
    return tokens.read(tmp_path_factory.mktemp("empty"), llama2.SIZE)


@pytest.mark.parametrize(("text", "ids"), sentences(TOY, *PROMPTS, "edge") + lessons(TOY))
def test_the_tokenizer_of_a_folder_gives_the_recorded_ids(toy, text, ids):
    assert toy.ids(text) == ids


@pytest.mark.parametrize(("text", "ids"), sentences(LLAMA, *PROMPTS) + lessons(LLAMA))
def test_built_in_ids_are_those_of_llama_2(built_in, text, ids):
    assert built_in.ids(text) == ids


@pytest.mark.parametrize("name", ["image_only", "image_first", "image_last", "adjacent_images"])
def test_built_in_ids_treat_odd_sentences_as_the_reference_does(built_in, name):
    assert built_in.ids(LLAMA["edge"][name]["text"]) == LLAMA["edge"][name]["ids"]


@pytest.mark.parametrize("section", PROMPTS)
@pytest.mark.parametrize("prompt", [IMAGE_QUALITY, IMAGE_AESTHETICS])
def test_a_form_writes_the_sentence_of_the_published_code(section, prompt):
    task = "quality" if prompt == IMAGE_QUALITY else "aesthetics"
    written = forms.form(FORMS[section]).compose(prompt)
    assert written == LLAMA[section][f"{task}/image"]["text"]


@pytest.mark.parametrize("question", QUALITY_QUESTIONS)
def test_the_training_form_puts_the_picture_first_for_every_question(built_in, question):
    ids = built_in.ids(
        forms.form("training").compose(Prompt(question, "The quality of the image is"))
    )
    assert ids[:8] == [1, 3148, 1001, 29901, 29871, -200, 29871, 13]
    assert ids[-6:] == [450, 11029, 310, 278, 1967, 338]


def test_the_chat_preamble_needs_the_tokenizer_of_the_model(built_in):
    with pytest.raises(ModelError, match=r"A chat between.*no tokenizer.model"):
        built_in.ids(forms.form("training-system").compose(IMAGE_QUALITY))


def test_an_unknown_form_is_refused():
    with pytest.raises(UsageError, match=r"'scores': did you mean 'scorer'"):
        forms.form("scores")


def test_level_words_have_the_recorded_ids(toy, built_in):
    words = ["excellent", "good", "fair", "poor", "bad"]
    assert toy.words(words) == TOY["level_ids"]
    assert built_in.words(words) == LLAMA["level_ids"] == [15129, 1781, 6534, 6460, 4319]
    for word, ids in LLAMA["eval_words"].items():
        if len(ids) == 2:
            assert built_in.word(word) == ids[1]


def test_a_word_of_two_tokens_is_refused_with_its_tokens(built_in):
    with pytest.raises(ModelError, match=r"'moderate' is 2 tokens \[17768, 403\]"):
        built_in.word("moderate")


def test_a_word_outside_the_vocabulary_is_refused(toy, built_in):
    with pytest.raises(ModelError, match=r"'优' is \d+ tokens"):
        toy.word("优")
    with pytest.raises(ModelError, match=r"'sharp' is not in the built-in prompts"):
        built_in.word("sharp")


def test_two_words_that_are_one_token_are_refused(built_in):
    with pytest.raises(ModelError, match=r"'good' and 'good' are the same token"):
        built_in.words(["good", "bad", "good"])


def test_a_word_that_only_begins_like_a_known_one_is_not_taken_for_it():
    assert llama2.encode("images") is None
    assert llama2.encode("good") == [1781]


def test_a_small_vocabulary_without_a_tokenizer_is_refused(tmp_path):
    with pytest.raises(ModelError, match=r"no tokenizer.model .*512 tokens are not LLaMA-2's"):
        tokens.read(tmp_path, 512)


def test_a_tokenizer_that_is_none_is_refused(tmp_path):
    pytest.importorskip("sentencepiece")
    (tmp_path / "tokenizer.model").write_bytes(b"no model")
    with pytest.raises(ModelError, match=r"tokenizer.model cannot be read"):
        tokens.read(tmp_path, 512)


def test_a_tokenizer_with_more_tokens_than_its_model_is_refused(tiny):
    pytest.importorskip("sentencepiece")
    with pytest.raises(ModelError, match=r"has 512 tokens, its model 500"):
        tokens.read(tiny, 500)


def test_without_sentencepiece_the_line_that_installs_it_is_given(tiny, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sentencepiece", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'beholder\[models\]'"):
        tokens.read(tiny, 512)


def test_the_llama_2_tokenizer_is_not_opened_for_built_in_prompts(tiny, tmp_path, monkeypatch):
    shutil.copy(tiny / "tokenizer.model", tmp_path)
    monkeypatch.setattr(llama2, "SHA256", _sha256(tmp_path / "tokenizer.model"))
    monkeypatch.setitem(__import__("sys").modules, "sentencepiece", None)
    vocabulary = tokens.read(tmp_path, llama2.SIZE)
    assert vocabulary.word("good") == 1781
    with pytest.raises(MissingExtraError, match=r"beholder\[models\]"):
        vocabulary.ids("something else")


def _sha256(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()
