"""What LIQE is taught by: fidelity losses, and weights that follow how fast each one falls.

Fidelity (Tsai et al. 2007) is 1 minus the overlap of two distributions, 0 where they agree. LIQE
(arXiv 2303.14968) takes it of pairs of pictures for quality, of one class for the distortion and of
several for the scene, and balances the three by dynamic weight average (Liu, Johns and Davison
2019). Losses are in the numeric type of the probabilities.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import torch
from jaxtyping import Float, Int
from torch import Tensor

EPSILON: Final = 1e-8
"""Added under every root, so that the slope at 0 is finite; as the authors do."""
TEMPERATURE: Final = 2.0
"""Of the dynamic weights: higher is more even."""


def pair_fidelity(
    scores: Float[Tensor, " batch"], opinions: Float[Tensor, " batch"], sets: Int[Tensor, " batch"]
) -> Float[Tensor, ""]:
    """Return how badly scores order the pairs of each data set, averaged over the sets.

    Opinions are compared within a set only, so sets may have different ranges; higher is better in
    all of them. The score of a picture is normal with standard deviation 1 / √2 (Thurstone, case
    V). A set of which the batch holds one picture has no pair and is left out.

    >>> scores, opinions = torch.tensor([3.0, 2.0]), torch.tensor([70.0, 20.0])
    >>> round(pair_fidelity(scores, opinions, torch.tensor([0, 0])).item(), 4)
    0.0827
    """
    losses = [
        _ordered(scores[sets == one], opinions[sets == one])
        for one in torch.unique(sets)
        if (sets == one).sum() > 1
    ]
    return torch.stack(losses).mean() if losses else 0.0 * scores.sum()


def _ordered(scores: Float[Tensor, " some"], opinions: Float[Tensor, " some"]) -> Float[Tensor, ""]:
    first, second = torch.triu_indices(len(scores), len(scores), offset=1, device=scores.device)
    better = torch.sign(opinions[first] - opinions[second]).to(scores.dtype) / 2 + 0.5
    said = torch.special.ndtr(scores[first] - scores[second])
    return binary_fidelity(said, better)


def binary_fidelity(
    probabilities: Float[Tensor, "*shape"], wanted: Float[Tensor, "*shape"]
) -> Float[Tensor, ""]:
    """Return the mean infidelity of events: each has a probability and one that is wanted."""
    yes = torch.sqrt(probabilities * wanted + EPSILON)
    no = torch.sqrt((1 - probabilities) * (1 - wanted) + EPSILON)
    return (1 - yes - no).mean()


def class_fidelity(
    probabilities: Float[Tensor, "batch classes"], wanted: Float[Tensor, "batch classes"]
) -> Float[Tensor, ""]:
    """Return the mean infidelity of distributions over classes; `wanted` is often one-hot."""
    return (1 - torch.sqrt(probabilities * wanted + EPSILON).sum(dim=1)).mean()


def dynamic_weights(
    names: Sequence[str], epochs: Sequence[Mapping[str, float]], temperature: float = TEMPERATURE
) -> dict[str, float]:
    """Return what each loss weighs in the next epoch, from the mean losses of the epochs before.

    The slower a loss fell over the last two epochs, the more it weighs; the weights sum to the
    number of losses. Before two epochs are over each is 1.

    >>> dynamic_weights(["quality", "scene"], [])
    {'quality': 1.0, 'scene': 1.0}
    >>> halved = [{"quality": 1.0, "scene": 0.4}, {"quality": 0.5, "scene": 0.2}]
    >>> dynamic_weights(["quality", "scene"], halved)
    {'quality': 1.0, 'scene': 1.0}
    """
    if len(epochs) < 2:
        return dict.fromkeys(names, 1.0)
    before, now = epochs[-2:]
    masses = {name: math.exp(now[name] / before[name] / temperature) for name in names}
    total = math.fsum(masses.values())
    return {name: len(masses) * mass / total for name, mass in masses.items()}
