"""How iris is taught: it reads a question, sees cells, and learns to answer with the level.

The label of the level's place is soft; all other words of the answer are taught too. Versions of
one content are also compared in pairs by the fidelity loss (Tsai et al. 2007) on Thurstone's
probability, as LIQE does (arXiv 2303.14968).
"""

import copy
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from beholder.backbones.iris import stem
from beholder.backbones.iris.network import Design, Network
from beholder.backbones.iris.words import ASSISTANT, END, IMAGE, USER, Words, vocabulary
from beholder.levels.scale import LEVELS, WEIGHTS
from beholder.prompts import IMAGE_QUALITY, QUALITY_QUESTIONS
from syllabus.labels import Labels

WINDOWS: Final = 16
"""Windows of a training picture."""


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
    others: float = 0.05
    """Weight of the other words of the answer."""
    seed: int = 0
    device: str = "cpu"


@dataclass(frozen=True)
class Lesson:
    """A split in memory, versions of a content next to each other."""

    cells: Float[Tensor, "versions cells statistics"]
    overall: Float[Tensor, "versions numbers"]
    soft: Float[Tensor, "versions 5"]
    opinion: Float[Tensor, " versions"]
    deviation: Float[Tensor, " versions"]

    @classmethod
    def of(cls, cells: np.ndarray, overall: np.ndarray, labels: Labels) -> "Lesson":
        """Put arrays together."""
        rest = (overall, labels.soft, labels.opinion, labels.deviation)
        return cls(torch.from_numpy(cells), *(torch.from_numpy(x).float() for x in rest))


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
    some = lesson.cells[:: max(1, len(lesson.cells) // 2000)].float().flatten(0, 1)
    reader = network.reader
    reader.middle.copy_(some.mean(0))
    reader.width.copy_(some.std(0).clamp(min=0.02))
    reader.overall_middle.copy_(lesson.overall.mean(0))
    reader.overall_width.copy_(lesson.overall.std(0).clamp(min=0.01))
    return network


def train(
    network: Network, lesson: Lesson, versions: int, course: Course, checkpoint: Path | None = None
) -> Network:
    """Train, and return the running average of the weights; goes on from a checkpoint."""
    network = network.to(course.device).train()
    average = copy.deepcopy(network).requires_grad_(requires_grad=False)
    optimiser = torch.optim.AdamW(_groups(network, course.decay), course.rate, betas=(0.9, 0.98))
    dialogue, first = Dialogue(course.device), 0
    if checkpoint and checkpoint.exists():
        kept = torch.load(checkpoint, map_location=course.device)
        network.load_state_dict(kept["network"])
        average.load_state_dict(kept["average"])
        optimiser.load_state_dict(kept["optimiser"])
        first = kept["step"]
    began, total = time.monotonic(), 0.0
    for step in range(first, course.steps):
        rng = np.random.default_rng([course.seed, step])
        for group in optimiser.param_groups:
            group["lr"] = course.rate * _schedule(step, course.steps)
        loss = _loss(network, lesson, dialogue, _draw(lesson, versions, course, rng), course, rng)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        _follow(average, network, min(course.average, (step + 1) / (step + 10)))
        total += float(loss.detach())
        if (step + 1) % 200 == 0:
            print(f"step {step + 1}: loss {total / 200:.4f}, {time.monotonic() - began:.0f} s",
                  flush=True)  # fmt: skip
            total = 0.0
            if checkpoint:
                states = {"network": network, "average": average, "optimiser": optimiser}
                torch.save({k: v.state_dict() for k, v in states.items()} | {"step": step + 1},
                           checkpoint)  # fmt: skip
    return average.eval().cpu()


def predict(
    network: Network, cells: Tensor, overall: Tensor, question: int = 6
) -> Float[Tensor, "versions 5"]:
    """Return the level logits of many pictures with equally many cells."""
    dialogue, parts = Dialogue("cpu"), []
    with torch.inference_mode():
        _, memory = network.read(network.words(dialogue.questions[question])[None])
        opening = network.words(dialogue.opening)
        for c, o in zip(torch.split(cells, 64), torch.split(overall, 64), strict=True):
            seen = network.see(c.float(), o.float())
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
    windows = np.sort(rng.permutation(WINDOWS)[: rng.integers(7, WINDOWS + 1)])
    order = torch.from_numpy((windows[:, None] * 4 + np.arange(4)).ravel())
    cells = lesson.cells[rows][:, order].to(course.device).float()
    if rng.random() < 0.5:
        cells = cells[..., turned()]
    overall = lesson.overall[rows].to(course.device)
    soft = lesson.soft[rows].to(course.device)
    question = dialogue.questions[rng.integers(len(dialogue.questions))]
    _, memory = network.read(network.words(question)[None])
    level = dialogue.levels[torch.multinomial(soft, 1)[:, 0]]
    opening = network.words(dialogue.opening).expand(len(rows), -1, -1)
    answer = torch.cat([opening, network.words(level)[:, None]], 1)
    closing = network.words(dialogue.closing[:1]).expand(len(rows), -1, -1)
    seen = network.see(cells, overall)
    states, _ = network.read(torch.cat([seen, answer, closing], 1), memory)
    logits = states[:, seen.shape[1] :] @ network.words.weight.T
    at = len(dialogue.opening) - 1
    taught = -(soft * F.log_softmax(logits[:, at], 1)[:, dialogue.levels]).sum(1).mean()
    said = torch.cat([dialogue.opening[1:], dialogue.closing])
    places = [*range(at), at + 1, at + 2]
    others = F.cross_entropy(
        logits[:, places].flatten(0, 1), said.repeat(len(rows)), reduction="mean"
    )
    ranked = _fidelity(
        F.softmax(logits[:, at][:, dialogue.levels], 1) @ dialogue.worth,
        lesson.opinion[rows].to(course.device),
        lesson.deviation[rows].to(course.device),
        chosen.shape,
    )
    return taught + course.rank * ranked + course.others * others


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


def turned() -> Tensor:
    """Return where each statistic goes when a picture is turned: x and y change places."""
    places, first = torch.arange(stem.CELL), 0
    sides = [8, 8, 4, 4, 4, 4] * 2 + [8]
    for side in sides:
        square = torch.arange(side * side).view(side, side)
        places[first : first + side * side] = first + square.T.flatten()
        first += side * side
    places[first : first + 4] = first + torch.tensor([2, 3, 0, 1])
    return places


def _follow(average: Network, network: Network, kept: float) -> None:
    """Move the running average, every parameter of it."""
    with torch.no_grad():
        for a, n in zip(average.parameters(), network.parameters(), strict=True):
            a.lerp_(n, 1 - kept)
