"""NIQE: how far the statistics of a picture's patches are from those of good photographs.

Mittal, Soundararajan, Bovik, Making a Completely Blind Image Quality Analyzer, 2013; written from
the paper.
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
        return -float(self.distances(x.mean(0)[None], covariance[None])[0])

    def distances(
        self, means: Float[np.ndarray, "n 36"], covariances: Float[np.ndarray, "n 36 36"]
    ) -> Float[np.ndarray, " n"]:
        """Return the distances of pictures from the mean and covariance of their patches."""
        between = np.linalg.pinv((self.covariance + covariances) / 2, hermitian=True)
        apart = means - self.mean
        return np.sqrt(np.maximum(np.einsum("ni,nij,nj->n", apart, between, apart), 0))


def two_scales(pixels: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return 36 numbers a patch and the patches' sharpness."""
    plane = grey(pixels)
    height, width = (n // side * side for n in plane.shape)
    plane = plane[:height, :width]
    half = plane.reshape(height // 2, 2, width // 2, 2).mean((1, 3))
    native, sharpness = features(plane, side)
    return np.concatenate([native, features(half, side // 2)[0]], 1), sharpness


def features(plane: Plane, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return 18 numbers a patch of `side` pixels, and the patches' sharpness."""
    flat, deviation = normalised(plane)
    shifts = [(0, 1), (1, 0), (1, 1), (1, -1)]
    maps = [flat, *(flat * np.roll(flat, shift, (0, 1)) for shift in shifts)]
    columns = []
    for number, map_ in enumerate(maps):
        shape, left, right, mean = fit(_patches(map_, side))
        columns += [shape, (left + right) / 2] if number == 0 else [shape, mean, left, right]
    return np.stack(columns, 1), _patches(deviation, side).mean(1)


def normalised(plane: Plane) -> tuple[Plane, Plane]:
    """Return the mean-subtracted, contrast-normalised plane and its local deviation."""
    mean = ndimage.gaussian_filter(plane, 7 / 6, truncate=3, mode="nearest")
    square = ndimage.gaussian_filter(plane * plane, 7 / 6, truncate=3, mode="nearest")
    deviation = np.sqrt(np.maximum(square - mean * mean, 0))
    return (plane - mean) / (deviation + 1), deviation


def grey(pixels: np.ndarray) -> Plane:
    """Return luma in 0..255."""
    return pixels.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)


def _patches(map_: Plane, side: int) -> np.ndarray:
    rows, columns = (n // side for n in map_.shape)
    cut = map_[: rows * side, : columns * side].reshape(rows, side, columns, side)
    return cut.transpose(0, 2, 1, 3).reshape(rows * columns, side * side)


def fit(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
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
