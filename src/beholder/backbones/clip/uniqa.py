"""UniQA's head (arXiv 2406.01069): a small adapter on the picture's features, and learned levels.

Each group of five texts says the levels in other words; the score is the mean over the groups of
the expected level. The network is small enough to learn from some hundred opinions.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from beholder.backbones.clip.network import Network, cosines, see, words
from beholder.backbones.clip.prompting import text_features
from beholder.backbones.clip.taught import Taught, widths
from beholder.backbones.clip.tokens import Tokens

GROUPS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "single": (("bad image", "poor image", "fair image", "good image", "perfect image"),),
    "ensemble": (
        ("bad image", "poor image", "fair image", "good image", "perfect image"),
        (
            "extremely blurry image",
            "blurry image",
            "fair image",
            "sharp image",
            "extremely sharp image",
        ),
        (
            "extremely noisy image",
            "noisy image",
            "fair image",
            "noise-free image",
            "extremely noise-free image",
        ),
        (
            "extremely low-quality image",
            "low-quality image",
            "fair image",
            "high-quality image",
            "extremely high-quality image",
        ),
    ),
    "generated": (
        ("bad image", "poor image", "fair image", "good image", "perfect image"),
        ("bad content", "poor content", "fair content", "good content", "perfect content"),
    ),
}
"""Name → groups of texts, each worst first; `generated` is for generated pictures (AGIQA)."""
WORTHS: Final = (0.2, 0.4, 0.6, 0.8, 1.0)
"""What the levels are worth at first, worst first, on 0 to 1."""


class UniQa(Taught):
    """Adapter and levels over a frozen CLIP; named as in the released code."""

    ids: Tensor
    ends: Tensor

    def __init__(
        self, clip: Network, tokens: Tokens, groups: Sequence[Sequence[str]] = GROUPS["ensemble"]
    ) -> None:
        super().__init__(clip)
        self.groups = len(groups)
        read = tokens.read([text for group in groups for text in group])
        self.register_buffer("ids", read.ids, persistent=False)
        self.register_buffer("ends", read.ends, persistent=False)
        width = widths(clip).features
        self.adapter = Adapter(width, width // 2)
        self.score_level = nn.Parameter(torch.tensor(WORTHS))

    def read(self) -> Float[Tensor, "texts features"]:
        """Return the features of the texts, group by group, which do not depend on the picture."""
        return text_features(self.clip, words(self.clip, self.ids), self.ends)

    def forward(
        self,
        pixels: Float[Tensor, "pictures 3 height width"],
        texts: Float[Tensor, "texts features"] | None = None,
        places: str = "grid",
    ) -> Float[Tensor, " pictures"]:
        """Return ratings, about 0 to 1; `texts` are what `read` returned, where it is known."""
        return self.judge(see(self.clip, pixels, places), self.read() if texts is None else texts)

    def judge(
        self,
        seen: Float[Tensor, "pictures features"],
        texts: Float[Tensor, "texts features"],
    ) -> Float[Tensor, " pictures"]:
        """Return the rating of pictures by their features as CLIP gives them."""
        rated: Tensor = self.shares(seen, texts) @ self.score_level
        return rated.mean(1)

    def shares(
        self,
        seen: Float[Tensor, "pictures features"],
        texts: Float[Tensor, "texts features"],
    ) -> Float[Tensor, "pictures groups levels"]:
        """Return the probability of each level in each group, worst first."""
        alike = self.clip.logit_scale.exp() * cosines(self.adapter(seen), texts)
        return alike.view(len(seen), self.groups, -1).softmax(-1)


class Adapter(nn.Module):
    """What is added to the features of a picture."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc = nn.Sequential(
            nn.Linear(width, hidden, bias=False),
            nn.ReLU(),
            nn.Linear(hidden, width, bias=False),
            nn.ReLU(),
        )

    def forward(
        self, seen: Float[Tensor, "pictures features"]
    ) -> Float[Tensor, "pictures features"]:
        """Return features with what the adapter finds added, of length 1."""
        return functional.normalize(seen + self.fc(seen), dim=-1)

    def silence(self) -> None:
        """Make it add nothing: features stay as CLIP gives them."""
        last: Any = self.fc[2]
        nn.init.zeros_(last.weight)
