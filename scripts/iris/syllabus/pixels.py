"""Small arithmetic on pictures: float32, height × width × 3, sRGB in 0..1."""

import io
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image
from scipy import ndimage

Pixels = Float[np.ndarray, "height width 3"]


def to_bytes(pixels: Pixels) -> UInt8[np.ndarray, "height width 3"]:
    """Return 8-bit pixels."""
    return np.clip(np.rint(pixels * 255), 0, 255).astype(np.uint8)


def from_bytes(pixels: UInt8[np.ndarray, "height width 3"]) -> Pixels:
    """Return pixels in 0..1."""
    return pixels.astype(np.float32) / 255


def luma(pixels: Pixels) -> Float[np.ndarray, "height width"]:
    """Return Y of BT.601."""
    return pixels @ np.array([0.299, 0.587, 0.114], np.float32)


def coded(pixels: Pixels, kind: str, **options: Any) -> Pixels:
    """Return the picture after encoding to a file format and decoding again."""
    file = io.BytesIO()
    Image.fromarray(to_bytes(pixels)).save(file, kind, **options)
    file.seek(0)
    return from_bytes(np.asarray(Image.open(file).convert("RGB")))


def resized(pixels: Pixels, height: int, width: int, how: Image.Resampling) -> Pixels:
    """Return the picture at another size."""
    picture = Image.fromarray(to_bytes(pixels)).resize((max(1, width), max(1, height)), how)
    return from_bytes(np.asarray(picture))


def smoothed(pixels: Pixels, sigma: float) -> Pixels:
    """Return a Gaussian blur of `sigma` pixels."""
    return ndimage.gaussian_filter(pixels, (sigma, sigma, 0), truncate=3, mode="reflect")


def convolved(pixels: Pixels, kernel: Float[np.ndarray, "rows columns"]) -> Pixels:
    """Return the picture convolved with a kernel that sums to 1."""
    return ndimage.convolve(pixels, kernel[..., None].astype(np.float32), mode="reflect")


def logarithmic(low: float, high: float, severity: float) -> float:
    """Return a value between `low` (severity 0) and `high` (severity 1), evenly in ratio."""
    return float(low * (high / low) ** severity)
