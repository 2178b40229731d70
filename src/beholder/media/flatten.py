"""A Pillow picture of any mode → upright 8-bit sRGB on white. The one rule of docs/pixels.md."""

from typing import Final

import numpy as np
from PIL import Image

from beholder.errors import MediaError
from beholder.media import colour, depth
from beholder.media.frames import Picture
from beholder.media.orientation import upright

WHITE: Final = (255, 255, 255)
"""The background that transparent pixels are laid on."""
ON_WHITE: Final = "alpha on white"
TURNED: Final = "EXIF orientation applied"
SIXTEEN: Final = "16 bit scaled to 8"
FLOAT: Final = "float scaled to 8 bit"
_DEEP: Final = {"I;16", "I;16L", "I;16B", "I;16N", "I", "F"}
_ALPHA: Final = {"PA": "RGBA", "La": "LA", "RGBa": "RGBA"}
_OPAQUE: Final = {"1": "L", "P": "RGB", "RGBX": "RGB", "YCbCr": "RGB", "HSV": "RGB"}


def flatten(
    image: Image.Image, *, profile: bytes | None = None, orientation: int = 1
) -> tuple[Picture, tuple[str, ...]]:
    """Turn a decoded picture into what a backbone sees; give it back with notes.

    Raises:
        MediaError: when its samples have no stated white.
    """
    notes: list[str] = []
    if image.mode in _DEEP:
        notes.append(FLOAT if image.mode == "F" else SIXTEEN)
    base, alpha = _split(image)
    rgb, colour_notes = colour.to_srgb(base, profile)
    notes += colour_notes
    if alpha is not None:
        rgb = _on_white(rgb, alpha)
        notes.append(ON_WHITE)
    if orientation != 1:
        notes.append(TURNED)
    return Picture(upright(np.asarray(rgb), orientation)), tuple(notes)


def _on_white(rgb: Image.Image, alpha: Image.Image) -> Image.Image:
    ground = Image.new("RGB", rgb.size, WHITE)
    ground.paste(rgb, mask=alpha)
    return ground


def _split(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """The colours (RGB, L, CMYK or LAB, 8 bit) and the alpha, None where all is opaque."""
    transparent = image.info.get("transparency")
    if image.mode in _DEEP:
        return _deep(image, transparent)
    if image.mode in {"L", "RGB", "P", "1"} and transparent is not None:
        image = image.convert("RGBA")
    mode = _ALPHA.get(image.mode) or _OPAQUE.get(image.mode, image.mode)
    if mode != image.mode:
        image = image.convert(mode)
    if image.mode in {"RGBA", "LA"}:
        alpha = image.getchannel("A")
        opaque = alpha.getextrema() == (255, 255)
        return image.convert(image.mode[:-1]), None if opaque else alpha
    if image.mode not in {"L", "RGB", "CMYK", "LAB"}:
        raise MediaError(f"its pixels are of kind {image.mode!r}: save it as RGB or grey")
    return image, None


def _deep(image: Image.Image, transparent: object) -> tuple[Image.Image, Image.Image | None]:
    base = depth.grey(image)
    if not isinstance(transparent, int):
        return base, None
    visible = np.asarray(image) != transparent
    return base, Image.fromarray(visible.astype(np.uint8) * 255)
