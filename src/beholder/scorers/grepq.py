"""GRepQ: does a picture's text say good, and are its patches like those of clean pictures?

Two paths, taught by no opinions (arXiv 2312.04838), added with equal weight. High level: CLIP's
choice between two texts. Low level: a distance, as NIQE's, between Gaussians of features of patches
of this picture and of clean ones, made a number from 0 to 0.5.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from jaxtyping import Float
from torch import Tensor

from beholder._counting import counted
from beholder.backbones import resnet18
from beholder.backbones._filling import fill
from beholder.backbones.clip.model import Clip
from beholder.backbones.clip.network import cosines
from beholder.backbones.clip.resnet import ResNet
from beholder.backbones.clip.views import Seen
from beholder.backbones.owl2.shards import Shard
from beholder.backbones.resnet18 import Patches
from beholder.errors import ModelError, UsageError
from beholder.media.frames import Frames, Picture
from beholder.scorers import _measuring as measuring
from beholder.scorers import _patches as patches
from beholder.scorers import _pristine as pristine
from beholder.scorers._asking import segment_of, segment_told
from beholder.scorers._gaussian import Gaussian, Moments, fit, gathered, mahalanobis, midway
from beholder.scorers._measuring import Least, Pixels, Reading
from beholder.scorers._over_clip import clip_of
from beholder.scorers._pristine import Maker, Pristine
from beholder.scorers.base import Encoded, Fitter, Rating, Scorer

MEASURE: Final = "GRepQ sum"
OPTIONS: Final = ("low", "high", "statistics", "segment")
"""What may be chosen: the files of both paths' weights and of pristine statistics; a timeline."""
TEXTS: Final = ("A good photo.", "A bad photo.")
SIDE: Final = 96
"""Pixels of a patch's side."""
LEAST: Final = Least(SIDE, SIDE + SIDE // 2)
"""Two patches; one alone has no covariance."""
_SHARPENING: Final = 10.0
_RIDGE: Final = 1e-3
_SOFTENING: Final = 100.0
_PATCHES: Final = ("sharp and colourful patch", "sharp and colourful patches")
_SOURCE: Final = "the Google Drive folder linked at https://github.com/suhas-srinath/GRepQ"


def goodness(
    picture: Float[Tensor, "pictures features"], texts: Float[Tensor, "2 features"]
) -> Float[Tensor, " pictures"]:
    """Return how much better a picture fits the good text than the bad one, from 0 to 1."""
    good, bad = cosines(picture.float(), texts.float()).double().unbind(1)
    return (_SHARPENING * (good - bad)).sigmoid()


def distance(features: Float[Tensor, "patches features"], clean: Gaussian) -> float:
    """Return how far the patches of a picture, two or more, are from clean ones: 0 is best."""
    own = fit(features)
    return float(mahalanobis((clean.mean - own.mean)[None], midway(clean, own, _RIDGE))[0])


def likeness(far: float) -> float:
    """Return a distance as a number from 0 to 0.5, higher is better.

    >>> likeness(0.0)
    0.5
    """
    return float(torch.tensor(-far / _SOFTENING, dtype=torch.float64).sigmoid())


@dataclass(frozen=True)
class Shown:
    """One picture, as both paths take it."""

    pixels: Pixels
    seen: Seen


@dataclass(frozen=True)
class Grepq(Scorer):
    """Both paths, and what clean patches look like to the lower."""

    clip: Clip
    tower: str
    """SHA-256 of the picture tower that was taught; empty: CLIP's own."""
    low: Patches
    statistics: Pristine
    segment: float | None = None
    """Seconds of one entry of a timeline; None: every frame."""

    @property
    def tasks(self) -> tuple[str, ...]:
        """What it can be asked."""
        return measuring.TASKS

    def settings(self) -> Mapping[str, Any]:
        """Return all that can change a rating, as JSON."""
        return {
            "scorer": "grepq",
            "texts": list(TEXTS),
            "clip": dict(self.clip.settings()),
            "high": self.tower,
            "low": self.low.sha256,
            "statistics": self.statistics.sha256,
            **segment_told(self.segment),
        }

    def encode(self, frames: Frames) -> Encoded:
        """Read the frames; they are measured in full size."""
        return measuring.encode(frames, LEAST, "GRepQ", self._shown)

    def _shown(self, picture: Picture) -> Shown:
        return Shown(picture.pixels, self.clip.encode([picture]))

    def judge(self, inputs: Sequence[Encoded], task: str) -> list[Rating]:  # noqa: ARG002
        """Rate a batch: one rating an input, in order."""
        return measuring.rate(inputs, self._measure, self.segment)

    def _measure(self, shown: Shown) -> Reading:
        views = self.clip.features([shown.seen])[0]
        high = float(goodness(views, self.clip.texts(TEXTS)).mean())
        far = distance(_features(self.low, shown.pixels, SIDE // 2), self.statistics.gaussian)
        low = likeness(far)
        return Reading(high + low, {"high": high, "low": low, "distance": far})


def _features(low: Patches, pixels: Pixels, stride: int) -> Float[Tensor, "patches features"]:
    return low.features(patches.patches(pixels, SIDE, stride).float() / 255)


@dataclass
class GrepqFitter(Fitter):
    """The lower path, which is shown clean pictures."""

    low: Patches
    moments: Moments | None = None
    pictures: int = 0

    def encode(self, frames: Frames) -> Encoded:
        """Read the frames; they are looked at in full size."""
        return measuring.encode(frames, Least(SIDE, SIDE), "GRepQ")

    def add(self, given: Encoded) -> None:
        """Take in one input."""
        for pixels in given.parts:
            cut = patches.patches(pixels, SIDE, SIDE).float() / 255
            kept = cut[patches.worth_keeping(cut)]
            if len(kept):
                self.moments = gathered(self.moments, self.low.features(kept))
        self.pictures += 1

    def save(self, path: Path) -> str:
        """Write the statistics; return what they are of.

        Raises:
            UsageError: when there were too few sharp and colourful patches.
        """
        count = self.moments.count if self.moments else 0
        if self.moments is None or count < 2:
            raise UsageError(
                f"{counted(self.pictures, 'picture has', 'pictures have')} "
                f"{counted(count, *_PATCHES)} of {SIDE} px; "
                "GRepQ needs two at least, and hundreds to be of use: give more pictures"
            )
        about = {"pictures": str(self.pictures), "patches": str(count)}
        pristine.save(path, self.moments.gaussian(), _maker(self.low), about)
        return f"{counted(self.pictures, 'picture')}, {counted(count, 'patch', 'patches')}"


def _maker(low: Patches) -> Maker:
    return Maker("grepq", low.channels, low.sha256)


def build(clip: Any, settings: Mapping[str, Any]) -> Grepq:
    """Make the scorer from a CLIP and the files `low`, `high` and `statistics`.

    Raises:
        UsageError: when the backbone is no CLIP.
        ModelError: when a file is missing or holds something else.
    """
    clip = clip_of(clip, "grepq", ("scale",))
    low = _low(settings, str(clip.network.device))
    path = Path(str(settings.get("statistics", ""))).expanduser()
    clean = pristine.read(path, _maker(low))
    return Grepq(clip, _taught(clip, settings), low, clean, segment_of(settings))


def fitter(clip: Any, settings: Mapping[str, Any]) -> GrepqFitter:
    """Make what fits the statistics of pristine pictures.

    Raises:
        UsageError: when the backbone is no CLIP.
        ModelError: when the file of the lower path is missing or holds something else.
    """
    return GrepqFitter(_low(settings, str(clip_of(clip, "grepq").network.device)))


def _low(settings: Mapping[str, Any], device: str) -> Patches:
    return resnet18.load(_file(settings, "low"), device)


def _taught(clip: Clip, settings: Mapping[str, Any]) -> str:
    """Give CLIP the picture tower that GRepQ taught, if there is one; return its SHA-256."""
    if not settings.get("high"):
        return ""
    path, tower = _file(settings, "high"), clip.network.vision_model
    if not isinstance(tower, ResNet):
        raise ModelError("the high level of GRepQ is a residual network of CLIP: use RN50")
    positions = "attnpool.positional_embedding"
    shard = Shard(path)
    fill(tower, {positions: tower.state_dict()[positions], **dict(shard.tensors())}, str(path))
    return shard.digest()


def _file(settings: Mapping[str, Any], name: str) -> Path:
    path = Path(str(settings.get(name, ""))).expanduser()
    if not path.is_file():
        raise ModelError(
            f"there is no file {path}, which should hold the {name} level of GRepQ: fetch it from "
            f"{_SOURCE}, or name another with --set {name}=FILE"
        )
    return path
