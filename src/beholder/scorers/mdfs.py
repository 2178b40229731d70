"""MDFS: how far a picture's deep features are from those of undamaged pictures. No opinions in it.

Multiscale Deep Feature Statistics, arXiv 2405.18790. Maps of five scales are blurred down to one
and joined; the means of small windows are held against the mean and covariance of pristine
pictures, and windows of high contrast count more. As in the authors' code, and unlike equation 8 of
the paper, each window has its own distance. Higher is worse, so what is given is its negative.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from beholder._counting import counted
from beholder.backbones.efficientnet import EfficientNet
from beholder.errors import UsageError
from beholder.media.frames import Frames
from beholder.scorers import _measuring as measuring
from beholder.scorers import _pristine as pristine
from beholder.scorers._asking import segment_of, segment_told
from beholder.scorers._gaussian import Gaussian, Moments, fit, gathered, mahalanobis, midway
from beholder.scorers._measuring import Least, Pixels, Reading
from beholder.scorers._pristine import Maker, Pristine
from beholder.scorers.base import Encoded, Fitter, Rating, Scorer

MEASURE: Final = "negated MDFS distance"
OPTIONS: Final = ("statistics", "segment")
"""What may be chosen: the file of pristine statistics; seconds of an entry of a timeline."""
LEAST: Final = Least(49, 49)
"""Four places a side at 1/16; fewer leave no covariance."""


@dataclass(frozen=True)
class Windows:
    """What the windows of a picture hold."""

    means: Float[Tensor, "windows channels"]
    """Each scale's part has length 1."""
    contrasts: Float[Tensor, " windows"]
    """Mean standard deviation within a window."""


def pyramid(maps: Sequence[Float[Tensor, "1 _ _ _"]]) -> Float[Tensor, "1 channels height width"]:
    """Blur every map but the last two down to the size of these, and join all of them."""
    *finer, last = maps
    joined = []
    for level, each in enumerate(finer):
        lowered = each
        for target in finer[level + 1 :]:
            lowered = _halved(lowered, target)
        joined.append(lowered)
    return torch.cat([*joined, last], 1)


def _halved(maps: Float[Tensor, "1 c h w"], target: Float[Tensor, "1 _ i j"]) -> Tensor:
    mirrored = functional.pad(maps, (1, 1, 1, 1), mode="reflect")
    found = functional.conv2d(
        mirrored, _window(3, maps.shape[1]).to(maps), stride=2, groups=maps.shape[1]
    )
    if found.shape[2:] == target.shape[2:]:
        return found
    return functional.interpolate(found, target.shape[2:], mode="bilinear", align_corners=True)


def _window(side: int, channels: int) -> Float[Tensor, "channels 1 side side"]:
    """Return a Gaussian whose deviation is a third of its side, once for each channel."""
    places = torch.arange(side, dtype=torch.float32) - side // 2
    line = torch.exp(-(places**2) / (2 * (side / 3) ** 2))
    line = line / line.sum()
    return torch.outer(line, line).expand(channels, 1, side, side)


def windows(joined: Float[Tensor, "1 c h w"], groups: Sequence[int]) -> Windows:
    """Return means and contrasts of windows; `groups` says how many channels each scale has."""
    channels, height, width = joined.shape[1:]
    side = max(3, 2 * (min(height, width) // 32) + 1)
    window, step = _window(side, channels).to(joined), side // 2
    mean = functional.conv2d(joined, window, stride=step, groups=channels)
    square = functional.conv2d(joined**2, window, stride=step, groups=channels)
    contrasts = (square - mean**2).relu().sqrt().mean(1).flatten()
    parts = mean.flatten(2)[0].T.split_with_sizes(list(groups), 1)
    means = torch.cat([functional.normalize(part, dim=1) for part in parts], 1)
    return Windows(means, contrasts)


def distance(found: Windows, reference: Gaussian) -> float:
    """Return the mean distance of windows to pristine ones, weighed by contrast: 0 is best."""
    own = fit(found.means)
    lengths = mahalanobis(found.means.double() - reference.mean, midway(own, reference))
    weights = importance(found.contrasts)
    return float((lengths * weights).sum() / weights.sum())


def importance(contrasts: Float[Tensor, " windows"]) -> Float[Tensor, " windows"]:
    """Return what windows count, from 0 to 1, by how their contrast stands among all."""
    off = contrasts - contrasts.mean()
    return (off / (contrasts.std() + 1e-12)).sigmoid().double()


def chosen(found: Windows) -> Float[Tensor, "chosen channels"]:
    """Return the windows of a pristine picture that statistics are made of: those of contrast."""
    return found.means[found.contrasts > found.contrasts.mean()]


def look(trunk: EfficientNet, pixels: Pixels) -> Windows:
    """Return the windows of a picture in full size."""
    with torch.inference_mode():
        return windows(pyramid(trunk.maps(pixels)).cpu(), trunk.channels)


def _maker(trunk: EfficientNet) -> Maker:
    return Maker("mdfs", sum(trunk.channels), trunk.sha256)


@dataclass(frozen=True)
class Mdfs(Scorer):
    """A trunk and what pristine pictures look like to it."""

    trunk: EfficientNet
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
            "scorer": "mdfs",
            "statistics": self.statistics.sha256,
            **segment_told(self.segment),
            "trunk": dict(self.trunk.settings()),
        }

    def encode(self, frames: Frames) -> Encoded:
        """Read the frames; they are measured in full size."""
        return measuring.encode(frames, LEAST, "MDFS")

    def judge(self, inputs: Sequence[Encoded], task: str) -> list[Rating]:  # noqa: ARG002
        """Rate a batch: one rating an input, in order."""
        return measuring.rate(inputs, self._measure, self.segment)

    def _measure(self, pixels: Pixels) -> Reading:
        return Reading(-distance(look(self.trunk, pixels), self.statistics.gaussian))


@dataclass
class MdfsFitter(Fitter):
    """A trunk that is shown pristine pictures."""

    trunk: EfficientNet
    moments: Moments | None = None
    pictures: int = 0

    def encode(self, frames: Frames) -> Encoded:
        """Read the frames; they are looked at in full size."""
        return measuring.encode(frames, LEAST, "MDFS")

    def add(self, given: Encoded) -> None:
        """Take in one input."""
        for part in given.parts:
            rows = chosen(look(self.trunk, part))
            if len(rows):
                self.moments = gathered(self.moments, rows)
        self.pictures += 1

    def save(self, path: Path) -> str:
        """Write the statistics; return what they are of.

        Raises:
            UsageError: when there were too few pictures for a covariance.
        """
        maker, count = _maker(self.trunk), self.moments.count if self.moments else 0
        if self.moments is None or count <= maker.channels:
            raise UsageError(
                f"{counted(self.pictures, 'picture has', 'pictures have')} "
                f"{counted(count, 'window')} of contrast; MDFS needs more than its "
                f"{maker.channels} channels: give more or larger pictures"
            )
        about = {"pictures": str(self.pictures), "windows": str(count)}
        pristine.save(path, self.moments.gaussian(), maker, about)
        return f"{counted(self.pictures, 'picture')}, {counted(count, 'window')}"


def build(trunk: Any, settings: Mapping[str, Any]) -> Mdfs:
    """Make the scorer from a trunk and the file of `statistics` that a recipe or option names.

    Raises:
        UsageError: when the backbone is no trunk of this method.
        ModelError: when there are no statistics, or they were made by another trunk.
    """
    trunk = _checked(trunk)
    path = Path(str(settings.get("statistics", ""))).expanduser()
    return Mdfs(trunk, pristine.read(path, _maker(trunk)), segment_of(settings))


def fitter(trunk: Any, settings: Mapping[str, Any]) -> MdfsFitter:  # noqa: ARG001 - it has none
    """Make what fits the statistics of pristine pictures.

    Raises:
        UsageError: when the backbone is no trunk of this method.
    """
    return MdfsFitter(_checked(trunk))


def _checked(trunk: Any) -> EfficientNet:
    if not isinstance(trunk, EfficientNet):
        raise UsageError("MDFS sees by the trunk of an EfficientNet: use --model mdfs")
    return trunk
