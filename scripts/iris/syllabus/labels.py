"""From what the teachers say to what iris is taught: an opinion from 1 to 5 and its deviation.

All ranks are taken in the training set, so that a label means the same in every split.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from beholder.levels.targets import soft_label
from syllabus.dataset import Material, Row
from syllabus.nature import Nature
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
class Judge:
    """Everything learnt from the training set that labels need."""

    teachers: dict[str, Rank]
    structure: Rank
    displaced: dict[str, Column]
    """For each distortion of geometry: structure at severities `KNOTS`, mean of all contents."""
    damage: Rank
    nature: Nature
    unnatural: dict[str, Rank]
    natural: Rank
    blended: Rank
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
KNOTS = np.linspace(0.1, 0.9, 5)
NOTHING = np.zeros(0)


def judge(material: Material, blend: float) -> Judge:
    """Learn ranks and naturalness from the training set."""
    rows = material.rows
    teachers = {name: Rank.among(column(rows, name)) for name in TEACHERS}
    mean = _ranks(rows, teachers).mean(0)
    structure = Rank.among(mean)
    displaced = _displaced(rows, structure.of(mean))
    nature = Nature.fitted(material)
    photo = is_photo(rows)
    apart = nature.distances(material)
    unnatural = {name: Rank.among(-found[photo]) for name, found in apart.items()}
    # each rank is learnt from those before it
    known = Judge(teachers, structure, displaced, Rank(NOTHING), nature, unnatural,
                  Rank(NOTHING), Rank(NOTHING), blend)  # fmt: skip
    known = replace(known, damage=Rank.among(_damage(known, rows)))
    known = replace(known, natural=Rank.among(_natural(known, apart)[photo]))
    return replace(known, blended=Rank.among(_mixed(known, rows, apart)))


def labels(judge_: Judge, material: Material) -> Labels:
    """Label a split."""
    rows = material.rows
    apart = judge_.nature.distances(material)
    opinion = 1 + 4 * judge_.blended.of(_mixed(judge_, rows, apart))
    split = 4 * _ranks(rows, judge_.teachers).std(0)
    deviation = np.sqrt(LEAST_DEVIATION**2 + split**2).clip(max=1.2)
    pairs = zip(opinion, deviation, strict=True)
    soft = np.array([soft_label(float(m), float(d)) for m, d in pairs], np.float32)
    damage = judge_.damage.of(_damage(judge_, rows))
    natural = judge_.natural.of(_natural(judge_, apart))
    return Labels(opinion, deviation, soft, damage, natural)


def column(rows: list[Row], name: str) -> Column:
    """Return one number of every row."""
    return np.array([getattr(row, name) for row in rows], np.float64)


def is_photo(rows: list[Row]) -> np.ndarray:
    """Say which versions are of photographs."""
    return np.array([row.source != "procedural" for row in rows])


def _ranks(rows: list[Row], teachers: dict[str, Rank]) -> Float[np.ndarray, "teachers n"]:
    return np.stack([rank.of(column(rows, name)) for name, rank in teachers.items()])


def _damage(judge_: Judge, rows: list[Row]) -> Column:
    """Return structure, lowered by what happened to tone."""
    structure = judge_.structure.of(_ranks(rows, judge_.teachers).mean(0))
    for number, row in enumerate(rows):
        if row.name in judge_.displaced:
            structure[number] = np.interp(row.severity, KNOTS, judge_.displaced[row.name])
    return structure * column(rows, "tone") ** TONE_POWER


def _displaced(rows: list[Row], structure: Column) -> dict[str, Column]:
    """Return the usual structure of each distortion of geometry, by severity.

    Full-reference measures compare pixels at the same place. Where places move, what they say
    depends on the texture more than on what anyone would see without the original.
    """
    found = {}
    for name in {row.name for row in rows if row.group == "geometry"}:
        chosen = np.array([row.name == name for row in rows])
        severity = column(rows, "severity")[chosen]
        slope = np.polyfit(severity, structure[chosen], 2)
        found[name] = np.clip(np.polyval(slope, KNOTS), 0, 1)
    return found


def _natural(judge_: Judge, apart: dict[str, Column]) -> Column:
    return np.mean([judge_.unnatural[name].of(-found) for name, found in apart.items()], axis=0)


def _mixed(judge_: Judge, rows: list[Row], apart: dict[str, Column]) -> Column:
    damage = judge_.damage.of(_damage(judge_, rows))
    share = np.where(is_photo(rows), judge_.blend, 0)
    return (1 - share) * damage + share * judge_.natural.of(_natural(judge_, apart))
