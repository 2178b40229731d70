"""The network of patches has ResNet-18's size and names, and opens the authors' format."""

import pytest
import torch

from beholder.backbones import resnet18
from beholder.backbones.resnet18 import Network, ResNet18
from beholder.errors import ModelError


def published(network):
    """The authors' file of a network: the encoder twice, and classes that nothing uses."""
    stored = {"encoder.base_model.fc.weight": torch.zeros(3, 2)}
    for name, tensor in network.state_dict().items():
        part, _, rest = name.partition(".")
        if part == "head":
            stored[name] = tensor
        else:
            stored[f"encoder.base_model.{rest}"] = tensor
            stored[f"encoder.resnet18.{rest}"] = tensor
    return {"model": {"state_dict": stored, "epoch": 15}, "optimizer": {}}


@pytest.fixture
def tiny():
    torch.manual_seed(0)
    return Network(4, 6, 5).eval().requires_grad_(requires_grad=False)


def test_the_encoder_is_torchvisions_resnet_18_without_its_classes():
    with torch.device("meta"):
        shapes = {name: tuple(t.shape) for name, t in ResNet18().named_parameters()}
        count = sum(each.numel() for each in ResNet18().parameters())
    assert count + 513 * 1000 - 1000 + 1000 == 11_689_512
    assert shapes["conv1.weight"] == (64, 3, 7, 7)
    assert shapes["layer1.0.conv2.weight"] == (64, 64, 3, 3)
    assert shapes["layer2.0.downsample.0.weight"] == (128, 64, 1, 1)
    assert shapes["layer4.1.bn2.bias"] == (512,)
    assert not any("layer1.0.downsample" in name for name in shapes)


def test_it_is_transformers_resnet_of_basic_blocks(tiny):
    models = pytest.importorskip("transformers")
    config = models.ResNetConfig(
        embedding_size=4, hidden_sizes=[4, 8, 16, 32], depths=[2, 2, 2, 2], layer_type="basic"
    )
    theirs = models.ResNetModel(config).eval().requires_grad_(requires_grad=False)
    stored = {}
    for name, tensor in tiny.encoder.state_dict().items():
        stored[renamed(name)] = tensor
    theirs.load_state_dict(stored)
    pixels = torch.rand(2, 3, 97, 96)
    expected = theirs(pixels).pooler_output.flatten(1)
    assert torch.allclose(tiny.encoder(pixels), expected, rtol=1e-5, atol=1e-6)


def renamed(name):
    parts = name.split(".")
    kind = {"conv": "convolution", "bn": "normalization"}
    if not parts[0].startswith("layer"):
        return f"embedder.embedder.{kind[parts[0][:-1]]}.{parts[1]}"
    stage = f"encoder.stages.{int(parts[0][-1]) - 1}.layers.{parts[1]}"
    if parts[2] == "downsample":
        inner = ("convolution", "normalization")[int(parts[3])]
        return f"{stage}.shortcut.{inner}.{parts[4]}"
    return f"{stage}.layer.{int(parts[2][-1]) - 1}.{kind[parts[2][:-1]]}.{parts[3]}"


def test_the_authors_file_opens_and_patches_go_through_in_parts(tiny, tmp_path, monkeypatch):
    torch.save(published(tiny), tmp_path / "low.tar")
    low = resnet18.load(tmp_path / "low.tar")
    patches = torch.rand(5, 3, 64, 64)
    monkeypatch.setattr(resnet18, "PATCHES_AT_ONCE", 2)
    assert low.channels == 5
    assert torch.allclose(low.features(patches), tiny(patches), rtol=1e-5, atol=1e-6)
    assert len(low.sha256) == 64


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        ({"model": {"state_dict": {}}}, "is no low-level network of GRepQ: it lacks"),
        ({"encoder.base_model.conv1.weight": 3}, "is no low-level network of GRepQ"),
        (
            {"encoder.base_model.conv1.weight": 1, "head.0.weight": 1, "head.2.weight": 1},
            r"does not hold this network: \d+ missing",
        ),
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path, stored, said):
    made = {k: torch.zeros(4, 2) if isinstance(v, int) else v for k, v in stored.items()}
    torch.save(made, tmp_path / "odd.tar")
    with pytest.raises(ModelError, match=said):
        resnet18.load(tmp_path / "odd.tar")


def test_a_file_that_is_missing_or_broken_is_refused_by_name(tmp_path):
    (tmp_path / "broken.tar").write_bytes(b"no tensors")
    for name in ("none.tar", "broken.tar"):
        with pytest.raises(ModelError, match=name):
            resnet18.load(tmp_path / name)
