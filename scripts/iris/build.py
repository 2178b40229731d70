"""Make iris from nothing: pictures, labels, training, export, evaluation.

    python scripts/iris/build.py --data ../shared/data --preset full

Goes on where it stopped: finished shards and checkpoints are kept under `--work`. `--ship` copies
the result into the package. All seeds are fixed; `--seed` changes that of the training alone.
"""

import argparse
import copy
import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from syllabus import dataset, evaluation, export, labels, ladders, photos, training
from syllabus.dataset import Material, Plan, Row
from syllabus.labels import Judge, Labels
from syllabus.teachers import TEACHERS
from syllabus.training import Course, Lesson

from beholder.backbones.iris import Iris, weights


@dataclass(frozen=True)
class Preset:
    """How much of everything."""

    contents: int
    """Training contents; each gives 7 versions."""
    wide: int
    """Contents of photographs for research only; used with `--pristine`."""
    checks: int
    """Contents of every other split."""
    steps: int
    blend: float = 0.3
    device: str = "cpu"


PRESETS: Final = {
    "small": Preset(contents=64, wide=32, checks=32, steps=200),
    "full": Preset(contents=5600, wide=3008, checks=240, steps=10_000),
    "gpu": Preset(contents=30_000, wide=15_000, checks=480, steps=60_000, device="cuda"),
}


@dataclass(frozen=True)
class Split:
    """A split with everything known of it."""

    rows: list[Row]
    lesson: Lesson
    labels: Labels


@dataclass(frozen=True)
class Diary:
    """The course of a training as lines of JSON: losses, and now and then what validation says."""

    path: Path
    validation: Split
    every: int = 1000

    def watch(self, step: int, loss: float, average: training.Network) -> None:
        """Print and keep one line; two when it is time to look at the validation split."""
        training.say(step, loss, average)
        self._keep({"step": step, "loss": loss})
        if step % self.every:
            return
        logits = training.predict(copy.deepcopy(average).cpu(), self.validation.lesson)
        score, _ = evaluation.moments(logits.double().numpy(), 1.0)
        unit = np.array([row.content for row in self.validation.rows])
        found = evaluation.correlation(score, self.validation.labels.opinion, unit)
        line = {"srcc": found.value, "srcc_low": found.low, "srcc_high": found.high}
        line["plcc"] = float(np.corrcoef(score, self.validation.labels.opinion)[0, 1])
        self._keep({"step": step} | line)

    def _keep(self, line: dict[str, float]) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")


def main() -> None:
    options = _options()
    preset = PRESETS[options.preset]
    began = time.monotonic()
    work = options.work / options.preset
    chosen = photos.split(options.data)
    taught = ("train", "wide") if options.pristine else ("train",)
    for plan in plans(preset, chosen):
        if plan.name != "wide" or options.pristine:
            dataset.make(plan, work, options.workers)
    splits = read(work, taught, preset.blend)
    print(f"data and labels after {time.monotonic() - began:.0f} s", flush=True)
    course = Course(preset.steps, seed=options.seed, device=preset.device)
    lesson = splits["train"].lesson
    network = training.new_network(lesson, options.seed)
    name = f"{'pristine-' if options.pristine else ''}seed{options.seed}"
    torch.set_num_threads(options.workers)
    checkpoint, diary = work / f"{name}.pt", Diary(work / f"{name}.jsonl", splits["validation"])
    if not checkpoint.exists():
        diary.path.unlink(missing_ok=True)
    network = training.train(network, lesson, dataset.VERSIONS, course, checkpoint, diary.watch)
    torch.set_num_threads(1)
    path = work / f"iris-{name}.safetensors"
    loaded = export.export(network, splits["validation"].lesson, path)
    report = {name: measured(loaded, splits[name]) for name in ("validation", "test", "foreign")}
    report["ladders"] = ladders.summed(ladders.climb(Iris(loaded), list(chosen.test[:12])))
    report["recipe"] = asdict(preset) | {
        "seed": options.seed, "taught on": taught, "sha256": loaded.sha256
    }  # fmt: skip
    path.with_suffix(".json").write_text(json.dumps(report, indent=1))
    print(json.dumps(report, indent=1))
    print(f"finished after {time.monotonic() - began:.0f} s: {path}")
    if options.ship:
        shutil.copyfile(path, weights.SHIPPED)


def plans(preset: Preset, chosen: photos.Photos) -> list[Plan]:
    """Return what each split is made of."""
    return [
        Plan("validation", chosen.validation, preset.checks * 4 // 5, 0.15, seed=12),
        Plan("test", chosen.test, preset.checks, 0.0, seed=13),
        Plan("foreign", chosen.foreign, preset.checks, 0.0, seed=14),
        Plan("train", chosen.train, preset.contents, 0.22, seed=11, windows=16, halves=6),
        Plan("wide", chosen.wide, preset.wide, 0.0, seed=15, windows=16, halves=6),
    ]


def read(work: Path, taught: Sequence[str], blend: float) -> dict[str, Split]:
    """Load and label all splits; ranks are those of the training set."""
    material = Material.read(*(work / name for name in taught))
    judge = labels.judge(material, blend)
    splits = {"train": _labelled(judge, material, [work / name for name in taught])}
    for name in ("validation", "test", "foreign"):
        splits[name] = _labelled(judge, Material.read(work / name), [work / name])
    return splits


def measured(loaded: weights.Loaded, split: Split) -> dict[str, object]:
    """Return what a split says of the model that was read back."""
    known = split.labels
    logits = training.predict(loaded.network, split.lesson).double().numpy()
    score, spread = evaluation.moments(logits, loaded.temperature)
    unit = np.array([row.content for row in split.rows])
    group = np.array([row.group for row in split.rows])
    single = {name: labels.column(split.rows, name) for name in TEACHERS}
    against = {"label": known.opinion, "damage": known.damage, "natural": known.natural} | single
    return {
        "srcc": {k: str(evaluation.correlation(score, v, unit)) for k, v in against.items()},
        "groups": {
            str(name): round(
                evaluation.spearman(score[group == name], known.opinion[group == name]), 3
            )
            for name in np.unique(group)
        },
        "coverage": round(evaluation.coverage(score, spread, known.opinion), 3),
        "mean spread": round(float(spread.mean()), 3),
        "spread with disagreement": round(evaluation.spearman(spread, known.deviation), 3),
    }


def _labelled(judge: Judge, material: Material, folders: Sequence[Path]) -> Split:
    known = labels.labels(judge, material)
    return Split(material.rows, Lesson.read(folders, known, material.rows), known)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--work", type=Path, default=Path(".work/iris"))
    parser.add_argument("--preset", choices=PRESETS, default="full")
    parser.add_argument("--pristine", action="store_true", help="train on all photographs")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ship", action="store_true", help="copy the result into the package")
    return parser.parse_args()


if __name__ == "__main__":
    torch.set_num_threads(1)  # two threads on two busy cores are slower
    main()
