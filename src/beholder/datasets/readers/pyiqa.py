"""The meta CSV files of pyiqa (IQA-PyTorch): `dist_name` or `img_name`, `mos` or `dmos`, `std` ….

Where the votes are there (`c1` bad … `c5` excellent, `c_total`), `std` is that of the votes on the
1-5 scale while `mos` is on another: it is kept as the extra column `std_of_votes_1_5`.
"""

from dataclasses import replace
from typing import Final

from beholder.datasets.files import Contents, Record
from beholder.datasets.opinions import Opinion
from beholder.datasets.readers import base
from beholder.levels.scale import LEVELS

VOTES: Final = ("c5", "c4", "c3", "c2", "c1")
"""Columns with the share of votes for each level, best first."""

columns = base.columns


def fits(contents: Contents) -> bool:
    """Whether the file is of this format."""
    if contents.container != "csv" or not contents.records:
        return False
    first = contents.records[0]
    return "dist_name" in first or "img_name" in first or set(VOTES) <= set(first)


def opinion(record: Record, names: base.Columns, row: int) -> Opinion:
    """Make one Opinion of a record."""
    made = base.opinion(record, names, row)
    shares = [base.optional(record.get(name)) for name in VOTES]
    counted = [share for share in shares if share is not None]
    if len(counted) < len(VOTES) or not sum(counted):
        return made
    extra = {key: value for key, value in made.extra.items() if key not in VOTES}
    extra["std_of_votes_1_5"] = made.std
    p = {word: share / sum(counted) for word, share in zip(LEVELS, counted, strict=True)}
    return replace(made, std=None, probabilities=p, extra=extra)
