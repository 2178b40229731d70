"""Generated pictures whose quality is known: noise that is blurred, or that is bright.

The two pull apart: blur takes contrast away, and noise that is brighter has more of it.
"""

import math
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from beholder.levels.scale import LEVELS
from beholder.levels.targets import hard_level, soft_label
from beholder.training.lesson import Lesson

LOW, HIGH, SPREAD = 1.0, 5.0, 0.5


def picture(seed: int, harm: float, signal: str, side: int) -> Image.Image:
    """Noise of one seed, harmed by a share from 0 to 1."""
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 256, (side, side, 3), dtype=np.uint8)
    if signal == "bright":
        return Image.fromarray((pixels * (0.1 + 0.9 * harm)).astype(np.uint8))
    return Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(3 * harm**1.5))


def lessons(
    folder: Path, seeds: range, *, soft: bool = False, signal: str = "blur", side: int = 56
) -> list[Lesson]:
    """Write a picture a seed, and return what is to be said of each."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for seed in seeds:
        harm = np.random.default_rng([seed, 7]).uniform()
        opinion = HIGH - (HIGH - LOW) * harm
        path = folder / f"{signal}-{seed}.png"
        if not path.exists():
            picture(seed, harm, signal, side).save(path)
        level = len(LEVELS) - 1 - hard_level(opinion, LOW, HIGH)
        hard = [float(place == level) for place in range(len(LEVELS))]
        shares = soft_label(opinion, SPREAD) if soft else hard
        deviation = SPREAD if soft else math.nan
        made.append(Lesson(path, "quality", "image", 0, opinion, deviation, level, tuple(shares)))
    return made
