"""Whether teaching iris on pictures rated by people helps on scenes it was not taught.

    python benchmarks/finetune.py --data ../shared/data --out .work/finetune

Each fold is taught by what `beholder train` runs, from iris as shipped, on all other folds, and
scored before and after. sr4k: a fold is a scene. pcuid: five folds drawn by subject. The settings
were fixed before the first run: hard levels over the range that the scale has, all weights,
`EPOCHS` epochs of batches of 16 at the learner's own rate, seed 0, everything else as the command
has it. No validation part chooses a checkpoint, the last one counts: of the three scenes left of
sr4k such a part would be one, 19 pictures.

Prints SRCC before, after, and their paired difference, with 95 % bootstrap intervals. Pictures are
resampled within the scenes of sr4k and by subject in pcuid; neither scenes nor training seeds are,
so the intervals are about other pictures of these scenes.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray

from beholder.media.sampling import FrameRule
from beholder.metrics.correlation import MEASURES
from beholder.metrics.difference import bootstrap_p
from beholder.metrics.intervals import Draws, percentiles, replicate
from beholder.metrics.value import Value
from beholder.scorers.base import Encoded
from beholder.training import mixture, opening, teach
from beholder.training.batches import Opener
from beholder.training.config import Config, Data, Keep, Train
from beholder.training.learners.base import Learner
from beholder.training.lesson import Lesson
from beholder.training.questions import Questions
from beholder.training.sets import open_set

EPOCHS: Final = 10.0
BATCH: Final = 16
SEED: Final = 0
FOLDS: Final = 5
"""Of pcuid."""
TOGETHER: Final = ("154.jpg", "156.jpg", "160.jpg")
"""Pictures of pcuid that show one subject."""
RANGES: Final = {"sr4k": (1.0, 5.0), "pcuid": (0.0, 100.0)}
TOGETHER_SCORED: Final = 8
"""Pictures that are scored together."""
Scores = Float[ndarray, " n"]
Replicates = Float[ndarray, " replicates"]


@dataclass(frozen=True)
class Rated:
    """One set of rated pictures, divided."""

    name: str
    lessons: Sequence[Lesson]
    folds: Sequence[str]
    """The fold of each picture; they are told as they are called."""
    units: Sequence[str]
    """What each picture shows: pictures of one unit are resampled together."""
    strata: Sequence[str]
    """Within which units are resampled."""

    @property
    def opinions(self) -> Scores:
        """Return the opinion of each picture."""
        return np.array([each.opinion for each in self.lessons])

    def some(self, most: int) -> "Rated":
        """Return the first pictures of each fold, for a trial."""
        kept = [n for n, fold in enumerate(self.folds) if self.folds[:n].count(fold) < most]
        parts = (self.lessons, self.folds, self.units, self.strata)
        return Rated(self.name, *([part[n] for n in kept] for part in parts))


@dataclass(frozen=True)
class Within(Draws):
    """Draws of units within strata, each of which keeps as many as it has."""

    strata: Sequence[str] = field(default=())

    def counts(self, n: int) -> Iterator[Int[ndarray, " n"]]:
        """Yield, replicate by replicate, how often each of n items is drawn."""
        assert self.scenes is not None
        assert n == len(self.strata) == len(self.scenes)
        places = [rows_of(self.strata, name) for name in sorted(set(self.strata))]
        streams = [
            Draws(self.replicates, self.seed + k, [self.scenes[at] for at in rows]).counts(
                len(rows)
            )
            for k, rows in enumerate(places)
        ]
        for drawn in zip(*streams, strict=True):
            whole = np.zeros(n, dtype=np.int64)
            for rows, counts in zip(places, drawn, strict=True):
                whole[rows] = counts
            yield whole


@dataclass(frozen=True)
class Gain:
    """A measure before and after, and what came of it."""

    before: Value
    after: Value
    difference: Value
    p: float
    """Two-sided, by the bootstrap; never 0."""


def main() -> None:
    options = _options()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    report = {}
    for name in options.sets:
        rated = opened(options.data / "human" / name, name)
        rated = rated.some(options.limit) if options.limit else rated
        report[name] = taught(rated, _config(options), options.out)
        print("\n".join(table(rated, report[name])), flush=True)
    (options.out / "finetune.json").write_text(json.dumps(report, indent=1))


def opened(folder: Path, name: str) -> Rated:
    """Read a set and divide it."""
    data = Data(str(folder / "scores.csv"), range=RANGES[name], bounds="range", name=name)
    found = open_set(data)
    rows = [replace(row, split="train") for row in found.table.rows]
    pairs = zip(rows, found.files, strict=True)
    lessons = [mixture._lesson(found, 0, row, file, row.scene) for row, file in pairs]
    assert None not in lessons
    if scenes := [row.scene for row in rows if row.scene]:
        return Rated(name, lessons, scenes, [row.path for row in rows], scenes)
    units = [TOGETHER[0] if row.path in TOGETHER else row.path for row in rows]
    return Rated(name, lessons, dealt(units), units, [name] * len(rows))


def dealt(units: Sequence[str]) -> list[str]:
    """Deal units out to folds in a drawn order, those of most pictures first."""
    drawn = np.random.default_rng(SEED).permutation(sorted(set(units))).tolist()
    drawn.sort(key=units.count, reverse=True)
    sizes, fold = [0] * FOLDS, {}
    for unit in drawn:
        fold[unit] = min(range(FOLDS), key=lambda k: (sizes[k], k))
        sizes[fold[unit]] += units.count(unit)
    return [f"fold {fold[unit] + 1}" for unit in units]


def taught(rated: Rated, config: Config, out: Path) -> dict[str, object]:
    """Teach every fold, and return the scores of all pictures before and after."""
    learner = opening.load(config, ("quality",))
    opener = Opener(
        learner.encode, FrameRule.parse(learner.recipe.frames), Questions(learner.recipe, SEED)
    )
    examples = [example(opener, lesson) for lesson in rated.lessons]
    before = scored(learner, examples)
    after, told = np.full(len(before), np.nan), {}
    for name in sorted(set(rated.folds)):
        learner = opening.load(config, ("quality",))
        held = rows_of(rated.folds, name)
        train = [each for n, each in enumerate(rated.lessons) if n not in set(held)]
        # Checkpoints are thrown away: a run never goes on from that of other weights.
        with tempfile.TemporaryDirectory(dir=out) as folder:
            course = teach.fit(
                learner, train, [], config, Path(folder), Questions(learner.recipe, SEED)
            )
        after[held] = scored(learner, [examples[n] for n in held])
        losses = [line["loss"] for line in course.history if "loss" in line]
        told[name] = {"taught on": len(train), "steps": course.steps, "last loss": losses[-1]}
        print(f"{rated.name}, {name}: {told[name]}", flush=True)
    return {
        "weights": learner.backbone().settings(),
        "names": [each.name for each in rated.lessons],
        "folds": list(rated.folds),
        "opinions": rated.opinions.tolist(),
        "before": before.tolist(),
        "after": after.tolist(),
        "courses": told,
    }


def example(opener: Opener, lesson: Lesson) -> Encoded:
    """Open a picture."""
    sample = opener.open(lesson, 0, 0)
    if sample.example is None:
        raise SystemExit(sample.error)
    return sample.example


def scored(learner: Learner, examples: Sequence[Encoded]) -> Scores:
    """Return what a learner as it is now says of pictures."""
    learner.network.eval()
    scorer, found = learner.scorer(), []
    for start in range(0, len(examples), TOGETHER_SCORED):
        chosen = examples[start : start + TOGETHER_SCORED]
        found += [rating.value for rating in scorer.judge(chosen, "quality")]
    return np.array(found)


def table(rated: Rated, result: dict[str, object]) -> Iterator[str]:
    """Yield the lines of what was found."""
    before, after = np.array(result["before"]), np.array(result["after"])
    yield f"| {rated.name}, SRCC | before | after | difference | p |"
    yield "| --- | --- | --- | --- | --- |"
    for name in (*sorted(set(rated.folds)), "mean of these", "all together"):
        gain = gained(rated, name, before, after)
        cells = (str(gain.before), str(gain.after), str(gain.difference), f"{gain.p:.3f}")
        yield f"| {name} | {' | '.join(cells)} |"
    if rated.name == "sr4k":
        known = known_by_method(rated)
        yield f"mean within scenes of each method's mean opinion in the other scenes: {known:.3f}"


def known_by_method(rated: Rated) -> float:
    """Return the SRCC, as a mean over folds, of what the method of a picture alone tells.

    All scenes of sr4k went through the same methods: a fold is new in its scene, not in these.
    """
    methods = np.array([lesson.name.partition("_")[2] for lesson in rated.lessons])
    found, folds, opinions = [], np.array(rated.folds), rated.opinions
    for fold in sorted(set(rated.folds)):
        held = folds == fold
        told = [opinions[~held & (methods == method)].mean() for method in methods[held]]
        found.append(MEASURES["srcc"](np.array(told), opinions[held]))
    return float(np.mean(found))


def gained(rated: Rated, name: str, before: Scores, after: Scores) -> Gain:
    """Compare on one fold, on the mean of all, or on all pictures together."""
    folds = sorted(set(rated.folds))
    if name == "all together":
        parts = [np.arange(len(before))]
    else:
        parts = [rows_of(rated.folds, fold) for fold in (folds if name not in folds else [name])]
    points, drawn = [], []
    for scores in (before, after):
        found = [_one(rated, rows, scores, folds) for rows in parts]
        points.append(float(np.mean([point for point, _ in found])))
        drawn.append(np.mean([values for _, values in found], axis=0))
    gain = drawn[1] - drawn[0]
    values = (points[0], points[1], points[1] - points[0])
    told = [_value(point, each) for point, each in zip(values, (*drawn, gain), strict=True)]
    return Gain(*told, bootstrap_p(gain))


def _one(
    rated: Rated, rows: Int[ndarray, " n"], scores: Scores, folds: Sequence[str]
) -> tuple[float, Replicates]:
    """Return the SRCC of some pictures, and of their resamples."""
    units, strata = ([part[n] for n in rows] for part in (rated.units, rated.strata))
    # A fold has draws of its own, the same whichever scores are looked at.
    seed = SEED + len(folds) * folds.index(rated.folds[rows[0]])
    draws = Within(seed=seed, scenes=units, strata=strata)
    told, opinions = scores[rows], rated.opinions[rows]
    return MEASURES["srcc"](told, opinions), replicate("srcc", told, opinions, draws)


def _value(point: float, drawn: Replicates) -> Value:
    interval = percentiles(drawn)
    return Value(point, interval.low, interval.high)


def rows_of(names: Sequence[str], name: str) -> Int[ndarray, " n"]:
    """Return where a name stands."""
    return np.flatnonzero(np.array(names) == name)


def _config(options: argparse.Namespace) -> Config:
    train = Train(epochs=options.epochs, batch=BATCH, device="cpu", workers=0)
    keep = Keep(every=options.epochs, checkpoints=1, log=1)
    return Config(options.model, (Data(""),), seed=SEED, train=train, keep=keep)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=Path(".work/finetune"))
    parser.add_argument("--sets", nargs="+", choices=sorted(RANGES), default=["sr4k", "pcuid"])
    trial = parser.add_argument_group("for a trial, whose figures are not reported")
    trial.add_argument("--model", default="iris", help="iris, or a folder that was taught")
    trial.add_argument("--epochs", type=float, default=EPOCHS)
    trial.add_argument("--limit", type=int, default=0, help="pictures of each fold")
    return parser.parse_args()


if __name__ == "__main__":
    main()
