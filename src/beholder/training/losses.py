"""What a model is told about its answers: pure functions of logits and opinions.

Next-token, level and in-level losses are those of Q-Align and DeQA-Score (arXiv 2312.17090 and
2501.11561); the fidelity loss is that of Tsai et al. 2007 on Thurstone's probability that one
input is better than another.
"""

import math
from collections.abc import Mapping
from typing import Final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

NAMES: Final[Mapping[str, str]] = {
    "next_token": "cross-entropy of all words of the answer, the level among them (Q-Align)",
    "wording": "the same without the level",
    "level_kl": "divergence of the level's distribution from the labels (DeQA-Score)",
    "fidelity": "which of two inputs of a set is better, and how surely (DeQA-Score, LIQE)",
    "in_level": "probability of anything but a level where a level is due",
}
"""Losses of a model that answers in words."""
TINY: Final = 1e-8
"""Under the roots of the fidelity loss; without it a sure answer has no gradient."""
FLOOR: Final = 0.01
"""The in-level loss is not pushed below this."""


def next_token(
    logits: Float[Tensor, "tokens words"], labels: Int[Tensor, " tokens"]
) -> Float[Tensor, ""]:
    """Return the mean cross-entropy of tokens, in float32; 0 where there are none."""
    if not len(labels):
        return logits.sum() * 0
    return functional.cross_entropy(logits.float(), labels)


def level_kl(
    logits: Float[Tensor, "batch words"],
    levels: Int[Tensor, " levels"],
    wanted: Float[Tensor, "batch levels"],
) -> Float[Tensor, ""]:
    """Return the divergence of the whole vocabulary's distribution from the labels, a batch's mean.

    Where labels are one-hot it is the cross-entropy of the level.
    """
    said = logits.float().log_softmax(1)[:, levels]
    return functional.kl_div(said, wanted.float(), reduction="batchmean")


def in_level(
    logits: Float[Tensor, "batch words"], levels: Int[Tensor, " levels"]
) -> Float[Tensor, ""]:
    """Return the mean probability of words that are no level, at least 0.01."""
    return (1 - logits.float().softmax(1)[:, levels].sum(1)).mean().clamp(min=FLOOR)


def expectation(
    logits: Float[Tensor, "batch levels"], worth: Float[Tensor, " levels"]
) -> Float[Tensor, " batch"]:
    """Return the score: softmax over the levels alone, weighted by what they are worth."""
    return logits.float().softmax(1) @ worth


def deviation(
    logits: Float[Tensor, "batch levels"], worth: Float[Tensor, " levels"]
) -> Float[Tensor, " batch"]:
    """Return the standard deviation of the distribution over the levels."""
    shares = logits.float().softmax(1)
    away = worth - (shares @ worth)[:, None]
    return (shares * away**2).sum(1).sqrt()


def preferred(
    opinions: Float[Tensor, " batch"], deviations: Float[Tensor, " batch"]
) -> Float[Tensor, "batch batch"]:
    """Return how likely people find the input of a row better than that of a column.

    Thurstone's case V on raw opinions. Where a standard deviation is NaN the better opinion wins
    for sure, and like opinions are a draw.
    """
    gap = opinions[:, None] - opinions[None]
    wide = (deviations[:, None] ** 2 + deviations[None] ** 2 + TINY).sqrt()
    return torch.where(wide.isnan(), (gap.sign() + 1) / 2, torch.special.ndtr(gap / wide))


def fidelity(
    scores: Float[Tensor, " batch"],
    wanted: Float[Tensor, "batch batch"],
    pairs: Bool[Tensor, "batch batch"],
    deviations: Float[Tensor, " batch"] | None = None,
) -> Float[Tensor, ""]:
    """Return the mean fidelity loss over pairs; 0 where there are none.

    `scores` are on the scale of the levels, with a standard deviation of 1 unless stated; those
    stated are taken as given, without a gradient.
    """
    if not pairs.any():
        return scores.sum() * 0
    gap = scores[:, None] - scores[None]
    if deviations is None:
        wide = torch.full_like(gap, math.sqrt(2))
    else:
        fixed = deviations.detach() ** 2
        wide = (fixed[:, None] + fixed[None] + TINY).sqrt()
    said = torch.special.ndtr((gap / wide)[pairs])
    truth = wanted[pairs]
    alike: Tensor = (said * truth + TINY).sqrt() + ((1 - said) * (1 - truth) + TINY).sqrt()
    return 1 - alike.mean()


def pairs_within(groups: Int[Tensor, " batch"]) -> Bool[Tensor, "batch batch"]:
    """Tell which inputs are compared: each two of one group, once.

    >>> pairs_within(torch.tensor([0, 1, 0])).nonzero().tolist()
    [[0, 2]]
    """
    return groups[:, None].eq(groups[None]).triu(1)
