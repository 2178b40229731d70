"""A picture to the square that the vision tower sees, in 8 bits; normalising is left to the device.

A picture is padded to a square with the mean colour of CLIP, then resized (Q-Align, DeQA-Score),
or its short side is resized and the middle cut out (Q-Instruct). Resizing is Pillow's, on 8 bits,
which is what the models were trained with.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor

from beholder._names import unknown
from beholder.backbones._json import read_json
from beholder.errors import ModelError, UsageError

FILE: Final = "preprocessor_config.json"
ASPECTS: Final = ("pad", "crop")
_MEAN: Final = (0.48145466, 0.4578275, 0.40821073)
_STD: Final = (0.26862954, 0.26130258, 0.27577711)
_BICUBIC: Final = 3


@dataclass(frozen=True)
class Pixels:
    """The rule from a picture to what the vision tower sees."""

    side: int = 448
    mean: tuple[float, ...] = _MEAN
    std: tuple[float, ...] = _STD
    resample: int = _BICUBIC
    """Pillow's number of the filter."""
    aspect: str = "pad"
    """`pad` to a square, or `crop` the middle."""

    def settings(self) -> Mapping[str, Any]:
        """Return all that can change a pixel, as JSON."""
        return {
            "side": self.side,
            "mean": list(self.mean),
            "std": list(self.std),
            "resample": self.resample,
            "aspect": self.aspect,
        }

    def square(self, pixels: UInt8[np.ndarray, "height width 3"]) -> UInt8[Tensor, "3 side side"]:
        """Return the square of a picture."""
        picture = Image.fromarray(pixels)
        if self.aspect == "pad":
            picture = _pad(picture, tuple(int(255 * each) for each in self.mean))
        shown = np.asarray(_shrink(picture, self.side, Image.Resampling(self.resample)))
        return torch.from_numpy(shown.transpose(2, 0, 1).copy())

    def normalise(
        self, squares: UInt8[Tensor, "pictures 3 side side"]
    ) -> Float[Tensor, "pictures 3 side side"]:
        """Return what the vision tower takes, in float32, on the device of `squares`.

        Division is by tensors, since dividing by a number is a multiplication on some devices.
        """
        mean, std, most = (
            torch.tensor(each, device=squares.device, dtype=torch.float32).view(-1, 1, 1)
            for each in (self.mean, self.std, (255.0,))
        )
        return squares.float().div_(most).sub_(mean).div_(std)


def read(folder: Path, side: int, aspect: str = "pad") -> Pixels:
    """Read the rule of a folder whose vision tower is `side` pixels wide; CLIP's without a file.

    Raises:
        ModelError: when the file does not fit the vision tower, or asks for other steps.
        UsageError: when `aspect` is unknown.
    """
    if aspect not in ASPECTS:
        raise UsageError(unknown("aspect", aspect, ASPECTS))
    path = folder / FILE
    values = read_json(path) if path.is_file() else {}
    sizes = {_size(values.get(name, side)) for name in ("size", "crop_size")}
    if sizes != {side}:
        got = ", ".join(sorted(map(str, sizes)))
        raise ModelError(f"{path} makes pictures of {got} px; the model sees {side} px")
    for step in ("do_resize", "do_center_crop", "do_normalize"):
        if not values.get(step, True):
            raise ModelError(f"{path} leaves out {step}, which this backbone always does")
    return Pixels(
        side=side,
        mean=tuple(values.get("image_mean", _MEAN)),
        std=tuple(values.get("image_std", _STD)),
        resample=int(values.get("resample", _BICUBIC)),
        aspect=aspect,
    )


def _size(value: object) -> object:
    """Read the three spellings of a size: a number, a shortest edge, height and width."""
    if isinstance(value, Mapping):
        edges = set(value.values())
        return edges.pop() if len(edges) == 1 else str(dict(value))
    return value


def _pad(picture: Image.Image, colour: tuple[int, ...]) -> Image.Image:
    width, height = picture.size
    if width == height:
        return picture
    side = max(width, height)
    canvas = Image.new("RGB", (side, side), colour)
    canvas.paste(picture, ((side - width) // 2, (side - height) // 2))
    return canvas


def _shrink(picture: Image.Image, side: int, resample: Image.Resampling) -> Image.Image:
    """Resize the short edge and cut out the middle."""
    short, long = sorted(picture.size)
    other = int(side * long / short)
    wide = picture.width >= picture.height
    resized = picture.resize((other, side) if wide else (side, other), resample)
    left, top = (resized.width - side) // 2, (resized.height - side) // 2
    return resized.crop((left, top, left + side, top + side))
