"""The sea towards a low sun: a wave spectrum in three tiles, filtered for each distance."""

from dataclasses import dataclass, replace

import numpy as np

from examples.light import Sky, bloom, camera_rays, cloudy_sky, make_sky, mix, rgb, sun_disc, unit
from examples.noise import Lattice, fbm, lattice, ramp, sample

SIDE = 256
TILES = (311.0, 73.0, 17.0)  # metres
GRAVITY = 9.81


@dataclass(frozen=True)
class Sea:
    """Wave amplitudes per tile at one moment, the sky, the coast, a boat and the camera."""

    waves: tuple[np.ndarray, ...]
    sky: Sky
    coast: Lattice
    coast_at: np.ndarray
    coast_height: float
    boat: np.ndarray
    eye: float
    focal: float
    pitch: float
    body: np.ndarray


def _numbers(size: float) -> tuple[np.ndarray, np.ndarray]:
    """Wave numbers (radians per metre) of a tile, across and ahead."""
    k = 2 * np.pi / size
    return np.fft.rfftfreq(SIDE, 1 / SIDE) * k, np.fft.fftfreq(SIDE, 1 / SIDE)[:, None] * k


def _waves(rng: np.random.Generator, n: int, wind: np.ndarray, seconds: float) -> np.ndarray:
    """Complex amplitudes of tile `n`: a wind sea, each wave moving at its own speed."""
    kx, kz = _numbers(TILES[n])
    k = np.hypot(kx, kz)
    k[0, 0] = 1.0
    speed = np.hypot(*wind)
    longest = speed**2 / GRAVITY
    along = (kx * wind[0] + kz * wind[1]) / (k * speed)
    power = np.exp(-1 / (k * longest) ** 2) / k**4 * (0.25 + 0.75 * along**2)
    low = 2 * np.pi / TILES[n] * 3.0 if n else 0.0
    high = 2 * np.pi / TILES[n + 1] * 3.0 if n + 1 < len(TILES) else 1e9
    power *= (k >= low) & (k < high) & (k < 60)
    power[0, 0] = 0.0
    size = np.sqrt(0.0062 * power) * 2 * np.pi / TILES[n] * SIDE * SIDE
    phase = rng.uniform(0, 2 * np.pi, k.shape) + np.sqrt(GRAVITY * k) * seconds * np.sign(along)
    return (size * np.exp(1j * phase)).astype(np.complex64)


def make_sea(seed: int, seconds: float) -> Sea:
    """Draw the weather, the coast and the camera."""
    rng = np.random.default_rng([seed, 37])
    azimuth = rng.uniform(-16, 16)
    sky = make_sky(rng, rng.uniform(2.5, 8.0), azimuth)
    sky = replace(sky, cover=float(rng.uniform(0.12, 0.36)))
    turn, speed = rng.uniform(-0.9, 0.9), rng.uniform(3.2, 5.5)
    wind = np.array([np.sin(turn), -np.cos(turn)]) * speed
    return Sea(
        waves=tuple(_waves(rng, n, wind, seconds) for n in range(len(TILES))),
        sky=sky,
        coast=lattice(rng),
        coast_at=rng.uniform(0, 90, 2).astype(np.float32),
        coast_height=float(rng.uniform(0.03, 0.075)),
        boat=np.array([np.radians(-azimuth * 0.4 + rng.choice([-11, 11])), 320.0, 1.0]),
        eye=float(rng.uniform(2.4, 5.0)),
        focal=float(rng.uniform(0.9, 1.2)),
        pitch=float(rng.uniform(-0.09, -0.02)),
        body=rgb(0.004, 0.030, 0.042) * float(rng.uniform(0.7, 1.5)),
    )


def coast(sea: Sea, rays: np.ndarray, color: np.ndarray) -> np.ndarray:
    """Put headlands in front of the sky, the farther the hazier."""
    angle = rays[..., 0] / rays[..., 2]
    up = rays[..., 1] / rays[..., 2]
    for n, (near, size) in enumerate(((0.12, 1.0), (0.36, 0.8), (0.62, 0.55))):
        at = angle * (2.2 - 0.4 * n) + sea.coast_at[0] + 13 * n
        line = fbm(sea.coast, at, np.full_like(at, sea.coast_at[1]), 8, 0.47)
        line = (line + 0.02 - 0.1 * n + 0.35 * np.abs(angle)) * sea.coast_height * size
        land = rgb(0.020, 0.022, 0.026) * (1 + 0.6 * near)
        haze = (0.30 * sea.sky.horizon + 0.18 * sea.sky.zenith) * (1.25 - near)
        tint = land * near + haze * (1 - near)
        glow = np.clip(rays @ sea.sky.sun, 0, 1) ** 24 * (0.9 - near)
        tinted = tint + sea.sky.glow * (0.35 * glow)[..., None]
        order = ramp(-0.0006, 0.0006, line - up)
        color = mix(color, tinted, order * (line > 0)) if n else mix(color, tinted, order)
    return color


def sails(sea: Sea, rays: np.ndarray, color: np.ndarray, lift: float) -> np.ndarray:
    """Put a small sailing boat against the light; `lift` is the height of its water line."""
    x = (rays[..., 0] / rays[..., 2] - np.tan(sea.boat[0])) * sea.boat[1]
    y = (rays[..., 1] / rays[..., 2] + lift) * sea.boat[1]
    edge = 0.12
    main = np.minimum((x + 0.3) / 1.0, (13.5 - y) * 0.42 - 0.015 * (y - 7) ** 2 + 0.6 - x)
    main = np.minimum(main, y - 2.0)
    jib = np.minimum(-0.6 - x, (11.5 - y) * 0.40 - (-x - 0.6))
    jib = np.minimum(jib, y - 1.6)
    hull = np.minimum(1.3 - y, 5.6 - np.abs(x + 0.2) - 0.9 * (1.3 - y))
    hull = np.minimum(hull, y + 0.3)
    cloth = ramp(-edge, edge, np.maximum(main, jib))
    color = mix(color, 0.22 * sea.sky.sun_color + 0.05 * sea.sky.horizon, 0.93 * cloth)
    return mix(color, np.broadcast_to(rgb(0.02, 0.02, 0.025), color.shape), ramp(-edge, edge, hull))


def world(sea: Sea, rays: np.ndarray, octaves: int = 6) -> np.ndarray:
    """Radiance of all that stands above the water line."""
    return coast(sea, rays, cloudy_sky(sea.sky, rays, octaves))


def slopes(sea: Sea, x: np.ndarray, z: np.ndarray, blur: np.ndarray) -> tuple[np.ndarray, ...]:
    """Mean slopes over pixels of `blur` (across, ahead) metres, and what variance that lost."""
    sx, sz = np.zeros_like(x), np.zeros_like(z)
    lost = np.zeros(2)
    for n, size in enumerate(TILES):
        kx, kz = _numbers(size)
        keep = np.exp(-0.5 * ((kx * blur[0]) ** 2 + (kz * blur[1]) ** 2)).astype(np.float32)
        double = np.full(kx.shape, 2.0)
        double[0] = 1.0
        power = np.abs(sea.waves[n]) ** 2 * (1 - keep**2) * double / SIDE**4
        lost += [float((power * kx**2).sum()), float((power * kz**2).sum())]
        if keep[0, 1] * keep[1, 0] < 1e-4 or keep[1, 0] < 1e-3:
            continue
        at = x / np.float32(size), z / np.float32(size)
        across, ahead = (
            np.fft.irfft2(1j * k * sea.waves[n] * keep, s=(SIDE, SIDE)) for k in (kx, kz)
        )
        sx += sample(across.astype(np.float32), *at)
        sz += sample(ahead.astype(np.float32), *at)
    return sx, sz, lost + 0.0004


def glitter(
    sea: Sea, rays: np.ndarray, mean: tuple[np.ndarray, ...], var: np.ndarray
) -> np.ndarray:
    """Sun mirrored by waves too small to see, with Gaussian slopes of that mean and variance."""
    half = unit(sea.sky.sun - rays)
    nx, nz = -half[..., 0] / half[..., 1], -half[..., 2] / half[..., 1]
    off = (nx - mean[0]) ** 2 / var[0] + (nz - mean[1]) ** 2 / var[1]
    density = np.exp(-0.5 * off) / (2 * np.pi * np.sqrt(var[0] * var[1]))
    facing = np.clip(-np.einsum("...i,...i->...", rays, half), 0, 1)
    fresnel = 0.02 + 0.98 * (1 - facing) ** 5
    view = np.maximum(-rays[..., 1], 0.05)
    return np.minimum(0.022 * fresnel * density / (view * half[..., 1] ** 4), 14.0)


def water(sea: Sea, rays: np.ndarray, pixel: float) -> np.ndarray:
    """Radiance of the sea along a band of rays below the horizon."""
    t = sea.eye / np.maximum(-rays[..., 1], 1e-4)
    middle = float(np.median(t))
    across = middle * pixel * 0.6
    blur = np.array([across, across * max(1.0, middle / sea.eye)])
    sx, sz, lost = slopes(sea, rays[..., 0] * t, rays[..., 2] * t, blur)
    normal = unit(np.stack([-sx, np.ones_like(sx), -sz], -1))
    facing = np.clip(-np.einsum("...i,...i->...", rays, normal), 0.0, 1)
    bounced = rays + 2 * facing[..., None] * normal
    bounced[..., 1] = np.abs(bounced[..., 1]) + np.float32(0.9 * np.sqrt(lost[1]))
    fresnel = 0.02 + 0.98 * (1 - facing) ** 5 / (1 + 9.0 * np.sqrt(lost[1]))
    mirror = world(sea, unit(bounced), 4)
    lift = np.clip(sz * -6 + 0.5, 0, 1.6)
    deep = sea.body * (1 + 1.6 * lift[..., None]) * (0.35 + sea.sky.horizon)
    color = mix(deep, mirror, fresnel)
    color += sea.sky.sun_color * glitter(sea, rays, (sx, sz), lost)[..., None]
    return mix(
        color,
        world(sea, unit(np.abs(rays) * rgb(1, 0, 1) * np.sign(rays + 1e-9) + rgb(0, 0.02, 0)), 2),
        0.55 * (1 - np.exp(-t / 9000)),
    )


def linear(width: int, height: int, seed: int, seconds: float = 0.0) -> np.ndarray:
    """Radiance picture; `seconds` moves the waves."""
    sea = make_sea(seed, seconds)
    pixel = 1.0 / (sea.focal * width)
    line = height / 2 + sea.pitch * sea.focal * width - 0.5
    out = np.empty((height, width, 3), np.float32)
    edge = int(np.clip(np.ceil(line), 0, height))
    for top in range(0, edge, max(1, 60_000 // width)):
        rows = np.arange(top, min(edge, top + max(1, 60_000 // width)))
        rays = camera_rays(width, rows, height, sea.focal, sea.pitch)
        out[rows] = world(sea, rays) + sun_disc(sea.sky, rays)
    top, step = edge, 1.0
    while top < height:
        rows = np.arange(top, min(height, top + max(1, min(int(step), 90_000 // width))))
        out[rows] = water(sea, camera_rays(width, rows, height, sea.focal, sea.pitch), pixel)
        top, step = rows[-1] + 1, (rows[-1] + 2 - line) * 0.22
    rows = np.arange(max(0, edge - height // 8), min(height, edge + height // 20))
    rays = camera_rays(width, rows, height, sea.focal, sea.pitch)
    out[rows] = sails(sea, rays, out[rows], sea.eye / sea.boat[1])
    return bloom(out, 0.12)


EXPOSURE = 0.85
