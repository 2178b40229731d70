"""Fruit and a jug on a wooden table by a window: soft shadows, one warm light."""

import numpy as np

from examples.light import bands, bloom, mix, rgb, unit, vignette
from examples.noise import Lattice, fbm, gradient, ramp
from examples.still_solids import (
    APPLE,
    JUG,
    ORANGE,
    PEAR,
    PLUM,
    Room,
    Thing,
    distance,
    make_room,
    nearest,
    occlusion,
    on_stalk,
    shadow,
    trace,
)


def planks(noise: Lattice, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Colour and gloss of the table: boards with grain and gaps."""
    board = np.floor(p[:, 2] / 0.95 + 0.3)
    tone = gradient(noise, board * 7.3 + 0.4, board * 3.1 + 0.2)
    x, z = p[:, 0] * 0.35 + board * 17.7, p[:, 2] * 3.2
    warp = fbm(noise, x * 1.4, z * 0.5, 3)
    rings = np.sin(22 * (0.35 * z + 0.9 * warp) + 3 * fbm(noise, x * 9, z * 6, 2))
    fibre = fbm(noise, x * 7, z * 26, 3, 0.65)
    wear = fbm(noise, p[:, 0] * 1.3 + 9, p[:, 2] * 1.3, 4)
    level = 0.62 + 0.22 * tone + 0.13 * rings + 0.34 * fibre + 0.30 * wear
    color = rgb(0.235, 0.120, 0.055) * np.clip(level, 0.1, 2)[:, None]
    color = color * (1 + 0.25 * np.stack([0 * wear, wear, 1.4 * wear], -1))
    lane = p[:, 2] / 0.95 + 0.3
    gap = ramp(0.0, 0.022, 0.5 - np.abs(lane - np.floor(lane) - 0.5))
    return color * (0.12 + 0.88 * gap)[:, None], 0.35 + 0.3 * wear


def plaster(room: Room, p: np.ndarray) -> np.ndarray:
    """Colour of the wall behind."""
    stain = fbm(room.noise, p[:, 0] * 0.5 + 3, p[:, 1] * 0.6, 6, 0.55)
    tooth = fbm(room.noise, p[:, 0] * 9, p[:, 1] * 9, 3, 0.6)
    pool = np.exp(-0.09 * ((p[:, 0] - 0.3 * room.lamp[0]) ** 2 + (p[:, 1] - 1.4) ** 2))
    return room.wall * ((1 + 0.40 * stain + 0.10 * tooth) * (0.6 + 0.9 * pool))[:, None]


def skin(room: Room, thing: Thing, p: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Colour, gloss and softness to light of a thing's surface."""
    q = (p - thing.at) / np.float32(thing.radius)
    turn = np.arctan2(q[:, 2], q[:, 0])
    u, v = q[:, 0] + thing.seed, q[:, 1] + 1.3 * q[:, 2]
    mottle = fbm(room.noise, u * 1.6, v * 1.6, 4)
    dots = ramp(0.36, 0.5, gradient(room.noise, u * 11, v * 11))
    gloss = np.full(len(p), 0.5, np.float32)
    shift = np.float32(0.5 + 0.5 * np.sin(thing.seed))
    if thing.kind == APPLE:
        streak = fbm(room.noise, turn * 5 + thing.seed, q[:, 1] * 0.8, 3)
        blush = ramp(
            -0.5, 0.35, np.cos(turn + thing.seed) * 0.5 + 0.7 * streak + 0.25 + 0.3 * shift
        )
        color = mix(rgb(0.50, 0.44, 0.07), rgb(0.33, 0.045, 0.03), blush)
        color = mix(color, rgb(0.55, 0.42, 0.2), 0.25 * dots)
        color[on_stalk(thing, p)] = rgb(0.09, 0.055, 0.03)
        gloss += 0.4
    elif thing.kind == PEAR:
        green = rgb(0.42, 0.40, 0.065) * (1 - shift) + rgb(0.52, 0.36, 0.07) * shift
        color = green * (1 + 0.4 * mottle)[:, None]
        color = mix(color, rgb(0.42, 0.12, 0.04), 0.5 * ramp(0.1, 1.0, np.cos(turn + thing.seed)))
        color = mix(color, rgb(0.16, 0.09, 0.03), 0.55 * dots)
        color[on_stalk(thing, p)] = rgb(0.08, 0.05, 0.03)
    elif thing.kind == ORANGE:
        color = rgb(0.62, 0.235, 0.03) * (1 + 0.18 * mottle)[:, None]
        color[(np.hypot(q[:, 0], q[:, 2]) < 0.09) & (q[:, 1] > 1.7)] = rgb(0.14, 0.15, 0.04)
        gloss -= 0.1
    elif thing.kind == PLUM:
        color = mix(rgb(0.055, 0.012, 0.035), rgb(0.11, 0.016, 0.035), ramp(-1.0, 1.2, mottle))
        bloom_ = ramp(-0.5, 0.7, fbm(room.noise, u * 1.1, v * 1.1, 5) + 0.3 * q[:, 1] - 0.2)
        color = mix(color, rgb(0.22, 0.22, 0.30), 0.45 * bloom_)
        gloss -= 0.3 * bloom_
    else:
        edge = q[:, 1] - 1.0 - 0.16 * fbm(room.noise, turn * 2, q[:, 1] * 0.3, 3)
        glaze = room.glaze * (1 + 0.35 * mottle)[:, None]
        clay = rgb(0.33, 0.20, 0.125) * (1 + 0.3 * mottle + 0.1 * dots)[:, None]
        color = mix(clay, glaze, ramp(-0.02, 0.02, edge))
        gloss = 0.15 + 0.95 * ramp(-0.02, 0.02, edge)
    return color.astype(np.float32), gloss, 0.0 if thing.kind == JUG else 0.35


def bumps(room: Room, thing: Thing, p: np.ndarray) -> np.ndarray:
    """Small relief of the skin, in radii."""
    if thing.kind not in (ORANGE, JUG, PEAR):
        return np.zeros(len(p), np.float32)
    q = (p - thing.at) / np.float32(thing.radius)
    scale, depth = {ORANGE: (30, 0.0024), JUG: (3, 0.003), PEAR: (6, 0.003)}[thing.kind]
    a = gradient(room.noise, (q[:, 0] + 0.37 * q[:, 1]) * scale + thing.seed, q[:, 1] * scale)
    b = gradient(room.noise, (q[:, 2] - 0.29 * q[:, 1]) * scale, (q[:, 1] + q[:, 0]) * scale * 0.7)
    return (a + b) * np.float32(depth)


def normal_of(room: Room, thing: Thing, p: np.ndarray) -> np.ndarray:
    """Surface normals of a thing, relief included."""
    step = np.float32(0.006)
    corners = [rgb(1, -1, -1), rgb(-1, -1, 1), rgb(-1, 1, -1), rgb(1, 1, 1)]
    total = np.zeros_like(p)
    for c in corners:
        at = p + c * step
        total += c * (distance(thing, at) + bumps(room, thing, at) * thing.radius)[:, None]
    return unit(total)


def surface(room: Room, p: np.ndarray) -> tuple[np.ndarray, ...]:
    """Normal, colour, gloss and softness at points on surfaces."""
    _, who = nearest(room, p)
    normal, color = np.zeros_like(p), np.zeros_like(p)
    gloss, soft = np.zeros(len(p), np.float32), np.zeros(len(p), np.float32)
    table, wall = who == -1, who == -2
    normal[table], normal[wall] = rgb(0, 1, 0), rgb(0, 0, -1)
    color[table], gloss[table] = planks(room.noise, p[table])
    color[wall] = plaster(room, p[wall])
    for n, thing in enumerate(room.things):
        on = np.flatnonzero(who == n)
        if len(on):
            normal[on] = normal_of(room, thing, p[on])
            color[on], gloss[on], soft[on] = skin(room, thing, p[on])
    return normal, color, gloss, soft


def window(room: Room, rays: np.ndarray, lamp: np.ndarray) -> np.ndarray:
    """What a glossy surface mirrors: a four-pane window and a dim room."""
    side = unit(np.cross(rgb(0, 1, 0), lamp))
    up = np.cross(lamp, side)
    ahead, u, v = (np.einsum("ij,ij->i", rays, axis) for axis in (lamp, side, up))
    front, ahead = ahead > 0, np.maximum(ahead, 1e-3)
    u, v = np.abs(u / ahead), np.abs(v / ahead)
    pane = ramp(0.30, 0.25, u) * ramp(0.40, 0.35, v) * ramp(0.015, 0.035, u) * ramp(0.01, 0.03, v)
    dim = 0.05 + 0.10 * ramp(-0.3, 1.0, rays[:, 1])
    return room.lamp_color * (9.0 * pane * front + dim)[:, None]


def shade(room: Room, p: np.ndarray, rays: np.ndarray) -> np.ndarray:
    """Radiance sent from points on surfaces to the eye."""
    normal, color, gloss, soft = surface(room, p)
    away = room.lamp - p
    reach = np.sqrt(np.einsum("ij,ij->i", away, away))
    to_lamp = away / reach[:, None]
    cosine = np.einsum("ij,ij->i", normal, to_lamp)
    lit = np.clip((cosine + soft * 0.6) / (1 + soft * 0.6), 0, 1)
    start = p + normal * np.float32(0.012)
    lit[lit > 0] *= shadow(room, start[lit > 0], to_lamp[lit > 0], reach[lit > 0])
    open_ = occlusion(room, start, normal)
    strength = 26.0 / (reach * reach)
    ambient = 0.27 * open_ * (0.7 + 0.3 * normal[:, 1])
    warm = 0.10 * open_ * np.clip(0.6 - normal[:, 1], 0, 1) * (p[:, 1] < 1.2)
    light = room.lamp_color * (2.1 * lit * strength)[:, None]
    light = light + rgb(0.75, 0.86, 1.0) * ambient[:, None] + rgb(1.0, 0.6, 0.35) * warm[:, None]
    facing = np.clip(-np.einsum("ij,ij->i", rays, normal), 0, 1)
    fresnel = (0.04 + 0.5 * (1 - facing) ** 5) * np.clip(gloss, 0, 1.2)
    bounced = rays + 2 * facing[:, None] * normal
    mirror = window(room, bounced, unit(room.lamp - p * 0.3))
    mirror *= (fresnel * np.clip(open_ * 1.2, 0, 1) * (0.15 + 0.85 * (lit > 0.05)))[:, None]
    return color * light + mirror


def look(room: Room, width: int, height: int, rows: np.ndarray) -> np.ndarray:
    """Unit rays through some pixel rows, from the room's camera."""
    ahead = unit(room.aim - room.eye)
    right = unit(np.cross(rgb(0, 1, 0), ahead))
    up = np.cross(ahead, right)
    scale = max(width, height * 1.25) * room.focal
    x = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) / scale
    y = (height / 2 - rows.astype(np.float32) - 0.5) / scale
    rays = ahead + x[None, :, None] * right + y[:, None, None] * up
    return unit(rays.astype(np.float32)).reshape(-1, 3)


def linear(width: int, height: int, seed: int, seconds: float = 0.0) -> np.ndarray:
    """Radiance picture; `seconds` moves the camera round the table."""
    room = make_room(seed, seconds)
    out = np.empty((height, width, 3), np.float32)
    for rows in bands(width, height, 30_000):
        rays = look(room, width, height, rows)
        p = room.eye + rays * trace(room, room.eye, rays)[:, None]
        out[rows] = shade(room, p, rays).reshape(len(rows), width, 3)
    return vignette(bloom(out, 0.08), 0.35)


EXPOSURE = 1.2
