"""Folders are opened as they were published, and what does not fit is named."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from beholder.backbones import owl2
from beholder.backbones.owl2 import adapter, config, loading, shards
from beholder.errors import ModelError, UsageError

WIDTH, INNER = 64, 128


@pytest.fixture
def folder(tiny, tmp_path) -> Path:
    """A copy of the tiny checkpoint that may be broken."""
    there = tmp_path / "model"
    there.mkdir()
    for path in tiny.iterdir():
        if path.is_file():
            shutil.copy(path, there / path.name)
    return there


@pytest.fixture
def tensors(tiny) -> dict[str, torch.Tensor]:
    return load_file(tiny / "model.safetensors")


def load(folder: Path, **options) -> dict[str, torch.Tensor]:
    return loading.load(folder, torch.float32, **options).network.state_dict()


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[n], other[n]) for n in one)


def cut(folder: Path, tensors: dict[str, torch.Tensor]) -> None:
    """Store tensors as two torch pickles with an index, in half precision, as old code did."""
    (folder / "model.safetensors").unlink()
    names = sorted(tensors)
    halves = {"a.bin": names[: len(names) // 2], "b.bin": names[len(names) // 2 :]}
    for file, part in halves.items():
        torch.save({name: tensors[name].half() for name in part}, folder / file)
    index = {name: file for file, part in halves.items() for name in part}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": index}))


def test_torch_pickles_cut_in_two_hold_the_same_network(folder, tensors):
    old = {f"model.layers.{i}.self_attn.rotary_emb.inv_freq": torch.ones(8) for i in range(3)}
    cut(folder, tensors | old)
    assert equal(load(folder), {n: t.half().float() for n, t in tensors.items()})


def test_the_recorded_cut_checkpoint_differs_by_its_rounding_only(shared, tiny, folder):
    (folder / "model.safetensors").unlink()
    for path in (shared / "tiny_mha" / "sharded_bin").iterdir():
        shutil.copy(path, folder / path.name)
    rounded = {n: t.half().float() for n, t in load(tiny).items()}
    assert equal(load(folder), rounded)


def test_one_torch_pickle_of_any_age_is_read(folder, tensors):
    (folder / "model.safetensors").unlink()
    for zipped in (True, False):
        torch.save(tensors, folder / "pytorch_model.bin", _use_new_zipfile_serialization=zipped)
        assert equal(load(folder), tensors)


def test_position_tables_are_those_of_the_file(folder, tensors):
    name = "model.visual_abstractor.encoder.layers.0.crossattention.attention.k_pos_embed"
    tensors[name] = tensors[name] + 1
    save_file(tensors, folder / "model.safetensors")
    assert torch.equal(load(folder)[name], tensors[name])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_every_tensor_has_the_type_asked_for_and_needs_no_gradient(tiny, dtype):
    network = loading.load(tiny, dtype).network
    assert {t.dtype for t in network.state_dict().values()} == {dtype}
    assert not any(p.requires_grad for p in network.parameters())
    assert not network.training


def test_missing_and_unexpected_tensors_are_both_named(folder, tensors):
    tensors["model.norm.scale"] = tensors.pop("model.norm.weight")
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(ModelError, match=r"1 missing \(model.norm.weight\).*norm.scale"):
        load(folder)


def test_a_long_list_of_names_is_cut(folder, tensors):
    few = {name: t for name, t in tensors.items() if "vision_model" not in name}
    save_file(few, folder / "model.safetensors")
    with pytest.raises(ModelError, match=r"missing \(.* and \d+ more\); 0 unexpected"):
        load(folder)


def test_a_wrong_shape_is_named_with_both_shapes(folder, tensors):
    tensors["lm_head.weight"] = torch.zeros(500, WIDTH)
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(ModelError, match=r"lm_head.weight .*\(500, 64\).*\(512, 64\)"):
        load(folder)


def test_a_checkpoint_that_was_saved_quantised_is_refused(folder, tensors):
    tensors["lm_head.weight"] = tensors["lm_head.weight"].to(torch.int8)
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(ModelError, match=r"torch.int8.*quantised"):
        load(folder)


@pytest.mark.parametrize("kept", [0, 4, 1000, 500_000])
def test_a_file_cut_short_is_named_with_its_size(folder, kept):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ModelError, match=rf"model.safetensors \({kept} bytes\).*cut short"):
        load(folder)


@pytest.mark.parametrize("kept", [0, 10, 5000, 100_000])
def test_a_torch_pickle_cut_short_is_named(folder, tensors, kept):
    cut(folder, tensors)
    path = folder / "b.bin"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ModelError, match=r"b.bin"):
        load(folder)


def test_a_missing_file_of_several_is_named(folder, tensors):
    cut(folder, tensors)
    (folder / "b.bin").unlink()
    with pytest.raises(ModelError, match=r"b.bin is missing"):
        load(folder)


def test_an_index_that_names_nothing_is_refused(folder):
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text("{}")
    with pytest.raises(ModelError, match=r"no weight_map"):
        load(folder)


def test_a_pickle_that_would_run_code_is_refused(folder):
    (folder / "model.safetensors").unlink()
    torch.save({"lm_head.weight": Path("x")}, folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"pytorch_model.bin"):
        load(folder)


def test_a_folder_without_weights_says_what_was_looked_for(folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"pytorch_model.bin.index.json"):
        load(folder)


def test_a_folder_without_a_config_is_refused(folder):
    (folder / "config.json").unlink()
    with pytest.raises(ModelError, match=r"there is no config.json"):
        load(folder)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model_type": "llava"}, "'llava'.*'mplug_owl2'"),
        ({"rope_scaling": {"type": "linear", "factor": 2}}, "rope_scaling"),
        ({"hidden_act": "gelu"}, "hidden_act"),
        ({"tie_word_embeddings": True}, "tie_word_embeddings"),
        ({"attention_bias": True}, "attention_bias"),
        ({"num_attention_heads": 5}, "not a multiple of num_attention_heads 5"),
        ({"num_key_value_heads": 3}, "num_key_value_heads 3"),
        ({"visual_config": {"visual_model": {"hidden_act": "gelu"}}}, "visual_model.hidden_act"),
        ({"visual_config": {"visual_model": {"hidden_size": 96}}}, "width 1024 must be"),
    ],
)
def test_a_config_that_is_not_computed_here_is_refused_by_field(tiny, changes, said):
    values = json.loads((tiny / "config.json").read_text()) | changes
    with pytest.raises(ModelError, match=said):
        config.Config.parse(values)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"hidden_size": "64"}, "hidden_size to '64'; it is a whole number above 0"),
        ({"hidden_size": 64.0}, "hidden_size to 64.0"),
        ({"num_attention_heads": 0}, "num_attention_heads to 0"),
        ({"num_hidden_layers": -1}, "num_hidden_layers to -1"),
        ({"vocab_size": True}, "vocab_size to True"),
        ({"rms_norm_eps": [1]}, r"rms_norm_eps to \[1\]; it is a number above 0"),
        ({"rope_theta": float("nan")}, "rope_theta to nan"),
        ({"rope_parameters": {"rope_theta": "big"}}, "rope_theta to 'big'"),
        ({"rope_parameters": 3}, "rope_parameters to 3; it is an object"),
        ({"rope_scaling": "linear"}, "rope_scaling to 'linear'"),
        ({"visual_config": [1]}, "visual_config to"),
        ({"visual_config": {"visual_model": {"patch_size": 0}}}, "patch_size to 0"),
        ({"visual_config": {"visual_abstractor": {"num_attention_heads": "4"}}}, "heads to '4'"),
    ],
)
def test_a_config_of_wrong_values_is_refused_by_field_and_value(tiny, changes, said):
    values = json.loads((tiny / "config.json").read_text()) | changes
    with pytest.raises(ModelError, match=said):
        config.Config.parse(values)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"r": 0}, "r to 0; it is a whole number above 0"),
        ({"r": None}, "r to None"),
        ({"r": "4"}, "r to '4'"),
        ({"lora_alpha": "8"}, "lora_alpha to '8'; it is a number above 0"),
    ],
)
def test_adapters_of_wrong_numbers_are_refused(tiny, tmp_path, settings, said):
    lora(tmp_path / "lora", **settings)
    with pytest.raises(ModelError, match=said):
        load(tmp_path / "lora", base=tiny)


def test_what_a_config_leaves_out_is_that_of_the_7b():
    assert config.Config.parse({"model_type": "mplug_owl2"}) == config.Config()
    assert config.Config().vision.tokens == 1025
    assert config.Config().tokens == 65


def test_newer_spellings_of_a_config_are_read():
    values = {"model_type": "mplug_owl2", "rope_parameters": {"rope_theta": 5000.0}}
    assert config.Config.parse(values).rope_theta == 5000.0


def test_the_digest_changes_with_the_weights_and_not_with_the_place(folder, tiny, tensors):
    digest = loading.load(tiny, torch.float32).digest
    assert loading.load(folder, torch.float32).digest == digest
    tensors["lm_head.weight"][0, 0] += 1
    save_file(tensors, folder / "model.safetensors")
    assert loading.load(folder, torch.float32).digest != digest


def test_settings_change_with_the_config_and_the_tokenizer(folder, tiny):
    before = owl2.load(folder).settings()
    assert before == owl2.load(tiny).settings()
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "rms_norm_eps": 0.5}))
    edited = owl2.load(folder).settings()
    assert edited != before
    json.dumps(edited)
    # An empty field that SentencePiece does not know: other bytes, the same words.
    (folder / "tokenizer.model").write_bytes(
        (tiny / "tokenizer.model").read_bytes() + b"\xf2\x3f\0"
    )
    assert owl2.load(folder).settings() != edited


def test_a_cache_that_names_files_by_digest_is_believed(tmp_path):
    blob = tmp_path / ("ab" * 32)
    blob.write_bytes(b"x")
    link = tmp_path / "model.safetensors"
    link.symlink_to(blob)
    assert shards.Shard(link).digest() == blob.name


def lora(folder: Path, *, rank: int = 4, **settings) -> dict[str, torch.Tensor]:
    """Write adapters as PEFT does, with what was trained beside them; return the changes."""
    folder.mkdir(exist_ok=True)
    make = torch.Generator().manual_seed(0)
    query, value = "layers.1.self_attn.q_proj", "layers.2.self_attn.v_proj.multiway.1"
    low, changes = {}, {}
    for module in (query, value):
        first, second = torch.randn(rank, WIDTH, generator=make), torch.randn(WIDTH, rank)
        low[f"base_model.model.model.{module}.lora_A.weight"] = first
        low[f"base_model.model.model.{module}.lora_B.weight"] = second
        changes[f"model.{module}.weight"] = second @ first
    torch.save(low, folder / "adapter_model.bin")
    beside = "model.visual_abstractor.vit_eos"
    eos = torch.randn(1, 1, WIDTH, generator=make)
    torch.save({f"base_model.model.{beside}": eos}, folder / "non_lora_trainables.bin")
    about = {"peft_type": "LORA", "r": rank, "lora_alpha": 8, "bias": "none", **settings}
    (folder / "adapter_config.json").write_text(json.dumps(about))
    return {**changes, beside: eos}


@pytest.mark.parametrize(("settings", "scale"), [({}, 2.0), ({"use_rslora": True}, 4.0)])
def test_adapters_are_merged_into_their_base(tiny, tmp_path, tensors, settings, scale):
    changes = lora(tmp_path / "lora", **settings)
    merged = load(tmp_path / "lora", base=tiny)
    for name, tensor in merged.items():
        change = changes.get(name)
        expected = tensors[name]
        if change is not None:
            expected = change if name.endswith("vit_eos") else expected + scale * change
        torch.testing.assert_close(tensor, expected, atol=1e-5, rtol=1e-5)


def test_adapters_can_be_safetensors_and_say_so_in_the_digest(tiny, tmp_path):
    lora(tmp_path / "lora")
    first = loading.load(tmp_path / "lora", torch.float32, base=tiny)
    low = torch.load(tmp_path / "lora" / "adapter_model.bin", weights_only=True)
    save_file(low, tmp_path / "lora" / "adapter_model.safetensors")
    again = loading.load(tmp_path / "lora", torch.float32, base=tiny)
    assert equal(first.network.state_dict(), again.network.state_dict())
    assert first.digest != loading.load(tiny, torch.float32).digest


def test_adapters_without_their_base_ask_for_it(tmp_path):
    lora(tmp_path / "lora", base_model_name_or_path="MAGAer13/mplug-owl2-llama2-7b")
    with pytest.raises(ModelError, match=r"need their base, MAGAer13"):
        load(tmp_path / "lora")


@pytest.mark.parametrize("settings", [{"peft_type": "IA3"}, {"use_dora": True}, {"bias": "all"}])
def test_adapters_that_cannot_be_merged_are_refused(tiny, tmp_path, settings):
    lora(tmp_path / "lora", **settings)
    with pytest.raises(ModelError, match=r"only plain LORA"):
        load(tmp_path / "lora", base=tiny)


def test_half_an_adapter_is_refused(tiny, tmp_path):
    lora(tmp_path / "lora")
    path = tmp_path / "lora" / "adapter_model.bin"
    low = torch.load(path, weights_only=True)
    torch.save({n: t for n, t in low.items() if "lora_A" in n}, path)
    with pytest.raises(ModelError, match=r"half of the adapter of model.layers.1.*\['A'\]"):
        load(tmp_path / "lora", base=tiny)


def test_an_adapter_of_another_width_is_refused(tiny, tmp_path):
    lora(tmp_path / "lora")
    path = tmp_path / "lora" / "adapter_model.bin"
    low = torch.load(path, weights_only=True)
    torch.save({n: t.repeat(1, 2) if "lora_A" in n else t for n, t in low.items()}, path)
    with pytest.raises(ModelError, match=r"makes 64 x 128, its base is \(64, 64\)"):
        load(tmp_path / "lora", base=tiny)


def test_an_adapter_of_something_the_base_does_not_have_is_refused(tiny, tmp_path):
    lora(tmp_path / "lora")
    path = tmp_path / "lora" / "non_lora_trainables.bin"
    torch.save({"base_model.model.model.resampler.weight": torch.zeros(1)}, path)
    with pytest.raises(ModelError, match=r"model.resampler.weight"):
        load(tmp_path / "lora", base=tiny)


def test_adapters_without_a_file_of_them_are_refused(tiny, tmp_path):
    lora(tmp_path / "lora")
    (tmp_path / "lora" / "adapter_model.bin").unlink()
    with pytest.raises(ModelError, match=r"no adapter_model.safetensors or"):
        load(tmp_path / "lora", base=tiny)


@pytest.mark.parametrize(
    ("stored", "meant"),
    [
        ("base_model.model.model.visual_abstractor.vit_eos", "model.visual_abstractor.vit_eos"),
        ("base_model.model.lm_head.weight", "lm_head.weight"),
        ("base_model.model.visual_abstractor.vit_eos", "model.visual_abstractor.vit_eos"),
    ],
)
def test_names_are_found_behind_any_number_of_prefixes(stored, meant):
    assert adapter.plain(stored) == meant


def test_a_folder_is_a_backbone_in_one_call(tiny, noise):
    model = owl2.load(tiny)
    assert model.settings()["form"] == "scorer"
    with pytest.raises(UsageError, match=r"'evaluate'.*did you mean 'evaluation'"):
        owl2.load(tiny, form="evaluate")
    with pytest.raises(UsageError, match=r"'stretch'"):
        owl2.load(tiny, aspect="stretch")
    with pytest.raises(ModelError, match=r"'float8'"):
        owl2.load(tiny, dtype="float8")
