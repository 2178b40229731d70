"""The columns of a score table, and how a Score becomes a row of plain values."""

import math
from collections.abc import Mapping
from typing import Any, Final

from beholder.levels.scale import LEVELS
from beholder.score import Score

DECIMALS: Final = 6

TYPES: Final[Mapping[str, type]] = {
    "path": str,
    "media": str,
    "width": int,
    "height": int,
    "seconds": float,
    "task": str,
    "score": float,
    "scale": str,
    "level": str,
    "p_excellent": float,
    "p_good": float,
    "p_fair": float,
    "p_poor": float,
    "p_bad": float,
    "spread": float,
    "details": dict,
    "error": str,
    "model": str,
    "fingerprint": str,
}
"""Column → type, in the order of the table. Any value may be None, except `path`."""

COLUMNS: Final = tuple(TYPES)

Row = dict[str, Any]
"""One value a column; None where there is none."""


def row_of(score: Score) -> Row:
    """Return the row of a Score: numbers rounded to six decimals, None for what is not there.

    Level words other than the five leave `p_*` empty and stand in `details`.
    """
    five = tuple(score.probabilities) == LEVELS
    probabilities = score.probabilities if five else {}
    details = dict(score.details)
    if score.probabilities and not five:
        details["probabilities"] = dict(score.probabilities)
    return {
        "path": score.path,
        "media": score.media or None,
        "width": score.width,
        "height": score.height,
        "seconds": _number(score.seconds),
        "task": score.task,
        "score": _number(score.value),
        "scale": score.scale,
        "level": score.level or None,
        **{f"p_{word}": _number(probabilities.get(word)) for word in LEVELS},
        "spread": _number(score.spread),
        "details": _rounded(details) if details else None,
        "error": score.error or None,
        "model": score.model or None,
        "fingerprint": score.fingerprint or None,
    }


def _number(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else round(value, DECIMALS)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, Mapping):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    return value
