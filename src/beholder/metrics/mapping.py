"""Logistic curves from a score to an opinion, fitted before linear measures are taken.

The 4-parameter curve is that of VQEG's FR-TV reports, the 5-parameter one that of Sheikh, Sabir
and Bovik (2006, DOI 10.1109/TIP.2006.881959). Both are unbounded least-squares fits.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy import optimize
from scipy.special import expit

from beholder.metrics import correlation

STARTS: Final = 6
"""Fits that are tried: the customary start first, then seeded jitter about it."""
CONDITION_LIMIT: Final = 30.0
"""Condition number of the Jacobian, columns scaled to length 1, above which the parameters are
not determined by the data (the curve itself may still be)."""
MOST_EVALUATIONS: Final = 400
"""Along a flat valley a fit may creep for ever; what it would still gain is not seen."""


def logistic4(x: Float[ndarray, " n"], b: Float[ndarray, "4"]) -> Float[ndarray, " n"]:
    """Return (b1 - b2) / (1 + exp(-(x - b3)/|b4|)) + b2."""
    scale = max(abs(float(b[3])), np.finfo(float).tiny)
    with np.errstate(over="ignore"):
        return np.asarray((b[0] - b[1]) * expit((x - b[2]) / scale) + b[1])


def logistic5(x: Float[ndarray, " n"], b: Float[ndarray, "5"]) -> Float[ndarray, " n"]:
    """Return b1 (1/2 - 1/(1 + exp(b2 (x - b3)))) + b4 x + b5."""
    return np.asarray(b[0] * (expit(b[1] * (x - b[2])) - 0.5) + b[3] * x + b[4])


_FUNCTIONS: Final[Mapping[str, Callable[..., Float[ndarray, " n"]]]] = {
    "logistic4": logistic4,
    "logistic5": logistic5,
}
CURVES: Final = tuple(_FUNCTIONS)
_COUNTS: Final = {"logistic4": 4, "logistic5": 5}


@dataclass(frozen=True)
class Curve:
    """A fitted curve. Calling it maps scores to the scale of the opinions."""

    name: str
    parameters: tuple[float, ...]
    """b1 to b4 with b4 > 0, or b1 to b5 with b2 ≥ 0; empty when there is no fit."""
    error: float
    """Sum of squared errors over the fitted pairs."""
    n: int
    condition: float
    """Condition number of the scaled Jacobian at the fit."""
    monotone: bool
    """Whether the curve keeps or reverses the order of all fitted scores."""
    reason: str = ""
    """Why there is no fit; empty when there is one."""

    @property
    def well_conditioned(self) -> bool:
        """Whether the data determine the parameters; if not, do not quote them."""
        return self.condition < CONDITION_LIMIT

    def __call__(self, predicted: Float[ndarray, " n"]) -> Float[ndarray, " n"]:
        """Map scores; NaN when there is no fit."""
        if not self.parameters:
            return np.full(predicted.shape, math.nan)
        return _FUNCTIONS[self.name](predicted, np.array(self.parameters))


@dataclass(frozen=True)
class Line:
    """The fitted curve at even steps over the range of the scores, to be drawn."""

    x: Float[ndarray, " steps"]
    y: Float[ndarray, " steps"]


def fit(
    name: str, predicted: Float[ndarray, " n"], opinions: Float[ndarray, " n"], seed: int = 0
) -> Curve:
    """Fit `logistic4` or `logistic5` by least squares, the best of several starts.

    Both vectors are standardised first, so that no range of scores is a difficult one.

    >>> x = np.linspace(0.0, 1.0, 50)
    >>> curve = fit("logistic4", x, 1 + 4 / (1 + np.exp(-(x - 0.5) / 0.1)))
    >>> [round(b, 6) for b in curve.parameters]
    [5.0, 1.0, 0.5, 0.1]
    """
    count = _COUNTS[name]
    reason = correlation.why_not(predicted, opinions)
    if not reason and len(predicted) <= count:
        reason = f"{len(predicted)} pairs are too few to fit {count} parameters"
    if not reason and len(np.unique(predicted)) < count:
        distinct = len(np.unique(predicted))
        reason = f"{distinct} distinct scores are too few to fit {count} parameters"
    if reason:
        return Curve(name, (), math.nan, len(predicted), math.inf, monotone=False, reason=reason)
    x, y = _Standard.of(predicted), _Standard.of(opinions)
    best = _best(name, x.values, y.values, seed)
    if not np.all(np.isfinite(best)):
        reason = "the fit did not converge from any start"
        return Curve(name, (), math.nan, len(predicted), math.inf, monotone=False, reason=reason)
    return _curve(name, _unstandardised(name, best, x, y), predicted, opinions)


def line(curve: Curve, predicted: Float[ndarray, " n"], steps: int = 101) -> Line:
    """Return the curve over the range of the scores."""
    x = np.linspace(float(np.min(predicted)), float(np.max(predicted)), steps)
    return Line(x, curve(x))


@dataclass(frozen=True)
class _Standard:
    """A vector with mean 0 and deviation 1, and the way back."""

    values: Float[ndarray, " n"]
    mean: float
    deviation: float

    @classmethod
    def of(cls, values: Float[ndarray, " n"]) -> "_Standard":
        mean, deviation = float(np.mean(values)), float(np.std(values))
        return cls((values - mean) / deviation, mean, deviation)


def _start(name: str, x: Float[ndarray, " n"], y: Float[ndarray, " n"]) -> Float[ndarray, " k"]:
    """Return the start that is customary in the field, for standardised vectors."""
    rising = float(np.mean(x * y)) >= 0
    top, bottom = float(np.max(y)), float(np.min(y))
    if name == "logistic4":
        ends = (top, bottom) if rising else (bottom, top)
        return np.array([*ends, 0.0, 0.25])
    return np.array([(top - bottom) * (1.0 if rising else -1.0), 1.0, 0.0, 0.0, 0.0])


def _best(
    name: str, x: Float[ndarray, " n"], y: Float[ndarray, " n"], seed: int
) -> Float[ndarray, " k"]:
    function = _FUNCTIONS[name]
    first = _start(name, x, y)
    random = np.random.Generator(np.random.PCG64(seed))
    best, least = np.full(first.shape, math.nan), math.inf
    for number in range(STARTS):
        start = first if number == 0 else _jittered(first, random)
        found = optimize.least_squares(
            lambda b: function(x, b) - y,
            start,
            jac=lambda b: _jacobian(name, x, b),
            method="lm",
            xtol=1e-12,
            ftol=1e-14,
            gtol=1e-14,
            max_nfev=MOST_EVALUATIONS,
        )
        if found.cost < least:
            best, least = found.x, float(found.cost)
    return best


def _jittered(start: Float[ndarray, " k"], random: np.random.Generator) -> Float[ndarray, " k"]:
    """Stretch every parameter of a start by a factor, and move it."""
    stretch = np.exp(random.normal(0.0, 0.7, start.shape))
    return start * stretch + random.normal(0.0, 0.3, start.shape)


def _jacobian(name: str, x: Float[ndarray, " n"], b: Float[ndarray, " k"]) -> Float[ndarray, "n k"]:
    if name == "logistic4":
        scale = max(abs(float(b[3])), np.finfo(float).tiny)
        with np.errstate(over="ignore", invalid="ignore"):
            step = (x - b[2]) / scale
            share = expit(step)
            slope = (b[0] - b[1]) * share * (1 - share) / scale
            turn = np.where(slope == 0, 0.0, -slope * step) * math.copysign(1.0, b[3])
        return np.stack([share, 1 - share, -slope, turn], axis=1)
    share = expit(b[1] * (x - b[2]))
    slope = b[0] * share * (1 - share)
    columns = [share - 0.5, slope * (x - b[2]), -slope * b[1], x, np.ones_like(x)]
    return np.stack(columns, axis=1)


def _unstandardised(
    name: str, b: Float[ndarray, " k"], x: _Standard, y: _Standard
) -> Float[ndarray, " k"]:
    """Move parameters from standardised vectors to the given ones, in canonical form."""
    if name == "logistic4":
        top, bottom = y.mean + y.deviation * b[:2]
        return np.array([top, bottom, x.mean + x.deviation * b[2], x.deviation * abs(b[3])])
    sign = -1.0 if b[1] < 0 else 1.0
    slope = y.deviation * b[3] / x.deviation
    return np.array(
        [
            sign * y.deviation * b[0],
            sign * b[1] / x.deviation,
            x.mean + x.deviation * b[2],
            slope,
            y.mean + y.deviation * b[4] - slope * x.mean,
        ]
    )


def _curve(
    name: str, b: Float[ndarray, " k"], x: Float[ndarray, " n"], y: Float[ndarray, " n"]
) -> Curve:
    fitted = _FUNCTIONS[name](x, b)
    steps = np.diff(fitted[np.argsort(x, kind="stable")])
    return Curve(
        name,
        tuple(float(each) for each in b),
        error=float(np.sum((fitted - y) ** 2)),
        n=len(x),
        condition=_condition(_jacobian(name, x, b)),
        monotone=bool(np.all(steps >= 0) or np.all(steps <= 0)),
    )


def _condition(jacobian: Float[ndarray, "n k"]) -> float:
    lengths = np.linalg.norm(jacobian, axis=0)
    if not np.all(np.isfinite(lengths)) or np.any(lengths == 0):
        return math.inf
    return float(np.linalg.cond(jacobian / lengths))
