"""Activations that are computed twice: memory for time."""

from collections.abc import Iterable
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint


def recompute(layers: Iterable[nn.Module]) -> None:
    """Keep only the inputs of these layers, and run them again when gradients are computed."""
    for layer in layers:
        layer.forward = partial(_forward, layer.forward)


def _forward(plain: Any, *given: Any) -> Any:
    if not torch.is_grad_enabled():
        return plain(*given)
    return checkpoint(plain, *given, use_reentrant=False)
