"""Samples a second of `beholder train`, and where the time goes.

    python benchmarks/train.py --model iris --pictures FOLDER

`open` is decoding, preparing and keeping a picture in one worker process, in the first epoch;
`again` is reading it back, in every later one. `forward` is the losses, `backward` the gradients,
`step` the optimiser. Opening is the bottleneck where one picture takes longer to open, divided by
the workers, than to learn from.
"""

import argparse
import itertools
import json
import math
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch

from beholder.media.sampling import FrameRule
from beholder.training import adapters, cache, opening
from beholder.training.batches import Opener, Sample
from beholder.training.config import Adapter, Config, Data, Train
from beholder.training.learners.base import Learner
from beholder.training.lecture import Lecture
from beholder.training.lesson import Lesson
from beholder.training.questions import Questions

MOST = 2**34
"""Bytes of what is kept."""
ENDINGS = (".jpg", ".jpeg", ".png", ".webp")
STAGES = ("open", "again", "forward", "backward", "step")


class Stopwatch:
    """Seconds by stage."""

    def __init__(self, device: str, *, of_cpu: bool) -> None:
        self.seconds = dict.fromkeys(STAGES, 0.0)
        self.device = device
        self.clock = time.process_time if of_cpu else time.perf_counter

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add what is done within to a stage."""
        start = self.clock()
        yield
        if self.device.startswith("cuda"):
            torch.cuda.synchronize()
        self.seconds[name] += self.clock() - start


def lessons(folder: Path) -> list[Lesson]:
    """Return every picture of a folder, with labels that mean nothing."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS)
    shares = tuple(torch.eye(5).tolist())
    return [
        Lesson(path, "quality", "image", 0, 5.0 - n % 5, math.nan, n % 5, tuple(shares[n % 5]))
        for n, path in enumerate(paths)
    ]


def measure(learner: Learner, options: argparse.Namespace) -> dict[str, float]:
    """Run some steps and return samples a second and seconds a sample of each stage."""
    device = options.device
    shown = itertools.islice(
        itertools.cycle(enumerate(lessons(options.pictures))),
        options.batch * (options.steps + options.warm),
    )
    rule, ask = FrameRule.parse(learner.recipe.frames), Questions(learner.recipe, 0)
    plain = Opener(learner.encode, rule, ask)
    lecture = Lecture(learner, learner.usual(soft=options.soft)).to(device).train()
    optimiser = torch.optim.AdamW(adapters.groups(learner, Train()))
    half = torch.autocast(device.partition(":")[0], torch.bfloat16, enabled=options.bf16)
    watch = Stopwatch(device, of_cpu=options.cpu_time)
    for step in range(options.steps + options.warm):
        if step == options.warm:
            watch.seconds = dict.fromkeys(STAGES, 0.0)
        rows = list(itertools.islice(shown, options.batch))
        with (
            tempfile.TemporaryDirectory() as folder,
            cache.opened(folder, Path(folder), MOST) as it,
        ):
            opener = replace(plain, cache=it)
            for stage in ("open", "again"):
                with watch.stage(stage):
                    batch = [open_next(opener, each) for each in rows]
        with watch.stage("forward"), half:
            loss = lecture(samples=batch)["loss"]
        with watch.stage("backward"):
            loss.backward()
        with watch.stage("step"):
            optimiser.step()
            optimiser.zero_grad()
    return summary(watch.seconds, options)


def open_next(opener: Opener, numbered: tuple[int, Lesson]) -> Sample:
    row, lesson = numbered
    sample = opener.open(lesson, 0, row)
    if sample.error:
        raise SystemExit(sample.error)
    return sample


def summary(seconds: dict[str, float], options: argparse.Namespace) -> dict[str, float]:
    count = options.steps * options.batch
    each = {name: value / count for name, value in seconds.items()}
    learning = sum(each[name] for name in ("forward", "backward", "step"))
    found = {f"{name}, ms a sample": round(1000 * value, 3) for name, value in each.items()}
    for stage, epoch in (("open", "first epoch"), ("again", "later epochs")):
        opened = each[stage] / max(options.workers, 1)
        whole = max(learning, opened) if options.workers else learning + opened
        found |= {
            f"{epoch}: samples a second": round(1 / whole, 2),
            f"{epoch}: opening is the bottleneck": float(opened > learning),
            f"{epoch}: workers that keep up": math.ceil(each[stage] / learning),
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="iris")
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--warm", type=int, default=2)
    parser.add_argument("--workers", type=int, default=(os.cpu_count() or 1) // 2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--adapter", default="full")
    parser.add_argument("--soft", action="store_true")
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--recompute", action="store_true")
    parser.add_argument("--cpu-time", action="store_true", help="for a machine that is busy")
    options = parser.parse_args()
    config = Config(options.model, (Data(""),), train=Train(device=options.device))
    learner = opening.load(config, ("quality",))
    adapters.prepare(learner, Adapter(options.adapter), config.train, seed=0)
    if options.recompute:
        learner.recompute()
    print(json.dumps(measure(learner, options), indent=1))


if __name__ == "__main__":
    main()
