"""Figures of an evaluation: what is drawn where, in per cent of the drawing. Nothing knows HTML."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from beholder.evaluation.evaluate import Evaluation
from beholder.evaluation.measuring import Result, residuals
from beholder.evaluation.reports import _told
from beholder.evaluation.reports._text import Axis, counted, halves, percent, plain, tone_of
from beholder.levels.scale import LEVELS, Scale
from beholder.metrics.difference import Difference
from beholder.metrics.mapping import line
from beholder.metrics.value import Value

Vector = Float[ndarray, " n"]

MOST_POINTS: Final = 3_000
"""More files than this, and an even share of them is drawn; the numbers count all."""
MOST_TITLES: Final = 800
"""More points than this are drawn as one shape, without a name under the pointer."""
BINS: Final = 20
WORST: Final = 6
"""Disagreements that are shown on either side."""


@dataclass(frozen=True)
class Tick:
    """A mark on an axis."""

    at: float
    text: str


@dataclass(frozen=True)
class Dot:
    """One file in a plane; `y` from above."""

    x: float
    y: float
    title: str
    rank: int = 0
    """Its number among the largest disagreements; 0 for none."""


@dataclass(frozen=True)
class Plane:
    """Dots between two axes, and a line among them."""

    dots: list[Dot]
    marked: list[Dot]
    """The largest disagreements, from the left."""
    path: str
    """The curve as an SVG path; empty where there is none."""
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    band: tuple[float, float] | None = None
    """Upper edge and height of the band of ± one RMSE."""
    left_out: int = 0

    @property
    def cloud(self) -> str:
        """All dots as one path, where they are too many to be named."""
        if len(self.dots) <= MOST_TITLES:
            return ""
        return "".join(f"M{dot.x:g} {dot.y:g}h0" for dot in self.dots)


@dataclass(frozen=True)
class Track:
    """A number and its interval on a straight axis."""

    name: str
    key: str
    text: str
    interval: str
    note: str
    start: float
    """Where 0 is."""
    at: float | None
    low: float | None
    high: float | None

    @property
    def left(self) -> float:
        """Where its bar begins."""
        return min(self.start, self.at if self.at is not None else self.start)

    @property
    def width(self) -> float:
        """How long its bar is."""
        return round(abs((self.at if self.at is not None else self.start) - self.start), 2)


@dataclass(frozen=True)
class Bar:
    """One bin of a histogram."""

    left: float
    width: float
    height: float
    tone: int
    title: str


@dataclass(frozen=True)
class Histogram:
    """How many files lie where on a scale."""

    name: str
    bars: list[Bar]
    ticks: list[str]
    shares: list[tuple[str, int, str]]
    """Level, tone and share; empty where the range is not known."""


@dataclass(frozen=True)
class Disagreement:
    """One file that people see otherwise than the scores say."""

    rank: int
    path: str
    head: str
    tail: str
    score: str
    opinion: str
    residual: str
    image: str = ""


@dataclass(frozen=True)
class Span:
    """A range of numbers that becomes 0 to 100 per cent."""

    low: float
    high: float

    @classmethod
    def of(cls, values: Vector, scale: Scale | None = None, margin: float = 0.04) -> "Span":
        low, high = float(np.min(values)), float(np.max(values))
        if scale:
            low, high = min(low, scale.low), max(high, scale.high)
        rim = (high - low) * margin or max(abs(low), 1.0) / 2
        return cls(low - rim, high + rim)

    def at(self, value: float) -> float:
        return round(100 * (value - self.low) / (self.high - self.low), 2)

    def down(self, value: float) -> float:
        return round(100 - self.at(value), 2)

    def ticks(self, *, down: bool = False) -> list[Tick]:
        """Return round numbers within the range, four to eight of them."""
        rough = (self.high - self.low) / 5
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * each for each in (1, 2, 2.5, 5, 10) if power * each >= rough)
        first = math.ceil(self.low / step)
        values = [number * step for number in range(first, math.floor(self.high / step) + 1)]
        place = self.down if down else self.at
        return [Tick(place(value), f"{value:g}".replace("-", "−")) for value in values]


def worst(made: Evaluation) -> list[int]:
    """Return the rows of the scored sample with the largest residuals, above and below in turn."""
    sample = made.sample.scored()
    if len(sample) < 3:
        return []
    gaps = residuals(made.overall, sample)
    order = np.argsort(-gaps, kind="stable")
    above = [int(number) for number in order[:WORST] if gaps[number] > 0]
    below = [int(number) for number in order[::-1][:WORST] if gaps[number] < 0]
    return [*above, *below]


def scatter(made: Evaluation) -> Plane | None:
    """Return scores against opinions with the fitted curve; None without a pair."""
    sample = made.sample.scored()
    if not len(sample):
        return None
    x = Span.of(sample.scores)
    y = Span.of(sample.opinions)
    curve = made.overall.curves["logistic4"]
    path = ""
    if not curve.reason:
        drawn = line(curve, sample.scores)
        points = zip(drawn.x, drawn.y, strict=True)
        path = "M" + "L".join(f"{x.at(float(a)):g} {y.down(float(b)):g}" for a, b in points)
    return _plane(made, x, y, sample.opinions, path)


def residual_plane(made: Evaluation) -> Plane | None:
    """Return what the curve leaves over, against the score; None without a curve."""
    sample = made.sample.scored()
    if made.overall.curves["logistic4"].reason:
        return None
    gaps = residuals(made.overall, sample)
    rmse = made.overall.values["rmse_logistic4"].value
    reach = max(float(np.max(np.abs(gaps))), rmse, 1e-9)
    y = Span(-1.1 * reach, 1.1 * reach)
    band = (y.down(rmse), round(y.down(-rmse) - y.down(rmse), 2))
    return _plane(made, Span.of(sample.scores), y, gaps, f"M0 {y.down(0.0):g}H100", band)


def _plane(
    made: Evaluation,
    x: Span,
    y: Span,
    values: Vector,
    path: str,
    band: tuple[float, float] | None = None,
) -> Plane:
    sample = made.sample.scored()
    ranks = {number: rank for rank, number in enumerate(worst(made), 1)}
    step = max(1, math.ceil(len(sample) / MOST_POINTS))
    dots = []
    for number in range(len(sample)):
        if number % step and number not in ranks:
            continue
        told = f"{plain(sample.paths[number])}: score {sample.scores[number]:.4g},"
        told += f" opinion {_raw(made, float(sample.opinions[number]))}"
        place = x.at(float(sample.scores[number])), y.down(float(values[number]))
        dots.append(Dot(*place, told, ranks.get(number, 0)))
    marked = sorted((dot for dot in dots if dot.rank), key=lambda dot: dot.x)
    left_out = len(sample) - len(dots)
    ticks = x.ticks(), y.ticks(down=True)
    return Plane(dots, marked, path, *ticks, band, left_out)


def _raw(made: Evaluation, opinion: float) -> str:
    """Return an opinion as its table states it, with four digits."""
    return f"{made.opinions.agreement(opinion):.4g}".replace("-", "−")


def tiles(made: Evaluation) -> list[Track]:
    """Return the six measures of all files."""
    return tracks(made.overall)


def tracks(result: Result, names: Sequence[str] = tuple(_told.NAMES)) -> list[Track]:
    """Return measures of one group on an axis from 0 (or lower) to 1."""
    correlations = [value for name, value in result.values.items() if not name.startswith("rmse")]
    lows = [value.low for value in correlations] + [value.value for value in correlations]
    span = Span(-1.0 if any(low < 0 for low in lows) else 0.0, 1.0)
    return [
        _track(name, result.values[name], None if name.startswith("rmse") else span)
        for name in names
    ]


def _track(name: str, value: Value, span: Span | None) -> Track:
    drawn = span is not None and not math.isnan(value.value)
    span = span or Span(0.0, 1.0)
    ranged = drawn and not math.isnan(value.low)
    return Track(
        name=_told.NAMES[name],
        key=name,
        text=_told.number(value.value),
        interval=_told.interval(value),
        note=value.reason,
        start=span.at(0.0),
        at=span.at(value.value) if drawn else None,
        low=span.at(value.low) if ranged else None,
        high=span.at(value.high) if ranged else None,
    )


def group_tracks(made: Evaluation, measure: str) -> list[Track]:
    """Return one measure of every group on one axis."""
    values = [result.values[measure] for result in made.groups.values()]
    low = any(value.low < 0 or value.value < 0 for value in values)
    span = Span(-1.0 if low else 0.0, 1.0)
    return [_track(measure, value, span) for value in values]


def differences(made: Evaluation) -> list[Track]:
    """Return the paired differences: correlations on one axis, the RMSE on its own."""
    found = made.overall.differences
    errors = [name for name in found if name.startswith("rmse")]
    of_errors = _about_zero([found[name] for name in errors])
    of_others = _about_zero([each for name, each in found.items() if name not in errors])
    drawn = []
    for name, each in found.items():
        span = of_errors if name in errors else of_others
        track = _track(name, Value(each.value, each.low, each.high, each.reason), span)
        p = "" if math.isnan(each.p) else f"p {_told.equals(each.p)}"
        drawn.append(Track(**{**vars(track), "note": each.reason or f"{each.verdict}, {p}"}))
    return drawn


def _about_zero(found: Sequence[Difference]) -> Span:
    """Return an axis with 0 in its middle that holds differences and their intervals."""
    ends = [abs(end) for each in found for end in (each.low, each.high, each.value)]
    reach = 1.08 * max((end for end in ends if not math.isnan(end)), default=0.0) or 1.0
    return Span(-reach, reach)


def histograms(made: Evaluation) -> list[Histogram]:
    """Return how the scores and how the opinions are spread."""
    sample = made.sample.scored()
    if len(sample) < 2:
        return []
    return [
        _histogram("Scores", sample.scores, made.scales.scores),
        _histogram("Opinions", sample.opinions, made.scales.opinions),
    ]


def _histogram(name: str, values: Vector, scale: Scale | None) -> Histogram:
    low = scale.low if scale else float(np.min(values))
    high = scale.high if scale else float(np.max(values))
    if not low < high:
        low, high = low - 0.5, high + 0.5
    axis = Axis(name, scale)
    counts, edges = np.histogram(np.clip(values, low, high), bins=BINS, range=(low, high))
    bars = [
        Bar(
            left=round(100 * place / BINS, 2),
            width=100 / BINS,
            height=round(100 * float(count) / float(counts.max()), 2),
            tone=axis.tone(float(edges[place] + edges[place + 1]) / 2),
            title=f"{edges[place]:.4g} to {edges[place + 1]:.4g}: {counted(int(count), 'file')}",
        )
        for place, count in enumerate(counts)
        if count
    ]
    tones = Counter(axis.tone(float(value)) for value in values) if scale else Counter()
    shares = [
        (word, tone_of(word), percent(tones[tone_of(word)] / len(values)))
        for word in reversed(LEVELS)
    ]
    ticks = [f"{low + (high - low) * part / 4:.4g}".replace("-", "−") for part in range(5)]
    return Histogram(name, bars, ticks, shares if scale else [])


def disagreements(made: Evaluation) -> list[Disagreement]:
    """Return the files that people see most otherwise than the scores, above and below."""
    sample = made.sample.scored()
    gaps = residuals(made.overall, sample)
    ranked = made.overall.curves["logistic4"].reason != ""
    found = []
    for rank, number in enumerate(worst(made), 1):
        head, tail = halves(sample.paths[number])
        gap = float(gaps[number])
        amount = (
            f"{100 * abs(gap):.0f} % of the ranks"
            if ranked
            else f"{abs(gap):.2g}"
            if abs(gap) < 10
            else f"{abs(gap):.0f}"
        )
        found.append(
            Disagreement(
                rank=rank,
                path=sample.paths[number],
                head=head,
                tail=tail,
                score=f"{sample.scores[number]:.3g}".replace("-", "−"),
                opinion=_raw(made, float(sample.opinions[number])),
                residual=f"{amount} {'better' if gap > 0 else 'worse'}",
            )
        )
    return found
