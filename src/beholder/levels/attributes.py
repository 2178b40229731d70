"""What a photograph shows and what happened to it: words for scenes and for distortions.

The lists are those of LIQE (arXiv 2303.14968), taken over by MP-IQE (arXiv 2404.14949). Their order
is part of published weights. The names that the data sets of the field give their distortions are
told in these words.
"""

from collections.abc import Mapping
from typing import Final

SCENES: Final = (
    "animal",
    "cityscape",
    "human",
    "indoor",
    "landscape",
    "night",
    "plant",
    "still_life",
    "others",
)
DISTORTIONS: Final = (
    "jpeg2000 compression",
    "jpeg compression",
    "noise",
    "blur",
    "color",
    "contrast",
    "overexposure",
    "underexposure",
    "spatial",
    "quantization",
    "other",
)
DISTORTION_OF: Final[Mapping[str, str]] = {
    "jpeg2000 compression": "jpeg2000 compression",
    "jpeg compression": "jpeg compression",
    "white noise": "noise",
    "gaussian blur": "blur",
    "fastfading": "jpeg2000 compression",
    "fnoise": "noise",
    "contrast": "contrast",
    "lens": "blur",
    "motion": "blur",
    "diffusion": "color",
    "shifting": "blur",
    "color quantization": "quantization",
    "oversaturation": "color",
    "desaturation": "color",
    "white with color": "noise",
    "impulse": "noise",
    "multiplicative": "noise",
    "white noise with denoise": "noise",
    "brighten": "overexposure",
    "darken": "underexposure",
    "shifting the mean": "other",
    "jitter": "spatial",
    "noneccentricity patch": "spatial",
    "pixelate": "spatial",
    "quantization": "quantization",
    "color blocking": "spatial",
    "sharpness": "contrast",
    "realistic blur": "blur",
    "realistic noise": "noise",
    "underexposure": "underexposure",
    "overexposure": "overexposure",
    "realistic contrast change": "contrast",
    "other realistic": "other",
}
"""Distortion as LIQE's lists of LIVE, CSIQ, KADID-10k, BID, LIVE-C and KonIQ-10k name it → word."""
