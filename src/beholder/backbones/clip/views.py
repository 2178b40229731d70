"""What of a picture is looked at: all of it, its middle, or windows; as each method was taught.

Pixels stay in 8 bits until they are on the device; windows are cut out there, so that a picture
is kept once however many windows it has. Resizing is Pillow's, on 8 bits.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor

from beholder._names import unknown
from beholder.errors import MediaError, UsageError

KINDS: Final = ("whole", "centre", "squashed", "even", "dense", "random", "five")
"""`whole`: the picture as it is. `centre`: its short side resized, the middle cut out, as CLIP
itself. `squashed`: resized to a square whatever its shape. Windows: `even`, some of a dense grid by
their number, as LIQE; `dense`, all of it; `random`; `five`, the corners and the middle."""
COLOURS: Final = {
    "clip": ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)),
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
}
"""Mean and standard deviation of red, green and blue by which pixels are normalised."""
LARGE: Final = 1024
"""Pixels of a side from which `stride_of_large` counts."""

Corner = tuple[int, int]
"""Top and left of a window, in pixels."""


@dataclass(frozen=True)
class Views:
    """The rule from a picture to what the tower sees."""

    kind: str = "centre"
    """One of `KINDS`."""
    side: int = 224
    """Pixels of a window's side, or of the square; 0: that of the tower, filled in with it."""
    count: int = 15
    """Windows, where the rule leaves it open."""
    stride: int = 32
    """Pixels from one window to the next."""
    stride_of_large: int = 0
    """The same where a side is 1024 px or more; 0: no other."""
    shrink: int = 0
    """The short side is shrunk to this many pixels where it is that long or longer; 0: never."""
    colours: str = "clip"
    """One of `COLOURS`."""
    seed: int = 0
    """Of random windows; those of pictures of one size are the same."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UsageError(unknown("way to view a picture", self.kind, KINDS))
        if self.colours not in COLOURS:
            raise UsageError(unknown("normalisation of colours", self.colours, COLOURS))
        for name in ("count", "stride"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} of views is {getattr(self, name)}; it is 1 or more")

    def settings(self) -> Mapping[str, Any]:
        """Return all that can change a pixel, as JSON."""
        return asdict(self)

    def look(self, pixels: UInt8[np.ndarray, "height width 3"]) -> "Seen":
        """Return the views of one picture.

        Raises:
            MediaError: when it is smaller than a window.
        """
        shown = self._resized(Image.fromarray(pixels))
        width, height = shown.size
        windows = self._windows(height, width)
        size = (height, width) if self.kind == "whole" else (self.side, self.side)
        planes = torch.from_numpy(np.asarray(shown).transpose(2, 0, 1).copy())
        return Seen(planes, windows, size)

    def normalise(
        self, pixels: UInt8[Tensor, "views 3 height width"]
    ) -> Float[Tensor, "views 3 height width"]:
        """Return what the tower takes, in float32, on the device of the pixels."""
        mean, std = (
            torch.tensor(each, device=pixels.device).view(-1, 1, 1)
            for each in COLOURS[self.colours]
        )
        return pixels.float().div_(255).sub_(mean).div_(std)

    def _resized(self, picture: Image.Image) -> Image.Image:
        short = min(picture.size)
        if self.kind == "squashed":
            return picture.resize((self.side, self.side), Image.Resampling.BICUBIC)
        if self.kind == "centre":
            return _to_short_side(picture, self.side, Image.Resampling.BICUBIC)
        if self.shrink and short >= self.shrink:
            picture = _to_short_side(picture, self.shrink, Image.Resampling.BILINEAR)
        if self.kind != "whole" and short < self.side:
            raise MediaError(
                f"the picture is {picture.width}×{picture.height} px and this model looks at "
                f"windows of {self.side} px: enlarge it, or show it whole with --set views=centre"
            )
        return picture

    def _windows(self, height: int, width: int) -> tuple[Corner, ...]:
        """Return where each window begins."""
        down, across = height - self.side, width - self.side
        if self.kind in ("whole", "squashed"):
            return ((0, 0),)
        if self.kind == "centre":
            return ((down // 2, across // 2),)
        if self.kind == "five":
            return ((0, 0), (0, across), (down, 0), (down, across), _middle(down, across))
        if self.kind == "random":
            rng = np.random.default_rng((self.seed, height, width))
            tops = rng.integers(0, down + 1, self.count).tolist()
            return tuple(zip(tops, rng.integers(0, across + 1, self.count).tolist(), strict=True))
        large = self.stride_of_large and max(height, width) >= LARGE
        step = self.stride_of_large if large else self.stride
        grid = [(y, x) for y in range(0, down + 1, step) for x in range(0, across + 1, step)]
        if self.kind == "dense":
            return tuple(grid)
        every = len(grid) // self.count
        return tuple(grid[every * number] for number in range(self.count))


@dataclass(frozen=True)
class Seen:
    """A picture, and the windows of it that are looked at."""

    pixels: UInt8[Tensor, "3 height width"]
    windows: tuple[Corner, ...]
    size: tuple[int, int]
    """Height and width of each window, in pixels."""

    def cut(self, windows: tuple[Corner, ...]) -> UInt8[Tensor, "views 3 high wide"]:
        """Return some of its windows."""
        height, width = self.size
        return torch.stack([self.pixels[:, y : y + height, x : x + width] for y, x in windows])


def _to_short_side(picture: Image.Image, side: int, by: Image.Resampling) -> Image.Image:
    """Resize so that the short side is `side`; the other is rounded down."""
    short, long = sorted(picture.size)
    other = int(side * long / short)
    size = (other, side) if picture.width > picture.height else (side, other)
    return picture if picture.size == size else picture.resize(size, by)


def _middle(down: int, across: int) -> Corner:
    """Return the corner of the window in the middle; halves go to the even number."""
    return round(down / 2), round(across / 2)
