"""Distortions of tone, colour, place and integrity; they join the catalogue of `distortions`."""

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from syllabus.distortions import entry
from syllabus.pixels import Pixels, from_bytes, logarithmic, luma, smoothed, to_bytes

# contrast


@entry("contrast")
def contrast_lowered(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    centre = rng.uniform(0.2, 0.8) if rng.random() < 0.4 else float(luma(x).mean())
    return np.float32(centre) + (x - np.float32(centre)) * np.float32(1 - 0.12 - 0.8 * s)


@entry("contrast")
def contrast_raised(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    centre = np.float32(luma(x).mean())
    return centre + (x - centre) * np.float32(logarithmic(1.15, 4, s))


@entry("contrast")
def haze(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    veil = rng.uniform(0.65, 0.95) * np.array([1, 1, rng.uniform(0.95, 1.05)], np.float32)
    height = x.shape[0]
    slope = np.linspace(1.3, 0.7, height, dtype=np.float32)[:, None, None]
    through = np.exp(-logarithmic(0.12, 2.2, s) * slope).astype(np.float32)
    return x * through + veil * (1 - through)


# exposure


@entry("exposure")
def overexposed(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    return _stops(x, 0.25 + 2.5 * s)


@entry("exposure")
def underexposed(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    return _stops(x, -0.35 - 4 * s)


@entry("exposure")
def gamma_changed(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    power = logarithmic(1.15, 3.5, s)
    return np.clip(x, 0, 1) ** np.float32(power if rng.random() < 0.5 else 1 / power)


@entry("exposure")
def shifted_brightness(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    return x + np.float32((0.04 + 0.4 * s) * rng.choice([-1, 1]))


@entry("exposure")
def vignette(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    y, z = np.mgrid[-1 : 1 : x.shape[0] * 1j, -1 : 1 : x.shape[1] * 1j]
    fall = 1 - (0.15 + 0.85 * s) * np.clip(np.hypot(y, z) / 1.3, 0, 1) ** 2
    return x * fall[..., None].astype(np.float32)


# colour


@entry("colour")
def desaturated(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    grey = luma(x)[..., None]
    return grey + (x - grey) * np.float32(0.85 - 0.85 * s)


@entry("colour")
def oversaturated(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    grey = luma(x)[..., None]
    return grey + (x - grey) * np.float32(logarithmic(1.2, 6, s))


@entry("colour")
def colour_cast(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    direction = rng.normal(0, 1, 3)
    direction -= direction.mean()
    direction /= np.abs(direction).max()
    return x * np.exp(direction * (0.05 + 0.55 * s)).astype(np.float32)


@entry("colour")
def under_water(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    """Light lost by colour, a veil of the water's own, as under water."""
    depth = logarithmic(0.15, 2.5, s)
    loss = np.array([1.3, 0.35, 0.3]) * rng.uniform(0.7, 1.3, 3)
    through = np.exp(-depth * loss).astype(np.float32)
    veil = np.array([0.05, rng.uniform(0.3, 0.6), rng.uniform(0.3, 0.65)], np.float32)
    return x * through + veil * (1 - through)


@entry("colour")
def fringes(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    shift = logarithmic(0.5, 7, s)
    angle = rng.uniform(0, 2 * np.pi)
    dy, dx = shift * np.sin(angle), shift * np.cos(angle)
    out = x.copy()
    out[..., 0] = ndimage.shift(x[..., 0], (dy, dx), order=1, mode="nearest")
    out[..., 2] = ndimage.shift(x[..., 2], (-dy, -dx), order=1, mode="nearest")
    return out


@entry("colour")
def chroma_lost(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    """Colour much coarser than light."""
    grey = luma(x)[..., None]
    return grey + smoothed(x - grey, logarithmic(1.5, 16, s))


# geometry


@entry("geometry")
def wobble(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    """Local bending, as in synthesised views and generated pictures."""
    size = x.shape[:2]
    field = ndimage.gaussian_filter(rng.normal(0, 1, (2, *size)), (0, *([rng.uniform(4, 12)] * 2)))
    field *= logarithmic(0.3, 5, s) / field.std()
    return _moved(x, field)


@entry("geometry")
def jitter(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    field = rng.normal(0, logarithmic(0.25, 4, s), (2, *x.shape[:2]))
    return _moved(x, field)


@entry("geometry")
def ghosts(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    shift = rng.uniform(3, 14, 2) * rng.choice([-1, 1], 2)
    weight = np.float32(0.06 + 0.42 * s)
    moved = ndimage.shift(x, (*shift, 0), order=1, mode="nearest")
    return x * (1 - weight) + moved * weight


@entry("geometry")
def torn(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    """Rows slip sideways in bands."""
    out = x.copy()
    for _ in range(1 + round(10 * s)):
        top, height = int(rng.integers(0, x.shape[0])), int(rng.integers(3, 30))
        out[top : top + height] = np.roll(
            out[top : top + height], int(rng.normal(0, 3 + 20 * s)), axis=1
        )
    return out


# corruption


@entry("corruption")
def blocks_lost(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    out = x.copy()
    how = rng.integers(3)
    for _ in range(max(1, round(logarithmic(1, 60, s)))):
        y, z = rng.integers(0, np.array(x.shape[:2]) // 16) * 16
        other_y, other_z = rng.integers(0, np.array(x.shape[:2]) - 16)
        patch = x[other_y : other_y + 16, other_z : other_z + 16]
        fill = (np.float32(0.5), x[y : y + 16, z : z + 16].mean((0, 1)), patch)[how]
        out[y : y + 16, z : z + 16] = fill
    return out


@entry("corruption")
def stripes(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    """A regular pattern over the picture, as of a poor sensor or screen."""
    period, angle = rng.uniform(2.5, 12), rng.choice([0, np.pi / 2, rng.uniform(0, np.pi)])
    y, z = np.mgrid[: x.shape[0], : x.shape[1]]
    wave = np.sin(2 * np.pi / period * (y * np.sin(angle) + z * np.cos(angle)))
    return x + (logarithmic(0.012, 0.25, s) * wave)[..., None].astype(np.float32)


@entry("corruption")
def scratches(x: Pixels, s: float, rng: np.random.Generator) -> Pixels:
    picture = Image.fromarray(to_bytes(x))
    draw = ImageDraw.Draw(picture)
    height, width = x.shape[:2]
    for _ in range(max(1, round(logarithmic(1, 40, s)))):
        y, z = rng.uniform(0, height), rng.uniform(0, width)
        dy, dz = rng.normal(0, height / 3), rng.normal(0, width / 12)
        shade = tuple(int(v) for v in rng.choice([20, 235, 128]) + rng.integers(-20, 20, 3))
        draw.line((z, y, z + dz, y + dy), shade, int(rng.integers(1, 3)))
    return from_bytes(np.asarray(picture))


def _stops(x: Pixels, stops: float) -> Pixels:
    """Expose by so many stops more, in linear light (sRGB's curve taken as a power of 2.2)."""
    return np.clip(x, 0, 1) * np.float32(2 ** (stops / 2.2))


def _moved(x: Pixels, field: np.ndarray) -> Pixels:
    """Take every pixel from a place moved by `field` pixels, bilinearly."""
    height, width = x.shape[:2]
    y, z = np.mgrid[:height, :width]
    y = np.clip(y + field[0], 0, height - 1.001)
    z = np.clip(z + field[1], 0, width - 1.001)
    top, left = y.astype(np.int64), z.astype(np.int64)
    dy, dz = (y - top)[..., None].astype(np.float32), (z - left)[..., None].astype(np.float32)
    upper = x[top, left] * (1 - dz) + x[top, left + 1] * dz
    lower = x[top + 1, left] * (1 - dz) + x[top + 1, left + 1] * dz
    return upper * (1 - dy) + lower * dy
