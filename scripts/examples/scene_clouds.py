"""Above a sea of cloud in low sun: rays marched through a lit volume."""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import grid_sample

from examples.light import Sky, bands, bloom, camera_rays, cloudy_sky, make_sky, rgb, sun_disc, unit
from examples.noise import cloudy, ramp, smooth

TILE = 13.0  # km, side of the periodic volume
TOP = 2.6  # km, height of the volume
GRID = (52, 256, 256)  # y, z, x
DETAIL = 1.3  # km, side of the periodic detail
EXTINCTION = 22.0  # per km in the densest cloud
EDGE = (0.0, 0.20)  # where the field's cloud begins and is dense
FRAY = 0.34  # how far the fine detail moves that edge


@dataclass(frozen=True)
class Weather:
    """A lit cloud volume (body, optical depth to the sun), fine detail, a sky, a camera."""

    volume: torch.Tensor
    detail: torch.Tensor
    sky: Sky
    eye: np.ndarray
    focal: float
    pitch: float


def _body(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Field that is positive inside cloud, on the grid, and the height of the tops, 0 … 1."""
    ny, nz, nx = GRID
    swell = cloudy(rng, (nz, nx), (4, 4), 4)
    swell = swell / swell.std()
    roof = np.clip(0.36 + float(rng.uniform(0.10, 0.17)) * swell, 0.02, 0.84)
    puffs = np.abs(cloudy(rng, GRID, (3, 14, 14), 1)) * 0.8
    puffs += np.abs(cloudy(rng, GRID, (6, 30, 30), 2)) * 0.5
    puffs = 0.8 - puffs
    y = np.linspace(0, 1, ny, dtype=np.float32)[:, None, None]
    shape = (roof - y) * 3.6 + 0.62 * puffs
    shape = shape - 2.0 * ramp(0.08, 0.0, y) - 2.0 * ramp(0.9, 1.0, y)
    return shape.astype(np.float32), roof


def _fray(rng: np.random.Generator) -> np.ndarray:
    """Fine billows, periodic, about -1 … 1."""
    total = np.zeros((64, 64, 64), np.float32)
    for k, cells in enumerate((5, 11, 23)):
        total += (0.75 - np.abs(smooth(rng, total.shape, (cells,) * 3))) * np.float32(0.6**k)
    return total * np.float32(0.6)


def _viewpoint(rng: np.random.Generator, roof: np.ndarray) -> np.ndarray:
    """A place over a dip in the cloud, with higher cloud ahead."""
    places = rng.uniform(0, 1, (40, 2))
    cell = TILE / roof.shape[0]

    def top(place: np.ndarray, near: float, far: float) -> float:
        z = np.arange(near, far, 0.15)[:, None]
        x = z * np.linspace(-0.5, 0.5, 9)
        iz = (place[0] * TILE + z) / cell % roof.shape[0]
        ix = (place[1] * TILE + x) / cell % roof.shape[1]
        return float(roof[np.broadcast_to(iz, x.shape).astype(int), ix.astype(int)].max())

    best = max(places, key=lambda p: top(p, 2.0, 5.0) - 2.0 * top(p, 0.0, 1.4))
    height = TOP * (0.5 * (top(best, 0.0, 1.4) + top(best, 2.0, 5.0))) + 0.25
    return rgb(best[1] * TILE, min(height, 2.4), best[0] * TILE)


def _depth_to_sun(density: np.ndarray, sun: np.ndarray) -> np.ndarray:
    """Optical depth from every voxel to the sun, swept down layer by layer."""
    ny, nz, nx = GRID
    rise = TOP / ny
    up = max(float(sun[1]), 0.16)
    parts = 4
    move = np.array([sun[2], sun[0]]) * rise / up / (TILE / nx) / parts
    add = np.float32(rise / up / parts * EXTINCTION * 0.5)
    fz, fx = np.fft.fftfreq(nz)[:, None], np.fft.rfftfreq(nx)
    turn = np.exp(2j * np.pi * (fz * move[0] + fx * move[1]) - (fz**2 + fx**2) * 6.0)
    waves = np.fft.rfft2(density, axes=(1, 2))
    carried = np.zeros_like(waves[0])
    for layer in range(ny - 1, -1, -1):
        here = waves[layer] * add
        for _ in range(parts):
            carried = (carried + here) * turn + here
        waves[layer] = carried
    depth = np.fft.irfft2(waves, s=(nz, nx), axes=(1, 2))
    return np.maximum(depth, 0).astype(np.float32)


def make_weather(seed: int, seconds: float) -> Weather:
    """Draw the cloud, the light and the camera."""
    rng = np.random.default_rng([seed, 23])
    side = rng.choice([-1, 1])
    sky = make_sky(rng, rng.uniform(8, 20), side * rng.uniform(15, 75))
    body, roof = _body(rng)
    depth = _depth_to_sun(ramp(EDGE[0], EDGE[1], body), sky.sun)
    volume = np.stack([body, depth])
    volume = np.pad(volume, ((0, 0), (0, 0), (0, 1), (0, 1)), mode="wrap")
    detail = np.pad(_fray(rng), (0, 1), mode="wrap")
    return Weather(
        volume=torch.from_numpy(volume)[None],
        detail=torch.from_numpy(detail)[None, None],
        sky=sky,
        eye=_viewpoint(rng, roof) + rgb(0, 0, 0.4 * seconds),
        focal=float(rng.uniform(0.8, 1.1)),
        pitch=float(rng.uniform(-0.10, -0.03)),
    )


def _read(grid: torch.Tensor, points: np.ndarray, side: float, top: float) -> np.ndarray:
    """Read a volume at points in km, periodic in x and z (and in y where `top` is `side`)."""
    place = np.empty_like(points)
    place[:, 0] = points[:, 0] / side % 1.0
    place[:, 1] = points[:, 2] / side % 1.0
    place[:, 2] = points[:, 1] / top % 1.0 if top == side else points[:, 1] / top
    place = place * 2 - 1
    at = torch.from_numpy(place).view(1, 1, 1, -1, 3)
    read = grid_sample(grid, at, mode="bilinear", padding_mode="border", align_corners=True)
    return read[0, :, 0, 0].numpy()


def _phase(cosine: np.ndarray) -> np.ndarray:
    """Henyey-Greenstein, a forward and a backward lobe."""
    out = np.zeros_like(cosine)
    for g, share in ((0.72, 0.55), (-0.12, 0.45)):
        out += share * (1 - g * g) / (1 + g * g - 2 * g * cosine) ** 1.5
    return out


def _scatter(sky: Sky, depth: np.ndarray, height: np.ndarray, phase: np.ndarray) -> np.ndarray:
    """Light sent to the eye by cloud with `depth` towards the sun, at `height` 0 … 1."""
    direct = np.exp(-depth) * phase
    several = 0.50 * np.exp(-0.30 * depth) * (0.5 + 0.5 * phase) + 0.10 * np.exp(-0.06 * depth)
    ambient = (0.85 * sky.zenith + 0.10 * sky.horizon) * (0.35 + 0.9 * height)[:, None]
    return sky.sun_color * (1.9 * (direct + several))[:, None] + ambient


def march(weather: Weather, rays: np.ndarray, jitter: np.ndarray) -> np.ndarray:
    """Radiance along a flat list of rays through cloud and air to the sky behind."""
    sky = weather.sky
    phase = _phase(rays @ sky.sun)
    color = np.zeros_like(rays)
    through = np.ones(len(rays), np.float32)
    air = cloudy_sky(
        sky, unit(np.abs(rays) * rgb(1, 0.25, 1) * np.sign(rays + 1e-9) + rgb(0, 0.03, 0))
    )
    t = np.maximum(
        0.4, (TOP - weather.eye[1]) / np.minimum(rays[:, 1], -1e-6) * (weather.eye[1] > TOP)
    )
    t = (t * (1 + 0.03 * jitter)).astype(np.float32)
    live = np.arange(len(rays))
    for _ in range(300):
        tl = t[live]
        step = 0.014 + 0.0155 * tl
        points = weather.eye + rays[live] * tl[:, None]
        points[:, 1] += tl * tl / np.float32(12742)
        body, depth = _read(weather.volume, points, TILE, TOP)
        cloud = np.flatnonzero(body > EDGE[0] - FRAY)
        if len(cloud):
            who = live[cloud]
            fine = _read(weather.detail, points[cloud], DETAIL, DETAIL)[0]
            finer = _read(weather.detail, points[cloud] * 4.1 + 0.3, DETAIL, DETAIL)[0]
            fine += 0.42 * finer * np.exp(-0.12 * tl[cloud])
            d = ramp(EDGE[0], EDGE[1], body[cloud] + FRAY * np.clip(fine, -1, 1))
            alpha = 1 - np.exp(-EXTINCTION * d * step[cloud])
            light = _scatter(
                sky, depth[cloud] + np.clip(0.9 * fine, 0, 1), points[cloud, 1] / TOP, phase[who]
            )
            fog = np.exp(-tl[cloud] * 0.03)[:, None]
            light = light * fog + air[who] * (1 - fog)
            color[who] += light * (alpha * through[who])[:, None]
            through[who] *= 1 - alpha
        t[live] = tl + step * np.where(body > EDGE[0] - FRAY, 1.0, 1.8).astype(np.float32)
        y = points[:, 1]
        rising = rays[live, 1] > 0
        live = live[(through[live] > 0.02) & (tl < 70) & (y > 0) & ~((y > TOP) & rising)]
        if not len(live):
            break
    behind = cloudy_sky(sky, rays)
    below = rays[:, 1] < 0
    behind[below] = 0.35 * air[below] + 0.45 * sky.zenith
    behind[~below] += sun_disc(sky, rays[~below])
    return color + behind * through[:, None]


def linear(width: int, height: int, seed: int, seconds: float = 0.0) -> np.ndarray:
    """Radiance picture; `seconds` flies the camera forward."""
    weather = make_weather(seed, seconds)
    out = np.empty((height, width, 3), np.float32)
    for rows in bands(width, height, 40_000):
        rays = camera_rays(width, rows, height, weather.focal, weather.pitch)
        x, y = np.arange(width, dtype=np.float32), rows[:, None].astype(np.float32)
        jitter = (52.9829189 * ((0.06711056 * x + 0.00583715 * y) % 1.0)) % 1.0
        color = march(weather, rays.reshape(-1, 3), jitter.ravel().astype(np.float32))
        out[rows] = color.reshape(len(rows), width, 3)
    return bloom(out, 0.10)


EXPOSURE = 1.0
