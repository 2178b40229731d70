"""Tiny random checkpoints of the families that people have, written as published folders are.

Nothing is downloaded: the tokenizer is a byte-level BPE trained here on a few sentences, so that
level words are one token each where the answer stands, as in real vocabularies.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import torch

SENTENCES = (
    "How would you rate the quality of this image? The quality of the image is good. ",
    "How would you rate the quality of this video? The quality of the video is fair. ",
    "How would you rate the aesthetics of this image? The aesthetics of the image is poor. ",
    " excellent good fair poor bad high fine average medium acceptable low assistant user system ",
)
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n"
    "{% if m['content'] is string %}{{ m['content'] }}{% else %}{% for c in m['content'] %}"
    "{% if c['type'] == 'image' %}IMAGE{% else %}{{ c['text'] }}{% endif %}{% endfor %}{% endif %}"
    "<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\nTHINK{% endif %}"
)
THINK = (
    "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n"
    "{% else %}<think>\n{% endif %}"
)
VICUNA = (
    "{% for m in messages %}{{ m['role'].upper() }}: {% for c in m['content'] %}"
    "{% if c['type'] == 'image' %}<image>\n{% else %}{{ c['text'] }}{% endif %}{% endfor %} "
    "{% endfor %}{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)
GEMMA = (
    "{{ bos_token }}{% for m in messages %}<start_of_turn>{{ m['role'] }}\n"
    "{% for c in m['content'] %}{% if c['type'] == 'image' %}<start_of_image>"
    "{% else %}{{ c['text'] }}{% endif %}{% endfor %}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
TEXT = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 4096,
    "initializer_range": 0.3,
    "tie_word_embeddings": False,
}
VISION = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "initializer_range": 0.3,
}


def chatml(image: str, *, think: bool = False) -> str:
    return CHATML.replace("IMAGE", image).replace("THINK", THINK if think else "")


@cache
def _trained(specials: tuple[str, ...]) -> str:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=list(specials),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([text * 20 for text in SENTENCES], trainer)
    return tokenizer.to_str()


def tokenizer(template: str, named: Mapping[str, str], others: tuple[str, ...] = ()):
    """Make a tokenizer; `named` are special tokens that the processor asks for by name."""
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    specials = ("<pad>", "<eos>", "<bos>", *named.values(), *others)
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(_trained(specials)),
        pad_token="<pad>",
        eos_token="<eos>",
        bos_token="<bos>",
        extra_special_tokens=dict(named),
        chat_template=template,
    )


def save(folder: Path, config, tokenizer, images, processor: Mapping[str, object]) -> Path:
    """Write a random model and the parts of its processor."""
    from transformers import AutoModelForImageTextToText

    torch.manual_seed(0)
    model = AutoModelForImageTextToText.from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if not parameter.any():  # a projection that begins at zero would hide the picture
                parameter.normal_(0, 0.3)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    images.save_pretrained(folder)
    (folder / "processor_config.json").write_text(json.dumps(dict(processor)))
    return folder


def qwen3_5(folder: Path) -> Path:
    from transformers import Qwen2VLImageProcessorPil, Qwen3_5Config

    named = {"image_token": "<|image_pad|>", "video_token": "<|video_pad|>"}
    marks = ("<|vision_start|>", "<|vision_end|>", "<|im_start|>", "<|im_end|>")
    place = "<|vision_start|><|image_pad|><|vision_end|>"
    words = tokenizer(chatml(place, think=True), named, marks)
    text = {
        **TEXT,
        "vocab_size": len(words),
        "layer_types": ["linear_attention", "full_attention"],
        "linear_num_key_heads": 2,
        "linear_num_value_heads": 4,
        "linear_key_head_dim": 8,
        "linear_value_head_dim": 8,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 10000.0,
            "mrope_section": [2, 1, 1],
            "mrope_interleaved": True,
            "partial_rotary_factor": 1.0,
        },
    }
    vision = {
        "depth": 2,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_heads": 4,
        "patch_size": 8,
        "out_hidden_size": 32,
        "num_position_embeddings": 64,
        "initializer_range": 0.3,
    }
    ids = {name: words.convert_tokens_to_ids(token) for name, token in _QWEN_IDS.items()}
    config = Qwen3_5Config(text_config=text, vision_config=vision, **ids)
    images = Qwen2VLImageProcessorPil(
        patch_size=8, merge_size=2, size={"shortest_edge": 256, "longest_edge": 16384}
    )
    return save(folder, config, words, images, {"processor_class": "Qwen3VLProcessor"})


_QWEN_IDS = {
    "image_token_id": "<|image_pad|>",
    "video_token_id": "<|video_pad|>",
    "vision_start_token_id": "<|vision_start|>",
    "vision_end_token_id": "<|vision_end|>",
}


def qwen3_vl(folder: Path) -> Path:
    from transformers import Qwen2VLImageProcessorPil, Qwen3VLConfig

    named = {"image_token": "<|image_pad|>", "video_token": "<|video_pad|>"}
    marks = ("<|vision_start|>", "<|vision_end|>", "<|im_start|>", "<|im_end|>")
    place = "<|vision_start|><|image_pad|><|vision_end|>"
    words = tokenizer(chatml(place), named, marks)
    rope = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 1, 1]}
    text = {**TEXT, "vocab_size": len(words), "rope_parameters": rope}
    vision = {
        "depth": 2,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_heads": 4,
        "patch_size": 8,
        "out_hidden_size": 32,
        "num_position_embeddings": 64,
        "deepstack_visual_indexes": [0],
        "initializer_range": 0.3,
    }
    ids = {name: words.convert_tokens_to_ids(token) for name, token in _QWEN_IDS.items()}
    config = Qwen3VLConfig(text_config=text, vision_config=vision, **ids)
    images = Qwen2VLImageProcessorPil(
        patch_size=8, merge_size=2, size={"shortest_edge": 256, "longest_edge": 16384}
    )
    return save(folder, config, words, images, {"processor_class": "Qwen3VLProcessor"})


def llava_next(folder: Path) -> Path:
    from transformers import LlavaNextConfig, LlavaNextImageProcessorPil

    grid = [[32, 64], [64, 32], [64, 64]]
    words = tokenizer(VICUNA, {"image_token": "<image>"})
    config = LlavaNextConfig(
        vision_config={
            **VISION,
            "model_type": "clip_vision_model",
            "image_size": 32,
            "patch_size": 8,
        },
        text_config={**TEXT, "model_type": "llama", "vocab_size": len(words)},
        image_token_index=words.convert_tokens_to_ids("<image>"),
        image_grid_pinpoints=grid,
        vision_feature_layer=-1,
    )
    images = LlavaNextImageProcessorPil(
        size={"shortest_edge": 32},
        crop_size={"height": 32, "width": 32},
        image_grid_pinpoints=grid,
    )
    about = {
        "processor_class": "LlavaNextProcessor",
        "patch_size": 8,
        "vision_feature_select_strategy": "default",
        "num_additional_image_tokens": 1,
    }
    return save(folder, config, words, images, about)


def internvl(folder: Path) -> Path:
    from transformers import GotOcr2ImageProcessorPil, InternVLConfig

    named = {
        "start_image_token": "<img>",
        "end_image_token": "</img>",
        "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    }
    words = tokenizer(chatml("<IMG_CONTEXT>\n"), named, ("<|im_start|>", "<|im_end|>"))
    config = InternVLConfig(
        vision_config={**VISION, "image_size": [32, 32], "patch_size": [8, 8]},
        text_config={**TEXT, "model_type": "qwen2", "vocab_size": len(words)},
        image_token_id=words.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=4,
    )
    images = GotOcr2ImageProcessorPil(
        size={"height": 32, "width": 32}, crop_to_patches=True, max_patches=4
    )
    about = {"processor_class": "InternVLProcessor", "image_seq_length": 4}
    return save(folder, config, words, images, about)


def llava(folder: Path) -> Path:
    from transformers import CLIPImageProcessorPil, LlavaConfig

    words = tokenizer(VICUNA, {"image_token": "<image>"})
    config = LlavaConfig(
        vision_config={
            **VISION,
            "model_type": "clip_vision_model",
            "image_size": 32,
            "patch_size": 8,
        },
        text_config={**TEXT, "model_type": "llama", "vocab_size": len(words)},
        image_token_index=words.convert_tokens_to_ids("<image>"),
        vision_feature_layer=-1,
    )
    images = CLIPImageProcessorPil(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
    )
    about = {
        "processor_class": "LlavaProcessor",
        "patch_size": 8,
        "vision_feature_select_strategy": "default",
        "num_additional_image_tokens": 1,
    }
    return save(folder, config, words, images, about)


def llava_onevision(folder: Path) -> Path:
    from transformers import LlavaOnevisionConfig, LlavaOnevisionImageProcessorPil

    grid = [[32, 32], [32, 64], [64, 32], [64, 64]]
    named = {"image_token": "<image>", "video_token": "<video>"}
    words = tokenizer(chatml("<image>\n"), named, ("<|im_start|>", "<|im_end|>"))
    config = LlavaOnevisionConfig(
        vision_config={
            **VISION,
            "model_type": "siglip_vision_model",
            "image_size": 32,
            "patch_size": 8,
        },
        text_config={**TEXT, "model_type": "qwen2", "vocab_size": len(words)},
        image_token_index=words.convert_tokens_to_ids("<image>"),
        video_token_index=words.convert_tokens_to_ids("<video>"),
        image_grid_pinpoints=grid,
        vision_feature_layer=-1,
    )
    images = LlavaOnevisionImageProcessorPil(
        size={"height": 32, "width": 32}, image_grid_pinpoints=grid
    )
    about = {
        "processor_class": "LlavaOnevisionProcessor",
        "num_image_tokens": 16,
        "vision_feature_select_strategy": "full",
    }
    return save(folder, config, words, images, about)


def gemma3(folder: Path) -> Path:
    from transformers import Gemma3Config, Gemma3ImageProcessorPil

    named = {
        "image_token": "<image_soft_token>",
        "boi_token": "<start_of_image>",
        "eoi_token": "<end_of_image>",
    }
    words = tokenizer(GEMMA, named, ("<start_of_turn>", "<end_of_turn>"))
    config = Gemma3Config(
        vision_config={**VISION, "image_size": 32, "patch_size": 8},
        text_config={
            **TEXT,
            "vocab_size": len(words),
            "sliding_window": 16,
            "layer_types": ["sliding_attention", "full_attention"],
        },
        mm_tokens_per_image=4,
        image_token_index=words.convert_tokens_to_ids("<image_soft_token>"),
        boi_token_index=words.convert_tokens_to_ids("<start_of_image>"),
        eoi_token_index=words.convert_tokens_to_ids("<end_of_image>"),
    )
    images = Gemma3ImageProcessorPil(size={"height": 32, "width": 32}, image_seq_length=4)
    about = {"processor_class": "Gemma3Processor", "image_seq_length": 4}
    return save(folder, config, words, images, about)


def idefics3(folder: Path) -> Path:
    from transformers import Idefics3Config, Idefics3ImageProcessorPil

    cells = tuple(f"<row_{row}_col_{col}>" for row in range(1, 4) for col in range(1, 4))
    marks = ("<fake_token_around_image>", "<global-img>", "<end_of_utterance>", *cells)
    turns = ("<|im_start|>", "<|im_end|>")
    words = tokenizer(chatml("<image>"), {"image_token": "<image>"}, (*marks, *turns))
    config = Idefics3Config(
        vision_config={**VISION, "image_size": 32, "patch_size": 8},
        text_config={**TEXT, "model_type": "llama", "vocab_size": len(words), "pad_token_id": 0},
        image_token_id=words.convert_tokens_to_ids("<image>"),
        scale_factor=2,
    )
    images = Idefics3ImageProcessorPil(
        size={"longest_edge": 64}, max_image_size={"longest_edge": 32}
    )
    about = {"processor_class": "Idefics3Processor", "image_seq_len": 4}
    return save(folder, config, words, images, about)


FAMILIES: Mapping[str, Callable[[Path], Path]] = {
    "qwen3_5": qwen3_5,
    "qwen3_vl": qwen3_vl,
    "llava_next": llava_next,
    "internvl": internvl,
    "llava": llava,
    "llava_onevision": llava_onevision,
    "gemma3": gemma3,
    "idefics3": idefics3,
}
