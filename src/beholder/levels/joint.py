"""Levels asked for together with something else: a text for each combination, and its parts.

LIQE (arXiv 2303.14968) puts quality, scene and distortion into one sentence. The probability of a
quality is the sum over all sentences that name it.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np


def texts(template: str, words: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the template filled with each combination of words; the last kind changes fastest.

    >>> texts("a {quality} photo of a {scene}", {"quality": ["bad", "good"], "scene": ["cat"]})
    ('a bad photo of a cat', 'a good photo of a cat')
    """
    filled = (dict(zip(words, each, strict=True)) for each in product(*words.values()))
    return tuple(template.format(**each) for each in filled)


def marginals(
    probabilities: Sequence[float], words: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, float]]:
    """Return kind → word → probability, from one probability a combination, ordered as `texts`.

    >>> words = {"quality": ["bad", "good"], "scene": ["cat", "dog"]}
    >>> marginals([0.125, 0.25, 0.375, 0.25], words)["scene"]
    {'cat': 0.5, 'dog': 0.5}
    """
    shape = tuple(len(each) for each in words.values())
    table = np.asarray(probabilities, dtype=np.float64).reshape(shape)
    return {
        kind: {
            word: math.fsum(np.take(table, number, axis).ravel().tolist())
            for number, word in enumerate(each)
        }
        for axis, (kind, each) in enumerate(words.items())
    }
