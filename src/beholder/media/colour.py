"""ICC profiles → sRGB, by Little CMS.

Relative colorimetric intent with black point compensation. A profile that is broken, or that
describes another kind of colour than the pixels have, is ignored with a note, as viewers do.
"""

from functools import lru_cache
from io import BytesIO
from typing import Final

import numpy as np
from PIL import Image, ImageCms

_SPACES: Final = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK", "LAB": "Lab "}
_SAME_LEVELS: Final = 1
"""A profile that moves no colour further than this is sRGB itself."""

CONVERTED: Final = "ICC profile converted to sRGB"
BROKEN: Final = "broken ICC profile ignored"
FOREIGN: Final = "ICC profile of another colour model ignored"


def to_srgb(image: Image.Image, profile: bytes | None) -> tuple[Image.Image, tuple[str, ...]]:
    """Convert a picture of mode RGB, L, CMYK or LAB to sRGB; give it back with notes."""
    if profile:
        transform, note = _transform(profile, image.mode)
        if transform is not None:
            return _apply(transform, image), (note,)
        if not note:
            return image.convert("RGB"), ()
        return _plain(image), (note,)
    return _plain(image), ()


def is_srgb(profile: bytes) -> bool:
    """Whether RGB pixels under this profile are sRGB as they are."""
    return _transform(profile, "RGB") == (None, "")


def _plain(image: Image.Image) -> Image.Image:
    """Without a profile: grey and RGB are sRGB, CMYK is subtracted from white, Lab is D50."""
    if image.mode == "LAB":
        return _apply(_lab(), image)
    return image if image.mode == "RGB" else image.convert("RGB")


def _apply(transform: ImageCms.ImageCmsTransform, image: Image.Image) -> Image.Image:
    target = Image.new("RGB", image.size)
    transform.apply(image, target)
    return target


@lru_cache(maxsize=64)
def _transform(profile: bytes, mode: str) -> tuple[ImageCms.ImageCmsTransform | None, str]:
    """What turns `mode` under `profile` into sRGB; None with a note, or without when it is sRGB."""
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if source.profile.xcolor_space != _SPACES[mode]:
            return None, FOREIGN
        transform = _build(source, mode)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None, BROKEN
    if mode in {"RGB", "L"} and _is_srgb(transform, mode):
        return None, ""
    return transform, CONVERTED


def _build(source: ImageCms.ImageCmsProfile, mode: str) -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(
        source,
        ImageCms.createProfile("sRGB"),
        mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )


@lru_cache(maxsize=1)
def _lab() -> ImageCms.ImageCmsTransform:
    return _build(ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")), "LAB")


def _is_srgb(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether a lattice of colours comes back as it went in."""
    steps = np.linspace(0, 255, 18).round().astype(np.uint8)
    if mode == "L":
        lattice = Image.fromarray(steps[None, :])
    else:
        grid = np.stack(np.meshgrid(steps, steps, steps), axis=-1)
        lattice = Image.fromarray(grid.reshape(18, -1, 3))
    before = np.asarray(lattice.convert("RGB"), dtype=np.int16)
    after = np.asarray(_apply(transform, lattice), dtype=np.int16)
    return bool(np.abs(before - after).max() <= _SAME_LEVELS)
