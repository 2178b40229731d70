"""Every family of chat models rates through the same path, alone and in company."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch

from beholder.levels.scale import LEVELS
from beholder.media.frames import Picture
from beholder.prompts import IMAGE_AESTHETICS, IMAGE_QUALITY, VIDEO_QUALITY

FAMILIES = (
    *("qwen3_5", "qwen3_vl", "internvl", "llava", "llava_next", "llava_onevision"),
    *("gemma3", "idefics3"),
)
SIZES = ((40, 60), (90, 30), (64, 64), (20, 150), (1, 1))

pytestmark = [
    pytest.mark.parametrize("family", FAMILIES),
    # The library says so itself when the fast kernels of linear attention are not installed.
    pytest.mark.filterwarnings("ignore:.*falling back to.*"),
]


def pictures(*sizes: tuple[int, int]) -> list[Picture]:
    rng = np.random.default_rng(0)
    return [Picture(rng.integers(0, 256, (*size, 3), dtype=np.uint8)) for size in sizes]


def test_a_batch_of_mixed_sizes_equals_one_by_one(loaded, family):
    model = loaded(family)
    seen = [model.encode([each]) for each in pictures(*SIZES)]
    together = model.logits(seen, IMAGE_QUALITY, LEVELS)
    alone = torch.cat([model.logits([each], IMAGE_QUALITY, LEVELS) for each in seen])
    assert together.shape == (len(SIZES), len(LEVELS))
    assert together.dtype == torch.float32
    torch.testing.assert_close(together.softmax(1), alone.softmax(1), atol=1e-5, rtol=0)
    assert (together[0] - together[1]).abs().max() > 1e-3, "the picture makes no difference"


def test_a_clip_is_several_pictures_and_clips_of_unequal_length_batch(loaded, family):
    model = loaded(family)
    clips = [model.encode(pictures(*SIZES[:count])) for count in (1, 3, 2)]
    together = model.logits(clips, VIDEO_QUALITY, LEVELS)
    alone = torch.cat([model.logits([each], VIDEO_QUALITY, LEVELS) for each in clips])
    torch.testing.assert_close(together.softmax(1), alone.softmax(1), atol=1e-5, rtol=0)


def test_the_candidate_logits_are_those_of_the_plain_model(loaded, checkpoint, family):
    from transformers import AutoModelForImageTextToText

    model = loaded(family)
    seen = model.encode(pictures((40, 60)))
    text = model.eyes.text(IMAGE_QUALITY, 1)
    reading = model.eyes.read(seen, text)
    plain = AutoModelForImageTextToText.from_pretrained(checkpoint(family)).eval()
    inputs = {"input_ids": torch.tensor([reading.ids]), **seen.features}
    if reading.kinds:
        name = "token_type_ids" if family == "gemma3" else "mm_token_type_ids"
        inputs[name] = torch.tensor([reading.kinds])
    with torch.no_grad():
        full = plain(**inputs).logits[0, -1]
    tokenizer = model.eyes.processor.tokenizer
    ids = [tokenizer(f" {word}", add_special_tokens=False)["input_ids"] for word in LEVELS]
    assert all(len(each) == 1 for each in ids)
    expected = full[[each[0] for each in ids]]
    got = model.logits([seen], IMAGE_QUALITY, LEVELS)[0]
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-5)


def test_only_the_last_position_goes_through_the_output_head(loaded, family):
    model = loaded(family)
    seen = []
    head = model.network.get_output_embeddings()
    hook = head.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape[:2]))
    try:
        model.logits([model.encode([each]) for each in pictures(*SIZES)], IMAGE_QUALITY, LEVELS)
    finally:
        hook.remove()
    assert seen == [(len(SIZES), 1)]


def test_exact_weighing_sums_the_log_probabilities_of_a_words_tokens(loaded, family):
    model = replace(loaded(family), by="exact")
    seen = [model.encode([each]) for each in pictures((40, 60), (90, 30))]
    words = ("good", "mediocre", "medical")
    got = model.logits(seen, IMAGE_QUALITY, words)
    for each, row in zip(seen, got, strict=True):
        text = model.eyes.text(IMAGE_QUALITY, 1)
        for word, sum_ in zip(words, row, strict=True):
            tokens = model.eyes.processor.tokenizer(f" {word}", add_special_tokens=False)
            expected = 0.0
            for token in tokens["input_ids"]:
                reading = model.eyes.read(each, text)
                said = model._next([reading], each.features, ())[0].log_softmax(0)
                expected += said[token].item()
                text += model.eyes.processor.tokenizer.decode([token])
            text = model.eyes.text(IMAGE_QUALITY, 1)
            assert sum_.item() == pytest.approx(expected, abs=1e-4)


def test_the_answer_begins_in_the_models_own_turn_without_thinking(loaded, family):
    text = loaded(family).eyes.text(IMAGE_AESTHETICS, 2)
    assert text.endswith("The aesthetics of the image is")
    assert text.count(loaded(family).eyes.processor.image_token) == 2
    vicuna = "ASSISTANT: The"
    turn = {"gemma3": "model\nThe", "qwen3_5": "</think>\n\nThe"}
    turn |= {"llava": vicuna, "llava_next": vicuna}
    assert turn.get(family, "assistant\nThe") in text


def test_encoding_in_threads_gives_the_same_pixels(loaded, family):
    model = loaded(family)
    some = pictures(*SIZES, *SIZES)
    alone = [model.encode([each]) for each in some]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda each: model.encode([each]), some))
    for one, other in zip(alone, together, strict=True):
        assert one.stand_ins == other.stand_ins
        assert all(torch.equal(one.features[name], other.features[name]) for name in one.features)
