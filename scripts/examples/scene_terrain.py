"""Mountains over a lake in low sun: a height field walked column by column."""

from dataclasses import dataclass

import numpy as np

from examples.light import (
    Sky,
    bloom,
    clear_sky,
    cloudy_sky,
    make_sky,
    mix,
    rgb,
    unit,
)
from examples.noise import Lattice, fbm, gradient, lattice, octave, ramp

FAR = 60.0
OCTAVES = 11


@dataclass(frozen=True)
class Land:
    """One landscape (lengths in kilometres), its sky and the camera in it."""

    noise: Lattice
    sky: Sky
    at: np.ndarray
    lake: float
    snow: float
    relief: float
    green: np.ndarray
    rock: np.ndarray
    haze: float
    focal: float
    eye: np.ndarray
    pitch: float


def make_land(seed: int, seconds: float) -> Land:
    """Draw a landscape, light and camera."""
    rng = np.random.default_rng([seed, 11])
    side = rng.choice([-1, 1])
    sky = make_sky(rng, rng.uniform(10, 20), side * rng.uniform(48, 100))
    autumn = rng.uniform(0, 1)
    return Land(
        noise=lattice(rng),
        sky=sky,
        at=rng.uniform(0, 100, 2).astype(np.float32),
        lake=0.0 if rng.uniform() < 0.8 else -9.0,
        snow=float(rng.uniform(0.75, 1.5)),
        relief=float(rng.uniform(2.9, 3.9)),
        green=rgb(0.05, 0.085, 0.028) * (1 - autumn) + rgb(0.14, 0.09, 0.028) * autumn,
        rock=rgb(0.22, 0.195, 0.175) * float(rng.uniform(0.8, 1.2)),
        haze=float(rng.uniform(0.018, 0.04)),
        focal=float(rng.uniform(1.05, 1.45)),
        eye=rgb(0.10 * seconds, rng.uniform(0.35, 0.6) + 0.012 * seconds, 0.22 * seconds),
        pitch=float(rng.uniform(-0.03, 0.02)),
    )


def elevation(land: Land, x: np.ndarray, z: np.ndarray, detail: np.ndarray | float) -> np.ndarray:
    """Height in km at points; octaves finer than `detail` km fade out."""
    px, pz = x * np.float32(0.16) + land.at[0], z * np.float32(0.16) + land.at[1]
    wx, wz = gradient(land.noise, px * 0.9, pz * 0.9), gradient(land.noise, pz * 0.8, -px * 0.8)
    px, pz = px + 0.35 * wx, pz + 0.35 * wz
    total = np.zeros(px.shape, np.float32)
    weight, gain = np.float32(1.0), np.float32(0.5)
    for k in range(OCTAVES):
        wave = np.float32(1 / (0.16 * 1.97**k))
        fade = np.clip(wave / detail * 0.5 - 0.5, 0, 1)
        if not np.any(fade):
            break
        bump = gradient(land.noise, *octave(k, px, pz))
        ridge = 1 - np.abs(bump) * 1.9
        ridge *= ridge
        total += bump * fade * (gain * (0.30 if k > 2 else 0.1))
        total += ridge * weight * fade * gain * (1.0 if k else 1.25)
        weight = np.clip(ridge * weight * 1.7, 0.10, 1) if k else np.clip(ridge * 1.35, 0.05, 1)
        gain = gain * np.float32(0.53)
    base = total - 0.52
    # a valley along the line of sight, and higher ground far away
    valley = ramp(0.2, 4.2, np.abs(x - 0.6 * np.sin(z * 0.35)) + 0.32 * np.maximum(z - 5, 0))
    return base * land.relief * (0.22 + 0.9 * valley) + 0.18 * valley - 0.16


@dataclass(frozen=True)
class Hits:
    """Points seen: plan position and height (km), the ray there and the distance."""

    x: np.ndarray
    z: np.ndarray
    y: np.ndarray
    rays: np.ndarray
    distance: np.ndarray

    def where(self, mask: np.ndarray) -> "Hits":
        """The hits under `mask`."""
        return Hits(self.x[mask], self.z[mask], self.y[mask], self.rays[mask], self.distance[mask])


class Relief:
    """Coarse map of the heights, for shadows and for how much sky a point sees."""

    def __init__(self, land: Land):
        x = np.linspace(-18, 18, 360, endpoint=False, dtype=np.float32)
        z = np.linspace(-6, 48, 540, endpoint=False, dtype=np.float32)
        gx, gz = np.broadcast_arrays(x, z[:, None])
        rows = [elevation(land, gx[k : k + 90], gz[k : k + 90], 0.06) for k in range(0, 540, 90)]
        self.height = np.maximum(np.concatenate(rows), land.lake)
        wide = self.height
        for axis in (0, 1):
            wide = sum(np.roll(wide, k, axis) for k in range(-6, 7)) / np.float32(13)
        self.hollow = wide - self.height
        self.sun = land.sky.sun

    def read(self, grid: np.ndarray, x: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Read a grid of this map, bilinearly."""
        u = np.clip((x + 18) * 10, 0, 358.99)
        v = np.clip((z + 6) * 10, 0, 538.99)
        iu, iv = u.astype(np.int64), v.astype(np.int64)
        fu, fv = u - iu.astype(np.float32), v - iv.astype(np.float32)
        flat, at = grid.ravel(), iv * 360 + iu
        a, b = flat.take(at), flat.take(at + 360)
        a += fu * (flat.take(at + 1) - a)
        b += fu * (flat.take(at + 361) - b)
        return a + fv * (b - a)

    def sunlit(self, hits: Hits) -> np.ndarray:
        """Share of the sun that reaches each point, with a penumbra."""
        clear = np.ones(hits.x.shape, np.float32)
        for s in 0.08 * 1.27 ** np.arange(20):
            ground = self.read(self.height, hits.x + self.sun[0] * s, hits.z + self.sun[2] * s)
            gap = hits.y + 0.02 + self.sun[1] * s - ground
            np.minimum(clear, 0.5 + gap / (0.03 + 0.045 * s), out=clear)
        return ramp(0.0, 1.0, clear)


def normals(land: Land, hits: Hits, pixel: float) -> np.ndarray:
    """Surface normals, from height differences over about one pixel."""
    step = np.maximum(hits.distance * np.float32(pixel * 1.2), 0.003)
    here = elevation(land, hits.x, hits.z, step)
    dx = (elevation(land, hits.x + step, hits.z, step) - here) / step
    dz = (elevation(land, hits.x, hits.z + step, step) - here) / step
    return unit(np.stack([-dx, np.ones_like(dx), -dz], -1))


def haze(land: Land, hits: Hits, color: np.ndarray) -> np.ndarray:
    """Air between the camera and the points, denser low in the valleys."""
    mean_height = np.maximum(0.5 * (hits.y + land.eye[1]), 0)
    depth = hits.distance * land.haze * (0.35 + np.exp(-mean_height * 1.6))
    rays = hits.rays.copy()
    rays[..., 1] = np.abs(rays[..., 1]) * 0.3 + 0.04
    air = clear_sky(land.sky, unit(rays)) * 0.92
    through = np.exp(-depth[..., None] * rgb(0.75, 1.0, 1.45))
    return color * through + air * (1 - through)


def shade(land: Land, relief: Relief, hits: Hits, pixel: float) -> np.ndarray:
    """Radiance of the land at the points: rock, grass, wood and snow in sun and sky light."""
    normal = normals(land, hits, pixel)
    fine = fbm(land.noise, hits.x * 9, hits.z * 9, 4, 0.6)
    grain = gradient(land.noise, hits.x * 61, hits.z * 61) * np.exp(-hits.distance * 0.15)
    trees = gradient(land.noise, hits.x * 97, hits.z * 97 + hits.y * 60)
    trees += 0.7 * gradient(land.noise, hits.x * 190 + 9, hits.z * 190 + hits.y * 110)
    trees *= np.exp(-hits.distance * np.float32(220 * pixel))
    strata = gradient(land.noise, hits.y * 7 + fine, hits.x * 0.4)
    rock = land.rock * (1 + 0.35 * fine + 0.25 * strata + 0.3 * grain)[..., None]
    green = land.green * (1.1 + 0.5 * fine + 0.7 * grain + 0.35 * trees)[..., None]
    flat = normal[..., 1]
    color = mix(rock, green, ramp(0.44, 0.66, flat + 0.22 * fine - 0.13 * (hits.y - 0.5)))
    dark = (0.45 * land.green + rgb(0.004, 0.014, 0.008)) * (1 + 0.5 * grain + 1.5 * trees)[
        ..., None
    ]
    wood = ramp(-0.05, 0.2, fine + 0.5 - hits.y * 1.0) * ramp(0.36, 0.5, flat)
    color = mix(color, dark, wood * ramp(0.01, 0.04, hits.y - land.lake))
    snow = ramp(-0.2, 0.25, hits.y - land.snow + 0.4 * fine) * ramp(0.42, 0.62, flat + 0.12 * fine)
    color = mix(color, rgb(0.86, 0.88, 0.92), snow)
    sun = np.clip(normal @ land.sky.sun, 0, 1) * relief.sunlit(hits)
    hollow = relief.read(relief.hollow, hits.x, hits.z)
    open_sky = np.clip(0.85 - 0.9 * hollow, 0.35, 1.1) * (0.55 + 0.45 * flat)
    ambient = (0.5 * land.sky.zenith + 0.22 * land.sky.horizon) * open_sky[..., None]
    bounce = 0.10 * land.sky.sun_color * np.clip(1 - flat, 0, 1)[..., None]
    light = land.sky.sun_color * (5.0 * sun)[..., None] + 1.3 * ambient + bounce
    return haze(land, hits, color * light)


def walk(land: Land, side: np.ndarray, slopes: np.ndarray, pixel: float) -> tuple[np.ndarray, ...]:
    """Walk columns from near to far; returns depth, the land under it, and the mirror's depth."""
    steps = int(np.clip(1.6 * len(slopes), 320, 1400))
    t = (0.25 * (FAR / 0.25) ** np.linspace(0, 1, steps)).astype(np.float32)
    x, z = side[:, None] * t + land.eye[0], np.broadcast_to(t + land.eye[2], (len(side), steps))
    bare = elevation(land, x, z, t * np.float32(pixel))
    bare -= (t * t * (1 + side[:, None] ** 2)) / np.float32(12742)
    height = np.maximum(bare, land.lake)
    slope = (height - land.eye[1]) / t
    depth = np.full((len(slopes), len(side)), np.inf, np.float32)
    ground, mirror = depth.copy(), depth.copy()
    for c in range(len(side)):
        top = np.maximum.accumulate(slope[c])
        j = np.searchsorted(top, slopes)
        hit = np.flatnonzero((j > 0) & (j < steps))
        k = j[hit]
        part = (slopes[hit] - slope[c, k - 1]) / (slope[c, k] - slope[c, k - 1])
        depth[hit, c] = t[k - 1] + part * (t[k] - t[k - 1])
        ground[hit, c] = bare[c, k - 1] + part * (bare[c, k] - bare[c, k - 1])
        wet = hit[ground[hit, c] < land.lake]
        if len(wet):
            rise = land.lake - np.minimum(slopes[wet], -1e-4)[:, None] * (
                t - depth[wet, c][:, None]
            )
            over = (height[c] > rise + 1e-3) & (t > depth[wet, c][:, None])
            j = np.maximum(over.argmax(1), 1)
            rows = np.arange(len(wet))
            gap0, gap1 = (rise[rows, i] - height[c, i] for i in (j - 1, j))
            part = np.clip(gap0 / np.where(gap0 > gap1, gap0 - gap1, 1), 0, 1)
            mirror[wet, c] = np.where(over.any(1), t[j - 1] + part * (t[j] - t[j - 1]), np.inf)
    return depth, ground, mirror


def _points(land: Land, side: np.ndarray, slope: np.ndarray, t: np.ndarray, y: np.ndarray) -> Hits:
    """Hits at depth `t` along the rays (side, slope, 1)."""
    rays = np.stack([side, slope, np.ones_like(side)], -1)
    length = np.sqrt(np.einsum("...i,...i->...", rays, rays))
    return Hits(side * t + land.eye[0], t + land.eye[2], y, rays / length[..., None], t * length)


def strip(
    land: Land, relief: Relief, side: np.ndarray, slopes: np.ndarray, pixel: float
) -> np.ndarray:
    """Radiance of some columns of the picture."""
    depth, ground, mirror = walk(land, side, slopes, pixel)
    s, p = np.broadcast_arrays(side, slopes[:, None])
    rays = unit(np.stack([s, p, np.ones_like(s)], -1))
    out = np.empty((*depth.shape, 3), np.float32)
    sky = np.isinf(depth)
    out[sky] = cloudy_sky(land.sky, rays[sky])
    wet = ~sky & (ground < land.lake)
    dry = ~sky & ~wet
    hits = _points(land, s[dry], p[dry], depth[dry], land.eye[1] + p[dry] * depth[dry])
    out[dry] = shade(land, relief, hits, pixel)
    if wet.any():
        out[wet] = lake(land, relief, (s[wet], p[wet], depth[wet], mirror[wet]), pixel)
    return out


def lake(land: Land, relief: Relief, seen: tuple[np.ndarray, ...], pixel: float) -> np.ndarray:
    """Radiance of the lake: the mirrored land and sky under a breath of wind, by Fresnel."""
    s, p, t, mirrored = seen
    hits = _points(land, s, p, t, np.full(s.shape, land.lake, np.float32))
    wind = ramp(-0.1, 0.5, fbm(land.noise, hits.x * 0.9, hits.z * 2.2, 3))
    near = np.exp(-t * 0.35)
    wave = fbm(land.noise, hits.x * 40, hits.z * 55, 3, 0.6) * (0.02 + 0.10 * wind) * near
    up = np.abs(-p + 0.5 * wave) + 0.05 * wind
    rays = unit(np.stack([s, up, np.ones_like(s)], -1))
    color = cloudy_sky(land.sky, rays, 4)
    on = np.isfinite(mirrored)
    if on.any():
        y = land.lake - p[on] * (mirrored[on] - t[on])
        seen_land = _points(land, s[on], np.abs(p[on]), mirrored[on] * (1 + 0.04 * wave[on]), y)
        color[on] = mix(shade(land, relief, seen_land, pixel * 2), color[on], 0.35 * wind[on])
    facing = np.clip(-hits.rays[..., 1], 0, 1)
    fresnel = 0.03 + 0.97 * (1 - facing) ** 5
    body = rgb(0.012, 0.035, 0.045) * (0.4 + land.sky.horizon)
    return haze(land, hits, mix(np.broadcast_to(body, color.shape), color, fresnel))


def linear(width: int, height: int, seed: int, seconds: float = 0.0) -> np.ndarray:
    """Radiance picture; `seconds` moves the camera forward."""
    land = make_land(seed, seconds)
    relief = Relief(land)
    pixel = 1.0 / (land.focal * width)
    side = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) * np.float32(pixel)
    slopes = (height / 2 - np.arange(height, dtype=np.float32) - 0.5) * np.float32(pixel)
    slopes += np.float32(land.pitch)
    step = max(8, 60_000 // height)
    strips = [strip(land, relief, side[c : c + step], slopes, pixel) for c in range(0, width, step)]
    return bloom(np.concatenate(strips, 1), 0.06)


EXPOSURE = 1.25
