"""What a backbone is: pictures and a prompt in, one logit per candidate word out.

The work is split where the machine is split. `encode` runs in worker threads on the CPU, one input
at a time, and must not depend on the question. `logits` runs in one thread on the device, for a
batch of what `encode` returned.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jaxtyping import Float
from torch import Tensor

from beholder.media.frames import Picture
from beholder.prompts import Prompt

Example = Any
"""What `encode` returns: opaque to everyone but the backbone that made it."""


class Backbone(ABC):
    """A model that rates by words."""

    @abstractmethod
    def settings(self) -> Mapping[str, Any]:
        """Return all that can change a logit, as JSON: weights' hash, pixel handling, dtype."""

    @abstractmethod
    def encode(self, pictures: Iterable[Picture]) -> Example:
        """Prepare one input (one picture, or all frames of a clip). Thread-safe."""

    @abstractmethod
    def logits(
        self, examples: Sequence[Example], prompt: Prompt, candidates: Sequence[str]
    ) -> Float[Tensor, "batch candidates"]:
        """Return the logit of each candidate as the next word of the answer, float32 on the CPU.

        Row i is that of `examples[i]`, and does not depend on the other examples by more than
        rounding. Raises `ModelError` when a candidate or the question is outside the vocabulary.
        A row that could not be had is NaN, and `why` says why.
        """

    def why(self, example: Example) -> str:  # noqa: ARG002 - a backbone may know more of one
        """Say why the row of an example, in the last `logits`, is not a number: NaN, or infinite.

        Called in the thread of `logits`, right after it.
        """
        return (
            "the model gave no number for this input: its numeric type overflowed; "
            "use --dtype bfloat16 or float32"
        )
