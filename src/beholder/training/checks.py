"""What is looked at before the first step: files are there and of the right kind, lint is clean.

`beholder lint` runs over every set, its parts as splits, and over all sets together for leaks from
one set to another. An error stops the run unless its check is ignored.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from beholder import _names
from beholder._counting import counted
from beholder.datasets.opinions import EXAMPLES, Opinions
from beholder.errors import MediaError, TableError, UsageError
from beholder.lint import run
from beholder.lint.case import Case, Finding, Look
from beholder.lint.files import look_at
from beholder.media.sniff import HEAD, sniff
from beholder.training.dividing import Divided
from beholder.training.sets import Set

LEAKS: Final = ("identical", "lookalike", "repeated")
"""Checks that find one picture in two parts, whatever set it is of."""
FOR_READERS: Final = ("level_words", "questions", "level_rule")
"""Checks of answers that a table teaches; here levels are made anew from the opinions."""
_FAMILIES: Final = {"image": "still", "video": "clip"}
_CALLED: Final = {"still": "a picture", "clip": "a clip"}

Tick = Callable[[], None]


@dataclass(frozen=True)
class Found:
    """What lint found in one set, or across all."""

    where: str
    finding: Finding

    def __str__(self) -> str:
        each = self.finding
        return f"{self.where}: {each.what} ({each.count}), e.g. {'; '.join(each.examples)}"


def check_files(sets: Sequence[Set]) -> None:
    """Refuse files that are not there, and clips where stills were said.

    Raises:
        TableError: with how many, which, and what to do.
    """
    for each in sets:
        missing = [str(file) for file in each.files if not file.is_file()]
        of = f"of {len(each.files)} files"
        if missing:
            told = counted(len(missing), f"{of} is", f"{of} are")
            raise TableError(
                f"{each.name}: {told} not there, e.g. {', '.join(missing[:EXAMPLES])}: name their"
                " folder with --root, or correct the paths"
            )
        wrong = [f"{file} is {kind}" for file, kind in _other_kinds(each)]
        if wrong:
            told = counted(len(wrong), f"{of} is", f"{of} are")
            raise TableError(
                f"{each.name}: {told} no {each.media}, e.g. {'; '.join(wrong[:EXAMPLES])}: the set"
                f" was said to hold {each.media}s; put the others into a set with another `media`"
            )


def _other_kinds(found: Set) -> Iterator[tuple[Path, str]]:
    """Yield the files that are of the other kind; what is neither is left to lint."""
    for file in found.files:
        try:
            with file.open("rb") as opened:
                kind = sniff(opened.read(HEAD))
        except (OSError, MediaError):
            continue
        if kind.family != _FAMILIES[found.media]:
            yield file, f"{_CALLED[kind.family]} ({kind.name})"


def look(sets: Sequence[Set], workers: int, tick: Tick = lambda: None) -> dict[str, Look]:
    """Look at every file of every set once: file → what was seen."""
    files = [str(file) for each in sets for file in each.files]
    return look_at(files, [Path()], workers, tick)


def examine(divided: Sequence[Divided], looks: Mapping[str, Look]) -> list[Found]:
    """Return all errors and warnings of lint, the gravest first."""
    found = [
        Found(each.set.name, finding)
        for each in divided
        for finding in run.examine(_case(each.set, looks))
        if finding.check not in FOR_READERS
    ]
    if len(divided) > 1:
        found += [Found("across sets", finding) for finding in _leaks(divided, looks)]
    grave = [each for each in found if each.finding.severity != "note"]
    return sorted(grave, key=lambda each: each.finding.severity != "error")


def stop(found: Sequence[Found], ignore: Sequence[str]) -> None:
    """Stop on an error whose check is not ignored.

    Raises:
        UsageError: when a check that is to be ignored does not exist.
        TableError: with the first error, how many more, and what to do.
    """
    for name in ignore:
        if name not in run.checks():
            raise UsageError(_names.unknown("check to ignore", name, run.checks()))
    grave = [
        each
        for each in found
        if each.finding.severity == "error" and each.finding.check not in ignore
    ]
    if grave:
        more = f" ({counted(len(grave) - 1, 'more error')}, see above)" if len(grave) > 1 else ""
        check = grave[0].finding.check
        raise TableError(
            f"{grave[0]}{more}: {grave[0].finding.advice}; or, if you looked and it is as it should"
            f" be, --set ignore={check}"
        )


def _case(found: Set, looks: Mapping[str, Look]) -> Case:
    rows = zip(found.table.rows, found.files, strict=True)
    return Case(
        table=found.table,
        card=found.card,
        bounds=found.bounds,
        looks={row.path: looks[str(file)] for row, file in rows},
    )


def _leaks(divided: Sequence[Divided], looks: Mapping[str, Look]) -> Iterator[Finding]:
    """Find one picture in different parts of different sets; opinions are put aside."""
    rows = tuple(
        replace(row, path=str(file.resolve()), mos=0.0)
        for each in divided
        for row, file in zip(each.set.table.rows, each.set.files, strict=True)
    )
    resolved = {str(Path(file).resolve()): seen for file, seen in looks.items()}
    case = Case(Opinions(rows, "all sets"), looks=resolved)
    for name in LEAKS:
        for finding in _names.find(run.KIND, name).check(case):
            if finding.severity == "error":
                yield replace(finding, check=name)
