"""Votes: who gave which item how much, and when; one entry a vote, whatever the file's shape.

Sums over the votes of an item or of a rater are all that recovery needs, so that missing votes and
repeated ones are no special case.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from beholder.errors import TableError
from beholder.levels.scale import Scale

CATEGORIES = 5
"""Steps of absolute category rating: whole votes on such a scale are votes for the level words."""


@dataclass(frozen=True)
class Vote:
    """One vote as it was read."""

    rater: str
    item: str
    value: float
    session: str = ""
    """Tells repeated votes of one rater on one item apart."""
    where: str = ""
    """Where it stands, for an error: `row 7`."""


@dataclass(frozen=True)
class Missing:
    """Where a vote could be and is none."""

    rater: str
    item: str


@dataclass(frozen=True)
class About:
    """What is known of an item besides its votes."""

    scene: str = ""
    """The content group: items of one source."""
    split: str = ""
    reference: str = ""
    """Name of the item it was made from; its own name for a reference; empty if unknown."""


@dataclass(frozen=True)
class Votes:
    """The votes of a study, as parallel vectors over votes."""

    items: tuple[str, ...]
    raters: tuple[str, ...]
    sessions: tuple[str, ...]
    scale: Scale
    item: Int[ndarray, " votes"]
    rater: Int[ndarray, " votes"]
    session: Int[ndarray, " votes"]
    value: Float[ndarray, " votes"]
    about: Mapping[str, About] = field(default_factory=lambda: MappingProxyType({}))
    missing: int = 0
    """Cells and rows that hold no vote."""

    def __len__(self) -> int:
        return len(self.value)

    @property
    def per_item(self) -> Int[ndarray, " items"]:
        """How many votes each item has."""
        return np.bincount(self.item, minlength=len(self.items))

    @property
    def per_rater(self) -> Int[ndarray, " raters"]:
        """How many votes each rater gave."""
        return np.bincount(self.rater, minlength=len(self.raters))

    @property
    def categorical(self) -> bool:
        """Whether every vote is one of five whole steps."""
        five = self.scale.high - self.scale.low == CATEGORIES - 1
        steps = self.value - self.scale.low
        return bool(five and np.all(steps == np.round(steps)))

    def item_mean(self, of: Float[ndarray, " votes"]) -> Float[ndarray, " items"]:
        """Return the mean over the votes of each item; NaN for an item without votes."""
        return _mean(self.item, of, len(self.items))

    def rater_mean(self, of: Float[ndarray, " votes"]) -> Float[ndarray, " raters"]:
        """Return the mean over the votes of each rater; NaN for a rater without votes."""
        return _mean(self.rater, of, len(self.raters))

    def item_deviation(
        self, of: Float[ndarray, " votes"], ddof: int = 1
    ) -> Float[ndarray, " items"]:
        """Return the standard deviation over the votes of each item; NaN for `ddof` or fewer."""
        return _deviation(self.item, of, len(self.items), ddof)

    def rater_deviation(
        self, of: Float[ndarray, " votes"], ddof: int = 1
    ) -> Float[ndarray, " raters"]:
        """Return the standard deviation over the votes of each rater; NaN for `ddof` or fewer."""
        return _deviation(self.rater, of, len(self.raters), ddof)

    def with_values(self, value: Float[ndarray, " votes"]) -> "Votes":
        """Return the same votes with other numbers."""
        return replace(self, value=value)

    def of_raters(self, keep: Bool[ndarray, " raters"]) -> "Votes":
        """Return the votes of some raters; items and raters keep their places."""
        return self.where(keep[self.rater])

    def where(self, kept: Bool[ndarray, " votes"]) -> "Votes":
        """Return some of the votes; items and raters keep their places."""
        return replace(
            self,
            item=self.item[kept],
            rater=self.rater[kept],
            session=self.session[kept],
            value=self.value[kept],
        )

    def averaged(self) -> "Votes":
        """Return one vote for each rater and item: the mean over sessions."""
        cell = self.item * len(self.raters) + self.rater
        cells, place = np.unique(cell, return_inverse=True)
        return replace(
            self,
            sessions=("",),
            item=cells // len(self.raters),
            rater=cells % len(self.raters),
            session=np.zeros(len(cells), dtype=np.int64),
            value=_mean(place, self.value, len(cells)),
        )

    def matrix(self) -> Float[ndarray, "items raters"]:
        """Return the mean vote of each rater on each item; NaN where there is none."""
        own = self.averaged()
        table = np.full((len(self.items), len(self.raters)), math.nan)
        table[own.item, own.rater] = own.value
        return table


def gather(
    cells: Sequence[Vote | Missing],
    scale: Scale,
    about: Mapping[str, About] | None = None,
) -> Votes:
    """Put votes together, items and raters in the order in which they first come.

    An item or a rater without any vote keeps its place.

    Raises:
        TableError: when there are none, when one lies outside the scale, or when a rater voted
            twice on an item in one session.

    >>> votes = gather([Vote("ann", "a.png", 4.0), Vote("bob", "a.png", 2.0)], Scale(1.0, 5.0))
    >>> votes.item_mean(votes.value).tolist()
    [3.0]
    """
    votes = [cell for cell in cells if isinstance(cell, Vote)]
    if not votes:
        raise TableError("there is no vote: every row or cell is empty")
    seen: dict[tuple[str, str, str], Vote] = {}
    for vote in votes:
        if not scale.low <= vote.value <= scale.high:
            raise TableError(
                f"{vote.where}: vote {vote.value:g} of rater {vote.rater!r} on {vote.item!r} lies"
                f" outside the scale {scale}: correct it, or state the scale, e.g. --range 0,100"
            )
        key = (vote.rater, vote.item, vote.session)
        if key in seen:
            raise TableError(
                f"{seen[key].where} and {vote.where}: rater {vote.rater!r} voted twice on"
                f" {vote.item!r}{' in one session' if vote.session else ''}: take one out, or give"
                " a column `session` if it was shown twice"
            )
        seen[key] = vote
    items = tuple(dict.fromkeys(cell.item for cell in cells))
    raters = tuple(dict.fromkeys(cell.rater for cell in cells))
    sessions = tuple(dict.fromkeys(vote.session for vote in votes))
    return Votes(
        items,
        raters,
        sessions,
        scale,
        item=_places(items, [vote.item for vote in votes]),
        rater=_places(raters, [vote.rater for vote in votes]),
        session=_places(sessions, [vote.session for vote in votes]),
        value=np.array([vote.value for vote in votes], dtype=np.float64),
        about=MappingProxyType(dict(about or {})),
        missing=len(cells) - len(votes),
    )


def _places(names: Sequence[str], given: Sequence[str]) -> Int[ndarray, " votes"]:
    place = {name: number for number, name in enumerate(names)}
    return np.array([place[name] for name in given], dtype=np.int64)


def _mean(
    group: Int[ndarray, " votes"], of: Float[ndarray, " votes"], count: int
) -> Float[ndarray, " groups"]:
    sizes = np.bincount(group, minlength=count)
    sums = np.bincount(group, weights=of, minlength=count)
    return np.asarray(np.divide(sums, sizes, out=np.full(count, math.nan), where=sizes > 0))


def _deviation(
    group: Int[ndarray, " votes"], of: Float[ndarray, " votes"], count: int, ddof: int
) -> Float[ndarray, " groups"]:
    sizes = np.bincount(group, minlength=count)
    centred = of - _mean(group, of, count)[group]
    squares = np.bincount(group, weights=centred**2, minlength=count)
    enough = sizes > ddof
    variance = np.divide(squares, sizes - ddof, out=np.full(count, math.nan), where=enough)
    return np.asarray(np.sqrt(variance))
