"""Scales: the range a value is stated on. Levels are worth 1 to 5; every other range is affine.

The 1-5 scale is that of absolute category rating (ITU-T P.910): 5 excellent, 1 bad. A measure
that cannot be moved to a range, such as a distance, is stated as it is, under its name.
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


def is_range(text: str) -> bool:
    """Tell whether a stated scale is a range, or else the name of a measure.

    >>> is_range("0-100"), is_range("negated distance")
    (True, False)
    """
    try:
        Scale.parse(text)
    except UsageError:
        return False
    return True


@dataclass(frozen=True)
class Measure:
    """A number on no scale of levels, higher is better: it is stated as it was measured.

    >>> measure = Measure("negated distance")
    >>> measure.of(-19.25), measure.width_of(0.5), str(measure)
    (-19.25, 0.5, 'negated distance')
    """

    name: str

    def of(self, value: float) -> float:
        """Return the value itself."""
        return value

    def width_of(self, width: float) -> float:
        """Return the difference or standard deviation itself."""
        return width

    def __str__(self) -> str:
        return self.name


def choose(text: str, measure: str = "") -> Scale | Measure:
    """Return the scale of a method: `auto` is its `measure` if it has one, or else 1-5.

    Raises:
        UsageError: when the text is no range, or a range is asked of a measure that has none.

    >>> str(choose("auto")), str(choose("auto", "negated distance"))
    ('1-5', 'negated distance')
    """
    if text != "auto":
        scale = Scale.parse(text)
        if not measure:
            return scale
        raise UsageError(
            f"scale {text!r} was asked for, but this model gives a {measure}, which cannot be "
            "moved to a range: leave the scale out"
        )
    return Measure(measure) if measure else Scale(WEIGHTS[-1], WEIGHTS[0])
