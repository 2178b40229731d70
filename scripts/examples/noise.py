"""Seeded noise: gradient noise at any points, and smooth random grids and volumes."""

from dataclasses import dataclass

import numpy as np

SIDE = 128


@dataclass(frozen=True)
class Lattice:
    """Random unit gradients on a periodic SIDE × SIDE lattice, flattened."""

    gx: np.ndarray
    gy: np.ndarray


def lattice(rng: np.random.Generator) -> Lattice:
    """Draw one lattice of gradients."""
    angle = rng.uniform(0.0, 2.0 * np.pi, SIDE * SIDE)
    return Lattice(np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32))


def _corners(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the place inside the cell and the flat indices of its four corners."""
    xf, yf = np.floor(x), np.floor(y)
    ix, iy = xf.astype(np.int64) & (SIDE - 1), yf.astype(np.int64) & (SIDE - 1)
    jx, jy = (ix + 1) & (SIDE - 1), ((iy + 1) & (SIDE - 1)) * SIDE
    iy *= SIDE
    return x - xf, y - yf, iy + ix, iy + jx, jy + ix, jy + jx


def gradient(lat: Lattice, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Gradient noise at points, about -0.7 … 0.7 with cells of side 1."""
    fx, fy, i00, i10, i01, i11 = _corners(x, y)
    gx, gy = lat.gx, lat.gy
    u = fx * fx * fx * (fx * (fx * 6 - 15) + 10)
    v = fy * fy * fy * (fy * (fy * 6 - 15) + 10)
    a = gx.take(i00) * fx + gy.take(i00) * fy
    b = gx.take(i10) * (fx - 1) + gy.take(i10) * fy
    c = gx.take(i01) * fx + gy.take(i01) * (fy - 1)
    d = gx.take(i11) * (fx - 1) + gy.take(i11) * (fy - 1)
    a += u * (b - a)
    c += u * (d - c)
    return a + v * (c - a)


def octave(k: int, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points turned, scaled and shifted for octave `k`, so that lattices never line up."""
    turn, scale = 0.65 * k, 1.97**k
    c, s = np.float32(np.cos(turn) * scale), np.float32(np.sin(turn) * scale)
    return c * x - s * y + np.float32(17.3 * k), s * x + c * y + np.float32(5.7 * k)


def fbm(
    lat: Lattice, x: np.ndarray, y: np.ndarray, octaves: int, gain: float = 0.5, first: int = 0
) -> np.ndarray:
    """Sum `octaves` of gradient noise, each `gain` times the last; about -1 … 1."""
    total = np.zeros(np.broadcast(x, y).shape, np.float32)
    weight = 1.0
    for k in range(first, first + octaves):
        total += np.float32(weight) * gradient(lat, *octave(k, x, y))
        weight *= gain
    return total


def _spline(points: int, cells: int) -> np.ndarray:
    """Matrix that reads `points` places off a periodic cubic B-spline with `cells` knots."""
    at = np.arange(points, dtype=np.float32) * (cells / points)
    base, f = np.floor(at).astype(int), at - np.floor(at)
    weights = [
        (1 - f) ** 3 / 6,
        (3 * f**3 - 6 * f**2 + 4) / 6,
        (-3 * f**3 + 3 * f**2 + 3 * f + 1) / 6,
        f**3 / 6,
    ]
    matrix = np.zeros((points, cells), np.float32)
    for k, weight in enumerate(weights):
        np.add.at(matrix, (np.arange(points), (base + k - 1) % cells), weight)
    return matrix


def smooth(rng: np.random.Generator, shape: tuple[int, ...], cells: tuple[int, ...]) -> np.ndarray:
    """Periodic smooth random grid with `cells` bumps per axis, about unit variance."""
    grid = rng.standard_normal(cells).astype(np.float32)
    for points, count in zip(shape, cells, strict=True):
        grid = np.tensordot(grid, _spline(points, count), axes=(0, 1))
    return grid * np.float32(1.6 ** len(shape) * 0.92)


def cloudy(
    rng: np.random.Generator, shape: tuple[int, ...], cells: tuple[int, ...], octaves: int
) -> np.ndarray:
    """Periodic fractal grid: `octaves` of smooth grids, each with twice the bumps."""
    total = np.zeros(shape, np.float32)
    for k in range(octaves):
        count = tuple(min(c * 2**k, n) for c, n in zip(cells, shape, strict=True))
        total += smooth(rng, shape, count) * np.float32(0.5**k)
    return total


def sample(grid: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Read a periodic 2-D grid between its points; `x` and `y` in periods."""
    h, w = grid.shape
    x, y = x * w, y * h
    xf, yf = np.floor(x), np.floor(y)
    fx, fy = x - xf, y - yf
    ix, iy = xf.astype(np.int64) % w, yf.astype(np.int64) % h
    jx, jy = (ix + 1) % w, (iy + 1) % h * w
    iy *= w
    flat = grid.ravel()
    a, c = flat.take(iy + ix), flat.take(jy + ix)
    a += fx * (flat.take(iy + jx) - a)
    c += fx * (flat.take(jy + jx) - c)
    return a + fy * (c - a)


def ramp(low: float, high: float, value: np.ndarray) -> np.ndarray:
    """Smooth step from 0 at `low` to 1 at `high`."""
    t = np.clip((value - low) * np.float32(1.0 / (high - low)), 0, 1)
    return t * t * (3 - 2 * t)
