"""Several distortions in a row, as cameras, sites and tools make them."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from syllabus import appearance
from syllabus.distortions import CATALOGUE
from syllabus.pixels import Pixels, from_bytes, to_bytes

assert appearance.__name__  # its distortions are in the catalogue

CHAINS: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "camera": (
        ("lens_blur", "gaussian_blur", "motion_blur", ""),
        ("poisson_noise", "grain", "colour_noise", ""),
        ("noisy_then_smoothed", "over_smoothed", "median", ""),
        ("unsharp", "halos", ""),
        ("jpeg", "jpeg", "avif"),
    ),
    "site": (
        ("down_up", "aliased", ""),
        ("unsharp", ""),
        ("jpeg", "webp"),
        ("down_up", ""),
        ("jpeg", "jpeg_shifted", "avif"),
    ),
    "night": (
        ("underexposed",),
        ("poisson_noise", "colour_noise", "grain"),
        ("over_smoothed", "median", ""),
        ("jpeg", ""),
    ),
    "water": (
        ("under_water",),
        ("gaussian_blur", "lens_blur", ""),
        ("grain", "gaussian_noise", ""),
        ("contrast_raised", "colour_cast", ""),
        ("jpeg", ""),
    ),
    "enlarged": (
        ("gaussian_blur", ""),
        ("down_up", "super_resolved"),
        ("gaussian_noise", "grain", ""),
        ("over_smoothed", "unsharp", "wobble", ""),
        ("jpeg", ""),
    ),
    "synthesised": (
        ("wobble", "ghosts", "torn", "blocks_lost"),
        ("over_smoothed", "down_up", ""),
        ("jpeg", "avif", ""),
    ),
    "styled": (
        ("contrast_raised", "gamma_changed", "haze"),
        ("oversaturated", "colour_cast", "desaturated"),
        ("unsharp", "vignette", "grain", ""),
        ("jpeg", ""),
    ),
    "scanned": (
        ("colour_cast", "contrast_lowered", "gamma_changed"),
        ("grain", "scratches", "stripes"),
        ("gaussian_blur", "posterised", "palette", ""),
    ),
}
"""For each step, what may happen there; an empty name leaves it out."""


@dataclass(frozen=True)
class Damage:
    """What was done to a version."""

    name: str
    """A distortion, a chain, `pair`, or `none`."""
    group: str
    severity: float
    """0 to 1; of a chain the mean of its steps; -1 when nothing was done."""


def untouched(pixels: Pixels) -> tuple[Pixels, Damage]:
    """Return the picture as it is."""
    return pixels, Damage("none", "none", -1.0)


def one(
    pixels: Pixels, name: str, severity: float, rng: np.random.Generator
) -> tuple[Pixels, Damage]:
    """Return a version with one distortion."""
    group, function = CATALOGUE[name]
    return _kept(function(pixels, severity, rng)), Damage(name, group, severity)


def chain(pixels: Pixels, name: str, rng: np.random.Generator) -> tuple[Pixels, Damage]:
    """Return a version that went through the steps of a chain, gentler each than when alone."""
    level = rng.uniform(0, 0.8)
    severities = []
    for choices in CHAINS[name]:
        step = str(rng.choice(choices))
        if step:
            severities.append(float(np.clip(level * rng.uniform(0.3, 1.1), 0, 1)))
            pixels = _kept(CATALOGUE[step][1](pixels, severities[-1], rng))
    return pixels, Damage(name, "chain", float(np.mean(severities)))


def pair(pixels: Pixels, rng: np.random.Generator) -> tuple[Pixels, Damage]:
    """Return a version with two distortions of different groups."""
    names = list(CATALOGUE)
    first, second = rng.choice(names, 2, replace=False)
    severities = rng.uniform(0, 0.8, 2)
    for name, severity in zip((first, second), severities, strict=True):
        pixels = _kept(CATALOGUE[str(name)][1](pixels, float(severity), rng))
    return pixels, Damage("pair", "chain", float(severities.mean()))


def _kept(pixels: Pixels) -> Pixels:
    """Round to 8 bits, as every file does."""
    return from_bytes(to_bytes(pixels))
