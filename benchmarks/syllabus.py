"""Whether levels teach better than numbers: one model, one order of data, four forms of the label.

    python benchmarks/syllabus.py --work .work/iris/full --steps 1000 --seeds 3

Needs the shards that `scripts/iris/build.py` makes. Q-Align's claim is that a model learns to rate
better from five words than from scores. Here networks like that of iris are trained from nothing,
alike but for the form of the label: first weights, contents, windows, hidden statistics, question
and optimiser of a step are the same in all arms, and pairwise losses are off. All arms are measured
against the opinion, never against their own form of it. Two things that Q-Align had are absent: a
language model that knew the words before, and people, whose ratings are noisy.

Each arm and seed is written to a file as it ends and is not trained again. Prints what was done and
two tables: correlations, and paired differences from the first arm. Means over seeds; in brackets
95 % of the resamples of contents (`--resample source`: of photographs, all their contents
together), the same for all arms; in parentheses the smallest and the largest seed.
"""

import argparse
import copy
import hashlib
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts" / "iris"))

import build
from build import Split
from syllabus import dataset, training
from syllabus.training import Course, Dialogue, Lesson

from beholder.backbones.iris import stem
from beholder.backbones.iris.network import Design, Memory, Network
from beholder.backbones.iris.words import vocabulary
from beholder.levels.targets import hard_level
from beholder.metrics.correlation import MEASURES
from beholder.metrics.intervals import Draws, percentiles, replicate

DIGITS: Final = torch.arange(10) + len(vocabulary())
"""Ten words more than iris has; every arm has them."""
SAY: Final = Dialogue("cpu")
QUESTION: Final = 6
"""The question that is asked once training is over, as of all models here."""
SPLITS: Final = ("test", "foreign")
State = Float[Tensor, "n width"]


@dataclass(frozen=True)
class Setting:
    """What all arms share."""

    steps: int = 1000
    width: int = 96
    windows: int = 8
    """Windows kept of the view at full size in training, and half as many of the other."""
    rate: float = 8e-4

    @property
    def name(self) -> str:
        """Return the folder of its results."""
        return f"steps{self.steps}-width{self.width}-windows{self.windows}-rate{self.rate:g}"


class Rater(nn.Module):
    """The network of iris, and a linear head that only regression uses."""

    def __init__(self, width: int) -> None:
        super().__init__()
        words = len(vocabulary()) + len(DIGITS)
        self.network = Network(Design(stem.CELL, stem.OVERALL, words, width=width))
        self.head = nn.Linear(width, 1)

    def score(self, states: State) -> Float[Tensor, " n"]:
        """Return scores; the head starts from the middle of the scale."""
        return 3 + self.head(states)[:, 0]  # type: ignore[no-any-return]

    def logits(self, states: Float[Tensor, "*n width"]) -> Float[Tensor, "*n words"]:
        """Return the logit of every word."""
        return states @ self.network.words.weight.T


@dataclass(frozen=True)
class Told:
    """The labels of some versions."""

    opinion: Float[Tensor, " n"]
    soft: Float[Tensor, "n 5"]


@dataclass(frozen=True)
class Levels:
    """One of five words; the score is the expectation over them."""

    soft: bool
    readings: tuple[str, ...] = ("expectation",)

    def shares(self, told: Told) -> Float[Tensor, "n 5"]:
        """Return the probability of each level, best first."""
        if self.soft:
            return told.soft
        best = [4 - hard_level(opinion, 1.0, 5.0) for opinion in told.opinion.tolist()]
        return F.one_hot(torch.tensor(best), 5).float()

    def answer(self, told: Told) -> Int[Tensor, "n 1"]:
        """Return a level, drawn where the label is soft."""
        return SAY.levels[torch.multinomial(self.shares(told), 1)]

    def loss(self, rater: Rater, states: Float[Tensor, "n 1 width"], told: Told) -> Tensor:
        """Return the cross-entropy among all words."""
        spoken = F.log_softmax(rater.logits(states[:, 0]), 1)[:, SAY.levels]
        return -(self.shares(told) * spoken).sum(1).mean()

    def read(self, rater: Rater, state: State, _: Memory) -> Float[Tensor, "n 1"]:
        """Return the expectation over the levels alone."""
        return (rater.network.say(state, SAY.levels).softmax(1) @ SAY.worth)[:, None]


@dataclass(frozen=True)
class Score:
    """A number from a linear head, no words."""

    power: int
    """Of the error that is minimised: 2 is its square, 1 its absolute value."""
    readings: tuple[str, ...] = ("head",)

    def answer(self, told: Told) -> Int[Tensor, "n 0"]:
        """Return nothing."""
        return torch.empty(len(told.opinion), 0, dtype=torch.long)

    def loss(self, rater: Rater, states: Float[Tensor, "n 1 width"], told: Told) -> Tensor:
        """Return the mean error on the scale of 1 to 5."""
        return ((rater.score(states[:, 0]) - told.opinion).abs() ** self.power).mean()

    def read(self, rater: Rater, state: State, _: Memory) -> Float[Tensor, "n 1"]:
        """Return what the head says."""
        return rater.score(state)[:, None]


@dataclass(frozen=True)
class Number:
    """The score as text with one decimal, such as `3 . 4`: three words."""

    readings: tuple[str, ...] = ("greedy", "expectation")

    def answer(self, told: Told) -> Int[Tensor, "n 3"]:
        """Return the digits and the point."""
        tenths = (told.opinion.double() * 10).round().long()
        point = SAY.closing[:1].expand(len(tenths))
        return torch.stack([DIGITS[tenths // 10], point, DIGITS[tenths % 10]], 1)

    def loss(self, rater: Rater, states: Float[Tensor, "n 3 width"], told: Told) -> Tensor:
        """Return minus the log-likelihood of the whole number, among all words."""
        answer = self.answer(told)
        spoken = F.cross_entropy(rater.logits(states).flatten(0, 1), answer.flatten())
        return answer.shape[1] * spoken

    def read(self, rater: Rater, state: State, past: Memory) -> Float[Tensor, "n 2"]:
        """Return the number said digit by digit, and the mean over all numbers.

        The first digit is one of 1 to 5, the second one of all; other words are left out.
        """
        network, whole = rater.network, torch.arange(1, 6)
        first = network.say(state, DIGITS[whole]).softmax(1)
        tenths = []
        for digit in DIGITS[whole]:
            words = network.words(torch.stack([digit, SAY.closing[0]]))
            states, _ = network.read(words.expand(len(state), -1, -1), past)
            tenths.append(network.say(states[:, -1], DIGITS).softmax(1))
        second = torch.stack(tenths, 1)
        likeliest = (whole + second.argmax(2) / 10).gather(1, first.argmax(1, keepdim=True))
        mean = (first * (whole + second @ torch.arange(10.0) / 10)).sum(1, keepdim=True)
        return torch.cat([likeliest, mean], 1)


Form = Levels | Score | Number
FORMS: Final[dict[str, Form]] = {
    "levels": Levels(soft=False),
    "soft-levels": Levels(soft=True),
    "score": Score(power=2),
    "score-l1": Score(power=1),
    "number": Number(),
}
"""The arms; the others are compared with the first."""


def main() -> None:
    options = _options()
    torch.set_num_threads(1)
    setting = Setting(options.steps, options.width, options.windows, options.rate)
    splits = build.read(options.work, ("train",), 0.3)
    lesson = thinned(splits.pop("train").lesson, setting.windows)
    folder = (options.out or options.work / "syllabus") / setting.name
    folder.mkdir(parents=True, exist_ok=True)
    known = digest(lesson, splits)
    arms = [arm for arm in FORMS if arm in ("levels", *(options.only or FORMS))]
    results: dict[str, list[dict]] = {arm: [] for arm in arms}
    for seed in range(options.seeds):
        for arm in arms:
            path = folder / f"{arm}-seed{seed}.json"
            if not path.exists():
                keep(path, {"data": known} | one(FORMS[arm], lesson, splits, seed, setting))
                print(f"{arm}, seed {seed}: done", flush=True)
            results[arm].append(finished(path, known))
    print("\n".join(report(results, splits, setting, options.resample)))


def thinned(lesson: Lesson, windows: int) -> Lesson:
    """Keep some windows of each version, evenly spread, and half as many of the other view."""

    def some(cells: Tensor, kept: int) -> Tensor:
        count = cells.shape[1] // 4
        chosen = torch.linspace(0, count - 1, min(kept, count)).round().long()
        return cells[:, (chosen[:, None] * 4 + torch.arange(4)).flatten()]

    cells, half = some(lesson.cells, windows), some(lesson.half, max(1, windows // 2))
    return replace(lesson, cells=cells, half=half)


def one(
    form: Form, lesson: Lesson, splits: dict[str, Split], seed: int, setting: Setting
) -> dict[str, object]:
    """Train an arm and return what it says of every version of the other splits."""
    began = time.process_time()
    course = Course(setting.steps, rate=setting.rate, seed=seed)
    torch.manual_seed(seed)
    rater = Rater(setting.width)
    training.normalise(rater.network, lesson)
    rater = train(form, rater, lesson, course)
    spent = time.process_time() - began
    scores = {name: read(form, rater, splits[name].lesson) for name in SPLITS}
    return {
        "seed": seed,
        "cpu_seconds": round(spent, 1),
        "scores": {
            reading: {name: scores[name][:, place].tolist() for name in SPLITS}
            for place, reading in enumerate(form.readings)
        },
    }


def train(form: Form, rater: Rater, lesson: Lesson, course: Course) -> Rater:
    """Train, and return the running average of the weights, as iris is trained."""
    average = copy.deepcopy(rater).requires_grad_(requires_grad=False)
    groups = training._groups(rater, course.decay)
    optimiser = torch.optim.AdamW(groups, course.rate, betas=(0.9, 0.98))
    rater.train()
    for step in range(course.steps):
        for group in optimiser.param_groups:
            group["lr"] = course.rate * training._schedule(step, course.steps)
        loss = step_loss(form, rater, lesson, course, step)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(rater.parameters(), 1.0)
        optimiser.step()
        training._follow(average, rater, min(course.average, (step + 1) / (step + 10)))
    return average.eval()


def step_loss(form: Form, rater: Rater, lesson: Lesson, course: Course, step: int) -> Tensor:
    """Return the loss of a step; what is seen and hidden does not depend on the form."""
    rng = np.random.default_rng([course.seed, step])
    torch.manual_seed(int(rng.integers(2**31)))
    chosen = training._draw(lesson, dataset.VERSIONS, course, rng)
    rows, network = torch.from_numpy(chosen.ravel()), rater.network
    sights = [training._some(sight, rng) for sight in lesson.sights(rows)]
    if rng.random() < course.native_alone:
        sights = sights[:1]
    question = SAY.questions[rng.integers(len(SAY.questions))]
    _, memory = network.read(network.words(question)[None])
    seen = network.see(sights)
    told = Told(lesson.opinion[rows], lesson.soft[rows])
    answer = form.answer(told)
    opening, closing = (words.expand(len(rows), -1) for words in (SAY.opening, SAY.closing))
    spoken = torch.cat([opening, answer, closing], 1)
    states, _ = network.read(torch.cat([seen, network.words(spoken[:, :-1])], 1), memory)
    states, count = states[:, seen.shape[1] :], answer.shape[1]
    at = len(SAY.opening) - 1
    label = form.loss(rater, states[:, at : at + max(count, 1)], told)
    # the score of a head is no word, so nothing is said after it
    rest = [*range(at), *([at + count, at + count + 1] if count else [])]
    said = spoken[:, [place + 1 for place in rest]]
    others = F.cross_entropy(rater.logits(states[:, rest]).flatten(0, 1), said.flatten())
    return label + course.others * others


def read(form: Form, rater: Rater, lesson: Lesson) -> Float[np.ndarray, "versions readings"]:
    """Return the scores of all versions, one column a way of reading them."""
    network, parts = rater.network, []
    with torch.inference_mode():
        _, memory = network.read(network.words(SAY.questions[QUESTION])[None])
        for rows in torch.arange(len(lesson.opinion)).split(64):
            opening = network.words(SAY.opening).expand(len(rows), -1, -1)
            seen = network.see(lesson.sights(rows))
            states, past = network.read(torch.cat([seen, opening], 1), memory)
            parts.append(form.read(rater, states[:, -1], past))
    return torch.cat(parts).double().numpy()


def digest(lesson: Lesson, splits: dict[str, Split]) -> str:
    """Return what tells these data from others."""
    opinions = [lesson.opinion.numpy(), *(splits[name].labels.opinion for name in SPLITS)]
    return hashlib.sha256(b"".join(each.tobytes() for each in opinions)).hexdigest()[:16]


def keep(path: Path, result: dict[str, object]) -> None:
    """Write a result whole or not at all."""
    aside = path.with_suffix(".part")
    aside.write_text(json.dumps(result))
    aside.replace(path)


def finished(path: Path, known: str) -> dict:
    """Return a result that was kept."""
    result = json.loads(path.read_text())
    if result["data"] != known:
        raise SystemExit(f"{path} was measured on other data: move it away or give another --out")
    return result


def report(
    results: dict[str, list[dict]], splits: dict[str, Split], setting: Setting, resample: str
) -> Iterator[str]:
    """Yield the lines of what was found."""
    spent = [result["cpu_seconds"] for found in results.values() for result in found]
    columns = [(name, measure) for name in SPLITS for measure in ("srcc", "plcc")]
    table: dict[str, list[Found]] = {}
    for arm, found in results.items():
        for reading in FORMS[arm].readings:
            said = {name: [each["scores"][reading][name] for each in found] for name in SPLITS}
            table[f"{arm}, {reading}"] = [
                Found.of(measure, said[name], splits[name], resample) for name, measure in columns
            ]
    yield f"{setting.name}; batches of 64 versions; {len(results['levels'])} seeds"
    yield f"CPU seconds to train one: {min(spent):.0f} to {max(spent):.0f}; resampled by {resample}"
    for name, rows in ((name, splits[name].rows) for name in SPLITS):
        yield f"{name}: {len(rows)} versions of {len({row.content for row in rows})} contents"
    head = [f"{name} {measure.upper()}" for name, measure in columns]
    rule = "|".join(["---"] * (len(head) + 1))
    yield from ("", f"| label, read by | {' | '.join(head)} |", f"|{rule}|")
    for arm, row in table.items():
        yield f"| {arm} | {' | '.join(each.text('.3f') for each in row)} |"
    (first, known), *others = table.items()
    yield from ("", f"| minus {first} | {' | '.join(head)} |", f"|{rule}|")
    for arm, row in others:
        apart = (each.minus(base).text("+.3f") for each, base in zip(row, known, strict=True))
        yield f"| {arm} | {' | '.join(apart)} |"


@dataclass(frozen=True)
class Found:
    """A measure: its value for each seed, and on each resample the mean over seeds."""

    values: Float[np.ndarray, " seeds"]
    drawn: Float[np.ndarray, " replicates"]

    @classmethod
    def of(
        cls, measure: str, scores: Sequence[Sequence[float]], split: Split, resample: str
    ) -> "Found":
        """Measure the scores of all seeds; every arm gets the same resamples."""
        draws = Draws(1000, seed=0, scenes=[str(getattr(row, resample)) for row in split.rows])
        truth, columns = split.labels.opinion, [np.array(each) for each in scores]
        drawn = np.mean([replicate(measure, each, truth, draws) for each in columns], axis=0)
        return cls(np.array([MEASURES[measure](each, truth) for each in columns]), drawn)

    def minus(self, other: "Found") -> "Found":
        """Return the paired difference."""
        return Found(self.values - other.values, self.drawn - other.drawn)

    def text(self, form: str) -> str:
        """Write the mean over seeds, the interval over resamples, and the range of seeds."""
        drawn, low, high = percentiles(self.drawn), self.values.min(), self.values.max()
        mean = f"{self.values.mean():{form}} [{drawn.low:{form}}, {drawn.high:{form}}]"
        return f"{mean} ({low:{form}} to {high:{form}})"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path(".work/iris/full"))
    parser.add_argument("--out", type=Path, help="folder of results; usually WORK/syllabus")
    parser.add_argument("--seeds", type=int, default=3)
    for name, usual in asdict(Setting()).items():
        parser.add_argument(f"--{name}", type=type(usual), default=usual, help="of all arms")
    parser.add_argument("--only", nargs="*", choices=FORMS, help="arms beside levels")
    parser.add_argument("--resample", choices=("content", "source"), default="content")
    return parser.parse_args()


if __name__ == "__main__":
    main()
