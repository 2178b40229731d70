"""The lists of LIQE, without a header: `path, mos, distortion` and up to three scenes.

The distortion is told in LIQE's own words as the extra column `distortion`, what the picture shows
as `scene_class`, words with a comma between; `invalid` stands for none. Content groups are not in
these lists.
"""

from dataclasses import replace
from typing import Final

from beholder.datasets.files import COLUMN, Contents, Record
from beholder.datasets.opinions import Opinion
from beholder.datasets.readers import base
from beholder.levels.attributes import DISTORTION_OF, SCENES

NONE: Final = "invalid"
_PATH, _MOS, _DISTORTION, *_SCENES = (COLUMN.format(number) for number in range(1, 7))


def fits(contents: Contents) -> bool:
    """Whether the file is of this format."""
    first = contents.records[0] if contents.records else {}
    known = {NONE, *SCENES}
    return (
        contents.container == "lines"
        and len(first) == 3 + len(_SCENES)
        and first[_DISTORTION] in {NONE, *DISTORTION_OF}
        and all(first[name] in known for name in _SCENES)
    )


def columns(contents: Contents, wanted: base.Columns) -> dict[str, list[str]]:  # noqa: ARG001
    """Say which columns hold path and score."""
    return {"path": [_PATH], "mos": [_MOS]} | {key: [*wanted[key]] for key in wanted}


def opinion(record: Record, names: base.Columns, row: int) -> Opinion:
    """Make one Opinion of a record; names that are none of LIQE's stay as they are."""
    told = base.text(record.get(_DISTORTION))
    scenes = [base.text(record.get(name)) for name in _SCENES]
    extra = {
        "distortion": "" if told == NONE else DISTORTION_OF.get(told, told),
        "scene_class": ", ".join(each for each in scenes if each not in ("", NONE)),
    }
    return replace(base.opinion(record, names, row), extra=extra)
