"""Leaves against the light: twigs at three depths before a bokeh of sun through a wood."""

from dataclasses import dataclass

import numpy as np

from examples.light import blur, enlarge, rgb
from examples.noise import Lattice, cloudy, fbm, gradient, lattice, ramp, smooth


@dataclass(frozen=True)
class Leaf:
    """One leaf: where its stalk joins (picture heights), its pose, shape and colour."""

    x: float
    y: float
    angle: float
    length: float
    squeeze: float
    bend: float
    width: float
    tone: float
    seed: float


@dataclass(frozen=True)
class Grove:
    """The plant's kind, the colours of the wood and the noise in it."""

    noise: Lattice
    shine: np.ndarray
    deep: np.ndarray
    sun: np.ndarray
    back: np.ndarray
    veins: int
    teeth: float
    slender: float
    light: float


def make_grove(rng: np.random.Generator) -> Grove:
    """Draw a kind of leaf and a season."""
    season = rng.uniform(0, 1) ** 1.5
    fresh, autumn = rgb(0.42, 0.62, 0.055), rgb(0.95, 0.34, 0.03)
    share = float(np.clip(season * 1.6 - 0.55, 0, 1))
    return Grove(
        noise=lattice(rng),
        shine=fresh * (1 - share) + autumn * share,
        deep=rgb(0.030, 0.075, 0.018) * (1 - share) + rgb(0.10, 0.035, 0.012) * share,
        sun=rgb(1.0, 0.84, 0.55),
        back=rgb(0.085, 0.13, 0.040) * (1 - share) + rgb(0.17, 0.105, 0.035) * share,
        veins=int(rng.integers(7, 12)),
        teeth=float(rng.choice([0.0, 0.012, 0.02])),
        slender=float(rng.uniform(0.24, 0.36)),
        light=float(rng.uniform(0, 2 * np.pi)),
    )


def wood(grove: Grove, rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """The far wood out of focus: soft masses, shafts of light, discs where sky shines through."""
    small_h, small_w = 96, max(8, round(96 * width / height))
    mass = cloudy(rng, (small_h, small_w), (3, 4), 3)
    tint = smooth(rng, (small_h, small_w), (3, 4))
    color = grove.back * np.exp(0.65 * mass)[..., None]
    color = color * (1 + np.stack([0.16 * tint, 0.02 * tint, -0.1 * tint], -1))
    spot = np.array([0.22 + 0.2 * rng.uniform(), rng.uniform(0.15, 0.85)])
    y = ((np.arange(small_h) + 0.5) / small_h)[:, None] - spot[0]
    x = (np.arange(small_w) + 0.5) / small_w - spot[1]
    glow = np.exp(-3.2 * (x * x * 1.4 + y * y)).astype(np.float32)
    color = color * (0.35 + 1.5 * glow)[..., None] + 0.09 * grove.sun * glow[..., None]
    picture = enlarge(blur(color.astype(np.float32), 3.0), height, width)
    for _ in range(int(rng.integers(60, 110))):
        px, py = rng.normal(spot[1], 0.30), rng.normal(spot[0], 0.27)
        radius = rng.uniform(0.018, 0.05)
        power = 0.5 * rng.uniform(0.05, 1.0) ** 2.2
        _disc(
            picture,
            (px * width, py * height, radius * height),
            power * (0.35 * grove.sun + 0.55 * grove.shine + grove.back),
        )
    return picture


def _disc(picture: np.ndarray, place: tuple[float, float, float], color: np.ndarray) -> None:
    """Add one disc of light, a little brighter at its rim."""
    x, y, radius = place
    top, left = max(0, int(y - radius) - 2), max(0, int(x - radius) - 2)
    part = picture[top : max(0, int(y + radius) + 3), left : max(0, int(x + radius) + 3)]
    if not part.size:
        return
    far = np.hypot(
        np.arange(left, left + part.shape[1]) - x,
        (np.arange(top, top + part.shape[0]) - y)[:, None],
    ).astype(np.float32) / np.float32(radius)
    shape = ramp(1.06, 0.94, far) * (0.75 + 0.35 * far**4)
    part += shape[..., None] * color


def twig(rng: np.random.Generator, start: np.ndarray, heading: float, size: float) -> list[Leaf]:
    """Leaves along a bending twig, on both sides by turns, smaller towards the tip."""
    leaves, at, side = [], start.copy(), 1
    count = int(rng.integers(7, 11))
    curve = rng.uniform(-0.10, 0.10)
    for k in range(count):
        at = at + size * 0.42 * np.array([np.cos(heading), np.sin(heading)])
        heading += curve + rng.normal(0, 0.06)
        side = -side
        last = k == count - 1
        leaves.append(
            Leaf(
                x=float(at[0]),
                y=float(at[1]),
                angle=heading + (0 if last else side * rng.uniform(0.6, 1.15)),
                length=size * rng.uniform(0.8, 1.1) * (1 - 0.35 * k / count),
                squeeze=float(rng.uniform(0.45, 1.0)),
                bend=float(rng.normal(0, 0.16)),
                width=float(rng.uniform(0.92, 1.1)),
                tone=float(rng.normal(0, 1)),
                seed=float(rng.uniform(0, 100)),
            )
        )
    return leaves


def _shape(grove: Grove, leaf: Leaf, s: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distance inside the outline, and the place across the blade, -1 … 1."""
    along = np.clip(s, 1e-4, 1)
    half = (
        grove.slender
        * leaf.width
        * np.sin(np.pi * np.minimum(along**0.82, 0.9999)) ** 0.8
        * (1 - 0.35 * along**3)
    )
    saw = (along * grove.veins * 3.0 + 0.35 * np.abs(w) * 12) % 1.0
    half = half - grove.teeth * saw * (along < 0.97)
    inside = np.where((s > 0) & (s < 1), half - np.abs(w), -np.abs(w) - np.maximum(-s, s - 1))
    return inside, w / np.maximum(half, 1e-3)


def _blade(grove: Grove, leaf: Leaf, s: np.ndarray, w: np.ndarray, across: np.ndarray) -> tuple:
    """How much light the blade lets through, and its relief, from its veins and flesh."""
    wide = np.abs(w)
    lane = (s - wide * (0.9 - 0.35 * s)) * grove.veins + 0.35 * np.sign(w)
    cell = lane - np.floor(lane) - 0.5
    thin = np.clip(1 - np.abs(across), 0, 1)
    side_vein = np.exp(-((cell / (0.035 + 0.035 * thin)) ** 2)) * (0.45 + 0.55 * thin)
    rib = np.exp(-((w / (0.012 * (1.3 - s))) ** 2))
    a, b = s * 38 + leaf.seed, w * 38
    net = np.abs(gradient(grove.noise, a + 0.6 * b, b)) + np.abs(
        gradient(grove.noise, a * 2.1, b * 2.1 + 9)
    )
    net = 1 - ramp(0.0, 0.16, net * 0.5)
    blotch = fbm(grove.noise, s * 3 + leaf.seed, w * 3, 4)
    veins = np.clip(0.9 * side_vein + 1.0 * rib + 0.42 * net, 0, 1)
    relief = np.cos(2 * np.pi * cell) * thin * 0.5 - rib
    return veins, blotch, relief


def draw(layer: np.ndarray, grove: Grove, leaf: Leaf) -> None:
    """Paint one leaf over `layer` (premultiplied colour and cover), seen against the light."""
    height, width = layer.shape[:2]
    reach = leaf.length * 1.15
    cx, cy = leaf.x * height, leaf.y * height
    mx, my = cx + reach * height * np.cos(leaf.angle), cy + reach * height * np.sin(leaf.angle)
    pad = leaf.length * height * 0.5
    x0, x1 = int(max(0, min(cx, mx) - pad)), int(min(width, max(cx, mx) + pad))
    y0, y1 = int(max(0, min(cy, my) - pad)), int(min(height, max(cy, my) + pad))
    if x1 <= x0 or y1 <= y0:
        return
    dx = (np.arange(x0, x1, dtype=np.float32) + 0.5 - cx) / (leaf.length * height)
    dy = ((np.arange(y0, y1, dtype=np.float32) + 0.5 - cy) / (leaf.length * height))[:, None]
    c, s_ = np.float32(np.cos(leaf.angle)), np.float32(np.sin(leaf.angle))
    s = dx * c + dy * s_ - 0.10
    w = (dy * c - dx * s_ - np.float32(leaf.bend) * s * s * 1.2) / np.float32(leaf.squeeze)
    inside, across = _shape(grove, leaf, s, w)
    edge = 0.8 / (leaf.length * height)
    stalk = np.minimum(0.010 - np.abs(w * leaf.squeeze), np.minimum(s + 0.11, 0.03 - s))
    cover = np.maximum(ramp(-edge, edge, inside), ramp(-edge, edge, stalk))
    on = cover > 0
    if not on.any():
        return
    part = layer[y0:y1, x0:x1]
    color = _color(grove, leaf, (s[on], w[on], across[on]), part[on, 3], leaf.length * height)
    k = cover[on][:, None]
    part[on] = part[on] * (1 - k) + np.concatenate([color, np.ones_like(k)], 1) * k


def _color(grove: Grove, leaf: Leaf, at: tuple, behind: np.ndarray, high: float) -> np.ndarray:
    """Colour of leaf points: light through the blade less what lies behind it, and sky sheen."""
    s, w, across = at
    if high > 35:
        veins, blotch, relief = _blade(grove, leaf, s, w, across)
    else:
        veins, blotch, relief = 0.3 * np.exp(-((w / 0.02) ** 2)), 0 * s, 0 * s
    tilt = np.cos(leaf.angle - grove.light)
    power = (0.66 + 0.40 * np.tanh(leaf.tone)) * (0.8 + 0.25 * tilt * np.sign(w) + 0.35 * blotch)
    rim = 1 - 0.35 * np.clip(np.abs(across) - 0.86, 0, 0.14) / 0.14
    power = power * (1 - 0.68 * behind) * (1 + 0.22 * relief) * rim
    shine = grove.shine * np.exp(np.array([0.10, 0.0, -0.1]) * leaf.tone).astype(np.float32)
    through = shine * (power * (1 - 0.70 * veins))[:, None]
    warm = shine[None] * grove.sun * (0.30 * veins * power)[:, None]
    sheen = np.clip(0.5 + 0.5 * relief + 0.5 * across * np.sign(tilt), 0, 1) ** 2 * 0.10
    return grove.deep + through + warm + sheen[:, None] * rgb(0.55, 0.75, 0.85)


def stem(layer: np.ndarray, grove: Grove, leaves: list[Leaf], thick: float) -> None:
    """Paint the twig that the leaves sit on, thinner towards its tip."""
    height = layer.shape[0]
    ends = np.array([(leaf.x, leaf.y) for leaf in leaves])
    starts = np.concatenate([2 * ends[:1] - ends[1:2], ends[:-1]])
    for n, (a, b) in enumerate(zip(starts * height, ends * height, strict=True)):
        wide = thick * height * (1 - 0.65 * n / len(ends))
        low = np.maximum(np.minimum(a, b) - 2 * wide - 2, 0).astype(int)
        high = np.maximum(np.maximum(a, b) + 2 * wide + 3, 0).astype(int)
        part = layer[low[1] : high[1], low[0] : high[0]]
        if not part.size:
            continue
        x = np.arange(low[0], low[0] + part.shape[1]) + 0.5 - a[0]
        y = (np.arange(low[1], low[1] + part.shape[0]) + 0.5 - a[1])[:, None]
        dx, dy = b - a
        t = np.clip((x * dx + y * dy) / (dx * dx + dy * dy + 1e-6), 0, 1)
        off = np.hypot(x - t * dx, y - t * dy)
        side = np.clip((x * dy - y * dx) / (np.hypot(dx, dy) * wide + 1e-6), -1, 1)
        k = ramp(0.8, -0.8, off - wide)[..., None].astype(np.float32)
        bark = (grove.deep + rgb(0.05, 0.035, 0.02)) * (1.2 + 0.9 * side)[..., None]
        part[:] = part * (1 - k) + np.concatenate([bark, np.ones_like(k)], 2) * k


def layer_of(
    grove: Grove, rng: np.random.Generator, plan: tuple, size: tuple[int, int]
) -> np.ndarray:
    """A layer of twigs; `plan` is (twigs, leaf size, blur in heights, how far in they reach)."""
    count, leaf_size, soft, reach = plan
    height, width = size
    times = 1 if soft * height < 3 else int(min(8, soft * height / 1.5))
    small = (-(-height // times), -(-width // times))
    layer = np.zeros((*small, 4), np.float32)
    aspect = width / height
    for _ in range(count):
        edge = rng.integers(0, 3)
        along = rng.uniform(-0.05, 1.05)
        start = [(along * aspect, -0.08), (-0.08, along * 0.9), (aspect + 0.08, along * 0.9)][edge]
        goal = np.array([rng.uniform(0.25, 0.75) * aspect, rng.uniform(0.35, 0.8)])
        aim = goal - start
        start = goal - aim * (2.0 - reach)
        leaves = twig(rng, start, float(np.arctan2(aim[1], aim[0])), leaf_size)
        stem(layer, grove, leaves, leaf_size * 0.022)
        for leaf in leaves:
            draw(layer, grove, leaf)
    layer = blur(layer, soft * small[0])
    full = enlarge(layer, small[0] * times, small[1] * times) if times > 1 else layer
    return full[:height, :width]


def linear(width: int, height: int, seed: int, seconds: float = 0.0) -> np.ndarray:
    """Radiance picture; `seconds` is not used: the air is still."""
    del seconds
    rng = np.random.default_rng([seed, 41])
    grove = make_grove(rng)
    picture = wood(grove, rng, width, height)
    plans = (
        (5, 0.13, 0.022, 1.0),
        (3, 0.19, 0.009, 1.0),
        (3, 0.27, 0.0, 1.0),
        (1, 0.34, 0.035, -1.4),
    )
    for n, plan in enumerate(plans):
        layer = layer_of(grove, rng, plan, (height, width))
        shade = (0.45, 0.7, 1.0, 0.6)[n]
        picture = picture * (1 - layer[..., 3:]) + layer[..., :3] * np.float32(shade)
    return picture


EXPOSURE = 1.5
