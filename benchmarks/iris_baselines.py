"""Classical no-reference measures to stand beside iris, written from the papers.

- BRISQUE: Mittal, Moorthy, Bovik, No-Reference Image Quality Assessment in the Spatial Domain,
  2012; its features, with kernel ridge regression on our labels in place of its SVR and LIVE.
- Laplacian: mean of |Laplacian| of luma, the usual measure of sharpness.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from syllabus.niqe import Plane, fit, grey, normalised


def laplacian(pixels: np.ndarray) -> float:
    """Return the mean absolute Laplacian."""
    return float(np.abs(ndimage.laplace(grey(pixels))).mean())


def whole(pixels: np.ndarray) -> np.ndarray:
    """Return BRISQUE's 36 numbers: the whole picture as one patch, cut to a multiple of 2."""
    plane = grey(pixels)
    plane = plane[: plane.shape[0] // 2 * 2, : plane.shape[1] // 2 * 2]
    half = plane.reshape(plane.shape[0] // 2, 2, plane.shape[1] // 2, 2).mean((1, 3))
    return np.concatenate([_one_patch(plane), _one_patch(half)])


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
        shape, left, right, mean = (float(v[0]) for v in fit(map_.reshape(1, -1)))
        columns += [shape, left**2 + right**2] if number == 0 else [shape, mean, left**2, right**2]
    return np.array(columns)
