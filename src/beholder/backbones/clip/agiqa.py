"""Two networks that are both called CLIP-AGIQA; both rate generated pictures over a frozen CLIP.

`Fu` (arXiv 2406.16641): deep prompts in both towers; a second set of them tells how well a picture
fits the text it was made from, and guides the first. `Tang` (arXiv 2408.15098): one learned context
before six level words, and a small network over the features of the picture and of the texts.
"""

from dataclasses import dataclass
from typing import Any, Final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from beholder.backbones.clip.network import Network, cosines, embed, see
from beholder.backbones.clip.prompting import vision_states
from beholder.backbones.clip.taught import Contexts, Taught, widths
from beholder.backbones.clip.tokens import Tokens

QUALITY: Final = ("good photo", "bad photo")
ALIGNMENT: Final = ("aligned photo", "misaligned photo")
LEVELS: Final = ("terrible", "bad", "poor", "average", "good", "perfect")


@dataclass(frozen=True)
class FuDesign:
    """Sizes. The released code rounds deep prompts to half precision besides; here they are not."""

    prompts: int = 8
    """Learned vectors at each layer of both towers."""
    guided: bool = True
    """Prompts for quality are mixed with those for alignment, which needs opinions on it."""


@dataclass(frozen=True)
class TangDesign:
    """Sizes of the second CLIP-AGIQA."""

    contexts: int = 16
    """Learned vectors, the same for all words."""
    place: str = "end"
    """Where a word stands: `front`, `middle` or `end` of them."""
    hidden: int = 512
    dropout: float = 0.5


@dataclass(frozen=True)
class Rated:
    """What `Fu` says of pictures; both from 0 to 1, higher is better."""

    quality: Float[Tensor, " pictures"]
    alignment: Float[Tensor, " pictures"] | None
    """How well a picture fits its text; None without guidance."""


class Prompts(nn.Module):
    """Two opposite texts, and learned prompts at every layer of both towers, as in MaPLe."""

    def __init__(self, clip: Network, tokens: Tokens, names: tuple[str, ...], count: int) -> None:
        super().__init__()
        size = widths(clip)
        self.contexts = Contexts(clip, tokens, names, count)
        self.texts = nn.Parameter(0.02 * torch.randn(size.text_layers - 1, count, size.text))
        """From layer 1 on; at layer 0 it is the context."""
        self.pictures = nn.Parameter(0.02 * torch.randn(size.layers, count, size.vision))


class Fu(Taught):
    """Prompts for quality, prompts for alignment, and what mixes the second into the first."""

    def __init__(self, clip: Network, tokens: Tokens, design: FuDesign | None = None) -> None:
        super().__init__(clip)
        self.design = design or FuDesign()
        self.quality = Prompts(clip, tokens, QUALITY, self.design.prompts)
        if self.design.guided:
            size = widths(clip)
            self.alignment = Prompts(clip, tokens, ALIGNMENT, self.design.prompts)
            mixers = [nn.Linear(2 * size.vision, size.vision) for _ in range(size.layers)]
            self.mixers = nn.ModuleList(mixers)

    def read(self) -> tuple[Tensor, ...]:
        """Return the features of the texts, which do not depend on the picture."""
        asked = [self.quality, *([self.alignment] if self.design.guided else [])]
        return tuple(self._texts(each) for each in asked)

    def forward(
        self,
        pixels: Float[Tensor, "pictures 3 height width"],
        texts: tuple[Tensor, ...] | None = None,
    ) -> Rated:
        """Rate pictures; `texts` are what `read` returned, where it is known already."""
        quality, *alignment = texts or self.read()
        embedded = embed(self.clip, pixels)
        seen = self._look(embedded, self.guided())
        other = [self._share(self._look(embedded, self.alignment.pictures), t) for t in alignment]
        return Rated(self._share(seen, quality), other[0] if other else None)

    def guided(self) -> Float[Tensor, "layers prompts width"]:
        """Return the vision prompts for quality, mixed with those for alignment."""
        own = self.quality.pictures
        if not self.design.guided:
            return own
        both = torch.cat([own, self.alignment.pictures], -1)
        mixed = [mix(each) for mix, each in zip(self.mixers, both, strict=True)]
        return torch.stack(mixed)

    def _texts(self, asked: Prompts) -> Float[Tensor, "texts features"]:
        deep = dict(enumerate(asked.texts, 1))
        features: Tensor = asked.contexts(self.clip, deep)
        return features

    def _look(
        self,
        embedded: Float[Tensor, "pictures tokens width"],
        prompts: Float[Tensor, "layers prompts width"],
    ) -> Float[Tensor, "pictures features"]:
        *_, states = vision_states(self.clip, embedded, dict(enumerate(prompts)))
        vision: Any = self.clip.vision_model
        features: Tensor = self.clip.visual_projection(vision.post_layernorm(states[:, 0]))
        return features

    def _share(
        self, seen: Float[Tensor, "pictures features"], texts: Float[Tensor, "2 features"]
    ) -> Float[Tensor, " pictures"]:
        """Return the probability of the better of the two texts."""
        return (self.clip.logit_scale.exp() * cosines(seen, texts)).softmax(-1)[:, 0]


class Tang(Taught):
    """A learned context, and a network over the features of the picture and six texts."""

    def __init__(self, clip: Network, tokens: Tokens, design: TangDesign | None = None) -> None:
        super().__init__(clip)
        self.design = design or TangDesign()
        self.levels = Contexts(clip, tokens, LEVELS, self.design.contexts, place=self.design.place)
        wide = widths(clip).features * (1 + len(LEVELS))
        self.rate = nn.Sequential(
            nn.Dropout(self.design.dropout),
            nn.Linear(wide, self.design.hidden),
            nn.ReLU(),
            nn.Dropout(self.design.dropout),
            nn.Linear(self.design.hidden, 1),
        )

    def read(self) -> Float[Tensor, "texts features"]:
        """Return the features of the texts, which do not depend on the picture."""
        texts: Tensor = self.levels(self.clip)
        return texts

    def forward(
        self,
        pixels: Float[Tensor, "pictures 3 height width"],
        texts: Float[Tensor, "texts features"] | None = None,
    ) -> Float[Tensor, " pictures"]:
        """Return ratings on the scale of the opinions that were taught."""
        read = functional.normalize(self.read() if texts is None else texts, dim=-1)
        seen = functional.normalize(see(self.clip, pixels), dim=-1)
        both = torch.cat([seen, read.flatten().expand(len(seen), -1)], -1)
        rated: Tensor = self.rate(both)
        return rated[:, 0]


def fu_losses(
    rated: Rated, quality: Float[Tensor, " pictures"], alignment: Float[Tensor, " pictures"]
) -> dict[str, Tensor]:
    """Return `quality` and `alignment`, unweighted: mean squared errors of opinions from 0 to 1.

    `alignment` is over the pictures where it is known (not NaN), and 0 where it is of none or not
    rated.
    """
    found = {"quality": functional.mse_loss(rated.quality, quality.to(rated.quality))}
    known = ~alignment.isnan()
    found["alignment"] = (
        functional.mse_loss(rated.alignment[known], alignment.to(rated.alignment)[known])
        if rated.alignment is not None and known.any()
        else 0.0 * rated.quality.sum()
    )
    return found
