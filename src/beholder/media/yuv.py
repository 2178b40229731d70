"""A decoded video frame → upright sRGB pixels.

FFmpeg's scaler is told what the clip says about its matrix and range, and what is usual where
the clip says nothing: full range only for the `yuvj` formats, BT.709 from 720 lines or 1280
columns up, BT.601 below. Chroma is interpolated in full and rounding is accurate.
"""

from typing import Final, cast

import numpy as np
from av import VideoFrame
from av.sidedata.sidedata import SideData
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from jaxtyping import UInt8

from beholder.media import hdr, limits

_MATRIX: Final = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
    10: Colorspace.BT2020,
}
"""ITU-T H.273 matrix coefficients → the scaler's names."""
_SCALER: Final = (
    Interpolation.BICUBIC
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.FULL_CHR_H_INP
    | Interpolation.ACCURATE_RND
    | Interpolation.BITEXACT
)
_FULL: Final = 2
_HDR: Final = {int(transfer) for transfer in hdr.Transfer}


def orientation(frame: VideoFrame) -> int:
    """The EXIF orientation, 1 to 8, that the frame's display matrix amounts to."""
    side = frame.side_data.get("DISPLAYMATRIX")
    if side is None:
        return 1
    a, b, _, c, d = np.frombuffer(bytes(cast("SideData", side)), dtype=np.int32)[:5].tolist()
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return {(False, False): 1, (True, False): 2, (True, True): 3, (False, True): 4}[
            a < 0, d < 0
        ]
    return {(False, False): 5, (False, True): 6, (True, True): 7, (True, False): 8}[b < 0, c < 0]


def notes(frame: VideoFrame) -> tuple[str, ...]:
    """What is done to frames like this one that is not plain."""
    said = []
    if orientation(frame) != 1:
        said.append("rotation of the clip applied")
    if frame.color_trc in _HDR:
        said.append(hdr.note(hdr.Transfer(frame.color_trc)))
    elif frame.color_primaries in hdr.WIDE:
        said.append(hdr.NARROWED)
    if frame.interlaced_frame:
        said.append("interlaced lines left as they are")
    return tuple(said)


def to_srgb(frame: VideoFrame, scaler: VideoReformatter) -> UInt8[np.ndarray, "height width 3"]:
    """Convert one frame as it is stored (not yet upright).

    Raises:
        MediaError: when it is over the pixel limit.
    """
    limits.check_size(frame.width, frame.height)
    with limits.decoding(frame.width, frame.height):
        if frame.color_trc in _HDR:
            deep = _rgb(frame, scaler, "rgb48le")
            primaries = frame.color_primaries
            return hdr.tone_map(deep, hdr.Transfer(frame.color_trc), primaries)
        if any(part.is_alpha for part in frame.format.components):
            return _on_white(_rgb(frame, scaler, "rgba"))
        pixels = _rgb(frame, scaler, "rgb24")
        if frame.color_primaries in hdr.WIDE:
            return hdr.narrow(pixels, frame.color_primaries)
        return pixels


def _rgb(frame: VideoFrame, scaler: VideoReformatter, target: str) -> np.ndarray:
    is_yuv = not frame.format.is_rgb
    full = frame.color_range == _FULL or frame.format.name.startswith("yuvj") or not is_yuv
    matrix = _MATRIX.get(frame.colorspace, _usual_matrix(frame)) if is_yuv else None
    converted = scaler.reformat(
        frame,
        format=target,
        src_colorspace=matrix,
        dst_colorspace=matrix,
        interpolation=_SCALER,
        src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
        threads=1,
    )
    return converted.to_ndarray()


def _usual_matrix(frame: VideoFrame) -> Colorspace:
    high = frame.height >= 720 or frame.width >= 1280
    return Colorspace.ITU709 if high else Colorspace.ITU601


def _on_white(
    pixels: UInt8[np.ndarray, "height width 4"],
) -> UInt8[np.ndarray, "height width 3"]:
    alpha = pixels[..., 3:].astype(np.uint16)
    mixed = pixels[..., :3] * alpha + 255 * (255 - alpha)
    return ((mixed + 127) // 255).astype(np.uint8)
