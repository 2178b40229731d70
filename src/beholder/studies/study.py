"""A whole study: votes or comparisons and a method → opinions and raters, as rows for tables."""

import math
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy import stats

from beholder._counting import counted
from beholder.errors import TableError, UsageError
from beholder.studies import recovery, references, screening
from beholder.studies.comparisons import Comparisons
from beholder.studies.raters import notes
from beholder.studies.recovery import Opinions, Raters
from beholder.studies.references import some
from beholder.studies.scaling import LINKS, scale
from beholder.studies.screening import Screening
from beholder.studies.votes import About, Votes

METHODS: Final = (*recovery.METHODS, *LINKS)
SCREENS: Final = {
    "none": screening.nobody,
    "bt500": screening.bt500,
    "correlation": screening.by_correlation,
}
_OWN_SCREEN: Final = {"bt500": "bt500", "p913": "bt500"}


@dataclass(frozen=True)
class OpinionRow:
    """One row of the opinion table; NaN and empty where there is nothing."""

    path: str
    mos: float
    std: float
    n: int
    low: float
    high: float
    split: str = ""
    scene: str = ""
    shares: tuple[float, ...] = ()
    """Share of the votes on each level, best first; empty if the votes are not five levels."""
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RaterRow:
    """One row of the table of raters."""

    rater: str
    bias: float
    inconsistency: float
    rejected: bool
    reason: str
    """Why the rater was rejected, or what stands out; empty if nothing."""


@dataclass(frozen=True)
class Study:
    """What a study found."""

    method: str
    opinions: tuple[OpinionRow, ...]
    raters: tuple[RaterRow, ...]
    notes: tuple[str, ...] = ()
    """What was left out or could not be told, one sentence each."""


def rate(votes: Votes, method: str = "mos", screen: str = "", *, dmos: bool = False) -> Study:
    """Turn votes into opinions.

    `screen` (`none`, `bt500`, `correlation`) replaces the method's own screening. `dmos` states
    opinions against the references, so that higher stays better: a reference gets the best of the
    scale, or with z-scores what LIVE gives it.

    Raises:
        UsageError: when a name is unknown, or the method and the screening contradict each other.
        TableError: when the votes do not hold what the method needs.
    """
    screen = _screen(method, screen)
    prepared = _prepared(votes, method, dmos=dmos)
    found = SCREENS[screen](prepared)
    if np.all(found.rejected):
        count = len(votes.raters)
        raise TableError(f"every rater is rejected ({count} of {count}): use --screen none")
    kept = prepared.of_raters(~found.rejected)
    if method == "mle":
        opinions = _spread_out(recovery.maximum_likelihood(_compact(kept)), kept)
    else:
        opinions = recovery.mean_opinion(kept)
    raters = _raters(votes, opinions, method, found)
    if dmos:
        lives = method == "zscore"
        opinions = references.as_live(opinions) if lives else references.against(opinions, votes)
    raw = votes.of_raters(~found.rejected)
    rows = _opinion_rows(opinions, raw)
    remarks = _remarks(votes, found, rows)
    if dmos:
        remarks += ("opinions are against the references: a higher one is better",)
    return Study(method, rows, _rater_rows(votes, raters, found), remarks)


def compare(comparisons: Comparisons, method: str = "bradley-terry") -> Study:
    """Turn comparisons into a scale with mean 0.

    Raises:
        UsageError: when the method is unknown.
        TableError: when the items have no common scale.
    """
    if method not in LINKS:
        raise UsageError(f"method {method!r} takes votes: for comparisons use {' or '.join(LINKS)}")
    wins = comparisons.wins()
    found = scale(method, wins, comparisons.items)
    rows = []
    for number, path in enumerate(comparisons.items):
        interval = found.interval(number)
        about = comparisons.about.get(path, About())
        won, lost = float(wins[number].sum()), float(wins[:, number].sum())
        rows.append(
            OpinionRow(
                path,
                float(found.score[number]),
                math.nan,
                round(won + lost),
                interval.low,
                interval.high,
                about.split,
                about.scene,
                details={"wins": won, "losses": lost},
            )
        )
    raters = _choosers(comparisons, found.score)
    counts = np.bincount(comparisons.rater, minlength=len(raters))
    against = float(counts @ [row.inconsistency for row in raters]) / len(comparisons)
    remarks = [f"{1 - against:.0%} of the choices follow the scale"]
    if comparisons.missing:
        remarks.append(f"{counted(comparisons.missing, 'row holds', 'rows hold')} no choice")
    return Study(method, tuple(rows), raters, tuple(remarks))


def _screen(method: str, screen: str) -> str:
    if method not in recovery.METHODS:
        known = ", ".join(recovery.METHODS)
        raise UsageError(f"method {method!r} does not take votes; these do: {known}")
    if screen and screen not in SCREENS:
        raise UsageError(f"unknown screening {screen!r} (known: {', '.join(SCREENS)})")
    own = _OWN_SCREEN.get(method, "none")
    if method == "bt500" and screen not in ("", "bt500"):
        raise UsageError(f"--method bt500 screens after BT.500, not {screen!r}: use --method mos")
    return screen or own


def _prepared(votes: Votes, method: str, *, dmos: bool) -> Votes:
    """Return the votes as screening sees them."""
    if method == "zscore":
        return recovery.z_scores(references.differences(votes) if dmos else votes)
    if method == "p913":
        return recovery.without_bias(votes)
    return votes


def _compact(votes: Votes) -> Votes:
    """Leave out items and raters without votes, which likelihood knows nothing of."""
    items, item = np.unique(votes.item, return_inverse=True)
    raters, rater = np.unique(votes.rater, return_inverse=True)
    return replace(
        votes,
        items=tuple(votes.items[number] for number in items),
        raters=tuple(votes.raters[number] for number in raters),
        item=item,
        rater=rater,
    )


def _spread_out(opinions: Opinions, votes: Votes) -> Opinions:
    """Put opinions of compact votes back in the places of all items and raters."""
    items, raters = votes.per_item > 0, votes.per_rater > 0
    estimates = opinions.raters
    return Opinions(
        _filled(items, opinions.mean),
        _filled(items, opinions.error),
        _filled(items, opinions.deviation),
        Raters(_filled(raters, estimates.bias), _filled(raters, estimates.inconsistency)),
    )


def _filled(there: ndarray, values: Float[ndarray, " some"]) -> Float[ndarray, " all"]:
    full = np.full(len(there), math.nan)
    full[there] = values
    return full


def _raters(votes: Votes, opinions: Opinions, method: str, found: Screening) -> Raters:
    """Return bias and inconsistency of every rater on the scale of the votes.

    Only votes on items that others voted on, too, say something of a rater; the rejected are held
    against the opinions of the others.
    """
    kept = votes.of_raters(~found.rejected)
    if method == "zscore":
        opinions = recovery.mean_opinion(kept)
    others = kept.per_item[votes.item] - ~found.rejected[votes.rater]
    shared = votes.where(others > 0)
    residual = shared.value - opinions.mean[shared.item]
    bias, inconsistency = shared.rater_mean(residual), shared.rater_deviation(residual, ddof=0)
    if method == "mle":
        there = np.isfinite(opinions.raters.bias)
        bias = np.where(there, opinions.raters.bias, bias)
        inconsistency = np.where(there, opinions.raters.inconsistency, inconsistency)
    if method == "p913":
        bias = recovery.rater_bias(votes)
    return Raters(bias, inconsistency)


def _opinion_rows(opinions: Opinions, votes: Votes) -> tuple[OpinionRow, ...]:
    five = votes.categorical
    of_item: list[list[float]] = [[] for _ in votes.items]
    for item, value in zip(votes.item.tolist(), votes.value.tolist(), strict=True):
        of_item[item].append(value)
    rows = []
    for number, path in enumerate(votes.items):
        interval, about = opinions.interval(number), votes.about.get(path, About())
        counts = Counter(of_item[number])
        levels = five and bool(counts)
        told = {f"{value:g}": counts[value] for value in sorted(counts)}
        shares = [
            counts[votes.scale.high - step] / max(1, len(of_item[number])) for step in range(5)
        ]
        rows.append(
            OpinionRow(
                path,
                float(opinions.mean[number]),
                float(opinions.deviation[number]),
                len(of_item[number]),
                interval.low,
                interval.high,
                about.split,
                about.scene,
                shares=tuple(shares) if levels else (),
                details={"votes": told} if told and not levels else {},
            )
        )
    return tuple(rows)


def _rater_rows(votes: Votes, raters: Raters, found: Screening) -> tuple[RaterRow, ...]:
    remarks = notes(votes, raters)
    return tuple(
        RaterRow(
            name,
            float(raters.bias[number]),
            float(raters.inconsistency[number]),
            bool(found.rejected[number]),
            "; ".join(part for part in (found.reasons[number], remarks[number]) if part),
        )
        for number, name in enumerate(votes.raters)
    )


def _choosers(comparisons: Comparisons, score: Float[ndarray, " items"]) -> tuple[RaterRow, ...]:
    """Say of each rater how often the first shown is chosen, and how often against the scale.

    `bias` is the share of choices of `a` less ½, `inconsistency` the share of choices against the
    scale, ties half.
    """
    better = 0.5 + 0.5 * np.sign(score[comparisons.a] - score[comparisons.b])
    against = np.abs(comparisons.choice - better)
    rows = []
    for number, name in enumerate(comparisons.raters):
        own = comparisons.rater == number
        wrong, n = float(np.mean(against[own])), int(own.sum())
        backwards = stats.binomtest(math.floor(wrong * n), n, alternative="greater").pvalue < 0.01
        note = f"{wrong:.0%} of {n} choices go against the scale: a and b mixed up?"
        bias = float(np.mean(comparisons.choice[own])) - 0.5
        rows.append(RaterRow(name, bias, wrong, rejected=False, reason=note if backwards else ""))
    return tuple(rows)


def _remarks(votes: Votes, found: Screening, rows: tuple[OpinionRow, ...]) -> tuple[str, ...]:
    remarks = []
    if votes.missing:
        cells = counted(votes.missing, "cell or row holds", "cells or rows hold")
        remarks.append(f"{cells} no vote")
    if lost := int(votes.per_rater[found.rejected].sum()):
        raters = counted(int(found.rejected.sum()), "rejected rater")
        remarks.append(f"{counted(lost, 'vote')} of {raters} left out")
    if empty := [row.path for row in rows if not row.n]:
        items = counted(len(empty), "item has", "items have")
        remarks.append(f"{items} no vote left ({some(empty)}): no opinion")
    if single := [row.path for row in rows if row.n == 1]:
        items = counted(len(single), "item has", "items have")
        remarks.append(f"{items} one vote ({some(single)}): no interval")
    return tuple(remarks)
