"""Classical no-reference measures to stand beside iris, written from the papers.

- NIQE: Mittal, Soundararajan, Bovik, Making a Completely Blind Image Quality Analyzer, 2013.
- BRISQUE: Mittal, Moorthy, Bovik, No-Reference Image Quality Assessment in the Spatial Domain,
  2012; its features, with kernel ridge regression on our labels in place of its SVR and LIVE.
- Laplacian: mean of |Laplacian| of luma, the usual measure of sharpness.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float
from scipy import ndimage
from scipy.special import gamma

Plane = Float[np.ndarray, "height width"]
SHAPES: Final = np.arange(0.2, 10, 0.001)
RATIOS: Final = gamma(2 / SHAPES) ** 2 / (gamma(1 / SHAPES) * gamma(3 / SHAPES))


def grey(pixels: np.ndarray) -> Plane:
    """Return luma in 0..255."""
    return pixels.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)


def laplacian(pixels: np.ndarray) -> float:
    """Return the mean absolute Laplacian."""
    return float(np.abs(ndimage.laplace(grey(pixels))).mean())


def normalised(plane: Plane) -> tuple[Plane, Plane]:
    """Return the mean-subtracted, contrast-normalised plane and its local deviation."""
    mean = ndimage.gaussian_filter(plane, 7 / 6, truncate=3, mode="nearest")
    square = ndimage.gaussian_filter(plane * plane, 7 / 6, truncate=3, mode="nearest")
    deviation = np.sqrt(np.maximum(square - mean * mean, 0))
    return (plane - mean) / (deviation + 1), deviation


def features(plane: Plane, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return 18 numbers a patch of `side` pixels, and the patches' sharpness."""
    flat, deviation = normalised(plane)
    shifts = [(0, 1), (1, 0), (1, 1), (1, -1)]
    maps = [flat, *(flat * np.roll(flat, shift, (0, 1)) for shift in shifts)]
    columns = []
    for number, map_ in enumerate(maps):
        shape, left, right, mean = _fit(_patches(map_, side))
        columns += [shape, (left + right) / 2] if number == 0 else [shape, mean, left, right]
    return np.stack(columns, 1), _patches(deviation, side).mean(1)


def two_scales(pixels: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return 36 numbers a patch and the patches' sharpness."""
    plane = grey(pixels)
    height, width = (n // side * side for n in plane.shape)
    plane = plane[:height, :width]
    half = plane.reshape(height // 2, 2, width // 2, 2).mean((1, 3))
    native, sharpness = features(plane, side)
    return np.concatenate([native, features(half, side // 2)[0]], 1), sharpness


def whole(pixels: np.ndarray) -> np.ndarray:
    """Return BRISQUE's 36 numbers: the whole picture as one patch, cut to a multiple of 2."""
    plane = grey(pixels)
    plane = plane[: plane.shape[0] // 2 * 2, : plane.shape[1] // 2 * 2]
    half = plane.reshape(plane.shape[0] // 2, 2, plane.shape[1] // 2, 2).mean((1, 3))
    return np.concatenate([_one_patch(plane), _one_patch(half)])


@dataclass(frozen=True)
class Niqe:
    """A Gaussian of the features of sharp patches of good photographs."""

    mean: np.ndarray
    covariance: np.ndarray
    side: int = 96

    @classmethod
    def fitted(cls, pictures: list[np.ndarray], side: int = 96) -> "Niqe":
        """Fit to good photographs: patches with at least 0.75 of a picture's best sharpness."""
        kept = []
        for pixels in pictures:
            if min(pixels.shape[:2]) >= side:
                found, sharpness = two_scales(pixels, side)
                kept.append(found[sharpness > 0.75 * sharpness.max()])
        x = np.concatenate(kept)
        return cls(x.mean(0), np.cov(x.T), side)

    def score(self, pixels: np.ndarray) -> float:
        """Return minus the distance, so that higher is better."""
        if min(pixels.shape[:2]) < self.side:
            missing = [max(0, self.side - n) for n in pixels.shape[:2]]
            pixels = np.pad(pixels, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="symmetric")
        x, _ = two_scales(pixels, self.side)
        covariance = np.cov(x.T) if len(x) > 1 else np.zeros_like(self.covariance)
        between = np.linalg.pinv((self.covariance + covariance) / 2)
        apart = x.mean(0) - self.mean
        return -float(np.sqrt(apart @ between @ apart))


@dataclass(frozen=True)
class Ridge:
    """Kernel ridge regression with a Gaussian kernel on standardised features."""

    middle: np.ndarray
    width: np.ndarray
    known: np.ndarray
    weights: np.ndarray
    offset: float

    @classmethod
    def fitted(cls, x: np.ndarray, y: np.ndarray, penalty: float = 0.1) -> "Ridge":
        """Fit; the kernel's width is the square root of the number of features."""
        middle, width = x.mean(0), x.std(0) + 1e-9
        known = (x - middle) / width
        matrix = _kernel(known, known) + penalty * np.eye(len(x))
        return cls(middle, width, known, np.linalg.solve(matrix, y - y.mean()), float(y.mean()))

    def score(self, x: np.ndarray) -> np.ndarray:
        """Return predictions."""
        return _kernel((x - self.middle) / self.width, self.known) @ self.weights + self.offset


def _kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    square = (a * a).sum(1)[:, None] + (b * b).sum(1) - 2 * a @ b.T
    return np.exp(-square / (2 * a.shape[1]))


def _one_patch(plane: Plane) -> np.ndarray:
    flat, _ = normalised(plane)
    shifts = [(0, 1), (1, 0), (1, 1), (1, -1)]
    columns = []
    for number, map_ in enumerate([flat, *(flat * np.roll(flat, s, (0, 1)) for s in shifts)]):
        shape, left, right, mean = (float(v[0]) for v in _fit(map_.reshape(1, -1)))
        columns += [shape, left**2 + right**2] if number == 0 else [shape, mean, left**2, right**2]
    return np.array(columns)


def _patches(map_: Plane, side: int) -> np.ndarray:
    rows, columns = (n // side for n in map_.shape)
    cut = map_[: rows * side, : columns * side].reshape(rows, side, columns, side)
    return cut.transpose(0, 2, 1, 3).reshape(rows * columns, side * side)


def _fit(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return shape, left and right scale and mean of asymmetric generalised Gaussians."""
    below, above = x < 0, x > 0
    left = np.sqrt((x * x * below).sum(1) / np.maximum(below.sum(1), 1)) + 1e-6
    right = np.sqrt((x * x * above).sum(1) / np.maximum(above.sum(1), 1)) + 1e-6
    lean = left / right
    ratio = np.abs(x).mean(1) ** 2 / ((x * x).mean(1) + 1e-12)
    wanted = ratio * (lean**3 + 1) * (lean + 1) / (lean**2 + 1) ** 2
    place = np.searchsorted(RATIOS, np.clip(wanted, RATIOS[0], RATIOS[-1]))
    shape = SHAPES[np.minimum(place, len(SHAPES) - 1)]
    root = np.sqrt(gamma(1 / shape) / gamma(3 / shape))
    mean = (right - left) * root * gamma(2 / shape) / gamma(1 / shape)
    return shape, left * root, right * root, mean
