"""Ladders: ten steps of one distortion on one picture; does the score go down with each?"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from PIL import Image

from beholder.backbones.iris import Iris
from beholder.levels.scale import LEVELS
from beholder.media.frames import Picture
from beholder.prompts import IMAGE_QUALITY
from syllabus import chains
from syllabus.evaluation import moments, spearman
from syllabus.pixels import from_bytes, to_bytes

FAMILIES: Final = {
    "blur": ("gaussian_blur", "lens_blur"),
    "noise": ("gaussian_noise", "poisson_noise"),
    "JPEG": ("jpeg",),
    "JPEG 2000": ("jpeg2000",),
    "rescaling": ("down_up", "pixelation"),
}
STEPS: Final = 10


@dataclass(frozen=True)
class Ladder:
    """One picture, one distortion."""

    family: str
    picture: str
    srcc: float
    """|rank correlation| of score with severity."""


def scores(iris: Iris, pictures: list[np.ndarray]) -> np.ndarray:
    """Return scores from 1 to 5 of 8-bit pictures."""
    examples = [iris.encode([Picture(np.ascontiguousarray(p))]) for p in pictures]
    logits = iris.logits(examples, IMAGE_QUALITY, LEVELS)
    return moments(logits.double().numpy(), 1.0)[0]


def climb(iris: Iris, photos: list[Path]) -> list[Ladder]:
    """Score ladders of every family on every photograph; the same seed for all steps of one."""
    torch.set_num_threads(1)
    found = []
    for path in photos:
        picture = Image.open(path).convert("RGB")
        picture.thumbnail((640, 640))
        pixels = from_bytes(np.asarray(picture))
        for family, names in FAMILIES.items():
            for name in names:
                steps = [_step(pixels, name, s) for s in np.linspace(0.02, 1, STEPS)]
                srcc = spearman(scores(iris, steps), -np.arange(STEPS, dtype=float))
                found.append(Ladder(family, path.name, srcc))
    return found


def _step(pixels: np.ndarray, name: str, severity: float) -> np.ndarray:
    """Return one step; what is drawn at random is the same on every step."""
    return to_bytes(chains.one(pixels, name, float(severity), np.random.default_rng(5))[0])


def summed(ladders: list[Ladder]) -> dict[str, str]:
    """Return, for each family, the share of ladders with |SRCC| of at least 0.95 and the median."""
    lines = {}
    for family in FAMILIES:
        values = np.array([ladder.srcc for ladder in ladders if ladder.family == family])
        share = (values >= 0.95).mean()
        lines[family] = (
            f"{share:.0%} of {len(values)} at least 0.95, median {np.median(values):.3f}"
        )
    return lines
