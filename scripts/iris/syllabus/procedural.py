"""Pictures of our own making: other contents than photographs, free of anyone's rights.

Leaves that hide each other have the statistics of natural scenes (Lee, Mumford, Huang 2001);
clouds and terrain follow a power law; pages, drawings and night skies are what photographs lack.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from syllabus.pixels import Pixels, from_bytes

LETTERS: Final = "etaoinshrdlucmfwypvbgkjqxz"


def picture(size: int, rng: np.random.Generator) -> Pixels:
    """Return a random picture of one of the kinds."""
    kinds = list(KINDS.values())
    made = kinds[rng.choice(len(kinds), p=[0.35, 0.25, 0.12, 0.14, 0.08, 0.06])](size, rng)
    return np.clip(made, 0, 1).astype(np.float32)


def leaves(size: int, rng: np.random.Generator) -> Pixels:
    """Return textured shapes that hide each other, sizes by an inverse cube."""
    fine = 2 * size
    image = Image.new("RGB", (fine, fine))
    draw = ImageDraw.Draw(image)
    palette = _palette(rng)
    for _ in range(1500):
        radius = float(np.clip(6 / np.sqrt(rng.uniform(0.0008, 1)), 6, 0.35 * fine))
        y, z = rng.uniform(-radius, fine + radius, 2)
        shade = tuple(int(v) for v in _shade(palette, rng))
        turn = rng.uniform(0, 2 * np.pi)
        corners = rng.integers(3, 9)
        angles = turn + np.sort(rng.uniform(0, 2 * np.pi, corners))
        if rng.random() < 0.5:
            draw.ellipse((z - radius, y - 0.7 * radius, z + radius, y + 0.7 * radius), shade)
        else:
            ring = [(z + radius * np.cos(a), y + radius * np.sin(a)) for a in angles]
            draw.polygon(ring, shade)
    small = from_bytes(np.asarray(image.resize((size, size), Image.Resampling.LANCZOS)))
    return small * (1 + 0.25 * rng.random() * _fractal(size, 1.2, rng)[..., None])


def terrain(size: int, rng: np.random.Generator) -> Pixels:
    """Return a hillside under a sky, lit from one side, with haze in the distance."""
    height = _fractal(size, rng.uniform(1.6, 2.2), rng)
    slope = ndimage.sobel(height, int(rng.integers(2)))
    light = 0.5 + 0.4 * slope / (np.abs(slope).max() + 1e-6) + 0.1 * _fractal(size, 1.0, rng)
    low, high = (_shade(_palette(rng), rng) / 255 for _ in range(2))
    mix = np.clip(0.5 + 0.35 * height, 0, 1)[..., None]
    ground = (low * (1 - mix) + high * mix) * np.clip(light, 0.05, 1.2)[..., None]
    ridge = size * (0.35 + 0.1 * _fractal(size, 2, rng)[0])
    rows = np.arange(size)[:, None]
    over = np.clip(rows - ridge[None] + 0.5, 0, 1)[..., None]
    far = np.linspace(0.5, 0, size)[:, None, None]
    return clouds(size, rng) * (1 - over) + (ground * (1 - far) + 0.75 * far) * over


def clouds(size: int, rng: np.random.Generator) -> Pixels:
    """Return a sky."""
    cover = np.clip(0.5 + 0.6 * _fractal(size, rng.uniform(1.7, 2.3), rng), 0, 1)[..., None]
    blue = np.array([0.35, 0.55, 0.85]) * rng.uniform(0.6, 1.1)
    return blue * (1 - cover) + rng.uniform(0.75, 0.97) * cover


def page(size: int, rng: np.random.Generator) -> Pixels:
    """Return lines of text, dark on light or light on dark."""
    paper, ink = rng.uniform(0.85, 1, 3), rng.uniform(0, 0.25, 3)
    if rng.random() < 0.25:
        paper, ink = ink, paper
    image = Image.new("RGB", (2 * size, 2 * size), tuple(int(255 * v) for v in paper))
    draw = ImageDraw.Draw(image)
    y = 10.0
    while y < 2 * size:
        points = float(rng.choice([18, 22, 28, 36, 60], p=[0.3, 0.3, 0.2, 0.15, 0.05]))
        words = ("".join(rng.choice(list(LETTERS[:16]), rng.integers(1, 9))) for _ in range(30))
        draw.text((rng.integers(0, 40), y), " ".join(words), tuple(int(255 * v) for v in ink),
                  font=ImageFont.load_default(points))  # fmt: skip
        y += points * 1.4 + (40 if rng.random() < 0.15 else 0)
    return from_bytes(np.asarray(image.resize((size, size), Image.Resampling.LANCZOS)))


def drawing(size: int, rng: np.random.Generator) -> Pixels:
    """Return flat shapes with outlines and soft gradients."""
    image = Image.new("RGB", (2 * size, 2 * size), tuple(int(v) for v in rng.integers(120, 256, 3)))
    draw = ImageDraw.Draw(image)
    palette = _palette(rng)
    for _ in range(int(rng.integers(8, 40))):
        y, z = rng.uniform(0, 2 * size, 2)
        h, w = rng.uniform(10, 0.6 * size, 2)
        shade = tuple(int(v) for v in _shade(palette, rng))
        line = (20, 20, 25) if rng.random() < 0.5 else None
        kind = (draw.ellipse, draw.rectangle)[rng.integers(2)]
        kind((z, y, z + w, y + h), fill=shade, outline=line, width=3)
    flat = from_bytes(np.asarray(image.resize((size, size), Image.Resampling.LANCZOS)))
    ramp = np.linspace(1, rng.uniform(0.7, 1), size)[:, None, None]
    return flat * ramp


def night(size: int, rng: np.random.Generator) -> Pixels:
    """Return a night sky over a skyline with lit windows."""
    sky = np.linspace(0.02, rng.uniform(0.05, 0.2), size)[:, None, None] * np.array([0.7, 0.8, 1.2])
    out = np.broadcast_to(sky, (size, size, 3)).copy()
    stars = rng.integers(0, size, (2, int(rng.integers(20, 150))))
    out[stars[0], stars[1]] += rng.uniform(0.2, 1, (stars.shape[1], 1))
    out = ndimage.gaussian_filter(out, (0.6, 0.6, 0)) * 1.6
    left = 0
    while left < size:
        width, top = int(rng.integers(14, 50)), int(size * rng.uniform(0.45, 0.9))
        out[top:, left : left + width] = rng.uniform(0.01, 0.08)
        for y in range(top + 4, size - 4, 8):
            for z in range(left + 3, min(left + width - 4, size - 4), 7):
                if rng.random() < 0.35:
                    out[y : y + 4, z : z + 3] = np.array([1, 0.85, 0.55]) * rng.uniform(0.5, 1)
        left += width + int(rng.integers(0, 6))
    return out


KINDS: Final[dict[str, Callable[[int, np.random.Generator], Pixels]]] = {
    "leaves": leaves,
    "terrain": terrain,
    "clouds": clouds,
    "page": page,
    "drawing": drawing,
    "night": night,
}


def _fractal(size: int, power: float, rng: np.random.Generator) -> np.ndarray:
    """Return noise whose amplitude falls with frequency to a power; mean 0, deviation 1."""
    y, z = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)
    radius = np.hypot(y, z)
    radius[0, 0] = 1
    spectrum = rng.normal(0, 1, (2, *radius.shape)) / radius**power
    spectrum[:, 0, 0] = 0
    field = np.fft.irfft2(spectrum[0] + 1j * spectrum[1], (size, size))
    return field / field.std()


def _palette(rng: np.random.Generator) -> np.ndarray:
    """Return a few colours that go together: a random line through the colour cube."""
    base, direction = rng.uniform(60, 200, 3), rng.normal(0, 38, 3)
    return np.stack([base - direction, base + direction])


def _shade(palette: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a colour near the palette's line, lighter or darker."""
    t = rng.uniform(0, 1)
    colour = palette[0] * (1 - t) + palette[1] * t
    return np.clip(colour * rng.uniform(0.35, 1.4) + rng.normal(0, 12, 3), 0, 255)
