"""Which photographs belong to which split: by name, with a fixed seed, never one in two."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Photos:
    """Photographs of each split."""

    train: tuple[Path, ...]
    validation: tuple[Path, ...]
    test: tuple[Path, ...]
    foreign: tuple[Path, ...]
    """From other collections, never trained on when only `clean/` is."""


def split(data: Path, *, pristine_too: bool, seed: int = 1) -> Photos:
    """Split `clean/` 70/12/18; half of `pristine/` joins the training set if wanted."""
    clean, pristine = (_shuffled(data / name, seed) for name in ("clean", "pristine"))
    first, second = round(0.70 * len(clean)), round(0.82 * len(clean))
    half = len(pristine) // 2
    train = clean[:first] + (pristine[half:] if pristine_too else [])
    return Photos(
        tuple(train), tuple(clean[first:second]), tuple(clean[second:]), tuple(pristine[:half])
    )


def _shuffled(folder: Path, seed: int) -> list[Path]:
    names = sorted(folder.glob("*.jpg"))
    if not names:
        raise SystemExit(f"no photographs in {folder}: give their folder with --data")
    return [names[k] for k in np.random.default_rng(seed).permutation(len(names))]
