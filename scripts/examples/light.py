"""Light: the sky and its sun, haze, the lens and the film curve."""

from dataclasses import dataclass

import numpy as np

from examples.noise import Lattice, fbm, lattice, ramp


def rgb(*value: float) -> np.ndarray:
    """A colour, linear light."""
    return np.array(value, np.float32)


def mix(a: np.ndarray, b: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Blend colours `a` and `b` by the map `t`, which lacks the colour axis."""
    return a + (b - a) * t[..., None]


def unit(v: np.ndarray) -> np.ndarray:
    """Vectors brought to length one."""
    return v / np.sqrt(np.einsum("...i,...i->...", v, v) + 1e-12)[..., None]


@dataclass(frozen=True)
class Sky:
    """A clear sky with a sun and a thin layer of cloud; directions are x right, y up, z ahead."""

    sun: np.ndarray
    sun_color: np.ndarray
    zenith: np.ndarray
    horizon: np.ndarray
    glow: np.ndarray
    clouds: Lattice
    cover: float
    drift: np.ndarray


def make_sky(rng: np.random.Generator, elevation_deg: float, azimuth_deg: float) -> Sky:
    """A sky for a sun at that height above the horizon and that angle right of straight ahead."""
    e, a = np.radians(elevation_deg), np.radians(azimuth_deg)
    sun = rgb(np.cos(e) * np.sin(a), np.sin(e), np.cos(e) * np.cos(a))
    low = np.float32(np.clip(1 - elevation_deg / 28, 0, 1))
    tint = rng.uniform(-1, 1)
    warm = rgb(1.0, 0.50 + 0.06 * tint, 0.24 - 0.05 * tint)
    return Sky(
        sun=sun,
        sun_color=rgb(1.0, 0.9, 0.76) * (1 - low) + warm * low,
        zenith=rgb(0.07, 0.19, 0.50) * (1 - low) + rgb(0.055, 0.13, 0.34 + 0.04 * tint) * low,
        horizon=rgb(0.46, 0.62, 0.85) * (1 - low) + rgb(0.98, 0.52, 0.27 + 0.09 * tint) * low,
        glow=warm,
        clouds=lattice(rng),
        cover=float(rng.uniform(-0.08, 0.22)),
        drift=rng.uniform(0, 60, 2).astype(np.float32),
    )


def clear_sky(sky: Sky, rays: np.ndarray) -> np.ndarray:
    """Radiance of the cloudless sky along unit `rays`."""
    up = np.clip(rays[..., 1], 0, 1)
    facing = np.clip(rays @ sky.sun, 0, 1)
    fall = np.exp(-up * 5.5)
    away = (0.45 + 0.55 * facing)[..., None]
    horizon = sky.horizon * away + rgb(0.25, 0.36, 0.54) * (1 - away)
    color = mix(sky.zenith, horizon, fall)
    halo = 0.30 * facing**6 * np.exp(-up * 3.0) + 0.55 * facing**48 + 1.2 * facing**600
    return color + sky.glow * halo[..., None]


def cloudy_sky(sky: Sky, rays: np.ndarray, octaves: int = 6) -> np.ndarray:
    """Radiance of the sky with its sheet of cloud, lit from the side of the sun."""
    color = clear_sky(sky, rays)
    up = np.maximum(rays[..., 1], 0.015)
    x = rays[..., 0] / (up + 0.09) * 0.75 + sky.drift[0]
    z = rays[..., 2] / (up + 0.09) * 1.25 + sky.drift[1]
    wx = 0.5 * fbm(sky.clouds, z * 0.7, x * 0.7, 2)
    shape = fbm(sky.clouds, x + wx, z - wx, octaves, 0.54)
    toward = sky.sun / (sky.sun[1] + 0.35)
    lit = fbm(sky.clouds, x + wx + 0.22 * toward[0], z - wx + 0.22 * toward[2], 3, 0.54)
    cover = ramp(0.02 - sky.cover, 0.62 - sky.cover, shape) * ramp(0.0, 0.16, rays[..., 1])
    facing = np.clip(rays @ sky.sun, 0, 1)
    light = np.clip(0.72 - 0.85 * (lit + 0.4 * shape), 0.12, 1.2) * (0.75 + 0.8 * facing**3)
    cloud = sky.glow * (light * 0.95)[..., None] + sky.zenith * 0.75 + sky.horizon * 0.16
    return mix(color, cloud, 0.85 * cover)


def sun_disc(sky: Sky, rays: np.ndarray, radius_deg: float = 0.55) -> np.ndarray:
    """Radiance of the disc of the sun itself, with a soft rim."""
    angle = np.degrees(np.arccos(np.clip(rays @ sky.sun, -1, 1)))
    return sky.sun_color * (14.0 * ramp(radius_deg * 1.25, radius_deg * 0.75, angle))[..., None]


def camera_rays(
    width: int, rows: np.ndarray, height: int, focal: float, pitch: float
) -> np.ndarray:
    """Unit rays of a level camera for some pixel `rows`; `focal` in picture widths."""
    x = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) / (focal * width)
    y = (height / 2 - rows.astype(np.float32) - 0.5) / (focal * width) + np.float32(pitch)
    shape = (len(rows), width)
    out = np.stack(
        [np.broadcast_to(x, shape), np.broadcast_to(y[:, None], shape), np.ones(shape, np.float32)],
        axis=-1,
    )
    return unit(out)


def bands(width: int, height: int, samples: int = 60_000) -> list[np.ndarray]:
    """Row numbers in bands small enough to stay in the cache of a core."""
    step = max(1, samples // width)
    return [np.arange(top, min(top + step, height)) for top in range(0, height, step)]


def blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur with mirrored edges, by separable sums; `sigma` in pixels."""
    if sigma < 0.2:
        return image
    radius = int(np.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2).astype(np.float32)
    kernel /= kernel.sum()
    for axis in (0, 1):
        pad = [(0, 0)] * image.ndim
        pad[axis] = (radius, radius)
        wide = np.pad(image, pad, mode="symmetric")
        n = image.shape[axis]
        image = sum(
            w * np.take(wide, range(k, k + n), axis=axis) if axis else w * wide[k : k + n]
            for k, w in enumerate(kernel)
        )
    return image


def shrink(image: np.ndarray, times: int) -> np.ndarray:
    """Mean over `times` × `times` blocks."""
    h, w = image.shape[0] // times, image.shape[1] // times
    return image[: h * times, : w * times].reshape(h, times, w, times, -1).mean((1, 3))


def enlarge(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bilinear enlargement."""
    y = np.clip((np.arange(height) + 0.5) * image.shape[0] / height - 0.5, 0, image.shape[0] - 1)
    x = np.clip((np.arange(width) + 0.5) * image.shape[1] / width - 0.5, 0, image.shape[1] - 1)
    iy, ix = y.astype(int), x.astype(int)
    jy, jx = np.minimum(iy + 1, image.shape[0] - 1), np.minimum(ix + 1, image.shape[1] - 1)
    fy, fx = (y - iy).astype(np.float32)[:, None, None], (x - ix).astype(np.float32)[:, None]
    rows = image[iy] * (1 - fy) + image[jy] * fy
    return rows[:, ix] * (1 - fx) + rows[:, jx] * fx


def bloom(image: np.ndarray, amount: float) -> np.ndarray:
    """Let a little of the light of bright places spill, as in a lens."""
    height, width = image.shape[:2]
    times = max(1, width // 160)
    small = shrink(np.minimum(image, 8.0), times)
    glow = 0.6 * blur(small, 1.5) + 0.4 * blur(small, 6.0)
    return image * (1 - amount) + enlarge(glow, height, width) * np.float32(amount)


def develop(image: np.ndarray, exposure: float, contrast: float = 0.35) -> np.ndarray:
    """Film curve: soft shoulder, a little S-shape, sRGB; returns floats in 0 … 1."""
    x = np.maximum(image * np.float32(exposure), 0)
    x = x * (1 + x / 18.0) / (1 + 0.75 * x)
    x = np.clip(x, 0, 1)
    y = np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** np.float32(1 / 2.4) - 0.055)
    y += np.float32(contrast) * (y * y * (3 - 2 * y) - y)
    grey = (y @ rgb(0.30, 0.59, 0.11))[..., None]
    return grey + np.float32(1.2) * (y - grey)


def vignette(image: np.ndarray, amount: float) -> np.ndarray:
    """Darken the corners by `amount`."""
    height, width = image.shape[:2]
    y = ((np.arange(height) + 0.5) / height - 0.5)[:, None]
    x = (np.arange(width) + 0.5) / width - 0.5
    return image * (1 - amount * 2 * (x * x + y * y)).astype(np.float32)[..., None]
