"""An evaluation as Markdown, to paste into an issue, a README or a paper's notes."""

import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from beholder.errors import TableError
from beholder.evaluation.evaluate import Evaluation
from beholder.evaluation.measuring import Result
from beholder.evaluation.reports import _told
from beholder.evaluation.reports._text import plain
from beholder.metrics.value import Value

COMMON = ("data", "labels", "meta", "mos", "opinions", "scores")
"""Names of tables that say nothing: their folder is named instead."""
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~&])")


def write(path: Path, made: Evaluation) -> None:
    """Write an evaluation.

    Raises:
        TableError: when the disk does not take it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text(made), encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise TableError(f"{path} cannot be written: {error.strerror or error}") from error


def text(made: Evaluation) -> str:
    """Return an evaluation as Markdown."""
    parts = [
        f"# {safe(title(made))}",
        _told.headline(made),
        *_verdict(made),
        "\n".join(_main(made)),
        *(f"> {safe(note)}" for note in made.notes),
        *_groups(made),
        *_splits(made),
        *_krasula(made),
        *_calibration(made),
        *_rows(made),
        *_how(made),
    ]
    return "\n\n".join(parts) + "\n"


def title(made: Evaluation) -> str:
    """Name the model and what it is held against: the card, or the table or its folder."""
    table = Path(made.opinions.origin)
    name = table.parent.name if table.stem.lower() in COMMON and table.parent.name else table.stem
    return f"{made.scores.name} on {made.opinions.card or name}"


def safe(text: str) -> str:
    r"""Return text in which nothing is a mark of Markdown or HTML.

    >>> print(safe("a|b_<i>"))
    a\|b\_\<i\>
    """
    return _SPECIAL.sub(r"\\\1", plain(text))


def _verdict(made: Evaluation) -> list[str]:
    ours, theirs = _told.model_names(made)
    told = _told.verdict(made.overall, ours, theirs)
    return [f"**{safe(told)}**"] if told else []


def _main(made: Evaluation) -> Iterator[str]:
    overall = made.overall
    rival = made.rival
    head = ["measure", "value", "95 % interval", "Fisher z", "n", "failed"]
    if rival:
        head += [safe(_told.model_names(made)[1]), "difference", "p"]
    yield _line(head)
    yield _line(["---"] * len(head))
    for name, value in overall.values.items():
        fisher = overall.fisher.get(name)
        analytic = _told.interval(Value(0.0, fisher.low, fisher.high)) if fisher else ""
        cells = [_told.NAMES[name], _cell(value), _told.interval(value), analytic]
        cells += [f"{overall.n}", f"{overall.failed}"]
        if rival:
            found = overall.differences.get(name)
            told = f"{_told.number(found.value)} {_told.interval(found)}" if found else ""
            p = safe(_told.p_value(found.p)) if found else ""
            cells += [_cell(rival.overall.values[name]), told, p]
        yield _line(cells)


def _cell(value: Value) -> str:
    """Return a number, or why there is none."""
    return safe(str(value)) if math.isnan(value.value) else _told.number(value.value)


def _groups(made: Evaluation) -> Iterator[str]:
    if not made.groups:
        return
    names = list(_told.NAMES)
    verdicts = ["verdict"] if any(result.verdict for result in made.groups.values()) else []
    head = ["group", "n", "failed", *(_told.NAMES[name] for name in names), *verdicts]
    rows = [_line(head), _line(["---"] * len(head))]
    for name, result in made.groups.items():
        cells = [safe(name), f"{result.n}", f"{result.failed}"]
        cells += [_with_interval(result, each) for each in names]
        rows.append(_line([*cells, *([result.verdict] if verdicts else [])]))
    columns = ", ".join(dict.fromkeys(result.column for result in made.groups.values()))
    yield f"## By {safe(columns)}"
    yield "\n".join(rows)


def _with_interval(result: Result, name: str) -> str:
    value = result.values[name]
    return f"{_told.number(value.value)} {_told.interval(value)}".strip()


def _splits(made: Evaluation) -> Iterator[str]:
    found = made.over_splits
    if found is None:
        return
    rows = [_line(["measure", "median", "95 % of the parts"]), _line(["---"] * 3)]
    for name, value in found.values.items():
        rows.append(_line([_told.NAMES[name], _cell(value), _told.interval(value)]))
    yield "## Over splits"
    yield f"{_told.splits(made)}."
    yield "\n".join(rows)


def _krasula(made: Evaluation) -> Iterator[str]:
    if made.krasula is None:
        return
    ours, theirs = _told.model_names(made)
    head = ["", safe(ours), *([safe(theirs), "p"] if made.krasula.theirs else [])]
    rows = [_line(head), _line(["---"] * len(head))]
    rows += [_line([what, *map(safe, cells)]) for what, cells in _told.krasula_rows(made)]
    yield "## Krasula's analysis"
    yield f"{_told.krasula_over(made.krasula.ours)}."
    if made.krasula.theirs:
        yield f"{_told.PAIRS_SHARE}."
    yield "\n".join(rows)


def _calibration(made: Evaluation) -> Iterator[str]:
    found = made.calibration
    if found is None:
        return
    yield "## Does the spread tell how far people disagree?"
    if found.reason:
        yield f"Not known: {safe(found.reason)}."
        return
    rows = [_line(["expected", "votes held", "95 % interval"]), _line(["---"] * 3)]
    for each in found.coverage:
        held = Value(each.votes, each.low, each.high)
        rows.append(_line([f"{each.expected:.2f}", _told.number(each.votes), _told.interval(held)]))
    yield "\n".join(rows)
    ratio = f"{_told.number(found.ratio.value)} {_told.interval(found.ratio)}"
    yield f"Spread / deviation of votes: {ratio}; their SRCC: {_told.number(found.srcc)}."


def _rows(made: Evaluation) -> Iterator[str]:
    tables = {"": made.joined}
    if made.rival:
        tables[f" ({_told.model_names(made)[1]})"] = made.rival.joined
    for what, joined in tables.items():
        yield f"## Rows{safe(what)}"
        lines = []
        for line in _told.joined(joined):
            examples = f" For example: {', '.join(line.examples)}" if line.examples else ""
            lines.append(f"- {safe(line.text + examples)}")
        yield "\n".join(lines)


def _how(made: Evaluation) -> Iterator[str]:
    scores = made.scores
    yield "## How it was made"
    facts = {
        "scores": scores.origin,
        "opinions": made.opinions.origin,
        "model": scores.model,
        "fingerprint": scores.fingerprint,
        "intervals": _told.drawn(made),
    }
    yield "\n".join(f"- {name}: {safe(value)}" for name, value in facts.items() if value)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
