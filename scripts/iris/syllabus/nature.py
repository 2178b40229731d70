"""How natural a version looks without its original: three models of good photographs.

What full-reference measures cannot know, because they compare a version with its own original
alone: that one photograph is better than another. Each model is fitted to the untouched
photographs of the training set that were not enlarged, and gives distances, larger is worse:

- spectrum: a Gaussian of mean log-DCT coefficients, 24 axes;
- patches: NIQE;
- faintness: how much contrast of fine and middling detail is below that of the usual photograph.
  Contrast above the usual does not count, so noise earns nothing.

A version is never more natural than its original: what was taken from a picture does not become
a merit because many photographs lack it.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from beholder.backbones.iris import stem
from syllabus.dataset import Material
from syllabus.niqe import Niqe

Distances = Float[np.ndarray, " n"]
AXES = 24
SHARP = 0.75
"""Patches with at least this share of a picture's best sharpness are those NIQE is fitted to."""


@dataclass(frozen=True)
class Spectrum:
    """A Gaussian of few axes."""

    mean: Float[np.ndarray, " kept"]
    axes: Float[np.ndarray, "kept axes"]
    deviations: Float[np.ndarray, " axes"]

    @classmethod
    def fitted(cls, summaries: Float[np.ndarray, "n 460"]) -> "Spectrum":
        """Fit to summaries of untouched photographs."""
        x = summaries[:, _spectral()]
        mean = x.mean(0)
        _, scale, turned = np.linalg.svd(x - mean, full_matrices=False)
        return cls(mean, turned[:AXES].T, scale[:AXES] / np.sqrt(len(x)))

    def distances(self, summaries: Float[np.ndarray, "n 460"]) -> Distances:
        """Return Mahalanobis distances."""
        along = (summaries[:, _spectral()] - self.mean) @ self.axes
        return np.sqrt(((along / self.deviations) ** 2).mean(1))


@dataclass(frozen=True)
class Nature:
    """The three models together."""

    spectrum: Spectrum
    patches: Niqe
    usual: float
    """Median contrast of untouched photographs."""

    @classmethod
    def fitted(cls, material: Material) -> "Nature":
        """Fit to the untouched photographs that were not enlarged."""
        good = material.photo & (material.scale <= 1)
        patches, sharpness = material.patches[good], material.sharpness[good]
        chosen = patches[sharpness > SHARP * sharpness.max(1, keepdims=True)].astype(np.float64)
        return cls(
            Spectrum.fitted(material.originals[good]),
            Niqe(chosen.mean(0), np.cov(chosen.T)),
            float(np.median(_contrast(material.originals[good]))),
        )

    def distances(self, material: Material) -> dict[str, Distances]:
        """Return the distances of all versions, each at least that of its original."""
        patches = material.patches.astype(np.float64)
        centred = patches - patches.mean(1, keepdims=True)
        covariances = centred.transpose(0, 2, 1) @ centred / (patches.shape[1] - 1)
        untouched = {
            "spectrum": self.spectrum.distances(material.originals),
            "patches": self.patches.distances(patches.mean(1), covariances),
            "faintness": self._faintness(material.originals),
        }
        versions = {
            "spectrum": self.spectrum.distances(material.summary),
            "patches": self.patches.distances(
                material.patch_mean.astype(np.float64), material.patch_covariance.astype(np.float64)
            ),
            "faintness": self._faintness(material.summary),
        }
        return {
            name: np.maximum(found, untouched[name][material.owner])
            for name, found in versions.items()
        }

    def _faintness(self, summaries: Float[np.ndarray, "n 460"]) -> Distances:
        return np.maximum(self.usual - _contrast(summaries), 0)


def _contrast(summaries: Float[np.ndarray, "n 460"]) -> Distances:
    """Return the mean log of luma's coefficients below half of the highest frequency."""
    u, v = np.divmod(np.arange(64), 8)
    kept = np.flatnonzero((u + v > 0) & (u + v <= 7))
    return summaries[:, kept].mean(1)


def _spectral() -> np.ndarray:
    """Return which statistics are mean logs of frequencies other than zero, two sizes."""
    kept = []
    for view in (0, stem.SCALE):
        kept += list(range(view + 1, view + 64))
        for chroma in (0, 1):
            first = view + 128 + 32 * chroma
            kept += list(range(first + 1, first + 16))
    return np.array(kept)
