"""A checkpoint that is not whole is refused by name, before a picture is looked at."""

import json
import shutil
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from beholder.backbones import chat
from beholder.errors import MediaError, ModelError, UsageError
from beholder.levels.scale import LEVELS
from beholder.media.frames import Picture
from beholder.prompts import IMAGE_QUALITY


@pytest.fixture
def folder(checkpoint, tmp_path):
    return shutil.copytree(checkpoint("llava"), tmp_path / "copy")


def test_a_folder_without_a_config_is_refused(folder):
    (folder / "config.json").unlink()
    with pytest.raises(ModelError, match=r"there is no config\.json in .*copy"):
        chat.load(folder)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "cannot be read as JSON"),
        ("[]", "holds list; expected an object"),
        ("{}", "names no model_type"),
        ('{"model_type": 3}', "names no model_type"),
    ],
)
def test_a_config_that_is_none_is_refused(folder, text, said):
    (folder / "config.json").write_text(text)
    with pytest.raises(ModelError, match=rf"config\.json {said}"):
        chat.load(folder)


@pytest.mark.parametrize("text", ["{", "[]"])
def test_settings_of_a_processor_that_are_none_are_refused(folder, text):
    (folder / "processor_config.json").write_text(text)
    with pytest.raises(ModelError, match=r"processor_config\.json (cannot|holds list)"):
        chat.load(folder)


@pytest.mark.parametrize("kind", ["bert", "llama", "never_heard_of"])
def test_an_architecture_that_does_not_look_at_pictures_is_refused_by_name(folder, kind):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "model_type": kind}))
    with pytest.raises(ModelError, match=rf"'{kind}'.* it knows \d+, .*llava"):
        chat.load(folder)


def test_a_type_that_is_nearly_right_is_told_apart_before_anything_else_is_read(folder):
    (folder / "tokenizer.json").write_text("no json")
    (folder / "config.json").write_text(json.dumps({"model_type": "qwen3-vl"}))
    with pytest.raises(ModelError, match="qwen3_vl"):
        chat.load(folder)


def test_a_picture_the_processor_refuses_is_an_error_of_the_picture(loaded):
    thin = Picture(np.zeros((2, 900, 3), np.uint8))
    with pytest.raises(MediaError, match="this model cannot look at 900×2 pixels"):
        loaded("qwen3_vl").encode([thin])


def test_the_library_is_silent_while_pictures_are_looked_at(loaded):
    import transformers

    loaded("llava")
    assert transformers.utils.logging.get_verbosity() == transformers.utils.logging.ERROR


def test_a_truncated_file_of_weights_is_refused(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(ModelError, match=r"weights in .* cannot be used"):
        chat.load(folder)


def test_a_missing_file_of_weights_is_refused(folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"weights in .* cannot be used"):
        chat.load(folder)


def test_a_missing_tensor_is_named_and_never_made_up(folder):
    path = folder / "model.safetensors"
    tensors = load_file(path)
    gone = next(name for name in tensors if "q_proj" in name)
    del tensors[gone]
    save_file(tensors, path, {"format": "pt"})
    with pytest.raises(ModelError, match=r"lacks 1 tensor that .*q_proj"):
        chat.load(folder)


def test_a_tensor_of_another_shape_is_refused(folder):
    path = folder / "model.safetensors"
    tensors = load_file(path)
    name = next(name for name in tensors if "lm_head" in name)
    tensors[name] = torch.zeros(3, 4)
    save_file(tensors, path, {"format": "pt"})
    with pytest.raises(ModelError, match=r"weights in .* cannot be used"):
        chat.load(folder)


def test_a_model_without_a_chat_template_is_refused(folder):
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(ModelError, match="no chat template"):
        chat.load(folder)


def test_a_missing_tokenizer_is_refused(folder):
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").unlink()
    with pytest.raises(ModelError, match=r"processor in .* cannot be used"):
        chat.load(folder)


def test_words_that_share_their_first_token_are_refused_and_weighed_exactly_on_request(folder):
    picture = Picture(np.full((40, 40, 3), 90, np.uint8))
    words = ("good", "mediocre", "medical")
    plain = chat.load(folder)
    with pytest.raises(ModelError, match=r"'mediocre' and 'medical'.*--set words=exact"):
        plain.logits([plain.encode([picture])], IMAGE_QUALITY, words)
    exact = chat.load(folder, words="exact")
    assert exact.settings() != plain.settings()
    got = exact.logits([exact.encode([picture])] * 2, IMAGE_QUALITY, words)
    torch.testing.assert_close(got[0], _by_hand(exact, picture, words), atol=1e-4, rtol=1e-5)
    torch.testing.assert_close(got[0], got[1], atol=1e-5, rtol=0)


def _by_hand(model, picture, words):
    """Sum the log-probabilities of every token of a word in one plain pass a word."""
    seen = model.encode([picture])
    text = model.eyes.text(IMAGE_QUALITY, 1)
    ids = model.eyes.read(seen, text).ids
    sums = []
    for word in words:
        more = model.eyes.processor.tokenizer(f" {word}", add_special_tokens=False)["input_ids"]
        with torch.no_grad():
            out = model.network(input_ids=torch.tensor([[*ids, *more]]), **seen.features)
        said = out.logits[0].log_softmax(-1)
        at = range(len(ids) - 1, len(ids) - 1 + len(more))
        sums.append(sum(said[i, token] for i, token in zip(at, more, strict=True)))
    return torch.stack(sums)


def test_single_token_words_give_the_same_probabilities_both_ways(loaded, checkpoint):
    first, exact = loaded("llava"), chat.load(checkpoint("llava"), words="exact")
    seen = [first.encode([Picture(np.full((40, 40, 3), 90, np.uint8))])]
    a, b = (model.logits(seen, IMAGE_QUALITY, LEVELS).softmax(1) for model in (first, exact))
    torch.testing.assert_close(a, b, atol=1e-5, rtol=0)


def test_an_unknown_option_is_refused_with_the_known_ones(checkpoint):
    with pytest.raises(UsageError, match="did you mean 'words'"):
        chat.load(checkpoint("llava"), word="exact")
    with pytest.raises(UsageError, match="'all'"):
        chat.load(checkpoint("llava"), words="all")


def test_a_numeric_type_it_does_not_run_in_is_refused(checkpoint):
    with pytest.raises(ModelError, match="float16, got 'int8'"):
        chat.load(checkpoint("llava"), dtype="int8")


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_gives_nearly_the_same_alone_and_in_company(loaded, checkpoint, dtype):
    rng = np.random.default_rng(0)
    sizes = ((40, 60), (90, 30), (20, 150))
    pictures = [Picture(rng.integers(0, 256, (*size, 3), dtype=np.uint8)) for size in sizes]
    half = chat.load(checkpoint("idefics3"), dtype=dtype)
    full = loaded("idefics3")
    seen = [half.encode([each]) for each in pictures]
    got = half.logits(seen, IMAGE_QUALITY, LEVELS)
    expected = full.logits([full.encode([each]) for each in pictures], IMAGE_QUALITY, LEVELS)
    alone = torch.cat([half.logits([each], IMAGE_QUALITY, LEVELS) for each in seen])
    assert got.dtype == torch.float32
    torch.testing.assert_close(got.softmax(1), expected.softmax(1), atol=0.05, rtol=0)
    torch.testing.assert_close(got.softmax(1), alone.softmax(1), atol=0.05, rtol=0)


def test_without_weights_the_ways_to_give_them_are_told():
    with pytest.raises(ModelError, match="--model FOLDER, or --model URL"):
        chat.load()


def test_nothing_to_look_at_is_refused(loaded):
    with pytest.raises(ModelError, match="got none"):
        loaded("llava").encode([])


def test_no_inputs_give_no_rows(loaded):
    assert loaded("llava").logits([], IMAGE_QUALITY, LEVELS).shape == (0, 5)


def test_frames_of_a_clip_are_shrunk_and_a_still_is_not(checkpoint):
    model = chat.load(checkpoint("qwen3_5"), longest_of_clip=64)
    large = Picture(np.zeros((96, 128, 3), np.uint8))
    still, clip = model.encode([large]), model.encode([large, large])
    assert still.features["image_grid_thw"].tolist() == [[1, 12, 16]]
    assert clip.features["image_grid_thw"].tolist() == [[1, 6, 8]] * 2


def test_settings_change_with_the_weights_and_the_dtype(folder, loaded):
    base = loaded("llava").settings()
    assert chat.load(folder).settings() == base
    assert chat.load(folder, dtype="bfloat16").settings() != base
    path = folder / "model.safetensors"
    tensors = load_file(path)
    name = next(name for name in tensors if "lm_head" in name)
    tensors[name] = tensors[name] + 1
    save_file(tensors, path, {"format": "pt"})
    assert chat.load(folder).settings() != base


def test_torchvision_is_not_used(loaded):
    loaded("qwen3_5")
    assert "torchvision" not in sys.modules
