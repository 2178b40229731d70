"""Tables with a column for the path and one for the score: CSV, JSON, JSON Lines, Parquet.

The columns are those of Beholder's own opinion table, or the names the field uses for them.
"""

from beholder.datasets.files import Contents
from beholder.datasets.readers.base import columns, opinion

__all__ = ["columns", "fits", "opinion"]


def fits(contents: Contents) -> bool:
    """Whether the file is of this format: any is, when no other reader wants it."""
    return bool(contents.records)
