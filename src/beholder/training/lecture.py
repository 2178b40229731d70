"""What the trainer moves, wraps and saves: a learner together with the weights of its losses."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from safetensors.torch import load_file
from torch import Tensor, nn

from beholder._names import unknown
from beholder.errors import UsageError
from beholder.scorers.base import Encoded, Scorer
from beholder.training.batches import Sample
from beholder.training.learners.base import Learner

WEIGHTS: Final = "model.safetensors"
"""In a checkpoint: what learns, and the network's buffers."""


class Lecture(nn.Module):
    """What the trainer moves, wraps and calls: a learner with the weights of its losses."""

    def __init__(self, learner: Learner, weights: Mapping[str, float]) -> None:
        super().__init__()
        self.network = learner.network
        self._learner = learner
        self._weights = {name: weight for name, weight in weights.items() if weight}

    def forward(
        self,
        samples: Sequence[Sample] = (),
        scorer: Scorer | None = None,
        inputs: Sequence[Encoded] = (),
        task: str = "",
    ) -> Any:
        """Return `loss` and the losses by name; with a scorer, its ratings instead."""
        if scorer is not None:
            return scorer.judge(inputs, task)
        found = self._learner.losses(
            [each.example for each in samples if each.example is not None],
            [each.lesson for each in samples],
            [each.prompt for each in samples],
        )
        for name in self._weights:
            if name not in found:
                raise UsageError(unknown("loss of this model", name, found))
        total = sum(weight * found[name] for name, weight in self._weights.items())
        return {"loss": total, **{name: found[name].detach() for name in self._weights}}

    def state(self) -> dict[str, Tensor]:
        """Return what a checkpoint holds: weights that learn and buffers, on the CPU."""
        held, named = self.held(), self.state_dict()
        return {name: named[name].detach().cpu().contiguous().clone() for name in held}

    def held(self) -> list[str]:
        """Return the names of what a checkpoint holds."""
        weights = dict(self.named_parameters(remove_duplicate=False))
        learning = {id(each) for each in weights.values() if each.requires_grad}
        seen: set[int] = set()
        names = []
        for name in self.state_dict(keep_vars=True):
            each = weights.get(name)
            if each is None or (id(each) in learning and id(each) not in seen):
                names.append(name)
                seen.add(id(each))
        return names


def load(lecture: Lecture, folder: Path) -> None:
    """Read the weights of a checkpoint into a lecture."""
    tensors = load_file(folder / WEIGHTS)
    held = set(lecture.held())
    assert held == tensors.keys(), sorted(held ^ tensors.keys())
    lecture.load_state_dict(tensors, strict=False)
