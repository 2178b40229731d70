"""Opinions and scores that the tests of evaluation share."""

import csv

import numpy as np
import pytest

from beholder.datasets.opinions import Opinion, Opinions
from beholder.evaluation.scores import Scored, Scores
from beholder.levels.scale import Scale


@pytest.fixture(scope="session")
def write_csv():
    """Write a table: `write_csv(path, {"path": [...], "mos": [...]})`."""

    def write(path, columns):
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(zip(*columns.values(), strict=True))
        return path

    return write


@pytest.fixture(scope="session")
def make():
    """Make 60 files in 12 scenes: opinions, good scores, and rough scores."""

    def of(n=60, *, noise=0.3, seed=0, scenes=12, dmos=False):
        rng = np.random.default_rng(seed)
        mos = rng.uniform(1.2, 4.8, n)
        scores = mos + rng.normal(0, noise, n)
        stated = 6 - mos if dmos else mos
        rows = tuple(
            Opinion(
                f"{number:03}.png",
                float(stated[number]),
                std=0.7,
                n=24,
                scene=f"s{number % scenes}" if scenes else "",
                extra={"kind": "odd" if number % 2 else "even"},
                row=number + 1,
            )
            for number in range(n)
        )
        table = Opinions(rows, "mos.csv", scale=Scale(1.0, 5.0), higher_is_better=not dmos)
        given = tuple(
            Scored(row.path, float(score), spread=0.7)
            for row, score in zip(rows, scores, strict=True)
        )
        return table, Scores(given, "scores.csv", scale="1-5", model="good")

    return of
