"""An evaluation as JSON: numbers for programs, in full precision.

`overall` and each of `groups` hold `n`, `failed` and the six measures as `value, low, high`. What
is not there is null, and `reason` beside it says why.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from beholder.errors import TableError
from beholder.evaluation.evaluate import Evaluation, Rival
from beholder.evaluation.measuring import CHIEF, Result
from beholder.evaluation.pairing import Joined
from beholder.evaluation.reports._text import counted
from beholder.evaluation.splitting import OverSplits
from beholder.metrics.calibration import Calibration
from beholder.metrics.difference import Difference
from beholder.metrics.mapping import Curve
from beholder.metrics.value import Value

FORMAT: Final = 1
NO_INTERVAL: Final = "too few replicates exist for an interval"


def write(path: Path, made: Evaluation) -> None:
    """Write an evaluation.

    Raises:
        TableError: when the disk does not take it.
    """
    text = json.dumps(content(made), indent=2, ensure_ascii=False, allow_nan=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise TableError(f"{path} cannot be written: {error.strerror or error}") from error


def content(made: Evaluation) -> dict[str, Any]:
    """Return an evaluation as plain values: no NaN in it."""
    return {
        "format": FORMAT,
        "overall": _result(made.overall),
        "groups": {name: _result(result) for name, result in made.groups.items()},
        "join": _joined(made.joined),
        "notes": list(made.notes),
        "against": _rival(made.rival) if made.rival else None,
        "splits": _over_splits(made.over_splits) if made.over_splits else None,
        "krasula": _plain(asdict(made.krasula)) if made.krasula else None,
        "calibration": _calibration(made.calibration) if made.calibration else None,
        "opinions": {
            "file": made.opinions.origin,
            "format": made.opinions.format,
            "card": made.opinions.card,
            "direction": "higher is better" if made.opinions.higher_is_better else "DMOS, negated",
            "direction_stated": made.opinions.direction_stated,
            "range": str(made.opinions.scale) if made.opinions.scale else None,
        },
        "scores": _scores(made),
        "bootstrap": {"replicates": made.question.replicates, "seed": made.question.seed},
    }


def _scores(made: Evaluation) -> dict[str, Any]:
    scores = made.scores
    names = ("task", "scale", "model", "fingerprint")
    told = {name: getattr(scores, name) or None for name in names}
    return {"file": scores.origin, **told, "recipe": dict(scores.recipe) or None}


def _result(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = {"n": result.n, "failed": result.failed}
    for name, value in result.values.items():
        caution = result.caution(name)
        found[name] = _value(value) | ({"caution": caution} if caution else {})
    if result.differences:
        found["difference"] = {
            name: _difference(difference) for name, difference in result.differences.items()
        }
        found |= _verdict(result)
    found["fisher"] = {name: _fisher(result, name) for name in result.fisher}
    found["curves"] = {name: _curve(curve) for name, curve in result.curves.items()}
    found["drawn"] = counted(result.scenes, "scene") if result.scenes else "files"
    if result.column:
        found["column"] = result.column
    return found


def _verdict(result: Result) -> dict[str, Any]:
    """Say what the differences mean; a number of items is left out where none would do."""
    every = result.differences
    reason = every[CHIEF].reason
    return {
        "verdict": result.verdict or None,
        **({"reason": reason} if reason else {}),
        "verdicts": {name: each.verdict for name, each in every.items() if not each.reason},
        "items_needed": {name: each.needed for name, each in every.items() if each.needed},
    }


def _fisher(result: Result, name: str) -> dict[str, Any]:
    found, value = result.fisher[name], result.values[name]
    if math.isfinite(found.low):
        return asdict(found)
    lacking = f"no closed form for a correlation of {value.value:.3f} over {result.n} files"
    return {"low": None, "high": None, "reason": value.reason or lacking}


def _calibration(found: Calibration) -> dict[str, Any]:
    """Return a calibration; without one, why there is none."""
    if found.reason:
        return {"n": found.n, "reason": found.reason}
    coverage = []
    for each in found.coverage:
        lacking = {} if math.isfinite(each.low) else {"reason": NO_INTERVAL}
        coverage.append(_plain(asdict(each)) | lacking)
    ratio = _value(found.ratio)
    if ratio["low"] is None:
        ratio.setdefault("reason", NO_INTERVAL)
    srcc: dict[str, Any] = {"value": found.srcc}
    if math.isnan(found.srcc):
        srcc = {
            "value": None,
            "reason": "fewer than three files, or all spreads or all deviations are equal",
        }
    return {"n": found.n, "coverage": coverage, "error": found.error, "ratio": ratio, "srcc": srcc}


def _value(value: Value) -> dict[str, Any]:
    numbers = {"value": value.value, "low": value.low, "high": value.high}
    return {**_plain(numbers), **({"reason": value.reason} if value.reason else {})}


def _difference(found: Difference) -> dict[str, Any]:
    numbers = {"value": found.value, "low": found.low, "high": found.high, "p": found.p}
    return {**_plain(numbers), **({"reason": found.reason} if found.reason else {})}


def _curve(curve: Curve) -> dict[str, Any]:
    return {
        "parameters": list(curve.parameters) or None,
        "well_conditioned": curve.well_conditioned,
        "monotone": curve.monotone,
        **({"reason": curve.reason} if curve.reason else {}),
    }


def _joined(joined: Joined) -> dict[str, Any]:
    return {
        "opinions": joined.opinions,
        "scores": joined.scores,
        "matched": sum(joined.rules.values()),
        **joined.rules,
        **{
            key: {"count": problem.count, "examples": list(problem.examples)}
            for key, problem in joined.odd.items()
        },
    }


def _rival(rival: Rival) -> dict[str, Any]:
    scores = rival.scores
    return {
        "file": scores.origin,
        "model": scores.model or None,
        "fingerprint": scores.fingerprint or None,
        "common": rival.common,
        "overall": _result(rival.overall),
        "join": _joined(rival.joined),
    }


def _over_splits(found: OverSplits) -> dict[str, Any]:
    return {
        "parts": found.parts,
        "folds": found.folds or None,
        "lists": found.lists or None,
        "lacking": found.lacking,
        "scene_disjoint": found.by_scene,
        "smallest": found.smallest,
        "largest": found.largest,
        **{
            name: {"median": told.pop("value"), **told}
            for name, told in ((name, _value(value)) for name, value in found.values.items())
        },
    }


def _plain(value: Any) -> Any:
    """Return a value with None for every number that JSON cannot write."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
