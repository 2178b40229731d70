"""What a model that answers in words said about a batch, and its losses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from beholder.training import losses
from beholder.training.lesson import Lesson


@dataclass(frozen=True)
class Answer:
    """Logits where the words of one answer are due."""

    logits: Float[Tensor, "tokens words"]
    labels: Int[Tensor, " tokens"]
    """The words that were to be said."""
    level: int
    """Which of them is the level."""


def averaged(answers: Sequence[Answer]) -> Answer:
    """Return the mean of the same answer about several parts of an input."""
    first = answers[0]
    if len(answers) == 1:
        return first
    return Answer(torch.stack([each.logits for each in answers]).mean(0), first.labels, first.level)


def losses_of(
    answers: Sequence[Answer],
    lessons: Sequence[Lesson],
    levels: Int[Tensor, " levels"],
    worth: Sequence[float],
) -> Mapping[str, Tensor]:
    """Return every loss of `losses.NAMES`.

    `levels` are the level words, best first, and `worth` their scores.
    """
    device = levels.device
    logits = torch.cat([each.logits for each in answers])
    labels = torch.cat([each.labels for each in answers])
    ends = torch.tensor([len(each.labels) for each in answers]).cumsum(0).tolist()
    places = [end - len(each.labels) + each.level for end, each in zip(ends, answers, strict=True)]
    others = torch.ones_like(labels, dtype=torch.bool)
    others[places] = False
    level = logits[places]
    wanted = torch.tensor([each.probabilities for each in lessons], device=device)
    scale = torch.tensor(worth, device=device, dtype=torch.float32)
    return {
        "next_token": losses.next_token(logits, labels),
        "wording": losses.next_token(logits[others], labels[others]),
        "level_kl": losses.level_kl(level, levels, wanted),
        "fidelity": pairwise(losses.expectation(level[:, levels], scale), lessons),
        "in_level": losses.in_level(level, levels),
    }


def pairwise(scores: Float[Tensor, " batch"], lessons: Sequence[Lesson]) -> Float[Tensor, ""]:
    """Return the fidelity loss over all pairs of a batch that are of one set and one task."""
    numbers: dict[tuple[int, str], int] = {}
    groups = [numbers.setdefault((each.set, each.task), len(numbers)) for each in lessons]
    opinions, deviations = (
        torch.tensor(values, device=scores.device, dtype=torch.float32)
        for values in ([x.opinion for x in lessons], [x.deviation for x in lessons])
    )
    pairs = losses.pairs_within(torch.tensor(groups, device=scores.device))
    return losses.fidelity(scores, losses.preferred(opinions, deviations), pairs)
