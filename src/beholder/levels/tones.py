"""Tones: good, average, poor, and what an untrained model's words for them are worth.

Q-Boost (arXiv 2312.15300): a third, neutral tone beside good and poor (Triadic-Tone Integration),
and several words for each tone, their logits averaged (Multi-Prompt Ensemble). Values are 0 to 1.
"""

from collections.abc import Mapping
from math import fsum
from typing import Final

from beholder.levels.statistics import softmax

TONES: Final[Mapping[str, tuple[str, ...]]] = {
    "good": ("good", "high", "fine"),
    "average": ("average", "medium", "acceptable"),
    "poor": ("poor", "low", "bad"),
}
"""Tone → words that say it, best tone first; the first word of each is used alone in a triad."""
WORTH: Final[Mapping[str, float]] = {"good": 1.0, "average": 0.5, "poor": 0.0}
"""What a tone is worth, 0 to 1."""
TEMPERATURE: Final = 100.0
"""By which the binary baseline divides its logits; it presses scores together around 0.5."""
WAYS: Final[Mapping[str, tuple[str, ...]]] = {
    "triadic": TONES["good"][:1] + TONES["average"][:1] + TONES["poor"][:1],
    "ensemble": TONES["good"] + TONES["average"] + TONES["poor"],
    "binary": TONES["good"][:1] + TONES["poor"][:1],
}
"""Way of asking → the words whose logits it needs."""


def by_tone(logits: Mapping[str, float]) -> dict[str, float]:
    """Return one logit a tone: the mean of its words' logits; tones without a word are left out.

    >>> by_tone({"good": 2.0, "high": 4.0, "poor": 1.0})
    {'good': 3.0, 'poor': 1.0}
    """
    said = {tone: [logits[w] for w in words if w in logits] for tone, words in TONES.items()}
    return {tone: fsum(values) / len(values) for tone, values in said.items() if values}


def probabilities(logits: Mapping[str, float], way: str) -> dict[str, float]:
    """Return the probability of each tone from the logits of `WAYS[way]`, best tone first.

    >>> probabilities({"good": 0.0, "average": 0.0, "poor": 0.0}, "triadic")["average"]
    0.3333333333333333
    """
    tones = by_tone(logits)
    scale = TEMPERATURE if way == "binary" else 1.0
    masses = softmax([logit / scale for logit in tones.values()])
    return dict(zip(tones, masses, strict=True))
