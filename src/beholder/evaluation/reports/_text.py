"""Words and numbers as a page shows them. Nothing here knows HTML; the templates escape."""

import json
import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath
from typing import Any

from beholder._counting import counted as counted  # noqa: PLC0414 -- for the reports
from beholder.errors import UsageError
from beholder.levels.scale import LEVELS, Scale

_UNSHOWABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_JOINERS = "\u200d\ufe0e\ufe0f"


def plain(text: str) -> str:
    r"""Return text with every character that cannot or should not be shown written as an escape.

    Those are control characters, lone surrogates (bytes of a name that is not UTF-8) and the
    characters that turn the direction of the text around them.

    >>> print(plain("caf\xe9\udcff\u202egpj"))
    café\udcff\u202egpj
    """
    return _UNSHOWABLE.sub(lambda m: m[0].encode("unicode_escape").decode("ascii"), text)


def halves(path: str) -> tuple[str, str]:
    """Return the file name in two parts; a narrow card shortens the first and keeps the second.

    >>> halves("trip/IMG_20240607_184512_portrait.jpg")
    ('IMG_20240607_184512_por', 'trait.jpg')
    >>> halves("trip/a.jpg")
    ('a.jpg', '')
    """
    name = plain(PurePath(path).name or path)
    if len(name) <= 14:
        return name, ""
    cut = len(name) - 9
    while cut and (_continues(name[cut]) or name[cut - 1] == "\u200d"):
        cut -= 1
    return name[:cut], name[cut:]


def _continues(character: str) -> bool:
    return character in _JOINERS or unicodedata.category(character) in ("Mn", "Me", "Mc", "Sk")


def number(value: Any) -> float | None:
    """Return a finite number, or None for everything else a cell may hold.

    >>> number("3.5"), number(float("nan")), number(None), number("")
    (3.5, None, None, None)
    """
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) else None


def clock(seconds: float) -> str:
    """Return a time as people write it.

    >>> clock(0.44), clock(14.2), clock(75.0), clock(3671.0)
    ('0.4 s', '0:14', '1:15', '1:01:11')
    """
    if seconds < 1:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def moment(seconds: float, duration: float) -> str:
    """Return a place on an axis of `duration` seconds.

    >>> moment(2.25, 4.0), moment(2.25, 40.0), moment(75.0, 400.0)
    ('2.2 s', '2 s', '1:15')
    """
    if duration >= 100:
        return clock(max(seconds, 1.0)) if seconds >= 1 else "0:00"
    return f"{seconds:.1f} s" if duration < 10 else f"{seconds:.0f} s"


def percent(share: float) -> str:
    """Return a share as a percentage that never claims an exact 0 or 100.

    >>> percent(0.0004), percent(0.123), percent(0.9999), percent(1.0)
    ('<0.1%', '12.3%', '>99.9%', '100%')
    """
    if share <= 0 or share >= 1:
        return "0%" if share <= 0 else "100%"
    if share < 0.001:
        return "<0.1%"
    return ">99.9%" if share > 0.999 else f"{100 * share:.1f}%"


def pretty(value: Mapping[str, Any]) -> str:
    """Return a mapping as indented JSON that is safe to show."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return "\n".join(plain(line) for line in text.split("\n"))


@dataclass(frozen=True)
class Axis:
    """The scale of a score as a page draws and prints it.

    >>> axis = Axis.of("0-100")
    >>> axis.text(71.25), axis.position(71.25), axis.tone(71.25)
    ('71.2', 0.7125, 4)
    """

    name: str
    """As it is printed: `1–5`, or the name of a measure."""
    range: Scale | None
    """None for a measure that has no fixed range."""

    @classmethod
    @lru_cache(maxsize=64)
    def of(cls, scale: str) -> "Axis":
        """Read the `scale` column of a score table."""
        try:
            found = Scale.parse(scale)
        except UsageError:
            return cls(plain(scale), None)
        return cls(f"{found.low:g}–{found.high:g}", found)

    def text(self, value: float) -> str:
        """Return a value or a spread with as many digits as mean something on this scale."""
        if self.range is None:
            return f"{value:.4g}"
        digits = 2 - round(math.log10((self.range.high - self.range.low) / 4))
        return f"{value:.{max(digits, 0)}f}"

    def position(self, value: float) -> float | None:
        """Return where a value stands: 0 the low end, 1 the high end, None without a range."""
        if self.range is None:
            return None
        share = (value - self.range.low) / (self.range.high - self.range.low)
        return min(max(share, 0.0), 1.0)

    def tone(self, value: float) -> int:
        """Return the level nearest to a value: 5 excellent … 1 bad, 0 without a range."""
        position = self.position(value)
        return 0 if position is None else min(int(position * 4 + 1.5 + 1e-9), 5)


def tone_of(word: str) -> int:
    """Return 5 for excellent … 1 for bad, 0 for any other word."""
    return 5 - LEVELS.index(word) if word in LEVELS else 0
