"""Lines without a header, as DOVER and FAST-VQA label their clips: `path, seconds, fps, mos`.

The score is the last number. The two in between are kept as the extra columns `column_2` and
`column_3`: in most lists length and frame rate (-1 where unknown), in MaxWell's the technical and
the aesthetic opinion. A list with the number first, `mos path`, is read, too.
"""

import math
from dataclasses import replace

from beholder.datasets.files import COLUMN, Contents, Record
from beholder.datasets.opinions import Opinion
from beholder.datasets.readers import base


def fits(contents: Contents) -> bool:
    """Whether the file is of this format."""
    first = contents.records[0] if contents.records else {}
    texts = [cell for cell in first.values() if math.isnan(base.number(cell))]
    return contents.container == "lines" and len(first) > 1 and len(texts) < 2


def columns(contents: Contents, wanted: base.Columns) -> dict[str, list[str]]:
    """Say which columns hold path and score: the only text, and the number that is farthest."""
    names = list(contents.records[0])
    texts = [name for name in names if math.isnan(base.number(contents.records[0][name]))]
    path = texts[0] if texts else COLUMN.format(1)
    numbers = [name for name in names if name != path]
    return {"path": [path], "mos": [numbers[-1]]} | {key: [*wanted[key]] for key in wanted}


def opinion(record: Record, names: base.Columns, row: int) -> Opinion:
    """Make one Opinion of a record; the columns in between become numbers."""
    made = base.opinion(record, names, row)
    return replace(made, extra={key: base.optional(value) for key, value in made.extra.items()})
