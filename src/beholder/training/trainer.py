"""transformers' Trainer, told about lessons: named losses, rates by part, whole checkpoints.

What differs from the library's own way: the order of lessons depends on seed and epoch alone, a
validation rates with the scorer itself, only weights that learn are saved, and a checkpoint is
written aside before it takes its place.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch
from accelerate.utils import DistributedType, gather_object
from safetensors.torch import save_file
from torch import Tensor
from transformers import PrinterCallback, Trainer, TrainingArguments

from beholder.scorers.base import Encoded, Rating
from beholder.training import adapters, checkpoint, judging
from beholder.training.batches import Opened, Opener, Order, Rows, together
from beholder.training.config import Keep, Train
from beholder.training.learners.base import Learner
from beholder.training.lecture import WEIGHTS, Lecture, load
from beholder.training.lesson import Lesson
from beholder.training.moments import Moments

_SHARES: Final = (DistributedType.NO, DistributedType.MULTI_GPU, DistributedType.MULTI_CPU)
"""Where each process has all weights and can rate a share by itself."""


@dataclass(frozen=True)
class Plan:
    """What is taught, how, and where checkpoints lie."""

    train: Sequence[Lesson]
    validation: Sequence[Lesson]
    order: Order
    opener: Opener
    settings: Train
    keep: Keep
    folder: Path

    @property
    def opener_of_train(self) -> Opener:
        """What opens lessons to learn from; where each is shown once, none is kept."""
        told = self.settings
        again = told.steps or told.epochs > 1 or max(self.order.weights) > 1
        return self.opener if again else replace(self.opener, cache=None)


class Teacher(Trainer):
    """The loop."""

    def __init__(
        self,
        learner: Learner,
        lecture: Lecture,
        plan: Plan,
        args: TrainingArguments,
        tell: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self.rows = Rows(plan.order)
        self.moments = Moments(self.rows, tell)
        super().__init__(
            model=lecture,
            args=args,
            data_collator=together,
            train_dataset=Opened(plan.train, plan.opener_of_train),
            eval_dataset=Opened(plan.validation, plan.opener) if plan.validation else None,
            callbacks=[self.moments],
        )
        self.remove_callback(PrinterCallback)
        self.learner = learner
        self.lecture = lecture
        self.plan = plan
        self._named: dict[str, Tensor] = {}
        self._counted = 0
        self._aside: Path | None = None

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """Make the optimiser over groups by part."""
        if self.optimizer is None:
            named = (model or self.lecture).named_parameters()
            kind, options = self.get_optimizer_cls_and_kwargs(self.args)
            groups = adapters.groups(self.learner, self.plan.settings, _plain(named))
            self.optimizer = kind(groups, **options)
        return self.optimizer

    def _get_train_sampler(self, train_dataset: Any = None) -> Rows:  # noqa: ARG002
        return self.rows

    def compute_loss(self, model: Any, inputs: Any, *_: Any, **__: Any) -> Any:
        """Return the weighted loss, and keep the parts of it for the log."""
        found = model(**inputs)
        total = found.pop("loss")
        self._counted += 1
        for name, value in found.items():
            self._named[name] = self._named.get(name, torch.zeros_like(value)) + value
        return total

    def log(self, logs: dict[str, Any], start_time: float | None = None) -> None:
        """Log a line; one with a loss gets the losses by name."""
        if "loss" in logs and self._counted:
            for name, value in self._named.items():
                logs[f"loss/{name}"] = float(value) / self._counted
            self._named, self._counted = {}, 0
        super().log(logs, start_time)

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Rate the validation part as it would be scored, and log how well it follows people."""
        seed = self.plan.order.seed
        follows = judging.follows(self.plan.validation, self._scores(), seed)
        found = {f"eval_{name}": each for name, each in follows.items()}
        if self.plan.keep.measure == "loss":
            found["eval_loss"] = self._loss_of_validation()
        self.log(found)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, found)
        return found

    def _scores(self) -> list[float]:
        """Return the scores of the validation part; processes share it where they can."""
        lessons, each = self.plan.validation, self.accelerator
        shared = each.num_processes > 1 and each.distributed_type in _SHARES
        mine = lessons[each.process_index :: each.num_processes] if shared else lessons
        scorer = self.learner.scorer()
        model = self.model_wrapped

        def judge(inputs: Sequence[Encoded], task: str) -> Sequence[Rating]:
            ratings: Sequence[Rating] = model(scorer=scorer, inputs=inputs, task=task)
            return ratings

        model.eval()
        batch, workers = self.args.per_device_eval_batch_size, self.args.dataloader_num_workers
        said = judging.values(mine, self.plan.opener, judge, batch, workers)
        if not shared:
            return said
        parts = gather_object([said])
        return [parts[row % len(parts)][row // len(parts)] for row in range(len(lessons))]

    @torch.no_grad()
    def _loss_of_validation(self) -> float:
        model = self.model_wrapped.eval()
        batch, workers = self.args.per_device_eval_batch_size, self.args.dataloader_num_workers
        total = 0.0
        for samples in judging.batches(self.plan.validation, self.plan.opener, batch, workers):
            total += float(model(samples=samples)["loss"]) * len(samples)
        return total / len(self.plan.validation)

    def _get_output_dir(self, trial: Any) -> str:
        return str(self._aside or super()._get_output_dir(trial))

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Let the library write a checkpoint aside, then put it in place and delete old ones."""
        step, folder = self.state.global_step, self.plan.folder
        if not self.is_world_process_zero():
            self._write_aside(model, trial, folder / f"{checkpoint.ASIDE}-{step}")
            self.accelerator.wait_for_everyone()
            return
        with checkpoint.written(folder, step) as aside:
            self._write_aside(model, trial, aside)
        kept = [self.state.best_global_step] if self.state.best_global_step else []
        checkpoint.rotate(folder, self.plan.keep.checkpoints, kept)
        self.accelerator.wait_for_everyone()

    def _write_aside(self, model: Any, trial: Any, aside: Path) -> None:
        self._aside = aside
        try:
            super()._save_checkpoint(model, trial)
        finally:
            self._aside = None
        self.accelerator.wait_for_everyone()
        written = aside / f"checkpoint-{self.state.global_step}"
        if self.is_world_process_zero():
            for path in written.iterdir():
                path.rename(aside / path.name)
            written.rmdir()

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        if not self.args.should_save or output_dir is None:
            return
        folder = Path(output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        if state_dict is None:
            state = self.lecture.state()
        else:
            state = {name: state_dict[name].contiguous() for name in self.lecture.held()}
        save_file(state, folder / WEIGHTS, {"format": "pt"})

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        if self.is_fsdp_enabled or self.is_deepspeed_enabled:
            super()._load_from_checkpoint(resume_from_checkpoint, model)
            return
        load(self.lecture, Path(resume_from_checkpoint))


def _plain(named: Any) -> Any:
    """Return parameters under the names they have in the learner's network."""
    for name, weight in named:
        bare = name.replace("_fsdp_wrapped_module.", "").removeprefix("module.")
        yield bare.removeprefix("network."), weight
