"""From what the teachers say to what iris is taught: an opinion from 1 to 5 and its deviation.

All ranks are taken in the training set, so that a label means the same in every split.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from beholder.backbones.iris import stem
from beholder.levels.targets import soft_label
from syllabus.dataset import Row
from syllabus.teachers import TEACHERS

Column = Float[np.ndarray, " versions"]


@dataclass(frozen=True)
class Rank:
    """The share of the training set that a value beats."""

    values: Float[np.ndarray, " training"]

    @classmethod
    def among(cls, values: Column) -> "Rank":
        """Learn the order of the training set."""
        return cls(np.sort(values))

    def of(self, values: Column) -> Column:
        """Return ranks in 0..1; ties get the middle."""
        low = np.searchsorted(self.values, values, "left")
        high = np.searchsorted(self.values, values, "right")
        return (low + high) / (2 * len(self.values))


@dataclass(frozen=True)
class Naturalness:
    """How usual the statistics of untouched photographs make a picture: a Gaussian of few axes."""

    mean: Float[np.ndarray, " kept"]
    axes: Float[np.ndarray, "kept axes"]
    deviations: Float[np.ndarray, " axes"]

    @classmethod
    def of_photographs(cls, summaries: Float[np.ndarray, "n 460"], axes: int = 24) -> "Naturalness":
        """Fit to summaries of untouched photographs."""
        x = summaries[:, _spectral()]
        mean = x.mean(0)
        _, scale, turned = np.linalg.svd(x - mean, full_matrices=False)
        return cls(mean, turned[:axes].T, scale[:axes] / np.sqrt(len(x)))

    def distance(self, summaries: Float[np.ndarray, "n 460"]) -> Column:
        """Return the Mahalanobis distance: larger is less natural."""
        along = (summaries[:, _spectral()] - self.mean) @ self.axes
        return np.sqrt(((along / self.deviations) ** 2).mean(1))


@dataclass(frozen=True)
class Judge:
    """Everything learnt from the training set that labels need."""

    teachers: dict[str, Rank]
    structure: Rank
    damage: Rank
    blended: Rank
    natural: Rank
    naturalness: Naturalness
    blend: float
    """Weight of naturalness in the label of a photograph's version."""


@dataclass(frozen=True)
class Labels:
    """What a split is taught or measured against."""

    opinion: Column
    """1 to 5."""
    deviation: Column
    """How far the teachers are from each other, on the same scale."""
    soft: Float[np.ndarray, "versions 5"]
    """Probability of each level, best first."""
    damage: Column
    """Rank by structure and tone alone, 0..1."""
    natural: Column
    """Rank by naturalness alone, 0..1."""


TONE_POWER = 0.7
LEAST_DEVIATION = 0.3


def judge(
    rows: list[Row],
    summaries: Float[np.ndarray, "n 460"],
    originals: Float[np.ndarray, "m 460"],
    blend: float,
) -> Judge:
    """Learn ranks and naturalness from the training set."""
    teachers = {name: Rank.among(column(rows, name)) for name in TEACHERS}
    mean = _mean_rank(rows, teachers).mean(0)
    structure = Rank.among(mean)
    damage = Rank.among(structure.of(mean) * column(rows, "tone") ** TONE_POWER)
    photo = is_photo(rows)
    naturalness = Naturalness.of_photographs(originals)
    natural = Rank.among(-naturalness.distance(summaries)[photo])
    # the blended rank is learnt last, from the others
    first = Judge(teachers, structure, damage, damage, natural, naturalness, blend)
    mixed = _mixed(first, rows, summaries)
    return Judge(teachers, structure, damage, Rank.among(mixed), natural, naturalness, blend)


def labels(judge_: Judge, rows: list[Row], summaries: Float[np.ndarray, "n 460"]) -> Labels:
    """Label a split."""
    opinion = 1 + 4 * judge_.blended.of(_mixed(judge_, rows, summaries))
    apart = 4 * _mean_rank(rows, judge_.teachers).std(0)
    deviation = np.sqrt(LEAST_DEVIATION**2 + apart**2).clip(max=1.2)
    pairs = zip(opinion, deviation, strict=True)
    soft = np.array([soft_label(float(m), float(d)) for m, d in pairs], np.float32)
    natural = judge_.natural.of(-judge_.naturalness.distance(summaries))
    return Labels(opinion, deviation, soft, _damage(judge_, rows), natural)


def column(rows: list[Row], name: str) -> Column:
    """Return one number of every row."""
    return np.array([getattr(row, name) for row in rows], np.float64)


def is_photo(rows: list[Row]) -> np.ndarray:
    """Say which versions are of photographs."""
    return np.array([row.source != "procedural" for row in rows])


def _mean_rank(rows: list[Row], teachers: dict[str, Rank]) -> Float[np.ndarray, "teachers n"]:
    return np.stack([rank.of(column(rows, name)) for name, rank in teachers.items()])


def _damage(judge_: Judge, rows: list[Row]) -> Column:
    structure = judge_.structure.of(_mean_rank(rows, judge_.teachers).mean(0))
    return judge_.damage.of(structure * column(rows, "tone") ** TONE_POWER)


def _mixed(judge_: Judge, rows: list[Row], summaries: Float[np.ndarray, "n 460"]) -> Column:
    damage = _damage(judge_, rows)
    natural = judge_.natural.of(-judge_.naturalness.distance(summaries))
    share = np.where(is_photo(rows), judge_.blend, 0)
    return (1 - share) * damage + share * natural


def _spectral() -> np.ndarray:
    """Return which statistics are mean logs of frequencies other than zero, two sizes."""
    kept = []
    for view in (0, stem.SCALE):
        kept += list(range(view + 1, view + 64))
        for chroma in (0, 1):
            first = view + 128 + 32 * chroma
            kept += list(range(first + 1, first + 16))
    return np.array(kept)
