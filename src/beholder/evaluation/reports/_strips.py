"""Strips over time: how the score of a clip goes from its first second to its last."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from beholder.evaluation.reports._text import Axis, moment, number

MOST_STRETCHES: Final = 60
"""A strip is drawn in at most this many stretches, whatever the length of the clip."""


@dataclass(frozen=True)
class Stretch:
    """One bar of a strip; lengths are percentages of the drawing, `top` measured from above."""

    left: float
    width: float
    top: float
    tone: int
    title: str


@dataclass(frozen=True)
class Strip:
    """One clip over time, ready to be drawn."""

    stretches: list[Stretch]
    ticks: list[str]
    worst: float
    """Where the worst moment is, in per cent of the width."""
    worst_text: str

    @property
    def shapes(self) -> list[tuple[int, str]]:
        """The bars of each tone as one path: a page of many clips stays light."""
        tones = sorted({part.tone for part in self.stretches}, reverse=True)
        return [(tone, self._path(tone)) for tone in tones]

    def _path(self, tone: int) -> str:
        bars = []
        for part in self.stretches:
            if part.tone == tone:
                width = part.width - min(0.35, part.width / 5)
                bars.append(f"M{part.left:g} {part.top:g}h{width:.4g}V100h-{width:.4g}z")
        return "".join(bars)

    @property
    def moments(self) -> str:
        """Left edge, width and words of each bar, one bar a line."""
        return "\n".join(f"{part.left:g} {part.width:g} {part.title}" for part in self.stretches)


@dataclass(frozen=True)
class _Point:
    seconds: float
    value: float


def strip(timeline: Any, seconds: float | None, axis: Axis) -> Strip | None:
    """Return the strip of `[[seconds, value], …]`, or None when there are not two moments."""
    points = _points(timeline)
    if len(points) < 2:
        return None
    step = (points[-1].seconds - points[0].seconds) / (len(points) - 1)
    end = max(seconds or points[-1].seconds + step / 2, points[-1].seconds)
    if end <= 0:
        return None
    worst = min(points, key=lambda point: point.value)
    return Strip(
        stretches=_stretches(_thinned(points), end, axis),
        ticks=[moment(end * share, end) for share in (0, 0.25, 0.5, 0.75, 1)],
        worst=round(100 * worst.seconds / end, 2),
        worst_text=f"worst {axis.text(worst.value)} at {moment(worst.seconds, end)}",
    )


def _points(timeline: Any) -> list[_Point]:
    if not isinstance(timeline, Sequence) or isinstance(timeline, str):
        return []
    found = []
    for pair in timeline:
        if isinstance(pair, Sequence) and not isinstance(pair, str) and len(pair) == 2:
            seconds, value = number(pair[0]), number(pair[1])
            if seconds is not None and value is not None and seconds >= 0:
                found.append(_Point(seconds, value))
    return sorted(found, key=lambda point: point.seconds)


def _thinned(points: list[_Point]) -> list[_Point]:
    """Return at most `MOST_STRETCHES` points, each the lowest of its stretch."""
    groups = min(len(points), MOST_STRETCHES)
    edges = [len(points) * group // groups for group in range(groups + 1)]
    return [min(points[low:high], key=lambda point: point.value) for low, high in pairwise(edges)]


def _stretches(points: list[_Point], end: float, axis: Axis) -> list[Stretch]:
    times = [point.seconds for point in points]
    middles = [(low + high) / 2 for low, high in pairwise(times)]
    edges = [0.0, *middles, end]
    low = min(point.value for point in points)
    high = max(point.value for point in points)
    drawn = []
    for index, point in enumerate(points):
        height = axis.position(point.value)
        if height is None:
            height = (point.value - low) / (high - low) if high > low else 0.5
        drawn.append(
            Stretch(
                left=round(100 * edges[index] / end, 2),
                width=round(100 * (edges[index + 1] - edges[index]) / end, 2),
                top=round(94 * (1 - height), 1),
                tone=axis.tone(point.value),
                title=f"{moment(point.seconds, end)}: {axis.text(point.value)}",
            )
        )
    return drawn
