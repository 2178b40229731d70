"""owl2: mPLUG-Owl2, the model behind Q-Align, OneAlign, DeQA-Score and Q-Instruct.

A plain network under the names of the published checkpoints; nothing of them is run but the
reading of tensors.
"""

from pathlib import Path
from typing import Final

import torch

from beholder.backbones.owl2 import forms, loading, pixels, quantised, tokens
from beholder.backbones.owl2.model import Owl2, Parts
from beholder.errors import ModelError

__all__ = ["Owl2", "load"]

DTYPES: Final = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
    **{name: kind.dtype for name, kind in quantised.KINDS.items()},
}
"""What `dtype` may be; the last two are weights in 8 and 4 bits."""


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
    small = dtype in quantised.KINDS
    if small:
        quantised.check(dtype, device)
    loaded = loading.load(weights, DTYPES[dtype], "cpu" if small else device, base)
    network = quantised.shrink(loaded.network, dtype, device) if small else loaded.network
    config = network.config
    here = weights if (weights / tokens.FILE).is_file() or base is None else base
    parts = Parts(
        network=network,
        tokens=tokens.read(here, config.vocab_size),
        pixels=pixels.read(here, config.vision.image_size, aspect),
        digest=loaded.digest,
    )
    return Owl2(parts, form, dtype)
