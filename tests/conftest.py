"""What all tests share: one thread, small pictures made on the spot, the shipped model."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

torch.set_num_threads(1)

STATS = Path(__file__).parents[2] / "shared" / "fixtures" / "stats"
CLIP = (
    Path(__file__).parent / "fixtures" / "clip",
    Path(__file__).parents[2] / "shared" / "fixtures" / "clip",
)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of six small pictures, one broken one, and a file that is no picture."""
    folder = tmp_path / "photos"
    (folder / "sub").mkdir(parents=True)
    for number in range(6):
        name = f"sub/{number}.jpg" if number % 2 else f"{number}.png"
        picture(number).save(folder / name)
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 this is no picture")
    (folder / "notes.md").write_text("neither picture nor clip")
    return folder


def picture(seed: int, width: int = 96, height: int = 72) -> Image.Image:
    """A smooth random picture."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    return small.resize((width, height), Image.Resampling.BICUBIC)


@pytest.fixture(scope="session")
def make_picture():
    """The maker of small pictures."""
    return picture


@pytest.fixture(scope="session")
def golden():
    """Read a file of recorded numbers: `golden("1_correlations/cases.json")`."""

    def read(name):
        path = STATS / name
        if not path.is_file():
            pytest.skip(f"{path} is not here: recorded numbers lie beside the repository")
        return json.loads(path.read_text())

    return read


@pytest.fixture(scope="session")
def vector():
    """Turn a recorded list into a vector; "NaN" is NaN."""
    return lambda values: np.array([float(value) for value in values])


@pytest.fixture(scope="session")
def clip_file():
    """Find a file of the recorded numbers of the CLIP methods: `clip_file("liqe/texts.json")`."""

    def find(name):
        found = next((folder / name for folder in CLIP if (folder / name).exists()), None)
        if found is None:
            pytest.skip(f"{name} is not here: recorded numbers lie beside the repository")
        return found

    return find


@pytest.fixture(scope="session")
def clip_fixture(clip_file):
    """Read recorded tensors of a CLIP method: `clip_fixture("liqe/losses")`."""
    return lambda name: load_file(clip_file(f"{name}.safetensors"))


@pytest.fixture(scope="session")
def tiny_clip(clip_file, tmp_path_factory):
    """A folder with a small CLIP of random weights under OpenAI's names, and its tokenizer."""
    folder = tmp_path_factory.mktemp("clip_tiny")
    for name in ("openai_state_dict.safetensors", "tokenizer/vocab.json", "tokenizer/merges.txt"):
        copied = folder / Path(name).name
        copied.write_bytes(clip_file(f"clip_tiny/{name}").read_bytes())
    return folder
