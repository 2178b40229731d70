"""DeQA-Score's JSON: Q-Align's records with `gt_score_norm`, `level_probs` and `std_norm`.

`level_probs` runs from excellent to bad. The published ones need not sum to 1 (DeQA-Score cuts
negative masses and does not normalise); they are kept as they are.
"""

import math
from dataclasses import replace

from beholder.datasets.files import Contents, Record
from beholder.datasets.opinions import Opinion
from beholder.datasets.readers import base, qalign
from beholder.levels.scale import LEVELS

columns = base.columns


def fits(contents: Contents) -> bool:
    """Whether the file is of this format."""
    if contents.container != "json" or not contents.records:
        return False
    return "gt_score_norm" in contents.records[0] or "level_probs" in contents.records[0]


def opinion(record: Record, names: base.Columns, row: int) -> Opinion:
    """Make one Opinion of a record."""
    made = qalign.opinion(record, names, row)
    given = record.get("level_probs")
    shares = [base.number(share) for share in given] if isinstance(given, list) else []
    whole = len(shares) == len(LEVELS) and all(math.isfinite(share) for share in shares)
    return replace(made, probabilities=dict(zip(LEVELS, shares, strict=True)) if whole else {})
