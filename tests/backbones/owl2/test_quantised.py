"""Weights can be kept in 8 or 4 bits where bitsandbytes computes."""

import sys

import pytest
import torch

from beholder.backbones import owl2
from beholder.errors import MissingExtraError, ModelError
from beholder.levels.scale import LEVELS
from beholder.prompts import IMAGE_QUALITY


@pytest.mark.parametrize(("kind", "tolerance"), [("int8", 1.5), ("int4", 6.0)])
@pytest.mark.filterwarnings("ignore")
def test_small_weights_say_nearly_the_same(tiny, noise, kind, tolerance):
    pytest.importorskip("bitsandbytes")
    exact, small = owl2.load(tiny), owl2.load(tiny, dtype=kind)
    rows = [
        model.logits([model.encode([noise(k)]) for k in range(3)], IMAGE_QUALITY, LEVELS)
        for model in (exact, small)
    ]
    assert (rows[0] - rows[1]).abs().max() < tolerance
    assert small.settings()["dtype"] == kind
    stored = small._network.model.layers[0].mlp.up_proj.weight
    assert stored.dtype in (torch.int8, torch.uint8)
    assert small._network.lm_head.weight.is_floating_point()


@pytest.mark.parametrize("kind", ["int8", "int4"])
def test_without_the_library_the_line_that_installs_it_is_given(tiny, monkeypatch, kind):
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'beholder\[quantised\]'"):
        owl2.load(tiny, dtype=kind)


def test_a_device_the_library_does_not_know_is_refused(tiny):
    with pytest.raises(ModelError, match=r"int8 weights run on cpu or cuda, got 'mps'"):
        owl2.load(tiny, device="mps", dtype="int8")
