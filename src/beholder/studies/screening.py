"""Raters who do not follow the others: screening after ITU-R BT.500, and by correlation.

Both look at all raters at once and only once. Bad raters widen the limits they are judged by, so a
study full of them may pass: look at the notes on raters, too (`raters.py`).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from beholder.studies.votes import Votes

NORMAL_KURTOSIS: Final = (2.0, 4.0)
"""Within this range votes on an item count as normal and get narrow limits (BT.500)."""
NORMAL_LIMIT: Final = 2.0
OTHER_LIMIT: Final = 20**0.5
"""Deviations from the mean at which a vote counts as outlying."""
MOST_OUTLYING: Final = 0.05
"""Share of outlying votes above which a rater is looked at."""
MOST_ONE_SIDED: Final = 0.3
"""|P - Q|/(P + Q) below which outlying votes lie on both sides, as erratic ones do."""
ROUNDING: Final = 1e-9
"""A vote this near a limit lies on it: limits are inclusive and must not hang on rounding."""
LEAST_CORRELATION: Final = 0.7


@dataclass(frozen=True)
class Conventions:
    """Where readings of BT.500 differ; the default is the recommendation's text.

    sureal's reading is `Conventions(ddof=0, cast_only=False, skip_unanimous=False)`.
    """

    ddof: int = 1
    """Divisor of the variance of an item's votes: their number less this."""
    cast_only: bool = True
    """Whether the share of outlying votes is one of votes that were cast, not of all cells."""
    skip_unanimous: bool = True
    """Whether an item on which all agree says nothing, instead of counting against everybody."""


@dataclass(frozen=True)
class Screening:
    """Who is rejected, and the numbers behind it."""

    rejected: Bool[ndarray, " raters"]
    reasons: tuple[str, ...]
    """One sentence for each rejected rater, empty for the others."""


@dataclass(frozen=True)
class Outlying:
    """How many votes of each rater lie above (P) and below (Q) the limits of their items."""

    above: Int[ndarray, " raters"]
    below: Int[ndarray, " raters"]


CONVENTIONS: Final = Conventions()


def outlying(votes: Votes, conventions: Conventions = CONVENTIONS) -> Outlying:
    """Count outlying votes after ITU-R BT.500-15, annex 1, section 2.3.1.

    All votes on an item are held against the same limits, in whichever session they were cast.
    """
    group, count = votes.item, len(votes.items)
    sizes = np.maximum(votes.per_item, 1)
    mean = np.bincount(group, weights=votes.value, minlength=count) / sizes
    centred = votes.value - mean[group]
    second, fourth = (np.bincount(group, weights=centred**k, minlength=count) for k in (2, 4))
    unanimous = second <= ROUNDING**2 * sizes
    safe = np.where(unanimous, 1.0, second)
    kurtosis = np.where(unanimous, 0.0, fourth * sizes / safe**2)
    normal = (kurtosis >= NORMAL_KURTOSIS[0]) & (kurtosis <= NORMAL_KURTOSIS[1])
    deviation = np.sqrt(second / np.maximum(sizes - conventions.ddof, 1))
    limit = np.where(normal, NORMAL_LIMIT, OTHER_LIMIT) * deviation
    counted = ~unanimous[group] if conventions.skip_unanimous else np.ones(len(votes), dtype=bool)
    raters = len(votes.raters)
    above = counted & (centred >= limit[group] - ROUNDING)
    below = counted & (centred <= ROUNDING - limit[group])
    return Outlying(
        np.bincount(votes.rater[above], minlength=raters),
        np.bincount(votes.rater[below], minlength=raters),
    )


def bt500(votes: Votes, conventions: Conventions = CONVENTIONS) -> Screening:
    """Reject raters whose outlying votes are many and lie on both sides (ITU-R BT.500)."""
    found = outlying(votes, conventions)
    both = found.above + found.below
    cells = len(votes.items) * len(votes.sessions)
    cast = votes.per_rater if conventions.cast_only else np.full(len(votes.raters), cells)
    share = both / np.maximum(cast, 1)
    one_sided = np.abs(found.above - found.below) / np.maximum(both, 1)
    rejected = (share > MOST_OUTLYING) & (one_sided < MOST_ONE_SIDED)
    reasons = tuple(
        f"BT.500: {both[rater]} of {cast[rater]} votes outlying ({found.above[rater]} above,"
        f" {found.below[rater]} below)"
        if rejected[rater]
        else ""
        for rater in range(len(votes.raters))
    )
    return Screening(rejected, reasons)


def correlations(votes: Votes) -> Float[ndarray, " raters"]:
    """Return the correlation of each rater's votes with the mean opinions; NaN if constant."""
    mean = votes.item_mean(votes.value)[votes.item]
    x = votes.value - votes.rater_mean(votes.value)[votes.rater]
    y = mean - votes.rater_mean(mean)[votes.rater]
    return _correlation(votes, x, y)


def by_correlation(votes: Votes) -> Screening:
    """Reject raters whose votes correlate less than the others' with the mean opinions.

    The limit is the smaller of 0.7 and mean - standard deviation of all raters' correlations. A
    rater whose votes are all equal has no correlation and is rejected.
    """
    r = correlations(votes)
    finite = r[np.isfinite(r)]
    limit = LEAST_CORRELATION
    if len(finite):
        limit = min(limit, float(np.mean(finite) - np.std(finite)))
    rejected = ~(r >= limit)
    reasons = tuple(_reason(float(each), limit) if not each >= limit else "" for each in r)
    return Screening(rejected, reasons)


def nobody(votes: Votes) -> Screening:
    """Reject nobody."""
    count = len(votes.raters)
    return Screening(np.zeros(count, dtype=bool), ("",) * count)


def _reason(r: float, limit: float) -> str:
    if np.isnan(r):
        return "no votes, all equal ones, or all on items of one mean opinion: no correlation"
    return f"correlation {r:.2f} with the mean opinions lies under the limit {limit:.2f}"


def _correlation(
    votes: Votes, x: Float[ndarray, " votes"], y: Float[ndarray, " votes"]
) -> Float[ndarray, " raters"]:
    raters = len(votes.raters)
    xy, xx, yy = (
        np.bincount(votes.rater, weights=product, minlength=raters)
        for product in (x * y, x * x, y * y)
    )
    below = np.sqrt(xx * yy)
    there = below > ROUNDING
    return np.asarray(np.divide(xy, below, out=np.full(raters, np.nan), where=there))
