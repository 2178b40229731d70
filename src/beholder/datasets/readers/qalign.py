"""The JSON that Q-Align published, and its relatives (Q-Instruct, Q-ReAlign's test lists).

A list, one object a line, or objects without a break between them. `image` or `img_path` names the
file; the score is `gt_score`, a number or a text with blanks, or stands in the id: `file->4.63`.
`conversations` hold the question and the answer with the level word.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from beholder.datasets.files import Contents, Record
from beholder.datasets.opinions import Opinion
from beholder.datasets.readers import base

_IMAGE_TOKEN: Final = re.compile(r"<\|?image\|?>")
_ANSWER: Final = re.compile(r"\bis\s+(?P<level>[^.]+?)\s*\.?\s*$")
ARROW: Final = "->"


def fits(contents: Contents) -> bool:
    """Whether the file is of this format."""
    if contents.container != "json" or not contents.records:
        return False
    first = contents.records[0]
    return "conversations" in first or "gt_score" in first or ARROW in str(first.get("id", ""))


columns = base.columns


def opinion(record: Record, names: base.Columns, row: int) -> Opinion:
    """Make one Opinion of a record; several frames of one clip are named by the first."""
    record = dict(record)
    path_cell = base.cell(record, names, "path")
    turns = record.pop("conversations", None)
    in_id = score_in_id(record.get("id"))
    made = base.opinion(record, names, row)
    extra = dict(made.extra)
    if isinstance(path_cell, list):
        extra["paths"] = path_cell
        made = replace(made, path=base.text(path_cell[0] if path_cell else None))
    if not math.isnan(in_id):
        extra["score_in_id"] = in_id
    answer = _turn(turns, "gpt")
    return replace(
        made,
        mos=in_id if math.isnan(made.mos) else made.mos,
        question=_turn(turns, "human"),
        level=level_of(answer) or answer,
        extra=extra,
    )


def score_in_id(value: Any) -> float:
    """Return the score that an id ends with; NaN where it ends with none.

    >>> score_in_id("kadid10k/I01_01_01.png->4.57 ")
    4.57
    """
    _, arrow, score = str(value).rpartition(ARROW)
    return base.number(score) if arrow else math.nan


def level_of(answer: str) -> str:
    """Return what an answer says the quality is: the words after its last `is`.

    >>> level_of("The quality of the image is below average.")
    'below average'
    """
    found = _ANSWER.search(answer)
    return found["level"].rpartition(" is ")[2] if found else ""


def _turn(turns: Any, speaker: str) -> str:
    """Return what a speaker says first, image tokens taken out, one line a sentence."""
    if not isinstance(turns, list):
        return ""
    said = (t.get("value") for t in turns if isinstance(t, Mapping) and t.get("from") == speaker)
    lines = _IMAGE_TOKEN.sub("\n", str(next(said, ""))).splitlines()
    return "\n".join(line.strip() for line in lines if line.strip())
