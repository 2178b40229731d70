"""An opinion table and a score table → pairs, and an account of every row that is in none."""

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Final

import numpy as np

from beholder.datasets.card import Card
from beholder.datasets.opinions import EXAMPLES, Opinion, Opinions, Problem
from beholder.errors import UsageError
from beholder.evaluation.joining import RULES, Join, join_plain, plain_paths
from beholder.evaluation.sample import Sample
from beholder.evaluation.scores import Scored, Scores

ODD: Final[Mapping[str, str]] = {
    "failed": "files with an opinion that could not be scored",
    "unmatched_opinions": "opinions without a row in the score table",
    "ambiguous": "of these, opinions for which several scores could be meant",
    "unmatched_scores": "scores without a row in the opinion table",
    "conflicting_opinions": "files with several opinions that differ, left out",
    "conflicting_scores": "files with several scores that differ, left out",
    "repeated_opinions": "opinion rows that repeat an earlier one, counted once",
    "repeated_scores": "score rows that repeat an earlier one, counted once",
    "without_opinion": "opinion rows without a number",
    "without_path": "rows of either table without a path",
}
"""What can be odd about a row, in the order in which reports show it."""


@dataclass(frozen=True)
class Joined:
    """What became of every row of both tables."""

    opinions: int
    """Rows of the opinion table."""
    scores: int
    """Rows of the score table."""
    rules: Mapping[str, int]
    """Step of the rule → pairs it found."""
    odd: Mapping[str, Problem]
    """Every key of `ODD`, with a count that may be 0."""
    bare: tuple[str, ...] = ()
    """A few of the pairs that share nothing but the name of the file."""

    @property
    def shown(self) -> list[Problem]:
        """What was odd at all."""
        return [problem for problem in self.odd.values() if problem.count]


@dataclass(frozen=True)
class Paired:
    """Opinions and scores of the same files, row by row."""

    sample: Sample
    """In the order of the opinion table; scores that failed are NaN."""
    opinions: tuple[Opinion, ...]
    scores: tuple[Scored, ...]
    joined: Joined


def of_the_set(opinions: Opinions, card: Card) -> Opinions:
    """Leave out files that come with a benchmark and are no part of it, and note how many."""
    if not card.not_rated:
        return opinions
    paths = plain_paths([row.path for row in opinions.rows])
    names = [PurePosixPath(path).name for path in paths]
    kept = [not re.search(card.not_rated, name) for name in names]
    out = [row.path for row, keep in zip(opinions.rows, kept, strict=True) if not keep]
    if not out:
        return opinions
    noted = _problem("files that are no part of the set by its card, left out", out)
    return replace(opinions.where(kept), problems=(*opinions.problems, noted))


def told_by_card(opinions: Opinions, card: Card) -> list[str]:
    """Return what the card of a benchmark says to its reader, and whether rows are missing."""
    told = [f"{card.title}: {note}" for note in card.notes]
    count = len({row.path for row in opinions.rows})
    if card.items and count not in (card.items, *card.sizes.values()):
        told.append(
            f"{card.title} has {card.items:,} rated items by its card, {opinions.origin} names"
            f" {count:,}: say which ones, numbers of others are over all of them."
        )
    return told


def pair(opinions: Opinions, scores: Scores, root: Path | None) -> Paired:
    """Match two tables by `joining.join`.

    Raises:
        UsageError: when no path of one is a path of the other, with an example of each.
    """
    ours = plain_paths([row.path for row in opinions.rows])
    theirs = plain_paths([row.path for row in scores.rows])
    said = _distinct(ours, [row.mos for row in opinions.rows])
    given = _distinct(theirs, [row.score for row in scores.rows])
    found = join_plain(
        [ours[number] for number in said.kept], [theirs[number] for number in given.kept], root
    )
    if not found.matches:
        raise UsageError(_nothing_in_common(opinions, scores))
    left = [opinions.rows[said.kept[match.opinion]] for match in found.matches]
    right = [scores.rows[given.kept[match.score]] for match in found.matches]
    there = [math.isfinite(row.mos) for row in left]
    left = [row for row, kept in zip(left, there, strict=True) if kept]
    right = [row for row, kept in zip(right, there, strict=True) if kept]
    odd = _odd(opinions, scores, said, given, found)
    odd["failed"] = [f"{a.path}: {b.error}" for a, b in zip(left, right, strict=True) if b.error]
    joined = Joined(
        opinions=len(opinions.rows),
        scores=len(scores.rows),
        rules={rule: sum(match.rule == rule for match in found.matches) for rule in RULES},
        odd={key: _problem(what, odd[key]) for key, what in ODD.items()},
        bare=tuple(
            f"{opinions.rows[said.kept[match.opinion]].path} with"
            f" {scores.rows[given.kept[match.score]].path}"
            for match in found.matches
            if match.rule == "name"
        )[:EXAMPLES],
    )
    return Paired(_sample(opinions, left, right), tuple(left), tuple(right), joined)


@dataclass(frozen=True)
class _Distinct:
    """The rows of a table that stand for one path each, and those that do not."""

    kept: list[int]
    repeated: list[int]
    conflicting: list[int]
    """The first row of each path whose rows differ."""
    nameless: int


def _distinct(paths: Sequence[str], values: Sequence[float]) -> _Distinct:
    places: dict[str, list[int]] = defaultdict(list)
    for number, path in enumerate(paths):
        places[path].append(number)
    nameless = len(places.pop("", []))
    kept, repeated, conflicting = [], [], []
    for rows in places.values():
        finite = [number for number in rows if math.isfinite(values[number])]
        if len({values[number] for number in finite}) > 1:
            conflicting.append(rows[0])
            continue
        chosen = (finite or rows)[0]
        kept.append(chosen)
        repeated += [number for number in rows if number != chosen]
    return _Distinct(sorted(kept), sorted(repeated), sorted(conflicting), nameless)


def _odd(
    opinions: Opinions, scores: Scores, said: _Distinct, given: _Distinct, found: Join
) -> dict[str, list[str]]:
    def opinion(numbers: Sequence[int]) -> list[str]:
        return [opinions.rows[number].path for number in numbers]

    def score(numbers: Sequence[int]) -> list[str]:
        return [scores.rows[number].path for number in numbers]

    return {
        "unmatched_opinions": opinion([said.kept[number] for number in found.opinions_left]),
        "ambiguous": opinion([said.kept[number] for number in found.ambiguous]),
        "unmatched_scores": score([given.kept[number] for number in found.scores_left]),
        "conflicting_opinions": opinion(said.conflicting),
        "conflicting_scores": score(given.conflicting),
        "repeated_opinions": opinion(said.repeated),
        "repeated_scores": score(given.repeated),
        "without_opinion": [row.path for row in opinions.rows if not math.isfinite(row.mos)],
        "without_path": [""] * (said.nameless + given.nameless),
    }


def _problem(what: str, examples: Sequence[str]) -> Problem:
    return Problem(what, len(examples), tuple(each for each in examples if each)[:EXAMPLES])


def _sample(opinions: Opinions, left: Sequence[Opinion], right: Sequence[Scored]) -> Sample:
    def vector(values: Sequence[float | int | None]) -> np.ndarray:
        return np.array([math.nan if value is None else value for value in values], np.float64)

    return Sample(
        paths=tuple(row.path for row in left),
        scores=vector([row.score for row in right]),
        opinions=vector([opinions.agreement(row.mos) for row in left]),
        spreads=vector([row.spread for row in right]),
        deviations=vector([row.std for row in left]),
        raters=vector([row.n for row in left]),
        rivals=np.full(len(left), math.nan),
        scenes=_scenes(left),
    )


def _scenes(rows: Sequence[Opinion]) -> tuple[str, ...]:
    """Return the scene of each row; a row without one is a scene of its own."""
    if not any(row.scene for row in rows):
        return ()
    return tuple(row.scene or f"\0{number}" for number, row in enumerate(rows))


def _nothing_in_common(opinions: Opinions, scores: Scores) -> str:
    def first(rows: Sequence[Opinion] | Sequence[Scored]) -> str:
        return next((repr(row.path) for row in rows if row.path), "no path at all")

    return (
        f"no path of {scores.origin} is a path of {opinions.origin}: the scores say"
        f" {first(scores.rows)}, the opinions {first(opinions.rows)}; name the folder of the"
        " pictures with --root, or make the paths alike"
    )


def align(paired: Paired, other: Paired) -> Sample:
    """Put another model's scores of the same opinions beside the sample, as `rivals`.

    Both must have been paired with one and the same opinion table.
    """
    pairs = zip(other.opinions, other.sample.scores, strict=True)
    theirs = {id(row): score for row, score in pairs}
    rivals = [theirs.get(id(row), math.nan) for row in paired.opinions]
    return paired.sample.beside(np.array(rivals, np.float64))
