"""Tiny checkpoints of mPLUG-Owl2 with random weights, and what the reference computes with them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from beholder.backbones.owl2.lessons import Lesson
from beholder.media.frames import Picture

ROOT = Path(__file__).parents[3]
TINY = ROOT / "tests" / "fixtures" / "owl2" / "tiny_mha"
SHARED = ROOT.parent / "shared" / "fixtures" / "owl2"


@pytest.fixture(scope="session")
def tiny() -> Path:
    """The folder of a checkpoint of three layers."""
    return TINY


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of all recorded numbers; not everybody has it."""
    if not SHARED.is_dir():
        pytest.skip("the recorded numbers beside the repository are not here")
    return SHARED


@pytest.fixture(scope="session")
def recorded() -> Callable[[Path], tuple[list[Lesson], dict[str, torch.Tensor]]]:
    """A reader of recorded cases: what went in, as lessons, and all tensors by name."""
    return _case


@pytest.fixture
def noise() -> Callable[..., Picture]:
    """A maker of random pictures."""

    def make(seed: int, height: int = 40, width: int = 60) -> Picture:
        rng = np.random.default_rng(seed)
        return Picture(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))

    return make


def _case(path: Path) -> tuple[list[Lesson], dict[str, torch.Tensor]]:
    tensors = load_file(path)
    ids = tensors["in.input_ids"]
    used = tensors.get("in.attention_mask", torch.ones_like(ids)).bool()
    waiting = iter(_pictures(tensors, len(ids)))
    lessons = []
    for row, keep in enumerate(used):
        numbers = ids[row][keep].tolist()
        labels = tensors["in.labels"][row][keep].tolist() if "in.labels" in tensors else None
        lessons.append(Lesson(numbers, [next(waiting) for n in numbers if n == -200], labels))
    return lessons, tensors


def _pictures(tensors: dict[str, torch.Tensor], rows: int) -> list[torch.Tensor]:
    if "in.images.0" in tensors:
        return [tensors[f"in.images.{row}"] for row in range(rows)]
    images = tensors.get("in.images", torch.zeros(0))
    return [each if each.dim() == 4 else each[None] for each in images]
