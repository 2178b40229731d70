"""High dynamic range and wide gamut → sRGB, by one stated rule.

1. The signal becomes light: PQ by SMPTE ST 2084; HLG by ARIB STD-B67 with the system gamma 1.2
   of a 1000 cd/m² display (ITU-R BT.2100).
2. Light above 1000 cd/m² is white. The rest is rolled off to 203 cd/m², reference white of
   ITU-R BT.2408, by the curve of ITU-R BT.2390 on the largest of R, G and B, so that hue stays;
   what is below about 90 cd/m² does not change.
3. BT.2020 (or P3) primaries become those of sRGB; what lies outside is cut off there.
4. 203 cd/m² is level 255 of sRGB.

Rows are mapped in strips, so memory stays bounded.
"""

from collections.abc import Callable
from enum import IntEnum
from functools import lru_cache
from typing import Final

import numpy as np
from jaxtyping import Float, UInt8, UInt16

PEAK_NITS: Final = 1000.0
"""Brightest light that is told from white, cd/m²."""
WHITE_NITS: Final = 203.0
"""Reference white, cd/m²: level 255."""
NARROWED: Final = "wide gamut converted to sRGB"
_STRIP_PIXELS: Final = 2**20


class Transfer(IntEnum):
    """The two HDR transfer functions, by their number in ITU-T H.273."""

    PQ = 16
    HLG = 18


_XYZ: Final = {
    1: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
"""Chromaticities of red, green and blue by their number in ITU-T H.273; the white is D65."""
WIDE: Final = (9, 12)
"""Primaries wider than sRGB's: BT.2020 and Display P3."""
_D65: Final = (0.3127, 0.3290)
_LUMA_2020: Final = np.array([0.2627, 0.6780, 0.0593], dtype=np.float32)

Strip = Float[np.ndarray, "rows width 3"]


def note(transfer: Transfer) -> str:
    """What is said about a tone-mapped input."""
    return f"HDR ({transfer.name}) tone-mapped to sRGB"


def tone_map(
    signal: UInt16[np.ndarray, "height width 3"], transfer: Transfer, primaries: int = 9
) -> UInt8[np.ndarray, "height width 3"]:
    """Full-range 16-bit R'G'B' in PQ or HLG → sRGB."""
    light = _light_table(transfer)
    matrix = _to_srgb(primaries)

    def strip(rows: np.ndarray) -> Strip:
        nits = light[rows]
        if transfer is Transfer.HLG:
            luminance = nits @ _LUMA_2020
            nits *= (np.float32(PEAK_NITS) * luminance**0.2)[..., None]
        peak = nits.max(axis=-1, keepdims=True)
        nits *= _roll_off(peak) / np.maximum(peak, np.float32(1e-6))
        linear: np.ndarray = np.matmul(nits, matrix)
        return linear

    return _by_strips(signal, strip)


def narrow(
    pixels: UInt8[np.ndarray, "height width 3"], primaries: int
) -> UInt8[np.ndarray, "height width 3"]:
    """Standard-range pixels in wide primaries → sRGB; the curve is taken to be sRGB's."""
    light = _srgb_light_table()
    matrix = _to_srgb(primaries)
    return _by_strips(pixels, lambda rows: np.matmul(light[rows], matrix))


def _by_strips(pixels: np.ndarray, convert: Callable[[np.ndarray], Strip]) -> np.ndarray:
    height, width, _ = pixels.shape
    out = np.empty((height, width, 3), dtype=np.uint8)
    rows = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, rows):
        out[top : top + rows] = _encode(convert(pixels[top : top + rows]))
    return out


def _encode(linear: Strip) -> UInt8[np.ndarray, "rows width 3"]:
    """Linear light, 1 is white → sRGB levels (IEC 61966-2-1)."""
    linear = np.clip(linear, 0.0, 1.0)
    curved = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    levels: np.ndarray = np.rint(curved * 255)
    return levels.astype(np.uint8)


def _roll_off(nits: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """BT.2390: 0…1000 cd/m² → 0…1 of reference white, straight below the knee."""
    peak, target = _pq_signal(np.array([PEAK_NITS, WHITE_NITS]))
    ratio = float(target / peak)
    knee = 1.5 * ratio - 0.5
    signal = np.clip(_pq_signal(nits) / peak, 0.0, 1.0)
    t = (signal - knee) / (1.0 - knee)
    spline = (
        (2 * t**3 - 3 * t**2 + 1) * knee
        + (t**3 - 2 * t**2 + t) * (1 - knee)
        + (-2 * t**3 + 3 * t**2) * ratio
    )
    mapped = np.where(signal < knee, signal, spline)
    return (_pq_nits(mapped * peak) / WHITE_NITS).astype(np.float32)


_M1, _M2 = 2610 / 16384, 2523 / 32
_C1, _C2, _C3 = 3424 / 4096, 2413 / 128, 2392 / 128


def _pq_nits(signal: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    root = np.maximum(signal, 0.0) ** (1 / _M2)
    nits: np.ndarray = (np.maximum(root - _C1, 0.0) / (_C2 - _C3 * root)) ** (1 / _M1)
    return nits * 10_000


def _pq_signal(nits: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    root = (np.maximum(nits, 0.0) / 10_000) ** _M1
    ratio: np.ndarray = (_C1 + _C2 * root) / (1 + _C3 * root)
    return np.asarray(ratio**_M2)


def _hlg_scene(signal: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """HLG signal → scene light, 0…1."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)


@lru_cache(maxsize=2)
def _light_table(transfer: Transfer) -> Float[np.ndarray, " 65536"]:
    signal = np.linspace(0.0, 1.0, 65536)
    light = _pq_nits(signal) if transfer is Transfer.PQ else _hlg_scene(signal)
    return light.astype(np.float32)


@lru_cache(maxsize=1)
def _srgb_light_table() -> Float[np.ndarray, " 256"]:
    level = np.linspace(0.0, 1.0, 256)
    light = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    return light.astype(np.float32)


@lru_cache(maxsize=4)
def _to_srgb(primaries: int) -> Float[np.ndarray, "3 3"]:
    """A matrix for rows of RGB; primaries that are not known are taken for BT.2020."""
    source = _rgb_to_xyz(primaries if primaries in _XYZ else 9)
    matrix: np.ndarray = np.linalg.inv(_rgb_to_xyz(1)) @ source
    return matrix.T.astype(np.float32)


def _rgb_to_xyz(primaries: int) -> Float[np.ndarray, "3 3"]:
    columns = np.array([_xyz(*xy) for xy in _XYZ[primaries]]).T
    return columns * np.linalg.solve(columns, _xyz(*_D65))


def _xyz(x: float, y: float) -> Float[np.ndarray, " 3"]:
    return np.array([x / y, 1.0, (1 - x - y) / y])
