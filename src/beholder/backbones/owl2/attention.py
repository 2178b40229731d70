"""Attention among the tokens of pictures, by the fastest way of each processor.

torch's fused attention everywhere but on a CPU in bfloat16 without AMX: there it computes in
float32, and two plain products around a softmax are more than twice as fast.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


def look(
    queries: Float[Tensor, "pictures heads queries size"],
    keys: Float[Tensor, "pictures heads keys size"],
    values: Float[Tensor, "pictures heads keys size"],
) -> Float[Tensor, "pictures heads queries size"]:
    """Return softmax(queries keysᵀ / √size) values."""
    if queries.device.type != "cpu" or queries.dtype != torch.bfloat16 or _has_tiles():
        return functional.scaled_dot_product_attention(queries, keys, values)
    shape = queries.shape
    scaled = (queries * shape[-1] ** -0.5).flatten(0, 1)
    weights = torch.bmm(scaled, keys.flatten(0, 1).transpose(1, 2)).softmax(-1)
    return torch.bmm(weights, values.flatten(0, 1)).view(shape)


@cache
def _has_tiles() -> bool:
    """Tell whether the processor multiplies bfloat16 in tiles (AMX), as far as torch can tell."""
    ask: Callable[[], dict[str, Any]] = getattr(torch.cpu, "get_capabilities", dict)
    return bool(ask().get("amx_tile", False))
