"""Small CLIPs of random weights: with a transformer, and with a residual network."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from beholder.backbones.clip import loading


@pytest.fixture(scope="session")
def stored(tiny_clip):
    """Tensors under OpenAI's names."""
    return load_file(tiny_clip / "openai_state_dict.safetensors")


@pytest.fixture(scope="session")
def loaded(tiny_clip):
    """The CLIP with a transformer."""
    return loading.load(tiny_clip, torch.float32)


@pytest.fixture
def keep(tiny_clip, tmp_path):
    """Write tensors into a file with a tokenizer beside it: `keep({...}, "name.pt")`."""
    for name in ("vocab.json", "merges.txt"):
        (tmp_path / name).write_bytes((tiny_clip / name).read_bytes())

    def write(tensors, name="weights.safetensors"):
        path = tmp_path / name
        if name.endswith(".safetensors"):
            save_file(tensors, path)
        else:
            torch.save(tensors, path)
        return path

    return write


@pytest.fixture
def residual(stored, clip_fixture, keep):
    """A file of the CLIP with a residual network."""
    texts = {name: tensor for name, tensor in stored.items() if not name.startswith("visual.")}
    return keep({**texts, **clip_fixture("clipiqa/rn_tiny_visual")}, "rn.safetensors")
