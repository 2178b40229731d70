"""A printed page and a pencil on a desk, in sunlight that falls through leaves."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from examples.light import bands, bloom, blur, mix, rgb, unit, vignette
from examples.noise import Lattice, fbm, gradient, lattice, ramp
from examples.scene_foliage import layer_of, make_grove
from examples.scene_still import planks

PAGE = (1.48, 2.10)  # decimetres
TITLES = ("On Looking", "Field Notes", "A Walk at Noon", "The Long Summer", "Light and Leaf")
LINES = (
    "We had climbed since dawn, and the valley lay behind us in blue layers,",
    "each paler than the last, until the farthest could not be told from air.",
    "Nobody spoke. The wind had gone down with the stars, and every sound",
    "came alone: a stone that rolled, a bell, the small river under the snow.",
    "I tried to draw it and gave up. A picture keeps the shape of a place",
    "and lets go of the cold, the smell of pine, the time it took to get there.",
    "Still, something stays. You look again after many years, and the light",
    "is on the ridge, and it is morning, and you have all the day to walk.",
    "The path turned north along the lake. Someone had left a boat there,",
    "green once, with two oars laid neatly across it and rain in the bottom.",
    "Clouds came over the pass at noon, in no hurry, dragging their shadows",
    "over the meadows as a hand is drawn over the back of a sleeping animal.",
    "In the hut we found bread, a lamp, a book with half its pages missing.",
    "We read it aloud until the lamp went out and guessed how it would end.",
    "At home they asked what we had seen. Grass, I said; water; a great deal",
    "of sky. It did not sound like much. It was the best week of my life.",
)


@dataclass(frozen=True)
class Desk:
    """The page as a picture, the shade of the leaves, and where all of it lies."""

    noise: Lattice
    page: np.ndarray
    shade: np.ndarray
    turn: float
    shift: np.ndarray
    pencil: np.ndarray
    paint: np.ndarray
    sun: np.ndarray
    paper: np.ndarray
    eye: np.ndarray
    aim: np.ndarray
    focal: float


def print_page(rng: np.random.Generator, high: int) -> np.ndarray:
    """Ink cover 0 … 1 of a printed page `high` pixels tall."""
    wide = round(high * PAGE[0] / PAGE[1])
    page = Image.new("L", (wide, high), 0)
    pen = ImageDraw.Draw(page)
    margin = 0.13 * wide
    title = TITLES[int(rng.integers(len(TITLES)))]
    font = ImageFont.load_default(0.082 * wide)
    pen.text((margin, 0.085 * high), title, 235, font=font)
    pen.line((margin, 0.155 * high, 0.42 * wide, 0.155 * high), 200, max(1, round(high / 700)))
    order = np.roll(np.arange(len(LINES)), -2 * int(rng.integers(len(LINES) // 2)))
    body = ImageFont.load_default(0.0262 * wide)
    longest = max(body.getlength(line) for line in LINES)
    body = ImageFont.load_default(0.0262 * wide * 0.755 * wide / longest)
    y = 0.19 * high
    for n, k in enumerate([*order, *order[:8]]):
        if n in (8, 16):
            y += 0.016 * high
        indent = 0.03 * wide if n in (8, 16) else 0
        pen.text((margin + indent, y), LINES[k], 225, font=body)
        y += 0.0295 * high
    number = str(int(rng.integers(11, 240)))
    pen.text((0.49 * wide, 0.935 * high), number, 215, font=body)
    return np.minimum(np.asarray(page, np.float32) / 225, 1) ** np.float32(0.75)


def make_desk(seed: int, seconds: float, high: int) -> Desk:
    """Draw the page, the light and the camera; `high` is the height of the page in pixels."""
    rng = np.random.default_rng([seed, 67])
    leaves = layer_of(make_grove(rng), rng, (9, 0.17, 0.004, 1.0), (360, 480))[..., 3]
    near = layer_of(make_grove(rng), rng, (5, 0.26, 0.02, 1.0), (360, 480))[..., 3]
    turn = float(rng.uniform(-0.30, 0.30))
    angle = rng.uniform(-0.5, 0.5) + 0.05 * seconds
    paints = (
        rgb(0.75, 0.42, 0.03),
        rgb(0.45, 0.05, 0.04),
        rgb(0.03, 0.13, 0.30),
        rgb(0.03, 0.18, 0.1),
    )
    return Desk(
        noise=lattice(rng),
        page=print_page(rng, high),
        shade=(1 - 0.93 * leaves) * (1 - 0.85 * near),
        turn=turn,
        shift=rng.uniform(-0.15, 0.15, 2).astype(np.float32),
        pencil=rng.uniform((0.55, -0.9, 0.9), (0.85, -0.3, 1.35)).astype(np.float32),
        paint=paints[int(rng.integers(len(paints)))],
        sun=unit(rgb(rng.uniform(-0.9, 0.9), 0.75, rng.uniform(0.1, 0.6))),
        paper=rgb(0.80, 0.755, 0.66) * float(rng.uniform(0.9, 1.06)),
        eye=rgb(1.1 * np.sin(angle), rng.uniform(2.0, 2.7), -1.9 * np.cos(angle)),
        aim=rgb(0.0, 0, rng.uniform(-0.15, 0.1)),
        focal=float(rng.uniform(1.25, 1.55)),
    )


def _read(grid: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Read a grid at 0 … 1 across and down, clamped."""
    h, w = grid.shape
    x, y = np.clip(u * w - 0.5, 0, w - 1.001), np.clip(v * h - 0.5, 0, h - 1.001)
    ix, iy = x.astype(np.int64), y.astype(np.int64)
    fx, fy = x - ix.astype(np.float32), y - iy.astype(np.float32)
    flat, at = grid.ravel(), iy * w + ix
    a, b = flat.take(at), flat.take(at + w)
    a += fx * (flat.take(at + 1) - a)
    b += fx * (flat.take(at + w + 1) - b)
    return a + fy * (b - a)


def sunshine(desk: Desk, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Sun that gets through the leaves to points of the desk."""
    u = (x - 0.5 * z * desk.sun[0]) / 4.4 + 0.5
    v = 0.5 - z / 3.3
    return _read(desk.shade, np.abs(1 - np.abs(1 - u)), np.abs(1 - np.abs(1 - v)))


def paper(desk: Desk, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Colour and normal of the page at `u` across and `v` down, both 0 … 1."""
    ink = _read(desk.page, u, v)
    tooth = fbm(desk.noise, u * 60, v * 85, 3, 0.7)
    age = fbm(desk.noise, u * 2.2, v * 3.1, 4)
    rim = np.minimum(np.minimum(u, 1 - u) * PAGE[0], np.minimum(v, 1 - v) * PAGE[1])
    yellow = 0.10 * np.exp(-rim / 0.12) + 0.05 * age
    color = desk.paper * (1 + 0.035 * tooth)[:, None] * (1 - yellow[:, None] * rgb(0.4, 0.8, 1.5))
    color = (
        color * (1 - (0.93 + 0.1 * tooth) * ink)[:, None] + rgb(0.018, 0.017, 0.02) * ink[:, None]
    )
    lift = 0.16 * np.sin(u * 3.0 + 0.6) * (u - 0.4) + 0.25 * (u - 0.72) * (u > 0.72)
    wave = 0.05 * gradient(desk.noise, u * 1.7 + 5, v * 2.1)
    normal = unit(np.stack([-lift - wave + 0.02 * tooth, np.ones_like(u), 0.03 * tooth], -1))
    return color, normal


def pencil(desk: Desk, x: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, ...]:
    """Colour, normal and cover of the pencil, and its shadow on what lies below."""
    cx, cz, tilt = desk.pencil
    c, s = np.cos(tilt), np.sin(tilt)
    along, side = (x - cx) * c + (z - cz) * s, (z - cz) * c - (x - cx) * s
    tip = np.clip((0.82 - along) / 0.22, 0, 1)
    radius = 0.038 * np.where(along > 0.6, 0.12 + 0.88 * tip, 1.0)
    facet = np.round(np.clip(side / 0.038, -1, 1) * 1.2) / 1.2
    lean = np.where(along > 0.6, side / np.maximum(radius, 1e-3) * 0.8, facet * 0.75)
    color = np.broadcast_to(desk.paint, (len(x), 3)).copy()
    bare = along > 0.6 + 0.018 * np.cos(side / 0.038 * 9)
    color[bare] = rgb(0.55, 0.36, 0.19)
    color[along > 0.765] = rgb(0.03, 0.03, 0.035)
    color[along < -0.62] = rgb(0.50, 0.46, 0.40)
    color[along < -0.72] = rgb(0.62, 0.23, 0.20)
    normal = unit(np.stack([-s * lean, np.ones_like(x), c * lean], -1))
    ends = np.minimum(0.82 - along, along + 0.83)
    cover = ramp(-0.002, 0.002, np.minimum(radius - np.abs(side), ends))
    sx, sz = -desk.sun[0] / desk.sun[1] * 0.038, -desk.sun[2] / desk.sun[1] * 0.038
    far = side - (sz * c - sx * s)
    gap = np.maximum(np.abs(far) - radius * 1.05, -(ends + 0.02))
    return color, normal.astype(np.float32), cover, 1 - ramp(0.022, -0.012, gap)


def shade(desk: Desk, x: np.ndarray, z: np.ndarray, rays: np.ndarray) -> np.ndarray:
    """Radiance of the desk top and what lies on it."""
    c, s = np.float32(np.cos(desk.turn)), np.float32(np.sin(desk.turn))
    px, pz = x - desk.shift[0], z - desk.shift[1]
    u = (px * c + pz * s) / PAGE[0] + 0.5
    v = 0.5 - (pz * c - px * s) / PAGE[1]
    point = np.stack([x * 1.3 + 3, 0 * x, z * 1.3], -1)
    color, gloss = planks(desk.noise, point)
    normal = np.broadcast_to(rgb(0, 1, 0), color.shape)
    out = np.maximum(
        np.abs(u - 0.5) * PAGE[0] - 0.5 * PAGE[0], np.abs(v - 0.5) * PAGE[1] - 0.5 * PAGE[1]
    )
    sheet = ramp(0.002, -0.002, out)
    on = sheet > 0
    contact = 1 - 0.55 * np.exp(-np.maximum(out, 0) / 0.035) * ~on
    if on.any():
        leaf, bent = paper(desk, u[on], v[on])
        color[on] = mix(color[on], leaf, sheet[on])
        normal = mix(normal, np.broadcast_to(rgb(0, 1, 0), normal.shape), sheet)
        normal[on], gloss[on] = bent, 0.0
    paint, round_, cover, shadow = pencil(desk, x, z)
    color, normal = mix(color, paint, cover), unit(mix(normal, round_, cover))
    sun = sunshine(desk, x, z) * np.clip(normal @ desk.sun, 0, 1) * np.maximum(shadow, cover)
    half = unit(desk.sun - rays)
    shine = (
        np.clip(np.einsum("ij,ij->i", normal, half), 0, 1) ** 60
        * (0.10 * gloss + 0.5 * cover)
        * sun
    )
    sky = (0.34 + 0.06 * normal[:, 0]) * contact * (0.45 + 0.55 * np.maximum(shadow, cover))
    light = rgb(1.0, 0.86, 0.62) * (2.3 * sun * contact)[:, None]
    return color * (light + rgb(0.62, 0.74, 0.95) * sky[:, None]) + shine[:, None]


def linear(width: int, height: int, seed: int, seconds: float = 0.0) -> np.ndarray:
    """Radiance picture; `seconds` moves the camera round the desk."""
    high = int(np.clip(max(width, height) * 1.05, 300, 3000))
    desk = make_desk(seed, seconds, high)
    ahead = unit(desk.aim - desk.eye)
    right = unit(np.cross(rgb(0, 1, 0), ahead))
    up = np.cross(ahead, right)
    scale = max(width, height * 0.9) * desk.focal
    side = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) / scale
    out = np.empty((height, width, 3), np.float32)
    depth = np.empty((height, width), np.float32)
    for rows in bands(width, height):
        rise = (height / 2 - rows.astype(np.float32) - 0.5) / scale
        rays = unit(ahead + side[None, :, None] * right + rise[:, None, None] * up).reshape(-1, 3)
        t = desk.eye[1] / np.maximum(-rays[:, 1], 0.05)
        x, z = desk.eye[0] + rays[:, 0] * t, desk.eye[2] + rays[:, 2] * t
        out[rows] = shade(desk, x, z, rays).reshape(len(rows), width, 3)
        depth[rows] = t.reshape(len(rows), width)
    sharp = float(np.sqrt(((desk.aim - desk.eye) ** 2).sum()))
    return vignette(bloom(defocus(out, depth, sharp), 0.05), 0.35)


def defocus(picture: np.ndarray, depth: np.ndarray, sharp: float) -> np.ndarray:
    """Blur points by how far they lie from the distance that is `sharp`."""
    width = picture.shape[1]
    amount = np.clip(np.abs(1 - sharp / depth) - 0.10, 0, None) * 0.015 * width
    out, last = picture, 0.0
    for radius in (0.0012 * width, 0.0028 * width, 0.0056 * width):
        out = mix(out, blur(picture, radius), np.clip((amount - last) / (radius - last), 0, 1))
        last = radius
    return out


EXPOSURE = 1.15
