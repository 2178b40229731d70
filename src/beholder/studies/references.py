"""Opinions against references: how much worse an item is than what it was made from."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from jaxtyping import Int
from numpy import ndarray

from beholder._counting import counted
from beholder.errors import TableError
from beholder.studies.recovery import Opinions
from beholder.studies.votes import About, Votes

LIVE_SHIFT: Final = 3.0
LIVE_FACTOR: Final = 100.0 / 6.0
"""LIVE states z-scores as (z + 3) · 100/6, which puts nearly all of them within 0 to 100."""


def against(opinions: Opinions, votes: Votes) -> Opinions:
    """Return best of the scale + opinion - opinion of the reference; errors stay the items' own.

    The differential score of hidden references (ITU-T P.910), on means.

    Raises:
        TableError: when an item has no reference, or the reference has no votes.
    """
    reference = opinions.mean[places(votes)]
    return replace(opinions, mean=votes.scale.high + opinions.mean - reference)


def differences(votes: Votes) -> Votes:
    """Return every vote less the mean opinion of the item's reference.

    Raises:
        TableError: when an item has no reference, or the reference has no votes.
    """
    reference = votes.item_mean(votes.value)[places(votes)]
    return votes.with_values(votes.value - reference[votes.item])


def as_live(opinions: Opinions) -> Opinions:
    """State z-scores as LIVE does (Sheikh, Sabir and Bovik 2006): (z + 3) · 100/6."""
    return replace(
        opinions,
        mean=(opinions.mean + LIVE_SHIFT) * LIVE_FACTOR,
        error=opinions.error * LIVE_FACTOR,
        deviation=opinions.deviation * LIVE_FACTOR,
    )


def places(votes: Votes) -> Int[ndarray, " items"]:
    """Return the place of each item's reference among the items."""
    place = {name: number for number, name in enumerate(votes.items)}
    names = [votes.about.get(name, About()).reference for name in votes.items]
    without = [item for item, name in zip(votes.items, names, strict=True) if not name]
    if without:
        raise TableError(
            f"{counted(len(without), 'item has', 'items have')} no reference ({some(without)}):"
            " --differences needs a column `reference` with the item each was made from"
        )
    seen = votes.per_item > 0
    unseen = sorted({name for name in names if name not in place or not seen[place[name]]})
    if unseen:
        raise TableError(
            f"{counted(len(unseen), 'reference has', 'references have')} no votes ({some(unseen)}):"
            " --differences needs the references to be rated, too"
        )
    return np.array([place[name] for name in names], dtype=np.int64)


def some(names: Sequence[str]) -> str:
    """Return the first three names, and an ellipsis if there are more."""
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
