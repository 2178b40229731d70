"""From probabilities over levels to a value: expectation, spread, nearest word.

Expectation over the closed set of level words is Q-Align's score (arXiv 2312.17090, section 3).
"""

import math
from collections.abc import Sequence


def expectation(probabilities: Sequence[float], weights: Sequence[float]) -> float:
    """Return Σ p·w for probabilities that sum to 1.

    >>> expectation([0.0, 0.5, 0.5, 0.0, 0.0], [5.0, 4.0, 3.0, 2.0, 1.0])
    3.5
    """
    return math.fsum(p * w for p, w in zip(probabilities, weights, strict=True))


def spread(probabilities: Sequence[float], weights: Sequence[float]) -> float:
    """Return the standard deviation of the level distribution, in the unit of `weights`.

    >>> spread([0.5, 0.0, 0.0, 0.0, 0.5], [5.0, 4.0, 3.0, 2.0, 1.0])
    2.0
    """
    mean = expectation(probabilities, weights)
    return math.sqrt(
        math.fsum(p * (w - mean) ** 2 for p, w in zip(probabilities, weights, strict=True))
    )


def nearest(value: float, words: Sequence[str], weights: Sequence[float]) -> str:
    """Return the word whose weight is nearest to `value`; halfway goes to the better word.

    >>> nearest(3.5, ["excellent", "good", "fair", "poor", "bad"], [5.0, 4.0, 3.0, 2.0, 1.0])
    'good'
    """
    pairs = zip(words, weights, strict=True)
    return min(pairs, key=lambda pair: (abs(pair[1] - value), -pair[1]))[0]


def softmax(logits: Sequence[float]) -> list[float]:
    """Return the closed-set probabilities of finite logits, computed in double precision.

    >>> softmax([0.0, 0.0])
    [0.5, 0.5]
    """
    top = max(logits)
    masses = [math.exp(logit - top) for logit in logits]
    total = math.fsum(masses)
    return [mass / total for mass in masses]
