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
from beholder.evaluation.measuring import Result
from beholder.evaluation.pairing import Joined
from beholder.evaluation.splitting import OverSplits
from beholder.metrics.difference import Difference
from beholder.metrics.mapping import Curve
from beholder.metrics.value import Value

FORMAT: Final = 1


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
        "calibration": _plain(asdict(made.calibration)) if made.calibration else None,
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
    found |= {name: _value(value) for name, value in result.values.items()}
    if result.differences:
        found["difference"] = {
            name: _difference(difference) for name, difference in result.differences.items()
        }
        found["verdict"] = result.verdict
        found["verdicts"] = {name: each.verdict for name, each in result.differences.items()}
        found["items_needed"] = {name: each.needed for name, each in result.differences.items()}
    found["fisher"] = {name: _plain(asdict(interval)) for name, interval in result.fisher.items()}
    found["curves"] = {name: _curve(curve) for name, curve in result.curves.items()}
    found["drawn"] = f"{result.scenes} scenes" if result.scenes else "files"
    if result.column:
        found["column"] = result.column
    return found


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
