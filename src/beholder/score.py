"""Score: what one picture or clip got, on a stated scale, with everything needed to read it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Score:
    """One rating. A higher value is always better.

    >>> print(Score(value=3.62, level="good", spread=0.71, path="a.jpg", model="iris"))
    a.jpg: 3.62 ± 0.71 on 1-5 (good, quality, iris)
    """

    value: float
    """The expectation over the levels, on `scale`, or what was measured; NaN exactly on `error`."""
    scale: str = "1-5"
    """`low-high`, or the name of a measure, which is on no scale of levels."""
    level: str = ""
    """The nearest level in words; empty of a measure."""
    probabilities: Mapping[str, float] = field(default_factory=dict)
    """Probability of each level word, best level first; sums to 1."""
    spread: float = math.nan
    """Standard deviation of the level distribution, on `scale`."""
    task: str = "quality"
    path: str = ""
    """The name of what was judged, as it was given."""
    media: str = ""
    """`image` or `video`."""
    width: int | None = None
    """Upright width in pixels."""
    height: int | None = None
    """Upright height in pixels."""
    seconds: float | None = None
    """Duration of a clip; None for a still."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """What else the method says, e.g. `timeline`: [[seconds, value], …] for a clip."""
    error: str = ""
    """One sentence that says what is wrong and what to do; empty when all went well."""
    model: str = ""
    fingerprint: str = ""
    """Changes whenever anything that can change the value does."""

    def __str__(self) -> str:
        name = self.path or "score"
        if self.error:
            return f"{name}: {self.error}"
        spread = "" if math.isnan(self.spread) else f" ± {self.spread:.2f}"
        about = ", ".join(part for part in (self.level, self.task, self.model) if part)
        return f"{name}: {self.value:.2f}{spread} on {self.scale} ({about})"

    def __float__(self) -> float:
        return self.value
