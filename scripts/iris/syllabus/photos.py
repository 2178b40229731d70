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
    """From other collections, never trained on."""
    wide: tuple[Path, ...]
    """From those other collections: for research only, and trained on when that is wanted."""


def split(data: Path, seed: int = 1) -> Photos:
    """Split `clean/` 70/12/18 and `pristine/` in halves."""
    clean, pristine = (_shuffled(data / name, seed) for name in ("clean", "pristine"))
    first, second = round(0.70 * len(clean)), round(0.82 * len(clean))
    half = len(pristine) // 2
    parts = (clean[:first], clean[first:second], clean[second:], pristine[:half], pristine[half:])
    return Photos(*map(tuple, parts))


def _shuffled(folder: Path, seed: int) -> list[Path]:
    names = sorted(folder.glob("*.jpg"))
    if not names:
        raise SystemExit(f"no photographs in {folder}: give their folder with --data")
    return [names[k] for k in np.random.default_rng(seed).permutation(len(names))]
