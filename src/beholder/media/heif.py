"""HEIC: the primary picture, by libheif, which turns it upright itself."""

from typing import Any, Final

import numpy as np
import pi_heif

from beholder.media import hdr, limits
from beholder.media.flatten import flatten
from beholder.media.frames import Picture

_PQ_HLG: Final = {int(transfer) for transfer in hdr.Transfer}


def decode(data: bytes) -> tuple[Picture, tuple[str, ...]]:
    """Decode the primary picture of a HEIC file; give it back with notes.

    Raises:
        MediaError: when it is over the pixel limit. Damage raises what libheif raises.
    """
    nclx = _primary(data, eight_bits=True).info.get("nclx_profile") or {}
    transfer = int(nclx.get("transfer_characteristics", 2))
    if transfer in _PQ_HLG:
        return _tone_mapped(data, transfer, int(nclx.get("color_primaries", 9)))
    image = _primary(data, eight_bits=True)
    with limits.decoding(*image.size):
        decoded = image.to_pillow()
        profile = decoded.info.get("icc_profile")
        picture, notes = flatten(decoded, profile=profile)
    return _in_primaries(picture, notes, nclx if profile is None else {})


def _primary(data: bytes, *, eight_bits: bool) -> Any:
    opened = pi_heif.HeifFile(data, convert_hdr_to_8bit=eight_bits)
    image = opened[opened.primary_index]
    limits.check_size(*image.size)
    return image


def _tone_mapped(data: bytes, transfer: int, primaries: int) -> tuple[Picture, tuple[str, ...]]:
    image = _primary(data, eight_bits=False)
    with limits.decoding(*image.size):
        samples = np.asarray(image)[..., :3]
        if samples.dtype == np.uint8:
            samples = samples.astype(np.uint16) * 257
        curve = hdr.Transfer(transfer)
        pixels = hdr.tone_map(samples, curve, primaries)
    return Picture(pixels), (hdr.note(curve),)


def _in_primaries(
    picture: Picture, notes: tuple[str, ...], nclx: dict[str, Any]
) -> tuple[Picture, tuple[str, ...]]:
    primaries = int(nclx.get("color_primaries", 1))
    if primaries not in hdr.WIDE:
        return picture, notes
    pixels = hdr.narrow(picture.pixels, primaries)
    return Picture(pixels), (*notes, hdr.NARROWED)
