"""Low-rank adapters of a chat model, and what was trained beside them, put into its base."""

from pathlib import Path

import torch
from torch import nn

from beholder.backbones.owl2 import adapter as adapters
from beholder.errors import ModelError


def merge(network: nn.Module, folder: Path) -> None:
    """Change the weights of a base as a folder of adapters says.

    Raises:
        ModelError: when the folder is broken, or changes tensors the base does not have.
    """
    adapter = adapters.read(folder)
    with torch.no_grad():
        for name, weight in network.state_dict().items():
            weight.copy_(adapter.merge(name, weight))
    if adapter.unused():
        raise ModelError(f"{folder} changes tensors its base does not have: {adapter.unused()}")
