"""Ablations: short courses of iris with one thing changed, several seeds each.

    python scripts/iris/ablate.py --work .work/iris/full --steps 1500 --seeds 2

Needs the shards that `build.py` makes. Prints the correlation with the label of the unchanged
recipe on the test contents and on the foreign ones, mean and range over the seeds, and how the
spread follows the disagreement of the teachers.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import build
import numpy as np
import torch
from build import Split
from syllabus import dataset, evaluation, training
from syllabus.training import Course, Lesson
from torch import Tensor

Change = Callable[[Lesson], Lesson]


@dataclass(frozen=True)
class Variant:
    """What is changed."""

    course: dict[str, float] = field(default_factory=dict)
    design: dict[str, float] = field(default_factory=dict)
    lesson: Change = lambda lesson: lesson
    taught: tuple[str, ...] = ("train",)
    """Splits that are learnt from; labels are always those of `train`."""
    blend: float = 0.3
    folded: bool = True


def hard(lesson: Lesson) -> Lesson:
    """Teach the likeliest level alone."""
    best = lesson.soft.argmax(1)
    return replace(lesson, soft=torch.nn.functional.one_hot(best, 5).float())


def half_of_the_contents(lesson: Lesson) -> Lesson:
    """Keep every second content."""
    kept = (torch.arange(len(lesson.opinion)) // dataset.VERSIONS) % 2 == 0
    return Lesson(*(getattr(lesson, name)[kept] for name in Lesson.__dataclass_fields__))


VARIANTS: Final = {
    "as it is": Variant(),
    "never seen at half size": Variant(course={"native_alone": 1.0}),
    "statistics not folded": Variant(folded=False),
    "no loss on the spread": Variant(course={"spread": 0.0}),
    "contents never joined": Variant(course={"joined": 0.0}),
    "contents never moved": Variant(course={"moved": 0.0}),
    "no pairwise loss": Variant(course={"rank": 0.0}),
    "hard levels": Variant(lesson=hard),
    "no dropout": Variant(design={"dropout": 0.0}),
    "width 96": Variant(design={"width": 96}),
    "half of the contents": Variant(lesson=half_of_the_contents),
    "photographs for research too": Variant(taught=("train", "wide")),
    "no naturalness in the label": Variant(blend=0.0),
}


def main() -> None:
    options = _options()
    torch.set_num_threads(1)
    usual = build.read(options.work, ("train",), 0.3)
    for name in options.only or VARIANTS:
        variant = VARIANTS[name]
        splits = usual
        if variant.blend != 0.3 or variant.taught != ("train",):
            splits = build.read(options.work, variant.taught, variant.blend)
        found = [one(variant, splits, usual, seed, options.steps) for seed in range(options.seeds)]
        columns = [
            f"{key} {np.mean([f[key] for f in found]):.3f} "
            f"({min(f[key] for f in found):.3f} to {max(f[key] for f in found):.3f})"
            for key in found[0]
        ]
        print(f"{name}: {'; '.join(columns)}", flush=True)


def one(
    variant: Variant, splits: dict[str, Split], usual: dict[str, Split], seed: int, steps: int
) -> dict[str, float]:
    """Train a variant and return what it reaches."""
    lesson = variant.lesson(splits["train"].lesson)
    network = training.new_network(lesson, seed, **variant.design)
    if not variant.folded:
        network.reader.odd.fill_(value=False)
        network.reader.across.copy_(torch.arange(len(network.reader.across)))
        training.normalise(network, lesson)
    course = Course(steps, seed=seed, **variant.course)
    network = training.train(network, lesson, dataset.VERSIONS, course)
    alone = variant.course.get("native_alone") == 1.0
    found = {}
    for name in ("test", "foreign"):
        scores, spreads = _judged(network, usual[name].lesson, alone=alone)
        found[name] = evaluation.spearman(scores, usual[name].labels.opinion)
        if name == "test":
            deviation = usual[name].labels.deviation
            found["spread with disagreement"] = evaluation.spearman(spreads, deviation)
    return found


def _judged(network: training.Network, lesson: Lesson, *, alone: bool) -> tuple[Tensor, Tensor]:
    logits = training.predict(network, lesson, native_alone=alone)
    return evaluation.moments(logits.double().numpy(), 1.0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path(".work/iris/full"))
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--only", nargs="*", choices=VARIANTS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
