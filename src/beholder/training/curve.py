"""The course of a run as one picture: loss by step, SRCC and PLCC with intervals by evaluation.

What is drawn is decided here; how it looks, in the template `curve.svg` beside this file.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Final

import numpy as np
from jaxtyping import Float

from beholder.evaluation.reports import _html, _told
from beholder.evaluation.reports._figures import Span, Tick
from beholder.metrics.value import Value

WIDTH: Final = 980
HEIGHT: Final = 400
TOP: Final = 66
PANEL: Final = (400, 270)
"""Width and height of what is between the axes."""
LEFTS: Final = (62.0, 546.0)
SMOOTH: Final = 25
"""From so many losses on, their running mean is drawn over them."""

Vector = Float[np.ndarray, " n"]
History = Sequence[Mapping[str, float]]
"""Lines of the log: `step` and `loss`, or `step` and what validation gave."""


@dataclass(frozen=True)
class Key:
    """The name of a line, in its colour."""

    text: str
    tone: str
    x: float


@dataclass(frozen=True)
class Shape:
    """A line or a band."""

    path: str
    tone: str
    raw: bool = False
    """Whether it lies under its own running mean."""


@dataclass(frozen=True)
class Mark:
    """One evaluation."""

    x: float
    y: float
    tone: str
    title: str


@dataclass(frozen=True)
class Panel:
    """One pair of axes and what is in it."""

    name: str
    left: float
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    keys: list[Key]
    lines: list[Shape]
    bands: list[Shape]
    dots: list[Mark]
    best: Tick | None = None
    none: str = ""
    """What is said where there is nothing to draw."""


def draw(history: History, best: int, name: str, whom: str = "people") -> str:
    """Return the course of a run as SVG that needs nothing else; the step `best` is kept."""
    panels = [_loss(history), _agreement(history, best)]
    template = resources.files("beholder.training").joinpath("curve.svg")
    text = _html.environment().from_string(template.read_text(encoding="utf-8"))
    return text.render(
        width=WIDTH,
        height=HEIGHT,
        top=TOP,
        panel_width=PANEL[0],
        panel_height=PANEL[1],
        panels=panels,
        title=f"How {name} was taught",
        about=_about(history, best, whom),
    )


def agreement(line: Mapping[str, float], measure: str) -> Value:
    """Return what an evaluation said of a measure; NaN where it said nothing."""
    low, high = (line.get(f"{measure}_{end}", math.nan) for end in ("low", "high"))
    return Value(line.get(measure, math.nan), low, high)


def evaluations(history: History) -> list[Mapping[str, float]]:
    """Return the lines that hold what validation gave."""
    return [line for line in history if "srcc" in line]


def _about(history: History, best: int, whom: str) -> str:
    chosen = next((line for line in evaluations(history) if line["step"] == best), None)
    if chosen is None:
        return "There was no evaluation."
    srcc = agreement(chosen, "srcc")
    told = f"{_told.number(srcc.value)} {_told.interval(srcc)}".strip()
    return f"Loss and agreement with {whom} by step; at step {best}, which is kept, SRCC {told}."


def _steps(history: History) -> Span:
    last = max((line["step"] for line in history), default=1.0)
    return Span(0.0, max(last, 1.0))


def _x(span: Span, step: float) -> float:
    return round(span.at(step) * PANEL[0] / 100, 1)


def _y(span: Span, value: float) -> float:
    return round(span.down(value) * PANEL[1] / 100, 1)


def _ticks(span: Span, *, down: bool = False) -> list[Tick]:
    length = PANEL[1] if down else PANEL[0]
    ticks = [Tick(round(tick.at * length / 100, 1), tick.text) for tick in span.ticks(down=down)]
    return [tick for tick in ticks if down or "." not in tick.text]


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points) + ("h0" if len(points) == 1 else "")


def _loss(history: History) -> Panel:
    taught = [line for line in history if "srcc" not in line and _there(line)]
    steps, name, left = _steps(history), "Loss", LEFTS[0]
    if not taught:
        return Panel(name, left, _ticks(steps), [], [], [], [], [], none="no loss was logged")
    losses = np.array([line["loss"] for line in taught], dtype=np.float64)
    tested = [line for line in evaluations(history) if _there(line)]
    axis = Span.of(np.append(losses, [line["loss"] for line in tested]))
    smooth = _smooth(losses) if len(losses) >= SMOOTH else None
    at = [_x(steps, line["step"]) for line in taught]
    lines = [Shape(_course(at, losses, axis), "first", raw=smooth is not None)]
    if smooth is not None:
        lines.append(Shape(_course(at, smooth, axis), "first"))
    marks = [_mark(steps, axis, line, "loss", "second") for line in tested]
    keys = [Key("learnt from", "first", 60.0)]
    if tested:
        lines.append(Shape(_path([(mark.x, mark.y) for mark in marks]), "second"))
        keys.append(Key("validation", "second", 148.0))
    return Panel(name, left, _ticks(steps), _ticks(axis, down=True), keys, lines, [], marks)


def _there(line: Mapping[str, float]) -> bool:
    return math.isfinite(line.get("loss", math.nan))


def _course(at: Sequence[float], values: Iterable[float], axis: Span) -> str:
    points = zip(at, values, strict=True)
    return _path([(x, _y(axis, float(y))) for x, y in points])


def _smooth(losses: Vector) -> list[float]:
    """Return the running mean over a tenth of the course, around each point."""
    half = max(1, len(losses) // 20)
    return [float(np.mean(losses[max(0, n - half) : n + half + 1])) for n in range(len(losses))]


def _agreement(history: History, best: int) -> Panel:
    steps, name, left = _steps(history), "Validation", LEFTS[1]
    lines = evaluations(history)
    values = {key: [agreement(line, key) for line in lines] for key in ("srcc", "plcc")}
    known = [each for row in values.values() for each in row if not math.isnan(each.value)]
    if not known:
        return Panel(name, left, _ticks(steps), [], [], [], [], [], none="nothing was evaluated")
    ends = [end for each in known for end in (each.value, each.low) if not math.isnan(end)]
    lowest = math.floor(min(ends) * 5) / 5
    axis = Span(max(-1.0, min(0.0, lowest)), 1.0)
    shapes, bands, dots = [], [], []
    for key, tone in (("plcc", "second"), ("srcc", "first")):
        drawn = [line for line in lines if not math.isnan(agreement(line, key).value)]
        marks = [_mark(steps, axis, line, key, tone) for line in drawn]
        dots += marks
        shapes.append(Shape(_path([(mark.x, mark.y) for mark in marks]), tone))
        bands += _band(steps, axis, drawn, key, tone)
    kept = next((line for line in lines if line["step"] == best), None)
    chosen = Tick(_x(steps, float(best)), "kept") if kept else None
    keys = [Key("SRCC", "first", 96.0), Key("PLCC", "second", 146.0)]
    return Panel(name, left, _ticks(steps), _ticks(axis, down=True), keys, shapes, bands, dots,
                 chosen)  # fmt: skip


def _band(
    steps: Span, axis: Span, lines: Sequence[Mapping[str, float]], key: str, tone: str
) -> list[Shape]:
    """Return the intervals as one band; as an upright line where there is one evaluation."""
    found = [(_x(steps, line["step"]), agreement(line, key)) for line in lines]
    found = [(x, value) for x, value in found if not math.isnan(value.low)]
    if not found:
        return []
    rim = 2.5 if len(found) == 1 else 0.0
    upper = [(x + side, _y(axis, v.high)) for x, v in found for side in ({-rim, rim})]
    lower = [(x + side, _y(axis, v.low)) for x, v in reversed(found) for side in ({rim, -rim})]
    return [Shape(_path([*sorted(upper), *sorted(lower, reverse=True)]) + "Z", tone)]


def _mark(steps: Span, axis: Span, line: Mapping[str, float], key: str, tone: str) -> Mark:
    value = agreement(line, key)
    names = {"srcc": "SRCC", "plcc": "PLCC", "loss": "loss"}
    told = (
        f"step {line['step']:g}: {names[key]} {_told.number(value.value)} {_told.interval(value)}"
    )
    return Mark(_x(steps, line["step"]), _y(axis, value.value), tone, told.strip())
