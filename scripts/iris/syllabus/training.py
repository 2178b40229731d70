"""How iris is taught: it reads a question, sees cells, and learns to answer with the level.

The label of the level's place is soft; all other words of the answer are taught too. Versions of
one content are also compared in pairs by the fidelity loss (Tsai et al. 2007) on Thurstone's
probability, as LIQE does (arXiv 2303.14968).

Photographs are few, so that the network would learn them by heart. Against that, and because large
pictures hold many kinds of texture, windows of several contents with the same damage are put
together to one picture, and contents are moved by the difference of two untouched photographs:
statistics are logarithms of spectra, in which texture and damage add up.
"""

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from beholder.backbones.iris import stem
from beholder.backbones.iris.network import Design, Network, Sight
from beholder.backbones.iris.words import ASSISTANT, END, IMAGE, USER, Words, vocabulary
from beholder.levels.scale import LEVELS, WEIGHTS
from beholder.prompts import IMAGE_QUALITY, QUALITY_QUESTIONS
from syllabus.dataset import Row, column
from syllabus.labels import Labels

PAUSE = 200
"""Steps between checkpoints."""
NEIGHBOURS = 12
"""How many versions with the same damage, next in severity, may be joined with one."""


@dataclass(frozen=True)
class Course:
    """How long and how hard to train."""

    steps: int
    contents: int = 16
    """Contents a step."""
    versions: int = 4
    """Versions of each."""
    rate: float = 8e-4
    decay: float = 0.05
    average: float = 0.998
    """Share of the running average that is kept a step."""
    rank: float = 0.5
    """Weight of the pairwise loss."""
    agree: float = 0.2
    """Weight of 1 minus the correlation of scores with opinions in a batch."""
    spread: float = 0.2
    """Weight of the loss that asks for a wider spread where teachers disagree."""
    others: float = 0.05
    """Weight of the other words of the answer."""
    joined: float = 0.5
    """Share of steps in which windows of several contents make one picture."""
    moved: float = 0.7
    """How far contents are moved at most, as a share of the difference of two photographs."""
    native_alone: float = 0.3
    """Share of steps without the view at half size, as small pictures are seen."""
    seed: int = 0
    device: str = "cpu"


@dataclass(frozen=True)
class Lesson:
    """A split in memory, versions of a content next to each other."""

    cells: Float[Tensor, "versions cells statistics"]
    overall: Float[Tensor, "versions numbers"]
    half: Float[Tensor, "versions fewer statistics"]
    half_overall: Float[Tensor, "versions numbers"]
    soft: Float[Tensor, "versions 5"]
    opinion: Float[Tensor, " versions"]
    deviation: Float[Tensor, " versions"]
    damage: Int[Tensor, " versions"]
    """Number of what was done, 0 for nothing; higher by 1000 for pictures of our own making."""
    severity: Float[Tensor, " versions"]

    @classmethod
    def read(cls, folders: Sequence[Path], labels: Labels, rows: Sequence[Row]) -> "Lesson":
        """Read one split, or several one after the other; `rows` are those of all of them."""
        seen = [
            torch.from_numpy(np.concatenate([column(folder, name) for folder in folders]))
            for name in ("cells", "overall", "half", "half_overall")
        ]
        told = [labels.soft, labels.opinion, labels.deviation]
        told = [torch.from_numpy(x).float() for x in told]
        names = ["none", *sorted({row.name for row in rows} - {"none"})]
        own = [1000 * (row.source == "procedural") for row in rows]
        damage = [names.index(row.name) + more for row, more in zip(rows, own, strict=True)]
        severity = [row.severity for row in rows]
        return cls(*seen, *told, torch.tensor(damage), torch.tensor(severity))

    def sights(self, rows: Tensor | slice, device: str = "cpu") -> list[Sight]:
        """Return both views of some versions, all cells that were kept."""
        views = ((self.cells, self.overall), (self.half, self.half_overall))
        return [
            Sight(cells[rows].to(device).float(), overall[rows].to(device), kind)
            for kind, (cells, overall) in enumerate(views)
        ]

    def alike(self, rows: Int[Tensor, " n"], rng: np.random.Generator) -> Int[Tensor, " n"]:
        """Return for each version another of its damage and severity; at an end, itself."""
        place, order = self._places
        steps = rng.integers(1, NEIGHBOURS + 1, len(rows)) * rng.choice([-1, 1], len(rows))
        found = order[(place[rows] + torch.from_numpy(steps)).clamp(0, len(order) - 1)]
        return torch.where(self.damage[found] == self.damage[rows], found, rows)

    @cached_property
    def _places(self) -> tuple[Int[Tensor, " versions"], Int[Tensor, " versions"]]:
        """Return the place of each version among those of the same damage, and their order."""
        order = torch.from_numpy(np.lexsort((self.severity.numpy(), self.damage.numpy())))
        return order.argsort(), order

    @cached_property
    def photographs(self) -> list[Float[Tensor, "untouched statistics"]]:
        """Return the mean statistics of untouched photographs, in both views."""
        return [sight.cells.mean(1) for sight in self.sights(self.damage == 0)]


class Dialogue:
    """The tokens of question and answer."""

    def __init__(self, device: str) -> None:
        words = Words(vocabulary())
        self.questions = [
            torch.tensor(words.ids(f"{USER} {q} {IMAGE}"), device=device) for q in QUALITY_QUESTIONS
        ]
        self.opening = torch.tensor(
            words.ids(f"{ASSISTANT} {IMAGE_QUALITY.opening}"), device=device
        )
        self.levels = torch.tensor([words.single(level) for level in LEVELS], device=device)
        self.closing = torch.tensor(words.ids(f". {END}"), device=device)
        self.worth = torch.tensor(WEIGHTS, device=device)


def new_network(lesson: Lesson, seed: int, **sizes: int) -> Network:
    """Return an untrained network that knows the mean and width of every statistic."""
    torch.manual_seed(seed)
    network = Network(Design(stem.CELL, stem.OVERALL, len(vocabulary()), **sizes))
    normalise(network, lesson)
    return network


def normalise(network: Network, lesson: Lesson) -> None:
    """Let the network know the mean and width of every statistic."""
    some = slice(0, None, max(1, len(lesson.opinion) // 2000))
    sights, reader = lesson.sights(some), network.reader
    cells = reader.fold(torch.cat([sight.cells for sight in sights], 1)).flatten(0, 1)
    overall = torch.cat([sight.overall for sight in sights])
    reader.middle.copy_(cells.mean(0))
    reader.width.copy_(cells.std(0).clamp(min=0.02))
    reader.overall_middle.copy_(overall.mean(0))
    reader.overall_width.copy_(overall.std(0).clamp(min=0.01))


Watch = Callable[[int, float, Network], object]
"""Told now and then: the step, the mean loss since the last time, the average of the weights."""


def say(step: int, loss: float, average: Network) -> None:
    """Print how training goes."""
    print(f"step {step}: loss {loss:.4f}", flush=True)


def train(
    network: Network,
    lesson: Lesson,
    versions: int,
    course: Course,
    checkpoint: Path | None = None,
    watch: Watch = say,
) -> Network:
    """Train, and return the running average of the weights; goes on from a checkpoint."""
    network = network.to(course.device).train()
    average = copy.deepcopy(network).eval().requires_grad_(requires_grad=False)
    optimiser = torch.optim.AdamW(_groups(network, course.decay), course.rate, betas=(0.9, 0.98))
    dialogue, first = Dialogue(course.device), 0
    if checkpoint and checkpoint.exists():
        kept = torch.load(checkpoint, map_location=course.device)
        network.load_state_dict(kept["network"])
        average.load_state_dict(kept["average"])
        optimiser.load_state_dict(kept["optimiser"])
        first = kept["step"]
    total = 0.0
    for step in range(first, course.steps):
        rng = np.random.default_rng([course.seed, step])
        torch.manual_seed(int(rng.integers(2**62)))
        for group in optimiser.param_groups:
            group["lr"] = course.rate * _schedule(step, course.steps)
        loss = _loss(network, lesson, dialogue, _draw(lesson, versions, course, rng), course, rng)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        _follow(average, network, min(course.average, (step + 1) / (step + 10)))
        total += float(loss.detach())
        if (step + 1) % PAUSE == 0:
            if checkpoint:
                states = {"network": network, "average": average, "optimiser": optimiser}
                torch.save({k: v.state_dict() for k, v in states.items()} | {"step": step + 1},
                           checkpoint)  # fmt: skip
            watch(step + 1, total / PAUSE, average)
            total = 0.0
    return average.cpu()


def predict(
    network: Network, lesson: Lesson, question: int = 6, *, native_alone: bool = False
) -> Float[Tensor, "versions 5"]:
    """Return the level logits of all versions."""
    dialogue, parts = Dialogue("cpu"), []
    with torch.inference_mode():
        _, memory = network.read(network.words(dialogue.questions[question])[None])
        opening = network.words(dialogue.opening)
        for start in range(0, len(lesson.opinion), 64):
            sights = lesson.sights(slice(start, start + 64))
            seen = network.see(sights[:1] if native_alone else sights)
            states, _ = network.read(
                torch.cat([seen, opening.expand(len(seen), -1, -1)], 1), memory
            )
            parts.append(network.say(states[:, -1], dialogue.levels))
    return torch.cat(parts)


def _groups(network: Network, decay: float) -> list[dict[str, object]]:
    """Decay matrices only."""
    matrices = [p for n, p in network.named_parameters() if p.ndim > 1 and "places" not in n]
    chosen = {id(p) for p in matrices}
    rest = [p for p in network.parameters() if id(p) not in chosen]
    return [{"params": matrices, "weight_decay": decay}, {"params": rest, "weight_decay": 0.0}]


def _schedule(step: int, steps: int) -> float:
    """Return the share of the learning rate: linear start, cosine to 2 %."""
    warm = min(200, steps // 10 + 1)
    if step < warm:
        return (step + 1) / warm
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (step - warm) / (steps - warm)))


def _draw(
    lesson: Lesson, versions: int, course: Course, rng: np.random.Generator
) -> Int[np.ndarray, "contents versions"]:
    """Choose contents, and versions of each."""
    contents = rng.choice(len(lesson.opinion) // versions, course.contents, replace=False)
    chosen = [rng.permutation(versions)[: course.versions] for _ in contents]
    return contents[:, None] * versions + np.stack(chosen)


def _loss(
    network: Network,
    lesson: Lesson,
    dialogue: Dialogue,
    chosen: Int[np.ndarray, "contents versions"],
    course: Course,
    rng: np.random.Generator,
) -> Tensor:
    rows = torch.from_numpy(chosen.ravel())
    parts = [rows]
    if rng.random() < course.joined:
        parts += [lesson.alike(rows, rng) for _ in range(rng.integers(1, 4))]
    sights = _seen(lesson, parts, course, rng)
    if rng.random() < course.native_alone:
        sights = sights[:1]
    soft, opinion, deviation = (
        torch.stack([x[part] for part in parts]).mean(0).to(course.device)
        for x in (lesson.soft, lesson.opinion, lesson.deviation)
    )
    question = dialogue.questions[rng.integers(len(dialogue.questions))]
    _, memory = network.read(network.words(question)[None])
    level = dialogue.levels[torch.multinomial(soft, 1)[:, 0]]
    opening = network.words(dialogue.opening).expand(len(rows), -1, -1)
    answer = torch.cat([opening, network.words(level)[:, None]], 1)
    closing = network.words(dialogue.closing[:1]).expand(len(rows), -1, -1)
    seen = network.see(sights)
    states, _ = network.read(torch.cat([seen, answer, closing], 1), memory)
    logits = states[:, seen.shape[1] :] @ network.words.weight.T
    at = len(dialogue.opening) - 1
    taught = -(soft * F.log_softmax(logits[:, at], 1)[:, dialogue.levels]).sum(1).mean()
    said = torch.cat([dialogue.opening[1:], dialogue.closing])
    places = [*range(at), at + 1, at + 2]
    others = F.cross_entropy(
        logits[:, places].flatten(0, 1), said.repeat(len(rows)), reduction="mean"
    )
    shares = F.softmax(logits[:, at][:, dialogue.levels], 1)
    score = shares @ dialogue.worth
    spread = (shares @ dialogue.worth**2 - score**2 + 1e-4).sqrt()
    ranked = _fidelity(score, opinion, deviation, chosen.shape)
    return (
        taught
        + course.rank * ranked
        + course.agree * _follows(score, opinion)
        + course.spread * _follows(spread, deviation)
        + course.others * others
    )


def _seen(
    lesson: Lesson, parts: Sequence[Tensor], course: Course, rng: np.random.Generator
) -> list[Sight]:
    """Return what is seen of versions, each joined with its counterparts in the other parts."""
    seen = []
    for part in parts:
        sights = _moved(lesson, lesson.sights(part, course.device), course, rng)
        seen.append([_some(sight, rng, len(parts)) for sight in sights])
    return [
        Sight(
            torch.cat([sight.cells for sight in same], 1),
            torch.stack([sight.overall for sight in same]).mean(0),
            same[0].kind,
        )
        for same in zip(*seen, strict=True)
    ]


def _moved(
    lesson: Lesson, sights: Sequence[Sight], course: Course, rng: np.random.Generator
) -> list[Sight]:
    """Move all versions of a content by the difference of two untouched ones of photographs."""
    pair = torch.from_numpy(rng.integers(len(lesson.photographs[0]), size=(2, course.contents)))
    share = torch.from_numpy(rng.uniform(0, course.moved, (course.contents, 1))).float()
    moved = []
    for sight, known in zip(sights, lesson.photographs, strict=True):
        shift = (share * (known[pair[0]] - known[pair[1]])).repeat_interleave(course.versions, 0)
        moved.append(replace(sight, cells=sight.cells + shift[:, None].to(course.device)))
    return moved


def _some(sight: Sight, rng: np.random.Generator, parts: int = 1) -> Sight:
    """Keep half of the windows of a view or more; fewer where a picture has many parts."""
    count = sight.cells.shape[1] // 4
    most = min(count, 3 * count // (2 * parts))
    kept = np.sort(rng.permutation(count)[: rng.integers(most // 2, most + 1)])
    order = torch.from_numpy((kept[:, None] * 4 + np.arange(4)).ravel()).to(sight.cells.device)
    return replace(sight, cells=sight.cells[:, order])


def _follows(said: Float[Tensor, " n"], wanted: Float[Tensor, " n"]) -> Tensor:
    """Return 1 minus the correlation of what is said with what is wanted."""
    a, b = said - said.mean(), wanted - wanted.mean()
    return 1 - (a * b).sum() / ((a * a).sum() * (b * b).sum() + 1e-8).sqrt()


def _fidelity(
    score: Float[Tensor, " n"],
    opinion: Float[Tensor, " n"],
    deviation: Float[Tensor, " n"],
    shape: tuple[int, ...],
) -> Tensor:
    """Return the mean fidelity loss over all pairs of versions of a content."""
    mean = score.view(shape)
    first, second = torch.triu_indices(shape[1], shape[1], 1)
    label, sigma = opinion.view(shape), deviation.view(shape)
    wide = (sigma[:, first] ** 2 + sigma[:, second] ** 2).sqrt()
    truth = torch.special.ndtr((label[:, first] - label[:, second]) / wide)
    guess = torch.special.ndtr((mean[:, first] - mean[:, second]) / wide)
    kept = (truth * guess + 1e-6).sqrt() + ((1 - truth) * (1 - guess) + 1e-6).sqrt()
    return (1 - kept).mean()


def _follow(average: Network, network: Network, kept: float) -> None:
    """Move the running average, every parameter of it."""
    with torch.no_grad():
        for a, n in zip(average.parameters(), network.parameters(), strict=True):
            a.lerp_(n, 1 - kept)
