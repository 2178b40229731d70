"""Still pictures, animations and pages → Frames."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from io import SEEK_END, BufferedIOBase
from typing import Final

import numpy as np
from jaxtyping import TypeCheckError
from PIL import Image, ImageFile

from beholder.errors import MediaError
from beholder.media import colour, hdr, heif, jpeg, limits
from beholder.media.codepoints import code_points, refuse_hdr
from beholder.media.flatten import TURNED, flatten
from beholder.media.frames import Frames, Picture
from beholder.media.orientation import exif_orientation, upright
from beholder.media.quiet import quietly
from beholder.media.sniff import Kind

BROKEN_DATA: Final = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    AssertionError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
"""What Pillow and its plugins raise on damaged data; any of them means the file is at fault."""

_CLASSES: Final = {
    "png": "PngImagePlugin.PngImageFile",
    "gif": "GifImagePlugin.GifImageFile",
    "bmp": "BmpImagePlugin.BmpImageFile",
    "tiff": "TiffImagePlugin.TiffImageFile",
    "webp": "WebPImagePlugin.WebPImageFile",
    "avif": "AvifImagePlugin.AvifImageFile",
    "ppm": "PpmImagePlugin.PpmImageFile",
}


_WHOLE: Final = frozenset(["webp", "avif"])
"""Plugins that read the whole file into memory."""
_PRIMARIES: Final = "beholder_primaries"


@contextmanager
def damage_explained(kind: Kind) -> Iterator[None]:
    """Read with Pillow, quietly; whatever breaks becomes one sentence.

    Raises:
        MediaError: in place of everything that a decoder raises.
    """
    try:
        with quietly():
            yield
    except (MediaError, TypeCheckError):
        raise
    except MemoryError as error:
        raise MediaError(
            f"there is not enough memory to decode this {kind.name}: make it smaller first"
        ) from error
    except BROKEN_DATA as error:
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise MediaError(
            f"this {kind.name} is damaged or cut short ({reason}): copy or download it again"
        ) from error


def read_still(file: BufferedIOBase, kind: Kind) -> Frames:
    """Read a picture that shows one thing: JPEG and HEIC.

    Raises:
        MediaError: when it is too large, damaged or of a kind that cannot be shown rightly.
    """
    data = limits.read_all(file)
    with damage_explained(kind):
        if kind.reader == "heif":
            picture, notes = heif.decode(data)
        else:
            picture, notes = _jpeg(data)
    return single(picture, notes)


def _jpeg(data: bytes, least: int = 0) -> tuple[Picture, tuple[str, ...]]:
    """Decode a JPEG; with `least`, perhaps smaller, but with sides of at least that."""
    head = jpeg.header(data)
    jpeg.check_passes(data, head)
    with limits.decoding(head.width, head.height):
        pixels = jpeg.fast(data, head, least)
        if pixels is None:
            image = jpeg.with_pillow(data)
        elif head.profile is None or (head.components == 3 and colour.is_srgb(head.profile)):
            notes = (TURNED,) if head.orientation != 1 else ()
            return Picture(upright(pixels, head.orientation)), notes
        else:
            image = Image.fromarray(pixels)
        return flatten(image, profile=head.profile, orientation=head.orientation)


def preview(file: BufferedIOBase, kind: Kind, least: int) -> Picture:
    """A JPEG decoded no larger than needed for sides of `least` pixels.

    Raises:
        MediaError: as `read_still`.
    """
    data = limits.read_all(file)
    with damage_explained(kind):
        return _jpeg(data, least)[0]


def single(picture: Picture, notes: tuple[str, ...] = ()) -> Frames:
    """Frames of one still picture; these may be read more than once."""
    height, width, _ = picture.pixels.shape
    return Frames("image", width, height, None, (picture,), notes)


def open_pillow(file: BufferedIOBase, kind: Kind) -> ImageFile.ImageFile:
    """Open by the plugin that the content asks for, size checked, nothing decoded.

    Raises:
        MediaError: when it is over the limit.
    """
    if kind.reader in _WHOLE:
        limits.check_bytes(file.seek(0, SEEK_END))
    points = code_points(file, kind)
    refuse_hdr(points, kind)
    module, _, name = _CLASSES[kind.reader].partition(".")
    image: ImageFile.ImageFile = getattr(import_module(f"PIL.{module}"), name)(file)
    limits.check_size(*image.size)
    image.info[_PRIMARIES] = points.primaries
    return image


def decode(image: ImageFile.ImageFile) -> tuple[Picture, tuple[str, ...]]:
    """Decode the frame that `image` stands at, by the pixel rule."""
    limits.check_size(*image.size)
    with limits.decoding(*image.size):
        image.load()
        flat = _white_is_high(image)
        profile = image.info.get("icc_profile")
        picture, notes = flatten(
            flat,
            profile=profile if isinstance(profile, bytes) else None,
            orientation=orientation(image),
        )
        primaries = image.info.get(_PRIMARIES)
        if profile is None and primaries in hdr.WIDE:
            return Picture(hdr.narrow(picture.pixels, primaries)), (*notes, hdr.NARROWED)
        return picture, notes


def orientation(image: ImageFile.ImageFile) -> int:
    """The EXIF orientation that is still to be applied; Pillow turns TIFF itself."""
    exif = image.info.get("exif")
    if image.format == "TIFF" or not isinstance(exif, bytes):
        return 1
    return exif_orientation(exif)


def _white_is_high(image: ImageFile.ImageFile) -> Image.Image:
    """Pillow leaves 16-bit TIFF with `WhiteIsZero` inverted; put it right."""
    tags = getattr(image, "tag_v2", {})
    if image.format == "TIFF" and image.mode.startswith("I;16") and tags.get(262) == 0:
        return Image.fromarray(65535 - np.asarray(image))
    return image


def lazily(
    image: ImageFile.ImageFile, kind: Kind, chosen: list[tuple[int, float | None]]
) -> Iterator[Picture]:
    """Decode frames of one file in order, one at a time; a repeated index is decoded once."""
    last, picture = -1, None
    for index, seconds in chosen:
        if picture is None or index != last:
            with damage_explained(kind):
                image.seek(index)
                picture, _ = decode(image)
            last = index
        yield Picture(picture.pixels, seconds)
