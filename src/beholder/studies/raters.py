"""What is odd about a rater, in words: votes that run backwards, scatter, or lie too high or low.

Notes reject nobody. They say what to look at, whichever method is used.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from beholder.metrics.intervals import fisher
from beholder.studies.recovery import Raters
from beholder.studies.votes import Votes

FAR_SCATTER: Final = 3.5
TIMES_SCATTER: Final = 1.7
"""A scattering rater is this many times as inconsistent as the middle one, too."""
FAR_BIAS: Final = 3.0
"""Robust z-scores beyond which a rater stands out."""
MAD_TO_DEVIATION: Final = 1.4826
LEAST_VOTES: Final = 5
"""Fewer votes than this say nothing of a rater's correlation."""


@dataclass(frozen=True)
class Company:
    """How each rater goes with the others."""

    r: Float[ndarray, " raters"]
    """Correlation with the mean of the other raters' votes; NaN where there is none."""
    n: Int[ndarray, " raters"]
    """Votes on items that others voted on, too."""


def notes(votes: Votes, raters: Raters) -> tuple[str, ...]:
    """Return a sentence for each rater who stands out, empty for the others."""
    company = with_others(votes)
    spread = _from_the_middle(np.log(np.maximum(raters.inconsistency, 1e-12)))
    height = _from_the_middle(raters.bias)
    known = raters.inconsistency[np.isfinite(raters.inconsistency)]
    wide = raters.inconsistency > TIMES_SCATTER * (np.median(known) if len(known) else math.inf)
    flat = votes.rater_deviation(votes.value, ddof=0) == 0
    found = []
    for rater in range(len(votes.raters)):
        bias, scatter = float(raters.bias[rater]), float(raters.inconsistency[rater])
        r, n = float(company.r[rater]), int(company.n[rater])
        sure = abs(bias) > 2 * scatter / math.sqrt(max(n, 1))
        if n >= LEAST_VOTES and fisher(r, n).high < 0:
            note = f"votes run against the others' (correlation {r:.2f}): upside down?"
        elif flat[rater] and n >= LEAST_VOTES:
            note = f"all {n} votes are the same"
        elif n >= LEAST_VOTES and wide[rater] and spread[rater] > FAR_SCATTER:
            note = f"votes scatter more than the others' (inconsistency {scatter:.2f}): careless?"
        elif sure and abs(height[rater]) > FAR_BIAS:
            side = "above" if bias > 0 else "below"
            note = f"votes lie {abs(bias):.2f} {side} the others'"
        else:
            note = ""
        found.append(note)
    return tuple(found)


def with_others(votes: Votes) -> Company:
    """Correlate each rater with the mean votes of the others on the same items."""
    own = votes.averaged()
    items, raters = len(votes.items), len(votes.raters)
    sums, sizes = np.bincount(own.item, own.value, items), own.per_item
    shared = sizes[own.item] > 1
    item, rater, x = own.item[shared], own.rater[shared], own.value[shared]
    y = (sums[item] - x) / (sizes[item] - 1)
    n = np.bincount(rater, minlength=raters)
    x, y = (each - (np.bincount(rater, each, raters) / np.maximum(n, 1))[rater] for each in (x, y))
    xy, xx, yy = (np.bincount(rater, each, raters) for each in (x * y, x * x, y * y))
    below = np.sqrt(xx * yy)
    r = np.divide(xy, below, out=np.full(raters, math.nan), where=below > 1e-12)
    return Company(r, n)


def _from_the_middle(values: Float[ndarray, " raters"]) -> Float[ndarray, " raters"]:
    """Return robust z-scores: distance from the median over the scaled median distance."""
    known = values[np.isfinite(values)]
    if not len(known):
        return values
    distance = values - np.median(known)
    scale = MAD_TO_DEVIATION * float(np.median(np.abs(known - np.median(known))))
    return np.asarray(distance / scale if scale > 0 else np.zeros_like(distance))
