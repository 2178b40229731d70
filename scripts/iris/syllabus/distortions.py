"""What can go wrong with a picture: one function a distortion, severity from 0 (mild) to 1 (gross).

Every function takes pixels, a severity and a generator, and returns pixels of the same size.
`CATALOGUE` names them with their group.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from PIL import Image
from scipy import fft, ndimage

from syllabus.pixels import (
    Pixels,
    coded,
    convolved,
    from_bytes,
    logarithmic,
    luma,
    resized,
    smoothed,
    to_bytes,
)

Distortion = Callable[[Pixels, float, np.random.Generator], Pixels]
WAYS: Final = (
    Image.Resampling.BILINEAR,
    Image.Resampling.BICUBIC,
    Image.Resampling.LANCZOS,
    Image.Resampling.BOX,
)
CATALOGUE: Final[dict[str, tuple[str, Distortion]]] = {}


def entry(group: str) -> Callable[[Distortion], Distortion]:
    """Put a distortion into the catalogue under its function's name."""

    def put(function: Distortion) -> Distortion:
        CATALOGUE[function.__name__] = (group, function)
        return function

    return put


# compression


@entry("compression")
def jpeg(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    quality = round(logarithmic(88, 4, s))
    return coded(x, "JPEG", quality=quality, subsampling=int(rng.choice([0, 2])))


@entry("compression")
def jpeg2000(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    ratio = logarithmic(8, 220, s)
    return coded(x, "JPEG2000", quality_layers=[ratio], irreversible=True)


@entry("compression")
def webp(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    return coded(x, "WEBP", quality=round(85 - 85 * s), method=2)


@entry("compression")
def avif(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    return coded(x, "AVIF", quality=round(65 - 63 * s), speed=10, max_threads=1)


@entry("compression")
def jpeg_shifted(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    """JPEG whose blocks do not lie on the grid, as after cropping."""
    dy, dx = rng.integers(1, 8, 2)
    shifted = np.roll(x, (dy, dx), (0, 1))
    return np.roll(jpeg(shifted, s, rng), (-dy, -dx), (0, 1))


# blur


@entry("blur")
def gaussian_blur(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    return smoothed(x, logarithmic(0.45, 6, s))


@entry("blur")
def lens_blur(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    radius = logarithmic(0.7, 8, s)
    reach = int(np.ceil(radius))
    y, z = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disk = np.clip(radius + 0.5 - np.hypot(y, z), 0, 1)
    return _filtered(x, disk / disk.sum())


@entry("blur")
def motion_blur(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    length = logarithmic(1.5, 28, s)
    angle = rng.uniform(0, np.pi)
    reach = int(np.ceil(length / 2))
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    for t in np.linspace(-length / 2, length / 2, 8 * reach + 1):
        y, z = reach + t * np.sin(angle), reach + t * np.cos(angle)
        top, left = int(y), int(z)
        for dy, dz in ((0, 0), (0, 1), (1, 0), (1, 1)):
            share = (1 - abs(y - top - dy)) * (1 - abs(z - left - dz))
            if share > 0:
                kernel[min(top + dy, 2 * reach), min(left + dz, 2 * reach)] += share
    return _filtered(x, kernel / kernel.sum())


@entry("blur")
def partial_blur(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    """Wrong focus: blur that grows away from a line."""
    height, width = x.shape[:2]
    y, z = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    angle = rng.uniform(0, 2 * np.pi)
    distance = np.abs(
        (y - 0.5) * np.sin(angle) + (z - 0.5) * np.cos(angle) - rng.uniform(-0.4, 0.4)
    )
    weight = np.clip(distance * 3, 0, 1)[..., None].astype(np.float32)
    return x * (1 - weight) + smoothed(x, logarithmic(0.8, 8, s)) * weight


# noise


@entry("noise")
def gaussian_noise(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    return x + rng.normal(0, logarithmic(0.008, 0.3, s), x.shape).astype(np.float32)


@entry("noise")
def poisson_noise(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    photons = logarithmic(3000, 4, s)
    return (rng.poisson(np.clip(x, 0, 1) * photons) / photons).astype(np.float32)


@entry("noise")
def impulse_noise(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    hit = rng.random(x.shape[:2]) < logarithmic(0.0008, 0.25, s)
    value = rng.integers(0, 2, x.shape if rng.random() < 0.5 else (*x.shape[:2], 1))
    return np.where(hit[..., None], value, x).astype(np.float32)


@entry("noise")
def colour_noise(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    noise = rng.normal(0, logarithmic(0.015, 0.35, s), x.shape)
    noise = ndimage.gaussian_filter(noise, (*([rng.uniform(0, 1.5)] * 2), 0))
    noise *= logarithmic(0.015, 0.35, s) / (noise.std() + 1e-6)
    return x + (noise - luma(noise.astype(np.float32))[..., None]).astype(np.float32)


@entry("noise")
def grain(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    """Film grain and coarse sensor noise, strongest in the shadows."""
    noise = ndimage.gaussian_filter(rng.normal(0, 1, x.shape[:2]), rng.uniform(0.5, 1.4))
    noise *= logarithmic(0.01, 0.25, s) / noise.std()
    weight = 1.2 - np.clip(luma(x), 0, 1)
    return x + (noise * weight)[..., None].astype(np.float32)


@entry("noise")
def speckle(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    return x * (1 + rng.normal(0, logarithmic(0.02, 0.6, s), x.shape)).astype(np.float32)


# resolution


@entry("resolution")
def down_up(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    factor = logarithmic(1.15, 8, s)
    height, width = x.shape[:2]
    down, up = WAYS[rng.integers(4)], WAYS[rng.integers(3)]
    small = resized(x, round(height / factor), round(width / factor), down)
    return resized(small, height, width, up)


@entry("resolution")
def pixelation(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    factor = logarithmic(1.3, 12, s)
    height, width = x.shape[:2]
    small = resized(x, round(height / factor), round(width / factor), Image.Resampling.BOX)
    return resized(small, height, width, Image.Resampling.NEAREST)


@entry("resolution")
def aliased(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    """Shrunk without a filter, enlarged with one: stairs and moiré."""
    factor = logarithmic(1.2, 6, s)
    height, width = x.shape[:2]
    small = resized(x, round(height / factor), round(width / factor), Image.Resampling.NEAREST)
    return resized(small, height, width, WAYS[rng.integers(3)])


@entry("resolution")
def super_resolved(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    """Shrunk, enlarged and sharpened beyond what is there."""
    factor = logarithmic(1.5, 6, s)
    height, width = x.shape[:2]
    small = resized(x, round(height / factor), round(width / factor), Image.Resampling.BICUBIC)
    large = resized(small, height, width, Image.Resampling.LANCZOS)
    detail = large - smoothed(large, factor / 2)
    return large + rng.uniform(0.5, 2) * detail


# sharpening


@entry("sharpening")
def unsharp(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    return x + logarithmic(0.6, 9, s) * (x - smoothed(x, rng.uniform(0.7, 1.6)))


@entry("sharpening")
def halos(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    return x + logarithmic(0.3, 3.5, s) * (x - smoothed(x, rng.uniform(2.5, 8)))


# denoising


@entry("denoising")
def median(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    size = 3 if s < 0.5 else 5
    filtered = ndimage.median_filter(to_bytes(x), (size, size, 1))
    share = min(1.0, 0.4 + 2 * s) if size == 3 else 1.0
    return x * (1 - share) + from_bytes(filtered) * share


@entry("denoising")
def noisy_then_smoothed(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    sigma = logarithmic(0.02, 0.25, s)
    noisy = x + rng.normal(0, sigma, x.shape).astype(np.float32)
    return _shrunk(noisy, sigma * rng.uniform(2.2, 3.2))


@entry("denoising")
def over_smoothed(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    """Texture washed away, edges kept: self-guided filter."""
    radius = 3 + round(6 * s)
    threshold = logarithmic(0.02, 0.3, s) ** 2
    size = (2 * radius + 1, 2 * radius + 1, 1)
    mean = ndimage.uniform_filter(x, size)
    variance = np.maximum(ndimage.uniform_filter(x * x, size) - mean * mean, 0)
    gain = variance / (variance + threshold)
    a, b = ndimage.uniform_filter(gain, size), ndimage.uniform_filter(mean * (1 - gain), size)
    return a * x + b


# banding


@entry("banding")
def posterised(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    steps = logarithmic(40, 2, s)
    return np.rint(x * steps) / np.float32(steps)


@entry("banding")
def palette(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    colours = max(2, round(logarithmic(128, 4, s)))
    dither = Image.Dither.FLOYDSTEINBERG if rng.random() < 0.5 else Image.Dither.NONE
    picture = Image.fromarray(to_bytes(x)).quantize(colours, dither=dither)
    return from_bytes(np.asarray(picture.convert("RGB")))


@entry("banding")
def banded_smooth(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    """Gradients in steps: smooth parts quantised, texture left."""
    base = smoothed(x, 4)
    steps = logarithmic(40, 5, s)
    return np.rint(base * steps) / np.float32(steps) + (x - base)


def _filtered(x: Pixels, kernel: np.ndarray) -> Pixels:
    """Convolve; by Fourier transform where the kernel is large."""
    if kernel.shape[0] < 8:
        return convolved(x, kernel)
    reach = kernel.shape[0] // 2
    padded = np.pad(x, ((reach, reach), (reach, reach), (0, 0)), mode="symmetric")
    shape = [fft.next_fast_len(n + 2 * reach, real=True) for n in padded.shape[:2]]
    spectrum = fft.rfft2(padded, shape, axes=(0, 1))
    spectrum *= fft.rfft2(kernel.astype(np.float32), shape)[..., None]
    full = fft.irfft2(spectrum, shape, axes=(0, 1))
    return full[2 * reach : 2 * reach + x.shape[0], 2 * reach : 2 * reach + x.shape[1]].astype(
        np.float32
    )


def _shrunk(x: Pixels, threshold: float) -> Pixels:
    """Set small DCT coefficients of 8×8 blocks to zero, averaged over two grids."""
    total = np.zeros_like(x)
    for shift in (0, 4):
        rolled = np.roll(x, (shift, shift), (0, 1))
        blocks = rolled.reshape(x.shape[0] // 8, 8, x.shape[1] // 8, 8, 3)
        spectrum = fft.dctn(blocks, axes=(1, 3), norm="ortho")
        keep = np.abs(spectrum) > threshold
        keep[:, 0, :, 0] = True
        back = fft.idctn(spectrum * keep, axes=(1, 3), norm="ortho").reshape(x.shape)
        total += np.roll(back, (-shift, -shift), (0, 1))
    return total / 2
