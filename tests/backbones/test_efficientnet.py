"""The trunk has torchvision's published sizes, names and paddings; weights fit or say why."""

import copy

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from beholder.backbones import efficientnet
from beholder.backbones.efficientnet import BASE, EfficientNet, Network, Size, scaled
from beholder.errors import ModelError, UsageError

PUBLISHED = {
    "b0": (1.0, 1.0, 5_288_548),
    "b1": (1.0, 1.1, 7_794_184),
    "b2": (1.1, 1.2, 9_109_994),
    "b3": (1.2, 1.4, 12_233_232),
    "b4": (1.4, 1.8, 19_341_616),
    "b5": (1.6, 2.2, 30_389_784),
    "b6": (1.8, 2.6, 43_040_704),
    "b7": (2.0, 3.1, 66_347_960),
}
"""Width, depth and number of parameters of torchvision's models."""
WIDTH, DEPTH = 0.5, 0.5


@pytest.fixture(scope="module")
def tiny():
    torch.manual_seed(0)
    network = Network(Size(WIDTH, DEPTH)).eval()
    for name, each in network.state_dict().items():
        if each.is_floating_point():
            each.copy_(torch.rand_like(each) if "running_var" in name else torch.randn_like(each))
            each.mul_(1.0 if "running_var" in name else 0.3)
    return network.requires_grad_(requires_grad=False)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_whole_network_has_as_many_parameters_as_published(name):
    width, depth, published = PUBLISHED[name]
    with torch.device("meta"):
        network = Network(Size(width, depth), stages=len(BASE))
    last = scaled(BASE[-1].channels, width)
    head = last * 4 * last + 2 * 4 * last
    classes = (4 * last + 1) * 1000
    assert sum(each.numel() for each in network.parameters()) + head + classes == published


def test_tensors_of_b7_have_torchvisions_names_and_shapes():
    with torch.device("meta"):
        shapes = {name: tuple(t.shape) for name, t in Network(Size()).state_dict().items()}
    assert shapes["features.0.0.weight"] == (64, 3, 3, 3)
    assert shapes["features.0.1.running_var"] == (64,)
    assert shapes["features.1.0.block.0.0.weight"] == (64, 1, 3, 3)
    assert shapes["features.1.0.block.1.fc1.weight"] == (16, 64, 1, 1)
    assert shapes["features.1.0.block.2.0.weight"] == (32, 64, 1, 1)
    assert shapes["features.2.0.block.0.0.weight"] == (192, 32, 1, 1)
    assert shapes["features.3.0.block.1.0.weight"] == (288, 1, 5, 5)
    assert shapes["features.5.9.block.3.0.weight"] == (224, 1344, 1, 1)
    blocks = {name.rsplit(".block", 1)[0] for name in shapes if ".block." in name}
    assert [sum(b.startswith(f"features.{i}.") for b in blocks) for i in range(1, 6)] == [
        *(4, 7, 7, 10, 10)
    ]


@pytest.mark.parametrize(("height", "width"), [(64, 96), (65, 97), (50, 83)])
def test_maps_are_at_a_half_a_quarter_an_eighth_and_a_sixteenth_twice(tiny, height, width):
    maps = tiny(torch.rand(1, 3, height, width))
    sizes = [tuple(each.shape[2:]) for each in maps]
    assert sizes == [(-(-height // n), -(-width // n)) for n in (2, 4, 8, 16, 16)]
    assert [each.shape[1] for each in maps] == [scaled(stage.channels, WIDTH) for stage in BASE[:5]]


def test_pixels_are_normalised_as_those_of_imagenet(tiny):
    pixels = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    normal = (pixels / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    wanted = tiny(torch.tensor(normal.transpose(2, 0, 1)[None], dtype=torch.float32))
    found = EfficientNet(tiny, "", Size(WIDTH, DEPTH)).maps(pixels)
    for one, other in zip(found, wanted, strict=True):
        assert (one - other).abs().max() < 1e-4 * other.abs().max()


def test_it_is_transformers_network_once_that_pads_alike_on_all_sides(tiny):
    models = pytest.importorskip("transformers")
    config = models.EfficientNetConfig(
        width_coefficient=WIDTH, depth_coefficient=DEPTH, batch_norm_eps=1e-3, hidden_act="swish"
    )
    theirs = models.EfficientNetModel(config).double().eval().requires_grad_(requires_grad=False)
    mine = copy.deepcopy(tiny).double()
    blocks = theirs.encoder.blocks
    theirs.embeddings.load_state_dict(_renamed(mine.features[0], STEM))
    theirs.embeddings.padding.padding = (1, 1, 1, 1)
    ours = [block for stage in mine.features[1:] for block in stage]
    pixels = torch.rand(1, 3, 65, 82).double()
    expected = theirs.embeddings(pixels)
    for own, other in zip(ours, blocks, strict=False):
        other.load_state_dict(_renamed(own.block, LATER if len(own.block) == 4 else FIRST))
        side = other.depthwise_conv.depthwise_conv.kernel_size[0] // 2
        other.depthwise_conv.depthwise_conv_pad.padding = (side,) * 4
        expected = other(expected)
    found = mine(pixels)[-1]
    assert found.shape == expected.shape
    assert torch.allclose(found, expected, rtol=1e-9, atol=1e-9)


STEM = {"0": "convolution", "1": "batchnorm"}
FIRST = {
    "0.0": "depthwise_conv.depthwise_conv",
    "0.1": "depthwise_conv.depthwise_norm",
    "1.fc1": "squeeze_excite.reduce",
    "1.fc2": "squeeze_excite.expand",
    "2.0": "projection.project_conv",
    "2.1": "projection.project_bn",
}
LATER = {
    "0.0": "expansion.expand_conv",
    "0.1": "expansion.expand_bn",
    **{f"{int(name[0]) + 1}{name[1:]}": theirs for name, theirs in FIRST.items()},
}


def _renamed(module, names):
    renamed = {}
    for name, tensor in module.state_dict().items():
        part, _, last = name.rpartition(".")
        renamed[f"{names[part]}.{last}"] = tensor
    return renamed


def test_a_published_file_loads_without_what_comes_after_the_fifth_stage(tiny, tmp_path):
    later = {"features.6.0.block.0.0.weight": torch.zeros(2), "classifier.1.bias": torch.zeros(3)}
    torch.save({**tiny.state_dict(), **later}, tmp_path / "all.pth")
    trunk = efficientnet.load(tmp_path / "all.pth", width=WIDTH, depth=DEPTH)
    pixels = torch.randint(0, 256, (64, 80, 3), dtype=torch.uint8).numpy()
    mean, deviation = (torch.tensor(each) for each in (efficientnet.MEAN, efficientnet.DEVIATION))
    given = ((torch.tensor(pixels) / 255 - mean) / deviation).permute(2, 0, 1)[None]
    for found, expected in zip(trunk.maps(pixels), tiny(given), strict=True):
        assert torch.allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_the_weights_are_in_the_settings(tiny, tmp_path):
    save_file(tiny.state_dict(), tmp_path / "a.safetensors")
    save_file({k: v + 1 for k, v in tiny.state_dict().items()}, tmp_path / "b.safetensors")
    a, b = (
        efficientnet.load(tmp_path / f"{name}.safetensors", width=WIDTH, depth=DEPTH).settings()
        for name in "ab"
    )
    assert a["weights"] != b["weights"]
    assert {**a, "weights": ""} == {**b, "weights": ""}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.pop("features.0.0.weight"), r"1 missing \(features.0.0.weight\)"),
        (lambda t: t.update(visual=torch.zeros(1)), r"1 unexpected \(visual\)"),
        (
            lambda t: t.update({"features.0.0.weight": torch.zeros(8, 3, 5, 5)}),
            r"1 of another shape \(features.0.0.weight: ",
        ),
    ],
)
def test_a_file_of_another_network_is_refused_by_its_tensors(tiny, tmp_path, change, said):
    tensors = dict(tiny.state_dict())
    change(tensors)
    torch.save(tensors, tmp_path / "odd.pth")
    with pytest.raises(ModelError, match=said):
        efficientnet.load(tmp_path / "odd.pth", width=WIDTH, depth=DEPTH)


def test_a_trunk_of_another_size_is_refused(tiny, tmp_path):
    torch.save(tiny.state_dict(), tmp_path / "tiny.pth")
    with pytest.raises(ModelError, match=r"[1-9]\d* missing .*of another shape"):
        efficientnet.load(tmp_path / "tiny.pth", width=1.0, depth=1.0)


@pytest.mark.parametrize("width", [-1.0, "wide", True])
def test_a_width_that_is_none_is_refused(tmp_path, width):
    with pytest.raises(UsageError, match=f"width of the EfficientNet is {width!r}; it is a number"):
        efficientnet.load(tmp_path / "none.pth", width=width)
