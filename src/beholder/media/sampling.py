"""Which moments of a clip are looked at. Arithmetic on seconds; nothing here opens a file."""

import math
import re
from dataclasses import dataclass
from typing import Final

from beholder.errors import UsageError

CAP: Final = 128
"""Most frames of a rule per second that does not state its own cap."""
MOST: Final = 100_000
"""Most frames any rule may ask for."""
_COUNT: Final = re.compile(r"[0-9]{1,9}")
_RATE: Final = re.compile(r"([0-9]{0,9}(?:\.[0-9]{1,9})?)/s(?:<=([0-9]{1,9}))?")


@dataclass(frozen=True)
class FrameRule:
    """How many frames, or how many per second.

    `count` frames stand at the centres of as many equal spans. With `per_second` there is one
    frame every `1 / per_second` seconds from the first on; where that would be more than
    `count`, `count` evenly spread frames instead.

    >>> FrameRule.parse("4").times(8.0)
    [1.0, 3.0, 5.0, 7.0]
    >>> FrameRule.parse("1/s").times(2.5)
    [0.0, 1.0, 2.0]
    >>> str(FrameRule.parse("2/s"))
    '2/s<=128'
    """

    count: int
    per_second: float | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.count <= MOST:
            raise UsageError(f"{self.count} frames were asked for; allowed are 1 to {MOST}")
        if self.per_second is not None and not 1e-6 <= self.per_second <= 1000:
            raise UsageError(
                f"{self.per_second:g} frames per second were asked for; allowed are 1e-6 to 1000"
            )

    @classmethod
    def parse(cls, text: str) -> "FrameRule":
        """Read `8` (frames), `1/s`, `0.5/s` (frames per second) or `1/s<=32` (with a cap).

        Raises:
            UsageError: when the text is none of these.
        """
        text = text.strip()
        if _COUNT.fullmatch(text):
            return cls(int(text))
        rate = _RATE.fullmatch(text)
        if rate is None or not rate[1]:
            raise UsageError(
                f"frames {text!r} is no rule; write 8 (frames in all), 1/s or 0.5/s"
                f" (frames per second, at most {CAP}) or 1/s<=32 (with a cap of its own)"
            )
        return cls(int(rate[2]) if rate[2] else CAP, float(rate[1]))

    def times(self, duration_seconds: float) -> list[float]:
        """The moments to look at, in seconds from the first frame, increasing, at least one.

        Raises:
            ValueError: when the duration is negative or not finite.
        """
        if not (math.isfinite(duration_seconds) and duration_seconds >= 0):
            raise ValueError(f"a duration of {duration_seconds} seconds is not possible")
        if self.per_second is not None:
            periods = math.ceil(duration_seconds * self.per_second - 1e-9)
            if periods <= self.count:
                return [index / self.per_second for index in range(max(periods, 1))]
        step = duration_seconds / self.count
        return [(index + 0.5) * step for index in range(self.count)]

    def pick(self, total: int) -> list[int]:
        """The pages to look at where there is no time: each page counts as one second.

        >>> FrameRule.parse("4").pick(2)
        [0, 1]
        """
        return sorted({min(int(moment), total - 1) for moment in self.times(float(total))})

    def __str__(self) -> str:
        """The rule in its one spelling, as it goes into the fingerprint."""
        if self.per_second is None:
            return str(self.count)
        return f"{self.per_second:.15g}/s<={self.count}"
