"""What a reader does: say whether a file is its format, name the columns, make one Opinion.

A reader is a file in this folder with `fits(contents)` and, where the default does not do,
`columns(contents, stated)` and `opinion(record, columns, row)`. `plain` reads what no other fits.
"""

import math
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, Final

from beholder import _names
from beholder.datasets.files import Contents, Record
from beholder.datasets.opinions import Opinion
from beholder.levels.scale import LEVELS

Columns = Mapping[str, Sequence[str]]
"""Our name → the file's columns that may hold it, the first with a value counts."""

KNOWN: Final[dict[str, Sequence[str]]] = {
    "path": (
        *("path", "image", "img_path", "img_name", "image_name", "image name", "dist_name"),
        *("dist_img", "filename", "file_name", "file", "video", "video_name", "name", "src"),
    ),
    "mos": ("mos", "dmos", "gt_score", "mos_zscore", "elo_score", "score"),
    "std": ("std", "mos_std", "sd", "std_dev"),
    "n": ("n", "votes", "c_total"),
    "low": ("low",),
    "high": ("high",),
    "split": ("split",),
    "scene": ("scene", "ref_name", "hq_name", "ref_img", "reference"),
    **{f"p_{word}": (f"p_{word}",) for word in LEVELS},
}
"""The names the field uses, in lower case; the earlier one wins."""


def reader_for(contents: Contents) -> ModuleType:
    """Return the reader that the records fit; `plain` where no other does."""
    kind = "datasets.readers"
    others = [name for name in _names.names(kind) if name != "plain"]
    modules = (_names.find(kind, name) for name in others)
    fitting = next((module for module in modules if module.fits(contents)), None)
    return fitting or _names.find(kind, "plain")


def columns(contents: Contents, wanted: Columns) -> dict[str, list[str]]:
    """Find our columns among those of a file; `wanted` replaces what is known of a column."""
    present = list(dict.fromkeys(key for record in contents.records for key in record))
    lower: dict[str, list[str]] = {}
    for name in present:
        lower.setdefault(name.lower(), []).append(name)
    found = {}
    for ours, candidates in {**KNOWN, **wanted}.items():
        names = [name for each in candidates for name in lower.get(each.lower(), [])]
        if names:
            found[ours] = names
    return found


def opinion(record: Record, names: Columns, row: int) -> Opinion:
    """Make one Opinion of a record; columns that are none of ours are kept in `extra`."""
    used = {name for each in names.values() for name in each}
    p = {word: number(cell(record, names, f"p_{word}")) for word in LEVELS}
    known = all(math.isfinite(share) for share in p.values())
    count = number(cell(record, names, "n"))
    return Opinion(
        path=text(cell(record, names, "path")),
        mos=number(cell(record, names, "mos")),
        std=optional(cell(record, names, "std")),
        n=int(count) if math.isfinite(count) else None,
        low=optional(cell(record, names, "low")),
        high=optional(cell(record, names, "high")),
        split=text(cell(record, names, "split")),
        scene=text(cell(record, names, "scene")),
        probabilities=p if known else {},
        extra={key: value for key, value in record.items() if key not in used},
        row=row,
    )


def cell(record: Record, names: Columns, ours: str) -> Any:
    """Return the first value of a record under one of our names; None where there is none."""
    values = (record.get(name) for name in names.get(ours, ()))
    return next((value for value in values if value not in (None, "")), None)


def number(value: Any) -> float:
    """Read a number, also one written as text with blanks; NaN where there is none.

    >>> number("4.63 "), number(3), number("n/a")
    (4.63, 3.0, nan)
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return math.nan
    try:
        return float(value)
    except (ValueError, OverflowError):
        return math.nan


def optional(value: Any) -> float | None:
    """Read a finite number; None where there is none."""
    found = number(value)
    return found if math.isfinite(found) else None


def text(value: Any) -> str:
    """Read a text; empty where there is none."""
    return "" if value is None else str(value).strip()
