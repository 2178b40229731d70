"""LIQE's forward pass with gradients into both towers: how likely each text is of each picture.

Scoring needs none of it (`Clip.logits` does the same without gradients); learning does.
"""

from collections.abc import Mapping, Sequence

from jaxtyping import Float
from torch import Tensor

from beholder.backbones.clip.network import Network, cosines, see, words
from beholder.backbones.clip.prompting import text_features
from beholder.backbones.clip.tokens import Read


def likelihoods(
    network: Network, windows: Float[Tensor, "pictures windows 3 height width"], texts: Read
) -> Float[Tensor, "pictures texts"]:
    """Return the probabilities of all texts for each picture; logits are averaged over windows."""
    told = text_features(network, words(network, texts.ids), texts.ends)
    seen = see(network, windows.flatten(0, 1))
    logits = network.logit_scale.exp() * cosines(seen, told)
    return logits.view(*windows.shape[:2], -1).mean(1).softmax(-1)


def marginals(
    probabilities: Float[Tensor, "pictures texts"], words: Mapping[str, Sequence[str]]
) -> dict[str, Float[Tensor, "pictures words"]]:
    """Return kind → probabilities of its words: `levels.joint.marginals`, with gradients."""
    table = probabilities.view(len(probabilities), *(len(each) for each in words.values()))
    axes = range(1, len(words) + 1)
    return {
        kind: table.sum([other for other in axes if other != axis])
        for axis, kind in zip(axes, words, strict=True)
    }
