"""The card of a taught model for the Hub: what it rates, from what, how well, and how to use it."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from beholder._optional import require
from beholder.evaluation.reports import _told
from beholder.evaluation.reports._text import counted
from beholder.evaluation.reports.markdown import safe
from beholder.metrics.difference import NOT_SEPARABLE
from beholder.recipes.recipe import Recipe
from beholder.training.config import Config
from beholder.training.folder import CURVE, METRICS
from beholder.training.measuring import FEW_SCENES, MEASURES, Measured

LICENCES: Final = {
    "apache-2.0": "apache-2.0",
    "mit": "mit",
    "cc-by-4.0": "cc-by-4.0",
    "cc0-1.0": "cc0-1.0",
    "llama 2 community": "llama2",
}
"""A licence as recipes say it, in lower case → the Hub's name for it."""
PARTS: Final = ("test", "validation")


@dataclass(frozen=True)
class Facts:
    """Everything that the card tells."""

    config: Config
    origin: Recipe
    """What was taught further."""
    result: Recipe
    """By which the result is asked."""
    fingerprint: str
    """Of the result: it stands beside every score."""
    data: Mapping[str, Any]
    """The record of the mixture."""
    measured: Mapping[str, Mapping[str, Measured]]
    """Part → set → what was measured."""
    best: int
    steps: int
    history: Sequence[Mapping[str, float]]
    """Lines of the log."""
    version: str


def text(facts: Facts) -> str:
    """Return the card as Markdown with the front matter that the Hub reads."""
    name = facts.result.name
    parts = [
        f"---\n{_front(facts)}\n---",
        f"# {safe(name)}",
        _lead(facts),
        "## How well it follows people",
        "\n".join(_measures(facts)),
        "\n".join(_gains(facts)),
        _reading(facts),
        "## How to use it",
        _use(facts),
        "## What it was taught",
        "\n".join(_data(facts)),
        "\n".join(_how(facts)),
        f"![Loss and agreement by step]({CURVE})",
        "## Limits",
        _limits(facts),
        f"*Written by Beholder {safe(facts.version)}.*",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _front(facts: Facts) -> str:
    """Return the front matter; its `model-index` is what leaderboards read."""
    hub: Any = require("huggingface_hub", extra="train")
    licence = LICENCES.get(facts.result.licence.lower(), "other")
    weights = facts.origin.weights
    results = [
        hub.EvalResult(
            task_type="image-quality-assessment",
            task_name="Quality assessment",
            dataset_type=name,
            dataset_name=name,
            dataset_split=part,
            metric_type=measure,
            metric_name=f"{measure.upper()} {_told.interval(found.values[measure])}".strip(),
            metric_value=round(found.values[measure].value, 4),
        )
        for part in PARTS[:1]
        for name, found in facts.measured.get(part, {}).items()
        for measure in MEASURES
        if not math.isnan(found.values[measure].value)
    ]
    more = {"license_name": facts.result.licence} if licence == "other" else {}
    made = hub.ModelCardData(
        license=licence,
        library_name="beholder",
        tags=["image-quality-assessment", *_tags(facts)],
        base_model=weights.id if weights and weights.id else None,
        metrics=["spearmanr", "pearsonr"],
        model_name=facts.result.name if results else None,
        eval_results=results or None,
        **more,
    )
    front: str = made.to_yaml()
    return front.strip()


def _tags(facts: Facts) -> Iterator[str]:
    if any(each["media"] == "video" for each in facts.data["sets"]):
        yield "video-quality-assessment"
    if any(each["task"] == "aesthetics" for each in facts.data["sets"]):
        yield "aesthetics"
    if facts.config.adapter.kind == "lora" and not facts.config.adapter.merge:
        yield "lora"


def _lead(facts: Facts) -> str:
    sets = facts.data["sets"]
    tasks = " and ".join(dict.fromkeys(each["task"] for each in sets))
    media = " and ".join(
        dict.fromkeys("clips" if each["media"] == "video" else "pictures" for each in sets)
    )
    rows = sum(each["rows"]["train"] for each in sets)
    names = _list([each["name"] for each in sets])
    return (
        f"Rates the {tasks} of {media} from 1 to 5 as the expectation over five words (excellent,"
        f" good, fair, poor, bad). Taught from {safe(facts.origin.name)} with"
        f" {counted(rows, 'opinion')} of {names}."
    )


def _measures(facts: Facts) -> Iterator[str]:
    yield "| set | part | files | SRCC | PLCC |"
    yield "| --- | --- | --- | --- | --- |"
    for part in PARTS:
        for name, found in facts.measured.get(part, {}).items():
            cells = [str(found.values[measure]) for measure in MEASURES]
            failed = f" ({found.failed} failed)" if found.failed else ""
            yield f"| {safe(name)} | {part} | {found.n}{failed} | {' | '.join(map(safe, cells))} |"


def _gains(facts: Facts) -> Iterator[str]:
    """Say whether teaching helped, set by set."""
    for name, found in facts.measured.get("test", {}).items():
        gain = found.gains.get("srcc")
        if gain is None or gain.reason:
            continue
        told = "no difference can be shown" if gain.verdict == NOT_SEPARABLE else gain.verdict
        yield (
            f"- Against {safe(facts.origin.name)} as it was, on the test part of {safe(name)}: SRCC"
            f" {_told.number(found.before['srcc'])} before,"
            f" {_told.number(found.values['srcc'].value)} after; difference"
            f" {_told.number(gain.value)} {safe(_told.interval(gain))}, {told}."
        )


def _reading(facts: Facts) -> str:
    scenes = [each.scenes for part in facts.measured.values() for each in part.values()]
    drawn = "whole scenes" if any(scenes) else "files"
    tested = "The test part was measured once, at the end; the checkpoint was chosen on validation,"
    tested += " whose numbers are therefore a little too good."
    if not facts.measured.get("test"):
        tested = "There was no test part. The checkpoint was chosen on validation, so its numbers"
        tested += " are too good."
    return (
        f"In brackets: 95 % intervals of a bootstrap over {drawn}. {tested} Raw scores, no fitted"
        f" curve. All numbers: `{METRICS}`."
    )


def _use(facts: Facts) -> str:
    name = facts.result.name.replace(" ", "-")
    transformers = ""
    if facts.result.backbone == "chat":
        transformers = (
            "\n\nThe weights are in the layout of transformers"
            + (", as PEFT adapters" if "lora" in _tags(facts) else "")
            + ", which opens the folder, too."
        )
    return f"""```sh
pip install 'beholder[models]'
beholder score pictures/ --model {name} --report page.html
```

```python
from beholder import load

rater = load("{name}")
print(rater.score("picture.jpg"))
```

`{name}` is the folder of these files.{transformers}"""


def _data(facts: Facts) -> Iterator[str]:
    yield "| set | task | levels from | between | train | validation | test | weight |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for each in facts.data["sets"]:
        rows = each["rows"]
        low, high = each["bounds"]
        cells = [safe(each["name"]), f"{each['task']}, {each['media']}", _LABELS[each["labels"]]]
        cells += [
            f"{low:g} and {high:g}" + ("" if each["higher_is_better"] else " (lower is better)")
        ]
        cells += [str(rows[part]) for part in ("train", "validation", "test")]
        yield f"| {' | '.join([*cells, format(each['weight'], 'g')])} |"


_LABELS: Final = {
    "hard": "five equal bins",
    "soft": "mean and deviation",
    "votes": "shares of votes",
}


def _how(facts: Facts) -> Iterator[str]:
    config = facts.config
    train, adapter = config.train, config.adapter
    what = "all weights" if adapter.kind == "full" else f"low-rank additions ({_layout(facts)})"
    frozen = f", frozen: {', '.join(train.freeze)}" if train.freeze else ""
    yield f"- learning: {what}{frozen}"
    yield f"- steps: {facts.steps}, {train.batch} × {train.accumulate} lessons a device each;"
    yield f"  the weights are those of step {facts.best}"
    if config.losses:
        told = ", ".join(f"{name} {weight:g}" for name, weight in config.losses.items())
        yield f"- losses: {safe(told)}"
    yield f"- questions: {config.prompts.questions}; seed {config.seed}"
    yield f"- data fingerprint: `{facts.data['fingerprint']}`"


def _layout(facts: Facts) -> str:
    adapter = facts.config.adapter
    known = {"layout": adapter.preset, "rank": adapter.rank, "alpha": adapter.alpha}
    told = ", ".join(f"{name} {value}" for name, value in known.items() if value)
    return safe(told) or "the usual layout"


def _limits(facts: Facts) -> str:
    few = [
        f"{name} ({counted(found.n, 'file')})"
        for name, found in facts.measured.get("test", {}).items()
        if found.n < 100
    ]
    told = (
        "It was measured on pictures of the sets it was taught from, and nothing is known about"
        " others: `beholder evaluate` measures it on yours. Scores are opinions of the people who"
        " rated these sets, not facts about pictures."
    )
    scenes = [
        f"{name} ({counted(found.scenes, 'scene')})"
        for name, found in facts.measured.get("test", {}).items()
        if 0 < found.scenes < FEW_SCENES
    ]
    if scenes:
        told += f" Intervals from so few scenes are too narrow: {_list(scenes)}."
    if few:
        told += f" The test parts are small: {_list(few)}; read the intervals."
    return f"{told} The licences of the data apply besides that of the model."


def _list(names: Sequence[str]) -> str:
    return " and ".join(
        [", ".join(map(safe, names[:-1])), safe(names[-1])] if names[1:] else map(safe, names)
    )
