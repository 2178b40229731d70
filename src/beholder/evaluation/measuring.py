"""The six measures of a sample with their intervals, and their paired differences.

A logistic curve is fitted once to the sample at hand and kept in every bootstrap replicate: the
interval is that of the agreement after this mapping.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy import stats

from beholder.evaluation.sample import Sample
from beholder.metrics.correlation import MEASURES as PLAIN
from beholder.metrics.correlation import reason_for
from beholder.metrics.difference import NOT_SEPARABLE, Difference, compare
from beholder.metrics.intervals import ANALYTIC, Draws, estimate
from beholder.metrics.mapping import CURVES, Curve, fit
from beholder.metrics.value import Interval, Value

Vector = Float[ndarray, " n"]

MEASURES: Final[Mapping[str, tuple[str, str]]] = {
    "srcc": ("srcc", ""),
    "plcc": ("plcc", ""),
    "plcc_logistic4": ("plcc", "logistic4"),
    "plcc_logistic5": ("plcc", "logistic5"),
    "krcc": ("krcc", ""),
    "rmse_logistic4": ("rmse", "logistic4"),
}
"""Name → the plain measure, and the curve that scores go through before it."""
CHIEF: Final = "srcc"
"""The measure that the plain verdict is about."""
ENOUGH: Final = 100
"""With fewer files the optimism of a curve that was fitted to them shows."""


@dataclass(frozen=True)
class Result:
    """How well the scores of one group of files follow the opinions."""

    n: int
    """Files with a score and an opinion."""
    failed: int
    """Files with an opinion that could not be scored."""
    values: Mapping[str, Value]
    """Every key of `MEASURES`."""
    fisher: Mapping[str, Interval]
    """The closed-form interval of each correlation of ranks and raw scores."""
    curves: Mapping[str, Curve]
    scenes: int = 0
    """Scenes that the bootstrap draws; 0 where it draws files."""
    differences: Mapping[str, Difference] = field(default_factory=dict)
    """Against the other model, over the files both scored; empty where there is none."""
    column: str = ""
    """What the group is a group of; empty for all files."""

    @property
    def verdict(self) -> str:
        """What the difference of SRCC says: better, worse, not separable; empty without one."""
        found = self.differences.get(CHIEF)
        return found.verdict if found and not found.reason else ""

    def caution(self, name: str) -> str:
        """Say why the interval of a measure is too narrow; empty where nothing is known to be."""
        curve = self.curves.get(MEASURES[name][1])
        if curve is None or curve.reason:
            return ""
        parts = []
        if self.n < ENOUGH:
            parts.append(
                f"the curve was fitted to these {self.n} files and the interval does not count it:"
                " it is too narrow"
            )
        if not curve.well_conditioned:
            parts.append("the files do not determine the parameters of the curve")
        return "; ".join(parts)


def measure(sample: Sample, draws: Draws) -> Result:
    """Return every measure of the scored rows; `draws` must be of these rows."""
    whole, sample = sample, sample.scored()
    curves = {name: _fit(name, sample.scores, sample.opinions) for name in CURVES}
    values = {name: _value(name, sample, curves, draws) for name in MEASURES}
    fisher = {name: ANALYTIC[name](values[name].value, len(sample), 0.95) for name in ANALYTIC}
    scenes = draws.units(len(sample)) if draws.scenes is not None else 0
    return Result(len(sample), len(whole) - len(sample), values, fisher, curves, scenes)


def points(scores: Vector, opinions: Vector) -> dict[str, float]:
    """Return every measure without an interval; NaN where one does not exist.

    >>> x = np.arange(8.0)
    >>> round(points(x, 2 * x + 1)["plcc"], 9)
    1.0
    """
    fitted = {"": scores} | {name: _fit(name, scores, opinions)(scores) for name in CURVES}
    found = {}
    for name, (plain, curve) in MEASURES.items():
        there = not reason_for(plain, fitted[curve], opinions)
        found[name] = PLAIN[plain](fitted[curve], opinions) if there else math.nan
    return found


def differ(sample: Sample, draws: Draws) -> dict[str, Difference]:
    """Return the difference of every measure between the two models, over rows both scored."""
    a, b, opinions = sample.scores, sample.rivals, sample.opinions
    curves = {name: (_fit(name, a, opinions), _fit(name, b, opinions)) for name in CURVES}
    found = {}
    for name, (plain, curve) in MEASURES.items():
        if not curve:
            found[name] = compare(plain, a, b, opinions, draws)
            continue
        ours, theirs = curves[curve]
        if reason := ours.reason or theirs.reason:
            found[name] = _no_difference(name, len(sample), reason)
        else:
            found[name] = replace(compare(plain, ours(a), theirs(b), opinions, draws), measure=name)
    return found


def _fit(name: str, scores: Vector, opinions: Vector) -> Curve:
    """Fit a curve, or remember it: a comparison asks for the same ones again."""
    return _remembered(name, scores.tobytes(), opinions.tobytes())


@lru_cache(maxsize=32)
def _remembered(name: str, scores: bytes, opinions: bytes) -> Curve:
    return fit(name, np.frombuffer(scores), np.frombuffer(opinions))


def _no_difference(name: str, n: int, reason: str) -> Difference:
    nan = math.nan
    return Difference(name, nan, nan, nan, nan, n, NOT_SEPARABLE, None, reason)


def _value(name: str, sample: Sample, curves: Mapping[str, Curve], draws: Draws) -> Value:
    plain, curve = MEASURES[name]
    if not curve:
        return estimate(plain, sample.scores, sample.opinions, draws)
    if curves[curve].reason:
        return Value(math.nan, reason=curves[curve].reason)
    return estimate(plain, curves[curve](sample.scores), sample.opinions, draws)


def residuals(result: Result, sample: Sample) -> Vector:
    """Return opinion minus the 4-parameter curve of the score; of ranks where there is no curve.

    Ranks are in shares of the sample, so that 0.5 is half of it.
    """
    curve = result.curves["logistic4"]
    if not curve.reason:
        return np.asarray(sample.opinions - curve(sample.scores))
    if len(sample) < 2:
        return np.zeros(len(sample))
    theirs, ours = stats.rankdata(sample.opinions), stats.rankdata(sample.scores)
    return np.asarray((theirs - ours) / (len(sample) - 1))
