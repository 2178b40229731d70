"""Value: a number with its interval, or NaN and the reason why there is none."""

import math
from dataclasses import dataclass
from typing import Final

from scipy import stats

CONFIDENCE: Final = 0.95
"""Probability with which an interval is meant to hold the truth."""


@dataclass(frozen=True)
class Value:
    """A statistic and its interval; what is not there is NaN, and `reason` says why.

    >>> print(Value(0.912, 0.88, 0.93))
    0.912 [0.880, 0.930]
    >>> print(Value(math.nan, reason="all opinions are 3.0"))
    none (all opinions are 3.0)
    """

    value: float
    low: float = math.nan
    """Lower end of the interval."""
    high: float = math.nan
    """Upper end of the interval."""
    reason: str = ""
    """Why `value`, or else its interval, is missing; empty when both are there."""

    def __str__(self) -> str:
        if math.isnan(self.value):
            return f"none ({self.reason})"
        if math.isnan(self.low):
            return f"{self.value:.3f}"
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"

    def __float__(self) -> float:
        return self.value


@dataclass(frozen=True)
class Interval:
    """A range that holds the truth with a stated probability; NaN at both ends if unknown."""

    low: float
    high: float


UNKNOWN: Final = Interval(math.nan, math.nan)


def quantile(confidence: float) -> float:
    """Return the normal quantile of a two-sided interval.

    >>> round(quantile(0.95), 6)
    1.959964
    """
    return float(stats.norm.ppf(0.5 + confidence / 2))
