"""Paired comparisons: who preferred what to what, counted into a matrix of wins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from scipy.sparse import csgraph, csr_array

from beholder.errors import TableError
from beholder.studies.votes import About


@dataclass(frozen=True)
class Comparison:
    """One choice: 1.0 for `a`, 0.0 for `b`, 0.5 for a tie."""

    rater: str
    a: str
    b: str
    choice: float
    where: str = ""


@dataclass(frozen=True)
class Comparisons:
    """The choices of a study, as parallel vectors."""

    items: tuple[str, ...]
    raters: tuple[str, ...]
    rater: Int[ndarray, " choices"]
    a: Int[ndarray, " choices"]
    b: Int[ndarray, " choices"]
    choice: Float[ndarray, " choices"]
    """1 for a, 0 for b, ½ for a tie."""
    about: Mapping[str, About] = field(default_factory=lambda: MappingProxyType({}))
    missing: int = 0

    def __len__(self) -> int:
        return len(self.choice)

    def wins(self) -> Float[ndarray, "items items"]:
        """Return how often the item of the row was preferred to that of the column; ties ½."""
        counts = np.zeros((len(self.items), len(self.items)))
        np.add.at(counts, (self.a, self.b), self.choice)
        np.add.at(counts, (self.b, self.a), 1 - self.choice)
        return counts


def gather(
    choices: Sequence[Comparison],
    about: Mapping[str, About] | None = None,
    missing: int = 0,
) -> Comparisons:
    """Put choices together, items and raters in the order in which they first come.

    Raises:
        TableError: when there are none, or when an item is compared with itself.
    """
    if not choices:
        raise TableError("there is no comparison: every row lacks a choice")
    for each in choices:
        if each.a == each.b:
            raise TableError(f"{each.where}: {each.a!r} is compared with itself: take the row out")
    items = tuple(dict.fromkeys(name for each in choices for name in (each.a, each.b)))
    raters = tuple(dict.fromkeys(each.rater for each in choices))
    place = {name: number for number, name in enumerate(items)}
    rater = {name: number for number, name in enumerate(raters)}
    return Comparisons(
        items,
        raters,
        rater=np.array([rater[each.rater] for each in choices], dtype=np.int64),
        a=np.array([place[each.a] for each in choices], dtype=np.int64),
        b=np.array([place[each.b] for each in choices], dtype=np.int64),
        choice=np.array([each.choice for each in choices], dtype=np.float64),
        about=MappingProxyType(dict(about or {})),
        missing=missing,
    )


def check_comparable(wins: Float[ndarray, "items items"], items: Sequence[str]) -> None:
    """Raise unless a finite common scale exists.

    It does when every item is joined to every other by a chain of wins (Ford 1957): else one item
    or group could be moved away from the rest without end.
    """
    graph = csr_array(wins > 0)
    count, island = csgraph.connected_components(graph, connection="weak")
    if count > 1:
        raise TableError(
            f"the items fall into {count} groups that were never compared with each other (e.g."
            f" {_one(items, island, 0)} | {_one(items, island, 1)}): no common scale exists; add"
            " comparisons between the groups, or scale each apart"
        )
    count, strong = csgraph.connected_components(graph, connection="strong")
    if count == 1:
        return
    winners, losers = _always(wins, strong, count)
    names = winners or losers
    shown = ", ".join(repr(items[place]) for place in names[:3])
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    what = "won" if winners else "lost"
    raise TableError(
        f"{shown}{more} {what} every comparison with the other items: how far apart they are cannot"
        " be told; add comparisons with nearer items, or take them out"
    )


def _one(items: Sequence[str], label: Int[ndarray, " items"] | ndarray, group: int) -> str:
    return repr(items[int(np.flatnonzero(label == group)[0])])


def _always(wins: ndarray, strong: ndarray, count: int) -> tuple[list[int], list[int]]:
    """Return the smallest group that never lost to the rest, or else that never won."""
    found: dict[str, list[list[int]]] = {"won": [], "lost": []}
    for group in range(count):
        inside = strong == group
        members = np.flatnonzero(inside).tolist()
        if not wins[np.ix_(~inside, inside)].any():
            found["won"].append(members)
        elif not wins[np.ix_(inside, ~inside)].any():
            found["lost"].append(members)
    best = {name: min(groups, key=len, default=[]) for name, groups in found.items()}
    if best["lost"] and len(best["lost"]) < len(best["won"]):
        return [], best["lost"]
    return best["won"], best["lost"]
