"""owl2: mPLUG-Owl2, the model behind Q-Align, OneAlign, DeQA-Score and Q-Instruct.

A plain network under the names of the published checkpoints; nothing of them is run but the
reading of tensors.
"""

from pathlib import Path

import torch

from beholder.backbones.owl2 import forms, loading, pixels, tokens
from beholder.backbones.owl2.model import Owl2, Parts
from beholder.errors import ModelError

__all__ = ["Owl2", "load"]

DTYPES = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}


def load(
    weights: Path,
    device: str = "cpu",
    dtype: str = "float32",
    *,
    form: str = forms.DEFAULT,
    aspect: str = "pad",
    base: Path | None = None,
) -> Owl2:
    """Load a published folder; one of adapters needs the folder of its `base` too.

    Raises:
        ModelError: when the folder cannot be used, or the dtype is not offered.
        UsageError: when the form or the aspect is unknown.
    """
    forms.form(form)
    if dtype not in DTYPES:
        raise ModelError(f"owl2 runs in {', '.join(DTYPES)}, got {dtype!r}")
    loaded = loading.load(weights, DTYPES[dtype], device, base)
    config = loaded.network.config
    here = weights if (weights / tokens.FILE).is_file() or base is None else base
    parts = Parts(
        network=loaded.network,
        tokens=tokens.read(here, config.vocab_size),
        pixels=pixels.read(here, config.vision.image_size, aspect),
        digest=loaded.digest,
    )
    return Owl2(parts, form)
