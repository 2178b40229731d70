"""CLIP as a backbone: pixels in worker threads, the towers for whole batches.

A candidate is a whole text, and its logit the scaled cosine of its features with a picture's; the
logits of a picture's views are averaged. Methods that need more take `features` and `texts`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import torch
from jaxtyping import Float
from torch import Tensor

from beholder._counting import counted
from beholder.backbones.base import Backbone
from beholder.backbones.clip.loading import Loaded
from beholder.backbones.clip.network import Network, cosines, see, words
from beholder.backbones.clip.prompting import text_features
from beholder.backbones.clip.tokens import Read, Tokens
from beholder.backbones.clip.views import Seen, Views
from beholder.backbones.words import following
from beholder.errors import MediaError, ModelError
from beholder.media.frames import Picture
from beholder.prompts import Prompt

PIXELS_AT_ONCE: Final = {"cpu": 16 * 224 * 224}
"""Pixels that go through the vision tower together, unless one view alone has more."""
_PIXELS_ELSEWHERE: Final = 256 * 224 * 224
TEXTS_AT_ONCE: Final = 128
"""Texts that go through the text tower together."""


class Clip(Backbone):
    """Pictures and texts in one space."""

    def __init__(
        self, loaded: Loaded, views: Views, places: str = "grid", scale: float = 0.0
    ) -> None:
        self._loaded = loaded
        self.views = views
        self._places = places
        self._scale = scale
        self._texts: dict[str, Tensor] = {}
        kind = loaded.network.device.type
        self._at_once = PIXELS_AT_ONCE.get(kind, _PIXELS_ELSEWHERE)

    def anew(self) -> "Clip":
        """Return the same towers with no text read yet: for after they have learned."""
        return Clip(self._loaded, self.views, self._places, self._scale)

    @property
    def network(self) -> Network:
        """The towers."""
        return self._loaded.network

    @property
    def tokens(self) -> Tokens:
        """The tokenizer."""
        return self._loaded.tokens

    @property
    def rest(self) -> Mapping[str, Tensor]:
        """What the file of weights holds besides the towers, by the names of the file."""
        return self._loaded.rest

    @property
    def scale(self) -> float:
        """What cosines are multiplied by: that of the weights, unless another was asked for."""
        return self._scale or float(self.network.logit_scale.float().exp())

    def settings(self) -> Mapping[str, Any]:
        """Return all that can change a logit: weights, views, positions, scale, dtype."""
        return {
            "architecture": "clip",
            "weights": self._loaded.digest,
            "tokenizer": self.tokens.digest,
            "views": dict(self.views.settings()),
            "positions": self._places,
            "scale": self._scale or "of the weights",
            "dtype": str(self.network.dtype).removeprefix("torch."),
        }

    def encode(self, pictures: Iterable[Picture]) -> Seen:
        """Return the views of exactly one picture. Thread-safe, on the CPU.

        Raises:
            ModelError: when there is not exactly one picture.
            MediaError: when it is too small to be looked at.
        """
        pictures = list(pictures)
        if len(pictures) != 1:
            raise ModelError(f"CLIP looks at one picture at a time, got {len(pictures)}")
        seen = self.views.look(pictures[0].pixels)
        height, width = seen.size
        if min(height, width) < self.network.least:
            raise MediaError(
                f"the picture is {width}×{height} px and this model sees nothing below "
                f"{self.network.least} px a side: enlarge it"
            )
        return seen

    def logits(
        self, examples: Sequence[Seen], prompt: Prompt, candidates: Sequence[str]
    ) -> Float[Tensor, "batch candidates"]:
        """Return the logit of each candidate, averaged over views, float32 on the CPU.

        A candidate is a whole text, or goes on after the opening of the prompt if there is one;
        the question is not read.

        Raises:
            UsageError: when there is no candidate, or one is empty or too long.
        """
        opening = prompt.opening
        texts = [f"{opening}{following(opening, c)}" if opening else c for c in candidates]
        with torch.inference_mode():
            known = self.texts(texts).float()
            rows = [
                self.scale * cosines(seen.float(), known).mean(0)
                for seen in self.features(examples)
            ]
            return torch.stack(rows).cpu() if rows else torch.zeros(0, len(texts))

    def texts(self, texts: Sequence[str]) -> Float[Tensor, "texts features"]:
        """Return the features of texts, on the device, not normalised; each is read once.

        Raises:
            UsageError: when there is none, or one is empty or too long.
        """
        new = [text for text in dict.fromkeys(texts) if text not in self._texts]
        if new or not texts:
            self._read(self.tokens.read(new), new)
        return torch.stack([self._texts[text] for text in texts])

    def _read(self, read: Read, texts: Sequence[str]) -> None:
        there = self.network.device
        with torch.inference_mode():
            for start in range(0, len(texts), TEXTS_AT_ONCE):
                some = slice(start, start + TEXTS_AT_ONCE)
                embedded = words(self.network, read.ids[some].to(there))
                features = text_features(self.network, embedded, read.ends[some].to(there))
                self._texts.update(zip(texts[some], features, strict=True))

    def remember(self, features: Mapping[str, Float[Tensor, " features"]]) -> None:
        """Take these features for these texts instead of reading them: of learned prompts, say."""
        network = self.network
        for text, each in features.items():
            self._texts[text] = each.detach().to(network.device, network.dtype)

    def features(self, examples: Sequence[Seen]) -> list[Float[Tensor, "views features"]]:
        """Return the features of each picture's views, on the device, not normalised.

        Raises:
            ModelError: when memory does not suffice.
        """
        found: list[list[Tensor]] = [[] for _ in examples]
        with torch.inference_mode():
            for owners, pixels in self.pixels(examples):
                for owner, each in zip(owners, self._see(pixels), strict=True):
                    found[owner].append(each)
        return [torch.stack(each) for each in found]

    def _see(self, pixels: Tensor) -> Tensor:
        try:
            return see(self.network, pixels, self._places)
        except torch.OutOfMemoryError as error:
            count, _, height, width = pixels.shape
            raise ModelError(
                f"{pixels.device} has not enough memory for {counted(count, 'view')} of "
                f"{width}×{height} px: use a smaller dtype, or shrink the pictures with --set "
                "shrink=512"
            ) from error

    def pixels(
        self, examples: Sequence[Seen]
    ) -> Iterator[tuple[list[int], Float[Tensor, "views 3 height width"]]]:
        """Yield views of one size in batches, normalised and on the device, and whose each is."""
        device = self.network.device
        for size in dict.fromkeys(each.size for each in examples):
            waiting = [
                (owner, window)
                for owner, each in enumerate(examples)
                if each.size == size
                for window in each.windows
            ]
            count = max(1, self._at_once // (size[0] * size[1]))
            for start in range(0, len(waiting), count):
                some = waiting[start : start + count]
                cut = [examples[owner].cut((window,)) for owner, window in some]
                yield [o for o, _ in some], self.views.normalise(torch.cat(cut).to(device))
