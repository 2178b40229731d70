"""Rating goes a short way and comes to what the whole forward pass says."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils._python_dispatch import TorchDispatchMode

import beholder
from beholder.backbones import owl2
from beholder.backbones.owl2 import attention, forms, lessons, model, tokens
from beholder.backbones.owl2.features import Features, Seen
from beholder.errors import ModelError
from beholder.levels.scale import LEVELS
from beholder.prompts import IMAGE_AESTHETICS, IMAGE_QUALITY, VIDEO_QUALITY, Prompt

pytest.importorskip("sentencepiece")
SAME = {"atol": 2e-5, "rtol": 0}


@pytest.fixture(scope="module")
def rater(tiny) -> owl2.Owl2:
    return owl2.load(tiny)


def whole(rater: owl2.Owl2, seen: Seen, prompt: Prompt, form: str = "scorer") -> torch.Tensor:
    """The long way: one input, every position, the whole output head."""
    ids = rater._tokens.ids(forms.form(form).compose(prompt))
    lesson = lessons.Lesson(ids, [rater._pixels.normalise(seen.squares)])
    with torch.inference_mode():
        return lessons.logits(rater._network, [lesson])[0, -1, rater._tokens.words(LEVELS)]


@pytest.mark.parametrize("form", [name for name in forms.FORMS if name != "training-system"])
def test_the_short_way_comes_to_what_the_whole_pass_says(tiny, noise, form):
    rater = owl2.load(tiny, form=form)
    seen = [rater.encode([noise(k)]) for k in range(3)]
    for prompt in (IMAGE_QUALITY, IMAGE_AESTHETICS):
        logits = rater.logits(seen, prompt, LEVELS)
        for row, each in zip(logits, seen, strict=True):
            torch.testing.assert_close(row, whole(rater, each, prompt, form), **SAME)


def test_clips_of_any_lengths_in_one_batch_are_rated_as_alone(rater, noise):
    seen = [rater.encode([noise(10 * n + k) for k in range(n)]) for n in (4, 1, 7, 2, 2)]
    together = rater.logits(seen, VIDEO_QUALITY, LEVELS)
    for row, each in zip(together, seen, strict=True):
        torch.testing.assert_close(row, whole(rater, each, VIDEO_QUALITY), **SAME)


def test_the_forms_give_different_scores(tiny, noise):
    rows = []
    for form in ("scorer", "evaluation", "picture-first", "released", "training"):
        rater = owl2.load(tiny, form=form)
        rows.append(rater.logits([rater.encode([noise(0)])], IMAGE_QUALITY, LEVELS)[0])
    for n, row in enumerate(rows):
        assert all((row - other).abs().max() > 1e-3 for other in rows[:n])


def test_the_vision_tower_looks_once_for_all_questions(tiny, noise, monkeypatch):
    rater = owl2.load(tiny)
    looks = []
    see = rater._network.see
    monkeypatch.setattr(rater._network, "see", lambda x: looks.append(len(x)) or see(x))
    seen = [rater.encode([noise(k)]) for k in range(3)]
    first = rater.logits(seen, IMAGE_QUALITY, LEVELS)
    rater.logits(seen[1:], IMAGE_AESTHETICS, LEVELS)
    again = rater.logits(seen, IMAGE_QUALITY, LEVELS)
    assert sum(looks) == 3
    assert torch.equal(first, again)


def test_the_same_input_twice_in_a_batch_is_rated_twice(rater, noise):
    seen = rater.encode([noise(0)])
    logits = rater.logits([seen, seen], IMAGE_QUALITY, LEVELS)
    torch.testing.assert_close(logits[0], logits[1], **SAME)


def test_what_is_kept_is_bounded_and_goes_with_its_input():
    kept = Features(most=5)
    inputs = [Seen(torch.zeros(2, 3, 4, 4, dtype=torch.uint8)) for _ in range(3)]
    for each in inputs:
        kept.keep(each, torch.zeros(1, 1))
    assert [kept.get(each) is None for each in inputs] == [True, False, False]
    del each
    inputs.pop()
    assert len(kept._kept) == 1


def test_the_constant_beginning_is_read_once(tiny, noise, monkeypatch):
    rater = owl2.load(tiny)
    for k in range(4):
        rater.logits([rater.encode([noise(k)])], IMAGE_QUALITY, LEVELS)
    assert rater._remember.cache_info().misses == 1
    assert rater._remember.cache_info().hits == 3


def test_a_batch_of_many_tokens_is_cut(tiny, noise, monkeypatch):
    rater = owl2.load(tiny)
    seen = [rater.encode([noise(k)]) for k in range(5)]
    together = rater.logits(seen, IMAGE_QUALITY, LEVELS)
    monkeypatch.setattr(model, "TOKENS_AT_ONCE", 20)
    torch.testing.assert_close(rater.logits(seen, IMAGE_QUALITY, LEVELS), together, **SAME)


@pytest.mark.parametrize("tiles", [True, False])
def test_both_ways_of_attention_in_bfloat16_agree(tiny, noise, monkeypatch, tiles):
    exact, half = owl2.load(tiny), owl2.load(tiny, dtype="bfloat16")
    monkeypatch.setattr(attention, "_has_tiles", lambda: tiles)
    seen = [noise(k) for k in range(4)]
    rows = [
        each.logits([each.encode([p]) for p in seen], IMAGE_QUALITY, LEVELS)
        for each in (exact, half)
    ]
    assert (rows[0] - rows[1]).abs().max() < 1.0
    assert half.settings()["dtype"] == "bfloat16"


def test_no_inputs_give_no_rows(rater):
    assert rater.logits([], IMAGE_QUALITY, LEVELS).shape == (0, 5)


def test_an_input_without_a_picture_is_refused(rater):
    with pytest.raises(ModelError, match=r"at least one picture is needed, got 0"):
        rater.encode([])


def test_a_question_that_brings_its_own_picture_is_refused(rater, noise):
    prompt = Prompt(f"Compare {forms.IMAGE} with this.", "It is")
    with pytest.raises(ModelError, match=r"exactly one place for the picture.*has 2"):
        rater.logits([rater.encode([noise(0)])], prompt, LEVELS)


def test_candidates_come_back_in_the_order_asked(rater, noise):
    seen = [rater.encode([noise(0)])]
    there = rater.logits(seen, IMAGE_QUALITY, LEVELS)
    back = rater.logits(seen, IMAGE_QUALITY, LEVELS[::-1])
    torch.testing.assert_close(there, back.flip(1), **SAME)


def test_everything_that_changes_a_logit_is_in_the_settings(tiny, rater):
    others = [
        owl2.load(tiny, form="evaluation"),
        owl2.load(tiny, aspect="crop"),
        owl2.load(tiny, dtype="bfloat16"),
    ]
    texts = {str(each.settings()) for each in (rater, *others)}
    assert len(texts) == 4


def test_a_folder_rates_pictures_and_clips_for_every_task(tiny, tmp_path):
    loaded = beholder.load(str(tiny), device="cpu")
    rng = np.random.default_rng(0)
    frames = [Image.fromarray(rng.integers(0, 256, (30, 40, 3), dtype=np.uint8)) for _ in "abc"]
    frames[0].save(tmp_path / "a.png")
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=400)
    for task in ("quality", "aesthetics"):
        for name, media in (("a.png", "image"), ("a.gif", "video")):
            score = loaded.score(str(tmp_path / name), task)
            assert 1 <= score.value <= 5
            assert (score.media, score.task, score.error) == (media, task, "")


def test_a_clip_under_a_second_is_rated(tiny, tmp_path):
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=100)
    score = beholder.load(str(tiny), device="cpu").score(str(tmp_path / "a.gif"))
    assert score.media == "video"
    assert 1 <= score.value <= 5


def test_a_form_can_be_chosen_when_loading(tiny, make_picture):
    scores = {
        form: beholder.load(str(tiny), device="cpu", options={"form": form})
        .score(make_picture(0))
        .value
        for form in ("scorer", "released")
    }
    assert scores["scorer"] != scores["released"]


def test_the_tokenizer_of_the_base_serves_where_adapters_have_none(tiny):
    assert tokens.read(tiny, 512).words(list(LEVELS)) == [340, 337, 336, 338, 335]


class Operations(TorchDispatchMode):
    """Writes down what is asked of torch."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.append(str(func))
        return func(*args, **(kwargs or {}))


def test_nothing_waits_for_the_device_before_the_answer(rater, noise):
    seen = [rater.encode([noise(10 * n + k) for k in range(n)]) for n in (2, 1)]
    rater.logits(seen, IMAGE_QUALITY, LEVELS)
    with Operations() as operations:
        rater.logits(seen, IMAGE_QUALITY, LEVELS)
    assert len(operations.names) > 50
    waits = ("_local_scalar_dense", "nonzero", "masked_select", "index_put")
    assert not [name for name in operations.names if any(each in name for each in waits)]
