"""transformers' Trainer, told about lessons: named losses, rates by part, whole checkpoints.

What differs from the library's own way: the order of lessons depends on seed and epoch alone, a
validation rates with the scorer itself, only weights that learn are saved, and a checkpoint is
written aside before it takes its place.
"""

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from accelerate.utils import DistributedType, gather_object
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import (
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from beholder._names import unknown
from beholder.errors import UsageError
from beholder.scorers.base import Encoded, Rating, Scorer
from beholder.training import adapters, checkpoint, judging
from beholder.training.batches import Opened, Opener, Order, Rows, Sample, together
from beholder.training.config import Keep, Train
from beholder.training.learners.base import Learner
from beholder.training.lesson import Lesson

WEIGHTS: Final = "model.safetensors"
"""In a checkpoint: what learns, and the network's buffers."""
_SHARES: Final = (DistributedType.NO, DistributedType.MULTI_GPU, DistributedType.MULTI_CPU)
"""Where each process has all weights and can rate a share by itself."""


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
        super().__init__(
            model=lecture,
            args=args,
            data_collator=together,
            train_dataset=Opened(plan.train, plan.opener),
            eval_dataset=Opened(plan.validation, plan.opener) if plan.validation else None,
            callbacks=[_Moments(self, tell)],
        )
        self.remove_callback(PrinterCallback)
        self.learner = learner
        self.lecture = lecture
        self.plan = plan
        self.rows = Rows(plan.order)
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
        lessons, scores = self.plan.validation, self._scores()
        found = {f"eval_{name}": each for name, each in judging.follows(lessons, scores).items()}
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


class _Moments(TrainerCallback):
    """Tells how far it is, tells the order which epoch it is, and stops when asked to."""

    def __init__(self, teacher: Teacher, tell: Callable[[Mapping[str, Any]], None]) -> None:
        self._teacher = teacher
        self._tell = tell
        self.stop = False

    def on_epoch_begin(self, *given: Any, **_: Any) -> None:
        """Tell the order which epoch begins."""
        state: TrainerState = given[1]
        self._teacher.rows.set_epoch(int((state.epoch or 0.0) + 1e-6))

    def on_step_end(self, *given: Any, **_: Any) -> None:
        """Tell how far it is; save and stop when the user asked to."""
        state: TrainerState = given[1]
        control: TrainerControl = given[2]
        if state.is_world_process_zero:
            self._tell({"step": float(state.global_step), "steps": float(state.max_steps)})
        if self.stop:
            control.should_save = control.should_training_stop = True

    def on_log(self, *given: Any, **_: Any) -> None:
        """Pass a line of the history on."""
        state: TrainerState = given[1]
        if state.is_world_process_zero:
            self._tell(state.log_history[-1])


class Stopping:
    """While it is entered, Ctrl-C and SIGTERM end the run after the step, with a checkpoint.

    A second Ctrl-C ends it at once.
    """

    def __init__(self, teacher: Teacher) -> None:
        callbacks = teacher.callback_handler.callbacks
        self._moments = next(each for each in callbacks if isinstance(each, _Moments))
        self._before: dict[int, Any] = {}

    def __enter__(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                self._before[number] = signal.signal(number, self._ask)
            except ValueError:  # signals reach the main thread alone
                return

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, *_: Any) -> None:
        if self._moments.stop:
            raise KeyboardInterrupt
        self._moments.stop = True


def load(lecture: Lecture, folder: Path) -> None:
    """Read the weights of a checkpoint into a lecture."""
    tensors = load_file(folder / WEIGHTS)
    held = set(lecture.held())
    assert held == tensors.keys(), sorted(held ^ tensors.keys())
    lecture.load_state_dict(tensors, strict=False)


def _plain(named: Any) -> Any:
    """Return parameters under the names they have in the learner's network."""
    for name, weight in named:
        bare = name.replace("_fsdp_wrapped_module.", "").removeprefix("module.")
        yield bare.removeprefix("network."), weight
