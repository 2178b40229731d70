"""What stands on the table of the still life: solids as signed distances, and what light meets."""

from dataclasses import dataclass

import numpy as np

from examples.light import rgb
from examples.noise import Lattice, lattice, ramp

JUG, PEAR, APPLE, ORANGE, PLUM = range(5)


@dataclass(frozen=True)
class Thing:
    """One solid: its kind, where it stands, its radius, how it leans, its own number."""

    kind: int
    at: np.ndarray
    radius: float
    lean: np.ndarray
    seed: float


@dataclass(frozen=True)
class Room:
    """The things on the table, the light and the camera (lengths in decimetres)."""

    noise: Lattice
    things: tuple[Thing, ...]
    lamp: np.ndarray
    lamp_color: np.ndarray
    wall: np.ndarray
    glaze: np.ndarray
    eye: np.ndarray
    aim: np.ndarray
    focal: float


def _fruit(rng: np.random.Generator, taken: list[Thing]) -> list[Thing]:
    """Some fruit that neither touch each other nor the things that stand already."""
    placed = list(taken)
    sizes = {PEAR: 0.36, APPLE: 0.40, ORANGE: 0.38, PLUM: 0.25}
    for _ in range(400):
        if len(placed) >= len(taken) + 8:
            break
        kind = int(rng.choice([PEAR, APPLE, APPLE, ORANGE, ORANGE, PLUM, PLUM]))
        radius = sizes[kind] * rng.uniform(0.9, 1.1)
        at = np.array([rng.normal(0, 1.25), 0, rng.uniform(-1.0, 0.9)])
        gaps = [np.hypot(*(at - t.at)[[0, 2]]) - (t.radius + radius) * 1.01 for t in placed]
        if min(gaps, default=1) < 0 or abs(at[0]) > 2.0:
            continue
        lean = rng.normal(0, 0.22, 2)
        placed.append(Thing(kind, at.astype(np.float32), float(radius), lean, rng.uniform(0, 90)))
    return placed[len(taken) :]


def make_room(seed: int, seconds: float) -> Room:
    """Draw what stands on the table, the light and the camera."""
    rng = np.random.default_rng([seed, 53])
    side = float(rng.choice([-1, 1]))
    jug = Thing(
        JUG, rgb(-side * rng.uniform(0.5, 0.9), 0, rng.uniform(0.7, 1.0)), 0.62, np.zeros(2), 1.0
    )
    fruit = _fruit(rng, [jug])
    turn = rng.uniform(-0.25, 0.25) + 0.05 * seconds
    hues = (
        rgb(0.10, 0.22, 0.32),
        rgb(0.62, 0.56, 0.44),
        rgb(0.16, 0.24, 0.15),
        rgb(0.42, 0.13, 0.07),
    )
    walls = (
        rgb(0.17, 0.15, 0.12),
        rgb(0.10, 0.13, 0.14),
        rgb(0.20, 0.16, 0.10),
        rgb(0.24, 0.22, 0.2),
    )
    return Room(
        noise=lattice(rng),
        things=(jug, *fruit),
        lamp=rgb(side * rng.uniform(3.4, 4.6), rng.uniform(3.0, 4.2), -rng.uniform(0.8, 2.4)),
        lamp_color=rgb(1.0, rng.uniform(0.78, 0.9), rng.uniform(0.55, 0.75)),
        wall=walls[int(rng.integers(len(walls)))],
        glaze=hues[int(rng.integers(len(hues)))],
        eye=rgb(6.6 * np.sin(turn), rng.uniform(1.7, 2.5), -6.6 * np.cos(turn)),
        aim=rgb(0.0, 0.78, 0.0),
        focal=float(rng.uniform(1.45, 1.7)),
    )


def _smooth_min(a: np.ndarray, b: np.ndarray, k: float) -> np.ndarray:
    h = np.clip(0.5 + 0.5 * (b - a) / k, 0, 1)
    return b + (a - b) * h - k * h * (1 - h)


def _local(thing: Thing, p: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points in the frame of a thing, leaned, in its radii: x, y, z."""
    q = (p - thing.at) * np.float32(1 / thing.radius)
    a, b = (np.float32(v) for v in thing.lean)
    return q[:, 0] + a * q[:, 1], q[:, 1] - a * q[:, 0] - b * q[:, 2], q[:, 2] + b * q[:, 1]


def _jug(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """A bellied jug with a neck, a lip and a handle, in its radii."""
    r = np.hypot(x, z)
    t = np.clip(y / 3.1, 0, 1)
    wall = 0.62 + 1.55 * t - 3.9 * t**2 + 2.1 * t**3 + 1.1 * t * (1 - t) + 0.32 * t**10
    body = np.maximum((r - wall) * 0.62, np.maximum(y - 3.1, -y))
    body = np.maximum(body, -np.maximum((r - wall + 0.09) * 0.62, 0.15 - y))
    ring = np.hypot((x - 0.72) / 1.05, (y - 2.05) / 1.25) - 0.62
    return np.minimum(body - 0.02, (np.hypot(ring, z) - 0.10) * 0.75)


def distance(thing: Thing, p: np.ndarray) -> np.ndarray:
    """Signed distance (a safe bound of it) from points to one thing."""
    x, y, z = _local(thing, p)
    r = np.hypot(x, z)
    if thing.kind == JUG:
        d = _jug(x, y, z)
    elif thing.kind == PEAR:
        low = np.sqrt(r * r + (y - 0.93) ** 2) - 0.95
        d = _smooth_min(low, np.sqrt(r * r + (y - 2.05) ** 2) - 0.46, 0.75)
        d = np.minimum(d, _stalk(x, y - 2.45, z, 0.5))
    elif thing.kind == APPLE:
        ring = np.hypot(r * (1.09 - 0.10 * y) - 0.36, (y - 0.84) / 1.32) - 0.64
        d = np.minimum(ring * 0.85, _stalk(x, y - 1.25, z, 0.66))
    else:
        d = np.sqrt(r * r + ((y - 0.95) / 0.95) ** 2) - 1.0
        d = (d + 0.05 * np.exp(-((r / 0.14) ** 2)) * (y > 1)) * 0.93
    return d * np.float32(thing.radius)


def _stalk(x: np.ndarray, y: np.ndarray, z: np.ndarray, tall: float) -> np.ndarray:
    t = np.clip(y, 0, tall)
    return np.sqrt((x - 0.35 * t * t) ** 2 + (y - t) ** 2 + z * z) - 0.045


def on_stalk(thing: Thing, p: np.ndarray) -> np.ndarray:
    """Which surface points of an apple or a pear lie on its stalk."""
    x, y, z = _local(thing, p)
    foot, shown = {APPLE: (1.25, 1.22), PEAR: (2.45, 2.50)}[thing.kind]
    t = np.clip(y - foot, 0, 1)
    return (np.hypot(x - 0.35 * t * t, z) < 0.075) & (y > shown)


def _balls(room: Room) -> tuple[np.ndarray, np.ndarray]:
    """Centres and radii of balls that hold the things."""
    tall = [{JUG: 3.3, PEAR: 2.9}.get(thing.kind, 1.9) for thing in room.things]
    middles = [t.at + rgb(0, 0.5 * h * t.radius, 0) for t, h in zip(room.things, tall, strict=True)]
    reaches = [t.radius * (0.5 * h + 0.55) for t, h in zip(room.things, tall, strict=True)]
    return np.array(middles, np.float32), np.array(reaches, np.float32)


def nearest(
    room: Room, p: np.ndarray, margin: np.ndarray | float = 0.08
) -> tuple[np.ndarray, np.ndarray]:
    """Distance to the nearest surface, a safe bound of it beyond `margin`, and its index.

    The table is -1, the wall -2.
    """
    best = p[:, 1].copy()
    who = np.full(len(p), -1)
    wall = np.float32(3.4) - p[:, 2]
    who[wall < best] = -2
    np.minimum(best, wall, out=best)
    middles, reaches = _balls(room)
    squares = np.einsum("ij,ij->i", p, p)[:, None] + (middles**2).sum(1) - 2 * (p @ middles.T)
    balls = np.sqrt(np.maximum(squares, 0)) - reaches
    for n, thing in enumerate(room.things):
        ball = balls[:, n]
        close = np.flatnonzero(ball < np.minimum(best, margin))
        far = np.flatnonzero((ball >= margin) & (ball < best))
        best[far], who[far] = ball[far], n
        if len(close):
            d = distance(thing, p[close])
            win = d < best[close]
            best[close[win]], who[close[win]] = d[win], n
    return best, who


def trace(room: Room, origin: np.ndarray, rays: np.ndarray) -> np.ndarray:
    """How far each ray goes before it meets something."""
    t = np.full(len(rays), 3.0, np.float32)
    live = np.arange(len(rays))
    for _ in range(110):
        d, _ = nearest(room, origin + rays[live] * t[live, None])
        t[live] += d
        live = live[(d > 0.00015 * t[live]) & (t[live] < 30)]
        if not len(live):
            break
    return t


def shadow(room: Room, p: np.ndarray, to_lamp: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """Share of a round window's light that reaches points, from the narrowest gap passed."""
    t = np.full(len(p), 0.05, np.float32)
    clear = np.ones(len(p), np.float32)
    live = np.arange(len(p))
    for _ in range(34):
        wide = 0.17 * t[live]
        d, _ = nearest(room, p[live] + to_lamp[live] * t[live, None], wide + 0.05)
        clear[live] = np.minimum(clear[live], 0.5 + 0.5 * d / wide)
        t[live] += np.clip(d * 0.9, 0.025, 0.5)
        live = live[(clear[live] > 0.01) & (t[live] < reach[live]) & (t[live] < 6)]
        if not len(live):
            break
    return ramp(0.0, 1.0, np.clip(clear, 0, 1))


def occlusion(room: Room, p: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """How open the half-space above points is, from distances along the normal."""
    closed = np.zeros(len(p), np.float32)
    for k in range(1, 6):
        h = np.float32(0.05 * 1.75**k)
        d, _ = nearest(room, p + normal * h, h)
        closed += np.clip(h - d, 0, None) / h * np.float32(0.55 * 0.72**k)
    return np.clip(1 - closed * 1.15, 0.05, 1)
