"""Summary: what a page says about all rows, and which rows it has room to show.

Rows are read once. Kept are the best and the worst of them, the first errors, and eight bytes for
each score, so that the median is exact.
"""

import heapq
import math
import statistics
from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from beholder.evaluation.reports._cards import Row, rank
from beholder.evaluation.reports._text import Axis, counted, number, percent, plain, tone_of
from beholder.levels.scale import LEVELS

MOST_CARDS: Final = 5_000
"""More scored rows than this, and a page shows the best and the worst half of as many."""
MOST_ERRORS: Final = 500
"""More errors than this, and a page lists the first ones and counts the rest."""

_Kept = tuple[float, int, Row]


@dataclass(frozen=True)
class Bar:
    """One bin of a histogram; lengths are percentages of the drawing."""

    left: float
    width: float
    height: float
    tone: int
    title: str


@dataclass(frozen=True)
class Share:
    """How many files got one level."""

    word: str
    tone: int
    count: int
    share: str


@dataclass(frozen=True)
class Histogram:
    """The scores of one task on one scale."""

    task: str
    axis: str
    count: int
    mean: str
    median: str
    mean_at: float
    """In per cent of the width."""
    median_at: float
    bars: list[Bar]
    ticks: list[str]
    shares: list[Share]
    tallest: int


@dataclass(frozen=True)
class Failure:
    """One row without a score."""

    path: str
    sentence: str


@dataclass
class _Group:
    values: "array[float]" = field(default_factory=lambda: array("d"))
    tones: Counter[int] = field(default_factory=Counter)


@dataclass
class Summary:
    """What has been read so far."""

    scored: int = 0
    failed: int = 0
    media: Counter[str] = field(default_factory=Counter)
    tones: Counter[int] = field(default_factory=Counter)
    answered: int = 0
    """Scored rows that have the probabilities of the five levels."""
    failures: list[Failure] = field(default_factory=list)
    _groups: dict[tuple[str, str], _Group] = field(default_factory=dict)
    _best: list[_Kept] = field(default_factory=list)
    _worst: list[_Kept] = field(default_factory=list)
    _rows: int = 0

    def add(self, row: Row) -> None:
        """Take in the next row."""
        index = self._rows
        self._rows += 1
        score = number(row.get("score"))
        if row.get("error") or score is None:
            self._fail(row)
            return
        self.scored += 1
        self.media["video" if row.get("media") == "video" else "image"] += 1
        key = (str(row.get("task") or ""), str(row.get("scale") or ""))
        group = self._groups.setdefault(key, _Group())
        group.values.append(score)
        tone = tone_of(str(row.get("level") or "")) or Axis.of(key[1]).tone(score)
        group.tones[tone] += 1
        self.tones[tone] += 1
        self.answered += all(number(row.get(f"p_{word}")) is not None for word in LEVELS)
        self._keep(rank(row), index, row)

    def _fail(self, row: Row) -> None:
        self.failed += 1
        if len(self.failures) < MOST_ERRORS:
            sentence = str(row.get("error") or "The table has no score for this file.")
            self.failures.append(Failure(plain(str(row.get("path") or "")), plain(sentence)))

    def _keep(self, value: float, index: int, row: Row) -> None:
        half = MOST_CARDS // 2
        item: _Kept = (value, -index, row)
        if len(self._best) < half:
            heapq.heappush(self._best, item)
            return
        value, order, row = heapq.heappushpop(self._best, item)
        turned: _Kept = (-value, -order, row)
        if len(self._worst) < half:
            heapq.heappush(self._worst, turned)
        else:
            heapq.heappushpop(self._worst, turned)

    def kept(self) -> list[tuple[int, Row]]:
        """Return the rows a page shows with their place in the input, best first."""
        everything = [*self._best, *((-value, -order, row) for value, order, row in self._worst)]
        everything.sort(key=lambda item: (-item[0], -item[1]))
        return [(-order, row) for _, order, row in everything]

    @property
    def shown(self) -> int:
        """How many cards a page has."""
        return len(self._best) + len(self._worst)

    @property
    def measures(self) -> list[str]:
        """The scales without a fixed range, by name."""
        names = dict.fromkeys(scale for _, scale in self._groups)
        return [Axis.of(name).name for name in names if name and Axis.of(name).range is None]

    def histograms(self) -> list[Histogram]:
        """Return one histogram for each task and scale, the fullest first."""
        ordered = sorted(self._groups.items(), key=lambda item: -len(item[1].values))
        return [_histogram(plain(task), Axis.of(scale), group) for (task, scale), group in ordered]


def _histogram(task: str, axis: Axis, group: _Group) -> Histogram:
    values = group.values
    low, high = (axis.range.low, axis.range.high) if axis.range else (min(values), max(values))
    if not low < high:
        low, high = low - 0.5, high + 0.5
    mean, median = math.fsum(values) / len(values), statistics.median(values)
    counts = _bins(values, low, high)

    def at(value: float) -> float:
        return round(100 * min(max((value - low) / (high - low), 0), 1), 2)

    return Histogram(
        task=task,
        axis=axis.name,
        count=len(values),
        mean=axis.text(mean),
        median=axis.text(median),
        mean_at=at(mean),
        median_at=at(median),
        bars=_bars(counts, low, high, axis),
        ticks=[f"{low + (high - low) * quarter / 4:.4g}" for quarter in range(5)],
        shares=_shares(group.tones) if axis.range else [],
        tallest=max(counts),
    )


def _bins(values: "array[float]", low: float, high: float) -> list[int]:
    """Count values in equal bins, closed on the left; edges of levels are edges of bins."""
    bins = 16 if len(values) < 60 else 40
    counts = [0] * bins
    for value in values:
        place = int((value - low) / (high - low) * bins + 1e-9)
        counts[min(max(place, 0), bins - 1)] += 1
    return counts


def _bars(counts: list[int], low: float, high: float, axis: Axis) -> list[Bar]:
    step = (high - low) / len(counts)
    bars = []
    for place, count in enumerate(counts):
        if not count:
            continue
        start = low + place * step
        files = counted(count, "file")
        bars.append(
            Bar(
                left=100 * place / len(counts),
                width=100 / len(counts),
                height=round(100 * count / max(counts), 2),
                tone=axis.tone(start + step / 2),
                title=f"{axis.text(start)} to {axis.text(start + step)}: {files}",
            )
        )
    return bars


def _shares(tones: Mapping[int, int]) -> list[Share]:
    total = sum(tones.values())
    return [
        Share(word, tone_of(word), count, percent(count / total))
        for word in reversed(LEVELS)
        for count in [tones.get(tone_of(word), 0)]
    ]
