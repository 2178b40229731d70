"""MP-IQE's network (arXiv 2404.14949): prompts in both towers of a frozen CLIP, and a decoder.

Twenty texts, of nine scenes and eleven distortions, begin with learned contexts; their features
look at the picture's tokens through a small decoder, and each answers with a rating: the score is
their mean. Scene and distortion are also told from the picture, which is taught beside the rating.
Where the released code does otherwise than the paper, `Design` has a switch.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from beholder.backbones.clip.network import Network, cosines, embed
from beholder.backbones.clip.prompting import vision_states
from beholder.backbones.clip.taught import Contexts, Taught, widths
from beholder.backbones.clip.tokens import Tokens
from beholder.levels.attributes import DISTORTIONS, SCENES


@dataclass(frozen=True)
class Design:
    """Sizes, and what the paper and the released code do differently; as it stands: the paper."""

    contexts: int = 8
    """Learned vectors before each name."""
    own: bool = True
    """Each text has its own context; otherwise the scenes share one, and the distortions."""
    prompts: int = 4
    """Learned tokens at each layer of the vision tower."""
    dropout: float = 0.1
    """Of these tokens, while learning."""
    grid: int = 3
    """Windows a side, among which a distortion is looked for."""
    layers: int = 3
    """Of the decoder."""
    heads: int = 8
    feedforward: int = 2048
    hidden: int = 256
    """Width of the network that rates."""
    windows: Literal["places", "mixed"] = "places"
    """`mixed`: channels and places of the windows are interchanged, as in the released code."""
    queries: Literal["normalised", "raw", "unlike"] = "normalised"
    """Length of the text features that look at the picture. `unlike`: normalised while learning and
    raw afterwards, as in the released code."""

    learns: Literal["all", "some"] = "all"
    """`some`: neither contexts nor the tokens of deeper layers, which the released code, where it
    tells the optimiser what learns, calls by names they do not have."""


PAPER: Final = Design()
RELEASED: Final = Design(windows="mixed", queries="unlike", learns="some")


@dataclass(frozen=True)
class Texts:
    """Features of the learned texts, not normalised: they do not depend on the picture."""

    scenes: Float[Tensor, "scenes features"]
    distortions: Float[Tensor, "distortions features"]


@dataclass(frozen=True)
class Said:
    """What the network says of pictures."""

    score: Float[Tensor, " pictures"]
    """On the scale of the opinions it was taught."""
    scenes: Float[Tensor, "pictures scenes"]
    """Logits."""
    distortions: Float[Tensor, "pictures distortions"]
    """Logits."""


class MpIqe(Taught):
    """Prompts, contexts, decoder and heads over a frozen CLIP."""

    def __init__(self, clip: Network, tokens: Tokens, design: Design = PAPER) -> None:
        super().__init__(clip)
        size = widths(clip)
        wide, narrow = size.vision, size.features
        self._patch = size.patch
        self.design = design
        self.scenes = Contexts(clip, tokens, SCENES, design.contexts, own=design.own)
        self.distortions = Contexts(clip, tokens, DISTORTIONS, design.contexts, own=design.own)
        self.prompts = nn.Parameter(torch.empty(1, design.prompts, narrow))
        """Learned tokens at the first layer of the vision tower."""
        self.deeper = nn.Parameter(torch.empty(size.layers - 1, design.prompts, narrow))
        """The same at each later one."""
        self.widen = nn.Linear(narrow, wide)
        self.narrow = nn.Linear(wide, narrow)
        layer = nn.TransformerDecoderLayer(
            narrow,
            design.heads,
            design.feedforward,
            dropout=0.0,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )
        self.decoder = nn.TransformerDecoder(layer, design.layers)
        self.rate = nn.Sequential(
            nn.Linear(narrow, design.hidden), nn.ReLU(), nn.Linear(design.hidden, 1)
        )
        self.scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))
        """Natural logarithm of what the cosines with texts are multiplied by."""
        self.focus = nn.Parameter(torch.tensor(3.0))
        """Natural logarithm of how much one window stands out among the others."""
        self._begin()

    def _begin(self) -> None:
        bound = math.sqrt(6 / (3 * self._patch**2 + self.prompts.shape[-1]))
        for prompts in (self.prompts, self.deeper):
            nn.init.uniform_(prompts, -bound, bound)
        nn.init.kaiming_normal_(self.narrow.weight, mode="fan_out")
        if self.design.learns == "some":
            for each in (self.deeper, self.scenes.vectors, self.distortions.vectors):
                each.requires_grad = False

    def read(self) -> Texts:
        """Return the features of the learned texts."""
        return Texts(self.scenes(self.clip), self.distortions(self.clip))

    def see(
        self, pixels: Float[Tensor, "pictures 3 height width"]
    ) -> Float[Tensor, "pictures tokens features"]:
        """Return the features of the class token and of the patches."""
        wide = self.widen(torch.cat([self.prompts, self.deeper]))
        wide = functional.dropout(wide, self.design.dropout, training=self.training)
        prompts = dict(enumerate(wide))
        *_, states = vision_states(self.clip, embed(self.clip, pixels), prompts)
        vision: Any = self.clip.vision_model
        seen: Tensor = self.narrow(vision.post_layernorm(states))
        return seen

    def forward(
        self, pixels: Float[Tensor, "pictures 3 height width"], texts: Texts | None = None
    ) -> Said:
        """Rate pictures; `texts` are what `read` returned, where it is known already."""
        texts = texts or self.read()
        seen = self.see(pixels)
        height, width = (side // self._patch for side in pixels.shape[-2:])
        windows = self.pool(seen[:, 1:].reshape(len(seen), height, width, -1))
        return Said(
            score=self.judge(seen, texts).mean(1),
            scenes=self.scale.exp() * cosines(seen[:, 0], texts.scenes),
            distortions=self.notice(windows, texts.distortions),
        )

    def judge(
        self, seen: Float[Tensor, "pictures tokens features"], texts: Texts
    ) -> Float[Tensor, "pictures texts"]:
        """Return the rating that each text arrives at."""
        queries = torch.cat([texts.scenes, texts.distortions])
        way = self.design.queries
        if way == "normalised" or (way == "unlike" and self.training):
            queries = functional.normalize(queries, dim=-1)
        looked = self.decoder(queries.expand(len(seen), -1, -1), seen)
        rated: Tensor = self.rate(looked)
        return rated[..., 0]

    def pool(
        self, patches: Float[Tensor, "pictures height width features"]
    ) -> Float[Tensor, "pictures windows features"]:
        """Return the largest of each feature in every window."""
        pooled = functional.adaptive_max_pool2d(patches.permute(0, 3, 1, 2), self.design.grid)
        order = (0, 2, 3, 1) if self.design.windows == "places" else (0, 3, 1, 2)
        return pooled.permute(order).reshape(len(patches), -1, patches.shape[-1])

    def notice(
        self,
        windows: Float[Tensor, "pictures windows features"],
        texts: Float[Tensor, "distortions features"],
    ) -> Float[Tensor, "pictures distortions"]:
        """Return the logit of each distortion, mostly that of the window where it is strongest."""
        alike = self.scale.exp() * cosines(windows.flatten(0, 1), texts)
        alike = alike.view(*windows.shape[:2], -1)
        return (alike * (alike * self.focus.exp()).softmax(1)).sum(1)


def losses(
    said: Said,
    opinions: Float[Tensor, " pictures"],
    scenes: Sequence[int],
    distortions: Sequence[int],
) -> dict[str, Tensor]:
    """Return `quality`, `scene` and `distortion`, unweighted, as in the paper.

    Smooth L1 of the opinions; cross-entropy with label smoothing 0.1 of scene and distortion, each
    over the pictures where it is known (not -1), and 0 where it is known of none.
    """
    found = {"quality": functional.smooth_l1_loss(said.score, opinions.to(said.score))}
    told = {"scene": (said.scenes, scenes), "distortion": (said.distortions, distortions)}
    for name, (logits, known) in told.items():
        labels = torch.tensor(list(known), device=logits.device)
        chosen = labels >= 0
        found[name] = (
            functional.cross_entropy(logits[chosen], labels[chosen], label_smoothing=0.1)
            if chosen.any()
            else 0.0 * logits.sum()
        )
    return found
