"""What can be said only where the opinions tell how far the raters disagree."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from beholder.errors import UsageError
from beholder.evaluation.sample import Sample
from beholder.levels.scale import Scale
from beholder.metrics.calibration import Calibration, Forecast, calibrate
from beholder.metrics.intervals import Draws
from beholder.metrics.krasula import (
    Contest,
    Pairings,
    Resolution,
    contest,
    gaps,
    pairings,
    resolve,
    significance,
)
from beholder.metrics.value import Value


@dataclass(frozen=True)
class Krasula:
    """Krasula's analysis of one model, and of a second one on the same pairs."""

    ours: Resolution
    n: int
    """Files with a score, a deviation and at least two votes."""
    left_out: int
    """Scored files without them."""
    possible: int
    """Pairs there are; more than `ours.pairs` when they were sampled."""
    theirs: Resolution | None = None
    contest: Contest | None = None


def krasula(sample: Sample, seed: int) -> Krasula | None:
    """Run Krasula's analysis; None where fewer than two files have a deviation and votes."""
    scored = sample.scored()
    known = _with_votes(scored)
    rated = scored.take(known)
    if len(rated) < 2:
        return None
    chosen = pairings(len(rated), seed=seed)
    ours = _resolution(rated, chosen)
    both = rated.common()
    theirs, test = None, None
    if len(both) >= 2:
        common = pairings(len(both), seed=seed)
        significant = significance(both.opinions, both.deviations, both.raters, common)
        a, b = gaps(both.scores, common), gaps(both.rivals, common)
        theirs, test = resolve(b, significant), contest(a, b, significant)
    left_out = len(scored) - len(rated)
    return Krasula(ours, len(rated), left_out, chosen.possible, theirs, test)


def _with_votes(sample: Sample) -> Bool[ndarray, " n"]:
    with np.errstate(invalid="ignore"):
        return np.asarray((sample.deviations >= 0) & (sample.raters >= 2))


def _resolution(sample: Sample, chosen: Pairings) -> Resolution:
    significant = significance(sample.opinions, sample.deviations, sample.raters, chosen)
    return resolve(gaps(sample.scores, chosen), significant)


@dataclass(frozen=True)
class Scales:
    """Ranges of scores and opinions, as far as they are stated."""

    scores: Scale | None
    opinions: Scale | None
    """As it is after a DMOS was negated."""

    @classmethod
    def of(cls, scores: str, opinions: Scale | None, *, higher_is_better: bool) -> "Scales":
        """Read the `scale` column of a score table and turn the range of a DMOS round."""
        try:
            ours = Scale.parse(scores)
        except UsageError:
            ours = None
        if opinions and not higher_is_better:
            opinions = Scale(-opinions.high, -opinions.low)
        return cls(ours, opinions)

    def to_scores(self, opinions: Float[ndarray, " n"]) -> Float[ndarray, " n"]:
        """Move opinions to the scale of the scores; both must be stated."""
        assert self.scores is not None
        assert self.opinions is not None
        share = (opinions - self.opinions.low) / (self.opinions.high - self.opinions.low)
        return np.asarray(self.scores.low + share * (self.scores.high - self.scores.low))

    @property
    def factor(self) -> float:
        """How much wider the scale of the scores is than that of the opinions."""
        assert self.scores is not None
        assert self.opinions is not None
        ours, theirs = self.scores, self.opinions
        return (ours.high - ours.low) / (theirs.high - theirs.low)


def calibration(sample: Sample, scales: Scales, draws: Draws) -> Calibration | None:
    """Hold predicted spreads against the raters' deviations; None where either is unknown.

    `draws` gives replicates and seed; files or scenes are drawn as in `sample`.
    """
    scored = sample.scored()
    with np.errstate(invalid="ignore"):
        rated = scored.take((scored.spreads > 0) & (scored.deviations >= 0))
    if len(rated) < 2:
        return None
    if scales.scores is None or scales.opinions is None:
        lacking = "opinions: state it with --range" if scales.scores else "scores"
        return _none(len(rated), f"the range is not known of the {lacking}")
    forecast = Forecast(
        rated.scores,
        rated.spreads,
        scales.to_scores(rated.opinions),
        rated.deviations * scales.factor,
    )
    return calibrate(forecast, draws=rated.draws(draws.replicates, draws.seed))


def _none(n: int, reason: str) -> Calibration:
    nan = Value(math.nan, reason=reason)
    return Calibration((), math.nan, nan, math.nan, n, reason)
