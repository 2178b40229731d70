"""A CLIP opens in every format it is published in, and says what is wrong with a file."""

import json
import zipfile

import pytest
import torch
from safetensors.torch import load_file, save_file

from beholder.backbones.clip import loading
from beholder.backbones.clip.network import see
from beholder.errors import ModelError


def opened(path, base=None):
    return loading.load(path, torch.float32, base=base)


def features(loaded):
    pixels = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        return see(loaded.network, pixels)


def weights(loaded):
    return dict(loaded.network.named_parameters())


def same(one, other):
    mine, others = weights(one), weights(other)
    assert mine.keys() == others.keys()
    assert all(torch.equal(mine[name], others[name]) for name in mine)


@pytest.fixture(scope="session")
def hugging_face(loaded, tiny_clip, clip_file, tmp_path_factory):
    """The same CLIP as transformers saves it."""
    transformers = pytest.importorskip("transformers")
    config = json.loads(clip_file("clip_tiny/hf_config.json").read_text())
    model = transformers.CLIPModel(transformers.CLIPConfig(**config))
    model.load_state_dict(loaded.network.state_dict())
    folder = tmp_path_factory.mktemp("hugging_face")
    model.save_pretrained(folder)
    for name in ("vocab.json", "merges.txt"):
        (folder / name).write_bytes((tiny_clip / name).read_bytes())
    return folder


def test_a_folder_of_transformers_is_the_same_as_openais_file(loaded, hugging_face):
    same(opened(hugging_face), loaded)
    same(opened(hugging_face / "model.safetensors"), loaded)


def test_old_folders_that_store_the_numbers_of_positions_open(loaded, hugging_face, tmp_path):
    for each in hugging_face.iterdir():
        (tmp_path / each.name).write_bytes(each.read_bytes())
    tensors = load_file(tmp_path / "model.safetensors")
    tensors["text_model.embeddings.position_ids"] = torch.arange(77)[None]
    tensors["vision_model.embeddings.position_ids"] = torch.arange(17)[None]
    save_file(tensors, tmp_path / "model.safetensors")
    same(opened(tmp_path), loaded)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda tensors: tensors,
        lambda tensors: {"params": {f"clip_model.{n}": t for n, t in tensors.items()}},
        lambda tensors: {"model_state_dict": tensors, "epoch": 3, "optimizer": {"lr": 1e-6}},
        lambda tensors: {"state_dict": {f"module.net.{n}": t for n, t in tensors.items()}},
        lambda tensors: {n: t.half() for n, t in tensors.items()},
        lambda tensors: {
            **tensors,
            "input_resolution": torch.tensor(64),
            "context_length": torch.tensor(77),
            "vocab_size": torch.tensor(765),
        },
    ],
    ids=["plain", "pyiqa", "liqe's training", "prefixes", "half", "openai's extras"],
)
def test_a_file_of_authors_opens_however_it_is_wrapped(stored, loaded, keep, wrap):
    found = opened(keep(wrap(stored), "author.pt"))
    same(found, loaded)
    assert dict(found.rest) == {}


def test_the_network_is_frozen_and_not_in_training(loaded):
    assert not loaded.network.training
    assert not any(each.requires_grad for each in loaded.network.parameters())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_weights_may_be_in_half_precision(tiny_clip, loaded, dtype):
    found = loading.load(tiny_clip, dtype)
    assert {each.dtype for each in found.network.parameters()} == {dtype}
    near = torch.cosine_similarity(features(found).float(), features(loaded))
    assert near.item() > 0.999


def test_what_is_of_neither_tower_is_kept_by_the_names_of_the_file(stored, loaded, keep):
    taught = {"prompts_features": torch.ones(14, 32), "adapter.fc.0.weight": torch.zeros(16, 32)}
    clip = {f"clip_model.{name}": tensor for name, tensor in stored.items()}
    found = opened(keep({**clip, **taught}))
    same(found, loaded)
    assert {name: each.shape for name, each in found.rest.items()} == {
        name: each.shape for name, each in taught.items()
    }


def test_towers_that_a_file_lacks_come_from_its_base(stored, loaded, keep, tiny_clip):
    vision = {n: 2 * t if t.ndim else t for n, t in stored.items() if n.startswith("visual.")}
    found = opened(keep({f"encoder.{n}": t for n, t in vision.items()}), base=tiny_clip)
    mine, base = weights(found), weights(loaded)
    for name, tensor in mine.items():
        factor = 2 if name.startswith(("vision_model.", "visual_projection.")) else 1
        assert torch.equal(tensor, factor * base[name])
    assert len({found.digest, loaded.digest}) == 2


def test_a_bare_tensor_is_a_learned_context(keep, loaded, tiny_clip):
    context = torch.randn(16, 64).half()
    found = opened(keep(torch.nn.Parameter(context), "prompts.pth"), base=tiny_clip)
    same(found, loaded)
    assert torch.equal(found.rest["ctx"], context.float())


def test_a_residual_network_opens_and_sees(residual):
    found = opened(residual)
    assert features(found).shape == (1, 32)
    assert found.network.side == 64
    assert not found.network.sees_tokens


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("visual.ln_pre.weight"), r"1 missing \(vision_model.pre_layrnorm.weight"),
        (lambda t: t.pop("ln_final.bias"), r"1 missing \(text_model.final_layer_norm.bias"),
        (lambda t: t.pop("logit_scale"), r"1 missing \(logit_scale\)"),
        (lambda t: t.pop("text_projection"), "it lacks text_projection.weight"),
        (lambda t: t.pop("visual.positional_embedding"), "it lacks vision_model.embeddings.posit"),
        (
            lambda t: t.update({"visual.ln_pre.scale": torch.ones(3)}),
            r"1 unexpected \(vision_model.pre_layrnorm.scale",
        ),
        (
            lambda t: t.update({"visual.ln_post.bias": torch.ones(3)}),
            r"1 of another shape \(vision_model.post_layernorm.bias: \(3,\) instead of \(128,\)",
        ),
        (
            lambda t: [t.pop(n) for n in list(t) if not n.startswith("visual.")],
            "needs both towers",
        ),
        (
            lambda t: t.update({"token_embedding.weight": torch.ones(765)}),
            "a tensor has too few dimensions",
        ),
    ],
)
def test_tensors_that_lack_or_do_not_fit_are_named(stored, keep, change, message):
    tensors = dict(stored)
    change(tensors)
    with pytest.raises(ModelError, match=message):
        opened(keep(tensors))


def test_a_tower_narrower_than_a_head_has_one_head(stored, keep):
    narrow = {
        name: tensor
        if name.startswith("visual.")
        else tensor[tuple(slice({64: 32, 192: 96}.get(size, size)) for size in tensor.shape)]
        for name, tensor in stored.items()
    }
    found = opened(keep({name: tensor.contiguous() for name, tensor in narrow.items()}))
    assert found.network.text_model.config.num_attention_heads == 1


def test_a_file_of_another_network_is_refused(keep):
    with pytest.raises(ModelError, match=r"it lacks text_projection\.weight"):
        opened(keep({"features.0.0.weight": torch.ones(3, 3)}))


def test_a_file_without_tensors_by_name_is_refused(keep):
    with pytest.raises(ModelError, match=r"holds no tensors by name"):
        opened(keep({"epoch": 3}, "odd.pt"))


def test_a_broken_and_a_missing_file_are_told_apart(tmp_path):
    (tmp_path / "cut.pt").write_bytes(b"PK\x03\x04 not all of it")
    with pytest.raises(ModelError, match=r"cut\.pt .* cannot be read"):
        opened(tmp_path / "cut.pt")
    with pytest.raises(ModelError, match=r"none\.pt is missing"):
        opened(tmp_path / "none.pt")


def test_a_program_is_refused_and_not_run(tmp_path):
    with zipfile.ZipFile(tmp_path / "ViT-B-32.pt", "w") as archive:
        archive.writestr("ViT-B-32/constants.pkl", b"")
        archive.writestr("ViT-B-32/code/__torch__.py", "raise SystemExit")
    with pytest.raises(ModelError, match=r"is a program of TorchScript, which is not run: take"):
        opened(tmp_path / "ViT-B-32.pt")


def test_what_tensors_do_not_say_is_read_from_the_config(loaded, hugging_face, tmp_path):
    for each in hugging_face.iterdir():
        (tmp_path / each.name).write_bytes(each.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    config["vision_config"] |= {"hidden_act": "gelu", "top_k": 50, "bad_words_ids": None}
    (tmp_path / "config.json").write_text(json.dumps(config))
    moved = (features(opened(tmp_path)) - features(loaded)).abs().max().item()
    assert moved == pytest.approx(0.018, abs=0.01)


def test_a_folder_of_another_kind_of_model_is_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "siglip"}')
    with pytest.raises(ModelError, match="type 'siglip'; this method needs 'clip'"):
        opened(tmp_path)


def test_a_folder_must_hold_one_file_of_weights(stored, keep, tmp_path):
    with pytest.raises(ModelError, match="it holds: none"):
        opened(tmp_path)
    keep(stored, "one.pt")
    keep(stored, "two.safetensors")
    with pytest.raises(ModelError, match=r"it holds: one\.pt, two\.safetensors"):
        opened(tmp_path)


def test_a_vocabulary_that_does_not_fit_asks_for_its_tokenizer(stored, tmp_path):
    save_file(stored, tmp_path / "weights.safetensors")
    with pytest.raises(ModelError, match=r"knows 765 tokens, its tokenizer 49408: put the vocab"):
        opened(tmp_path / "weights.safetensors")
