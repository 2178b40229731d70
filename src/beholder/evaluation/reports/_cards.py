"""Cards: one row of a score table as a page shows it, every number already in words."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from beholder.evaluation.reports._strips import Strip, strip
from beholder.evaluation.reports._text import (
    Axis,
    clock,
    counted,
    halves,
    number,
    percent,
    plain,
    pretty,
    tone_of,
)
from beholder.levels.scale import LEVELS

MOST_DETAILS: Final = 6_000
"""Characters of a row's details that a card carries; the table has all of them."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Segment:
    """One level of a distribution bar; lengths are percentages of its width."""

    word: str
    tone: int
    left: float
    width: float
    share: str


@dataclass(frozen=True)
class Whisker:
    """Score and spread on the axis, in per cent of its width."""

    low: float
    high: float
    at: float


@dataclass(frozen=True)
class Card:
    """One picture or clip, ready to be printed."""

    index: int
    """Place in the input, from 0."""
    path: str
    head: str
    tail: str
    media: str
    duration: str
    task: str
    level: str
    tone: int
    score: str
    spread: str
    axis: str
    rank: float
    """What the page sorts by: the place on the scale, or the score where there is no scale."""
    doubt: float
    """The spread in shares of the scale; -1 where there is none."""
    segments: list[Segment]
    whisker: Whisker | None
    strip: Strip | None
    facts: list[tuple[str, str]]
    extra: str
    """Other details of the row as JSON, empty when there are none."""
    image: str
    """A `data:` URI, empty when there is no preview."""

    @property
    def distribution(self) -> str:
        """The probabilities as one line."""
        return ", ".join(f"{part.word} {part.share}" for part in reversed(self.segments))


def card(index: int, row: Row, preview: bytes | None) -> Card:
    """Return the card of a row that has a score."""
    score = number(row.get("score"))
    assert score is not None
    spread = number(row.get("spread"))
    axis = Axis.of(str(row.get("scale") or ""))
    details = row.get("details")
    details = dict(details) if isinstance(details, Mapping) else {}
    seconds = number(row.get("seconds"))
    path = str(row.get("path") or "")
    head, tail = halves(path)
    level = plain(str(row.get("level") or ""))
    media = "video" if row.get("media") == "video" else "image"
    return Card(
        index=index,
        path=plain(path),
        head=head,
        tail=tail,
        media=media,
        duration=clock(seconds) if seconds is not None else "",
        task=plain(str(row.get("task") or "")),
        level=level,
        tone=tone_of(level) or axis.tone(score),
        score=axis.text(score),
        spread="" if spread is None else axis.text(spread),
        axis=axis.name,
        rank=rank(row),
        doubt=-1.0 if spread is None else round(_relative(spread, axis), 6),
        segments=_segments(row),
        whisker=_whisker(score, spread, axis),
        strip=strip(details.pop("timeline", None), seconds, axis),
        facts=_facts(row),
        extra=_extra(details),
        image=_data_uri(preview),
    )


def rank(row: Row) -> float:
    """Return what a page sorts a scored row by: a higher number is better."""
    score = number(row.get("score"))
    assert score is not None
    position = Axis.of(str(row.get("scale") or "")).position(score)
    return round(score if position is None else position, 9)


def _relative(spread: float, axis: Axis) -> float:
    return spread if axis.range is None else spread / (axis.range.high - axis.range.low)


def _segments(row: Row) -> list[Segment]:
    """Return the five levels from worst to best, as they stand on the axis."""
    shares = [number(row.get(f"p_{word}")) for word in reversed(LEVELS)]
    total = sum(share for share in shares if share is not None and share > 0)
    if None in shares or total <= 0:
        return []
    left = 0.0
    found = []
    for word, share in zip(reversed(LEVELS), shares, strict=True):
        width = 100 * max(share or 0.0, 0.0) / total
        part = Segment(word, tone_of(word), round(left, 2), round(width, 2), percent(width / 100))
        found.append(part)
        left += width
    return found


def _whisker(score: float, spread: float | None, axis: Axis) -> Whisker | None:
    at = axis.position(score)
    if at is None:
        return None
    low, high = axis.position(score - (spread or 0)), axis.position(score + (spread or 0))
    assert low is not None
    assert high is not None
    return Whisker(round(100 * low, 2), round(100 * high, 2), round(100 * at, 2))


def _facts(row: Row) -> list[tuple[str, str]]:
    width, height = number(row.get("width")), number(row.get("height"))
    seconds, score, spread = (number(row.get(key)) for key in ("seconds", "score", "spread"))
    facts = {
        "Path": row.get("path"),
        "Pixels": f"{width:.0f} × {height:.0f}{_mega(width, height)}" if width and height else "",
        "Duration": "" if seconds is None else _in_full(seconds),
        "Task": row.get("task"),
        "Score": "" if score is None else f"{score:.6f}",
        "Spread": "" if spread is None else f"{spread:.6f}",
        "Scale": row.get("scale"),
        "Model": row.get("model"),
        "Fingerprint": row.get("fingerprint"),
    }
    return [(name, plain(str(value))) for name, value in facts.items() if value]


def _in_full(seconds: float) -> str:
    """Return a duration in full.

    >>> _in_full(14.25), _in_full(75.0)
    ('14.25 s', '75 s (1:15)')
    """
    exact = f"{seconds:.2f}".rstrip("0").rstrip(".") + " s"
    return f"{exact} ({clock(seconds)})" if seconds >= 60 else exact


def _mega(width: float, height: float) -> str:
    return f" ({width * height / 1e6:.1f} megapixels)" if width * height >= 1e6 else ""


def _extra(details: Mapping[str, Any]) -> str:
    text = pretty(details) if details else ""
    if len(text) > MOST_DETAILS:
        left = counted(len(text) - MOST_DETAILS, "more character")
        return f"{text[:MOST_DETAILS]}\n… {left} in the table"
    return text


def _data_uri(preview: bytes | None) -> str:
    if not preview:
        return ""
    return "data:image/jpeg;base64," + base64.b64encode(preview).decode("ascii")
