"""Scales: the range a value is stated on. Levels are worth 1 to 5; every other range is affine.

The 1-5 scale is that of absolute category rating (ITU-T P.910): 5 excellent, 1 bad.
"""

from dataclasses import dataclass
from typing import Final

from beholder.errors import UsageError

LEVELS: Final = ("excellent", "good", "fair", "poor", "bad")
"""The five words of absolute category rating, best first."""
WEIGHTS: Final = (5.0, 4.0, 3.0, 2.0, 1.0)
"""What they are worth on the 1-5 scale."""


@dataclass(frozen=True)
class Scale:
    """A closed range, `low` worst and `high` best.

    >>> Scale.parse("0-100").of(3.0)
    50.0
    >>> str(Scale.parse("1-5"))
    '1-5'
    """

    low: float
    high: float

    @classmethod
    def parse(cls, text: str) -> "Scale":
        """Read `low-high`, e.g. `1-5`, `0-1`, `0-100`.

        Raises:
            UsageError: when the text is not two increasing numbers joined by a hyphen.
        """
        low, _, high = text.partition("-")
        try:
            scale = cls(float(low), float(high))
        except ValueError:
            scale = cls(0.0, 0.0)
        if not scale.low < scale.high < float("inf"):
            raise UsageError(f"scale {text!r} is not a range such as 1-5, 0-1 or 0-100")
        return scale

    def of(self, value: float) -> float:
        """Move a value from the 1-5 scale to this one."""
        return self.low + (value - 1.0) / 4.0 * (self.high - self.low)

    def width_of(self, width: float) -> float:
        """Move a difference or a standard deviation from the 1-5 scale to this one."""
        return width / 4.0 * (self.high - self.low)

    def __str__(self) -> str:
        return f"{self.low:g}-{self.high:g}"
