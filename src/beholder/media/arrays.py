"""Pictures that are in memory already: NumPy arrays and Pillow images."""

from typing import Final

import numpy as np
from jaxtyping import TypeCheckError
from PIL import Image

from beholder.errors import MediaError, UsageError
from beholder.media import depth, limits
from beholder.media.flatten import SIXTEEN, flatten
from beholder.media.frames import Frames
from beholder.media.images import BROKEN_DATA, single
from beholder.media.orientation import exif_orientation
from beholder.media.quiet import quietly

_CHANNELS: Final = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def read_array(array: np.ndarray) -> Frames:
    """Read height × width (grey), × 3 (sRGB) or × 4 (with alpha): uint8, uint16 or float 0…1.

    Raises:
        UsageError: for any other shape or type.
        MediaError: for samples outside 0…1.
    """
    shape, kind = array.shape, array.dtype
    grey = array.ndim == 2 or (array.ndim == 3 and shape[2] in _CHANNELS)
    deep = kind == np.uint16 or np.issubdtype(kind, np.floating)
    if not grey or not (deep or kind == np.uint8):
        raise UsageError(
            f"got an array of shape {shape} and type {kind}; allowed are height × width,"
            " height × width × 3 and height × width × 4, as uint8, uint16 or float from 0 to 1"
        )
    limits.check_size(shape[1], shape[0])
    notes: tuple[str, ...] = ()
    if kind == np.uint16:
        array, notes = depth.from_sixteen(array), (SIXTEEN,)
    elif deep:
        array = depth.from_unit(array)
    array = np.ascontiguousarray(array[..., 0] if shape[2:] == (1,) else array)
    picture, more = flatten(Image.fromarray(array))
    return single(picture, notes + more)


def read_image(image: Image.Image) -> Frames:
    """Read a Pillow image by the same rule as a file: orientation, profile, depth, alpha.

    Raises:
        MediaError: when it is over the limit or its file is damaged.
    """
    limits.check_size(*image.size)
    exif, profile = image.info.get("exif"), image.info.get("icc_profile")
    try:
        with quietly(), limits.decoding(*image.size):
            image.load()
            picture, notes = flatten(
                image,
                profile=profile if isinstance(profile, bytes) else None,
                orientation=exif_orientation(exif) if isinstance(exif, bytes) else 1,
            )
    except (MediaError, TypeCheckError):
        raise
    except (MemoryError, *BROKEN_DATA) as error:
        raise MediaError(f"this Pillow image cannot be decoded ({error}): load it again") from error
    return single(picture, notes)
