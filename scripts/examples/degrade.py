"""Defects: each takes a picture of 8 bits and gives a worse one, the same for the same seed."""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image

from examples import light


def to_linear(picture: np.ndarray) -> np.ndarray:
    """Linear light 0 … 1 of an sRGB picture of 8 bits."""
    x = picture.astype(np.float32) / 255
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** np.float32(2.4))


def to_bytes(linear: np.ndarray) -> np.ndarray:
    """The sRGB picture of 8 bits of linear light 0 … 1."""
    x = np.clip(linear, 0, 1)
    y = np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** np.float32(1 / 2.4) - 0.055)
    return (y * 255 + 0.5).astype(np.uint8)


def blur(picture: np.ndarray, seed: int = 0, strength: float = 0.0034) -> np.ndarray:
    """Out of focus: Gaussian of `strength` picture widths, in linear light."""
    del seed
    return to_bytes(light.blur(to_linear(picture), strength * picture.shape[1]))


def jpeg(picture: np.ndarray, seed: int = 0, quality: int = 8) -> np.ndarray:
    """Saved as JPEG far too small."""
    del seed
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer).convert("RGB"))


def noise(picture: np.ndarray, seed: int = 0, photons: float = 90.0) -> np.ndarray:
    """High ISO: shot and read noise in linear light; white gives `photons` per pixel."""
    rng = np.random.default_rng([seed, 5])
    linear = to_linear(picture)
    spread = np.sqrt(linear / photons + 0.0009)
    grains = rng.standard_normal(linear.shape).astype(np.float32)
    return to_bytes(linear + spread * (0.8 * grains + 0.9 * light.blur(grains, 0.6)))


def dark(picture: np.ndarray, seed: int = 0, stops: float = 3.6) -> np.ndarray:
    """Underexposed by `stops`, and noisy for it."""
    rng = np.random.default_rng([seed, 6])
    linear = to_linear(picture) * np.float32(0.5**stops)
    spread = np.sqrt(linear / 1500 + 0.000012)
    return to_bytes(linear + spread * rng.standard_normal(linear.shape).astype(np.float32))


def banding(picture: np.ndarray, seed: int = 0, levels: int = 11) -> np.ndarray:
    """Only a few `levels` per colour, so that smooth places break into steps."""
    del seed
    steps = np.round(picture.astype(np.float32) / 255 * (levels - 1)) / (levels - 1)
    return (steps * 255 + 0.5).astype(np.uint8)


def lowres(picture: np.ndarray, seed: int = 0, times: int = 4) -> np.ndarray:
    """Made `times` smaller and enlarged again."""
    del seed
    height, width = picture.shape[:2]
    small = Image.fromarray(picture).resize((width // times, height // times), Image.Resampling.BOX)
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))


def motion(picture: np.ndarray, seed: int = 0, length: float = 0.018) -> np.ndarray:
    """Shaken: smeared over `length` picture widths along a slant, in linear light."""
    del seed
    linear = to_linear(picture)
    reach = max(2, round(length * picture.shape[1]))
    total = np.zeros_like(linear)
    for k in range(reach):
        x, y = k - reach // 2, round((k - reach // 2) * 0.35)
        pad = np.pad(linear, ((abs(y), abs(y)), (abs(x), abs(x)), (0, 0)), mode="edge")
        top, left = abs(y) + y, abs(x) + x
        total += pad[top : top + linear.shape[0], left : left + linear.shape[1]]
    return to_bytes(total / reach)


DEFECTS: dict[str, Callable[..., np.ndarray]] = {
    "blur": blur,
    "jpeg": jpeg,
    "noise": noise,
    "dark": dark,
    "banding": banding,
    "lowres": lowres,
    "motion": motion,
}
