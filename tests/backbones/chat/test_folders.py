"""Folders are written in many ways; all give the same numbers, and nothing is said on the way."""

import json
import shutil

import numpy as np
import pytest
import torch

from beholder.backbones import chat
from beholder.levels.scale import LEVELS
from beholder.media.frames import Picture
from beholder.prompts import IMAGE_QUALITY

PICTURE = Picture(np.random.default_rng(0).integers(0, 256, (50, 70, 3), dtype=np.uint8))


def edit(path, **fields):
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def named_fast(folder):
    edit(
        folder / "preprocessor_config.json",
        image_processor_type="Qwen2VLImageProcessorFast",
        processor_class="Qwen3VLProcessor",
    )
    (folder / "processor_config.json").unlink()


def template_in_json(folder):
    template = (folder / "chat_template.jinja").read_text()
    (folder / "chat_template.jinja").unlink()
    (folder / "chat_template.json").write_text(json.dumps({"chat_template": template}))


def template_with_the_tokenizer(folder):
    template = (folder / "chat_template.jinja").read_text()
    (folder / "chat_template.jinja").unlink()
    edit(folder / "tokenizer_config.json", chat_template=template)


def all_in_one(folder):
    path = folder / "preprocessor_config.json"
    about = {"image_processor": json.loads(path.read_text())}
    about["video_processor"] = {"video_processor_type": "Qwen3VLVideoProcessor"}
    path.unlink()
    edit(folder / "processor_config.json", **about)


def with_a_video_part(folder):
    text = '{"video_processor_type": "Qwen3VLVideoProcessor"}'
    (folder / "video_preprocessor_config.json").write_text(text)


def without_a_class(folder):
    (folder / "processor_config.json").unlink()


def cut_and_padded(folder):
    padding = {"strategy": {"Fixed": 64}, "direction": "Right", "pad_to_multiple_of": None}
    padding |= {"pad_id": 0, "pad_type_id": 0, "pad_token": "<pad>"}
    cut = {"direction": "Right", "max_length": 10, "strategy": "LongestFirst", "stride": 0}
    edit(folder / "tokenizer.json", padding=padding, truncation=cut)


def short(folder):
    edit(folder / "tokenizer_config.json", model_max_length=8)


@pytest.mark.parametrize(
    "change",
    [
        *(named_fast, template_in_json, template_with_the_tokenizer, all_in_one),
        *(with_a_video_part, without_a_class, cut_and_padded, short),
    ],
)
def test_a_folder_may_be_written_in_any_of_the_published_ways(
    loaded, checkpoint, tmp_path, change, capfd
):
    model = loaded("qwen3_vl")
    expected = model.logits([model.encode([PICTURE])], IMAGE_QUALITY, LEVELS)
    folder = shutil.copytree(checkpoint("qwen3_vl"), tmp_path / "copy")
    change(folder)
    capfd.readouterr()
    other = chat.load(folder)
    got = other.logits([other.encode([PICTURE])], IMAGE_QUALITY, LEVELS)
    torch.testing.assert_close(got, expected)
    assert capfd.readouterr() == ("", "")
