"""Where a model runs and in which numbers: `auto` made definite."""

from collections.abc import Iterable

import torch

from beholder._names import unknown
from beholder.errors import UsageError

DEVICES = ("cpu", "cuda", "mps")
DTYPES = ("float32", "bfloat16", "float16")


def resolve_device(device: str) -> str:
    """Return a device that is here: `auto` takes CUDA, then MPS, then the CPU.

    Raises:
        UsageError: when the device is unknown or not on this machine.
    """
    here = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if device == "auto":
        return next(name for name in ("cuda", "mps", "cpu") if here[name])
    kind = device.partition(":")[0]
    if kind not in here:
        raise UsageError(unknown("device", device, ("auto", *DEVICES)))
    if not here[kind]:
        available = ", ".join(name for name, present in here.items() if present)
        raise UsageError(f"device {device} is not on this machine (here: {available})")
    return device


def resolve_dtype(dtype: str, offered: Iterable[str] = DTYPES) -> str:
    """Return a numeric type by name, one of those a backbone offers: `auto` is float32.

    Raises:
        UsageError: when the type is unknown.
    """
    if dtype == "auto":
        return "float32"
    offered = tuple(offered)
    if dtype not in offered:
        raise UsageError(unknown("dtype", dtype, ("auto", *offered)))
    return dtype
