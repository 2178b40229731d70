"""Teaching: transformers' Trainer over lessons, from a checkpoint where there is one."""

import hashlib
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from beholder._counting import counted
from beholder._names import unknown
from beholder._optional import require
from beholder.backbones.device import resolve_device
from beholder.errors import UsageError
from beholder.media.sampling import FrameRule
from beholder.prompts import Prompt
from beholder.training import adapters, cache, checkpoint
from beholder.training.batches import Opener, Order
from beholder.training.config import Config
from beholder.training.learners.base import Learner
from beholder.training.lesson import Lesson
from beholder.training.settings import plain

if TYPE_CHECKING:
    from beholder.training.lecture import Lecture
    from beholder.training.trainer import Plan, Teacher

Ask = Callable[[Lesson, int, int], Prompt]
"""(lesson, epoch, row of the lesson) → what is asked; depends on nothing else but a seed."""
Tell = Callable[[Mapping[str, float]], None]
"""Is called on the main process after every optimiser step with `step` and `steps` (of all), and
with every line of the history as it is made; for the bar in the terminal."""
CHECKPOINTS: Final = "checkpoints"
"""Folder of checkpoints in that of a run."""
MEASURES: Final = ("srcc", "plcc", "loss")
_RENAMED: Final = {"learning_rate": "rate", "grad_norm": "gradient"}
_NOT_TOLD: Final = ("train_", "total_flos")
"""What the library sums up at the end."""
_MOST_WORKERS: Final = 8
_LINES: Final = 200
"""About so many lines of the log a run, where nothing else is stated."""


@dataclass(frozen=True)
class Taught:
    """What came of it; the weights of `learner.network` are those of the best step."""

    history: Sequence[Mapping[str, float]]
    """Lines of the log, in order: `step`, `epoch`, and `loss`, `loss/NAME`, `rate` or `srcc`,
    `srcc_low`, `srcc_high`, `plcc`, … of the validation part."""
    best: int
    """The step with the best validation; the last where there is no validation part."""
    steps: int
    """Optimiser steps made in all."""
    done: bool
    """False when it was stopped before the end; the same call goes on."""


def fit(  # noqa: PLR0913, PLR0917 - the seam between what is taught and how
    learner: Learner,
    train: Sequence[Lesson],
    validation: Sequence[Lesson],
    config: Config,
    folder: Path,
    ask: Ask,
    tell: Tell = lambda _: None,
) -> Taught:
    """Teach a learner; checkpoints lie in `folder / "checkpoints"`, from where it goes on.

    Raises:
        UsageError: when what is told cannot be right, or the folder is of another run.
        MediaError: when a lesson cannot be opened.
        ModelError: when a checkpoint cannot be saved; earlier ones stay.
        MissingExtraError: when transformers, accelerate or peft is not installed.
    """
    for module in ("transformers", "accelerate"):
        require(module, "train")
    from beholder.training import lecture as lectures  # noqa: PLC0415 - they need the extra
    from beholder.training import trainer  # noqa: PLC0415

    weights = _weights(learner, train, config)
    _check(train, config)
    if learner.layout is None:
        adapters.prepare(learner, config.adapter, config.train, config.seed)
    if config.train.checkpointing:
        learner.recompute()
    order = _order(train, config, in_pairs=bool(weights.get("fidelity")))
    place = folder / CHECKPOINTS
    checkpoint.claim(place, _about(learner, train, validation, config, weights))
    lecture = lectures.Lecture(learner, weights)
    size = _size(lecture)
    checkpoint.check_room(place, size)
    most, room = config.train.cache_bytes // _beside(), size * (config.keep.checkpoints + 2)
    with cache.opened(config.train.cache, place, most, room) as kept:
        opener = Opener(learner.encode, FrameRule.parse(learner.recipe.frames), ask, kept)
        plan = trainer.Plan(train, validation, order, opener, config.train, config.keep, place)
        args = _arguments(config, plan, math.ceil(len(order.rows(0)) / config.train.batch))
        teacher = trainer.Teacher(learner, lecture, plan, args, lambda line: tell(_line(line)))
        return _run(teacher, plan)


def _order(train: Sequence[Lesson], config: Config, *, in_pairs: bool) -> Order:
    weights = [each.weight for each in config.data]
    by_length = config.train.group_by_length
    return Order(
        train, weights, config.seed, config.train.batch, by_length=by_length, in_pairs=in_pairs
    )


def _weights(learner: Learner, train: Sequence[Lesson], config: Config) -> dict[str, float]:
    """Return loss → weight: those stated, else the usual ones for hard levels or soft labels."""
    soft = any(max(each.probabilities, default=1.0) < 1.0 for each in train)
    return dict(config.losses) or dict(learner.usual(soft=soft))


def _check(train: Sequence[Lesson], config: Config) -> None:
    if len(train) < 2:
        told = counted(len(train), "lesson is", "lessons are")
        raise UsageError(f"{told} too few to learn from; two or more are needed")
    if config.keep.measure not in MEASURES:
        raise UsageError(unknown("measure of the best", config.keep.measure, MEASURES))


def _about(
    learner: Learner,
    train: Sequence[Lesson],
    validation: Sequence[Lesson],
    config: Config,
    weights: Mapping[str, float],
) -> dict[str, Any]:
    """Return all that the weights depend on, as JSON."""
    digest = hashlib.sha256()
    for each in (*train, None, *validation):
        known = each and (each.path.name, each.task, each.set, each.opinion, each.probabilities)
        digest.update(repr(known).encode())
    return {
        **plain(config),
        "losses": dict(weights),
        "learner of": learner.recipe.backbone,
        "digest of the weights": learner.scorer().settings()["backbone"]["weights"],
        "lessons": digest.hexdigest(),
    }


def _size(lecture: "Lecture") -> int:
    """Return the bytes of a checkpoint: weights, and twice as much for the optimiser."""
    state = lecture.state_dict()
    weights: int = sum(state[name].nbytes for name in lecture.held())
    return 3 * weights


def _arguments(config: Config, plan: "Plan", batches: int) -> Any:
    from transformers import TrainingArguments  # noqa: PLC0415

    told, keep = config.train, config.keep
    device = resolve_device(told.device)
    per_epoch = max(1, math.ceil(batches / max(1, _processes()) / told.accumulate))
    moments = keep.steps or max(1, round(keep.every * per_epoch))
    total = told.steps or math.ceil(told.epochs * per_epoch)
    workers = _workers(told.workers)
    options = {
        "output_dir": str(plan.folder),
        "per_device_train_batch_size": told.batch,
        "per_device_eval_batch_size": told.batch,
        "gradient_accumulation_steps": told.accumulate,
        "num_train_epochs": told.epochs,
        "max_steps": told.steps or -1,
        "lr_scheduler_type": told.schedule,
        "warmup_steps": told.warmup,
        "max_grad_norm": told.clip,
        "use_cpu": device == "cpu",
        "bf16": _dtype(told.dtype, device) == "bfloat16",
        "eval_strategy": "steps" if plan.validation else "no",
        "eval_steps": moments,
        "save_strategy": "steps",
        "save_steps": moments,
        "metric_for_best_model": keep.measure if plan.validation else None,
        "greater_is_better": keep.measure != "loss",
        "logging_steps": keep.log or max(1, total // _LINES),
        "logging_nan_inf_filter": False,
        "report_to": list(keep.report_to) or "none",
        "seed": config.seed,
        "dataloader_num_workers": workers,
        "dataloader_persistent_workers": workers > 0,
        "ddp_find_unused_parameters": True if _processes() > 1 else None,
        "remove_unused_columns": False,
        "label_names": [],
        "disable_tqdm": True,
        "log_level": "error",
        **told.options,
    }
    try:
        return TrainingArguments(**options)
    except (TypeError, ValueError) as error:
        raise UsageError(f"the trainer does not take these settings: {error}") from error


def _run(teacher: "Teacher", plan: "Plan") -> Taught:
    from beholder.training import lecture, moments  # noqa: PLC0415

    before = checkpoint.steps(plan.folder)
    begin = str(checkpoint.at(plan.folder, before[-1])) if before else None
    with moments.Stopping(teacher.moments):
        teacher.train(resume_from_checkpoint=begin)
    state = teacher.state
    done = state.global_step >= state.max_steps
    best = state.best_global_step or state.global_step
    if done and best != state.global_step:
        lecture.load(teacher.lecture, checkpoint.at(plan.folder, best))
    lines = [_line(each) for each in state.log_history]
    told = [each for each in lines if each.keys() - {"step", "epoch"}]
    return Taught(told, best, state.global_step, done)


def _line(logged: Mapping[str, Any]) -> dict[str, float]:
    """Return a line of the history under our names."""
    found = {"step": float(logged["step"])}
    for name, value in logged.items():
        bare = name.removeprefix("eval_")
        if name == "eval_loss":
            bare = "validation_loss"
        found[_RENAMED.get(bare, bare)] = float(value)
    return {name: value for name, value in found.items() if not name.startswith(_NOT_TOLD)}


def _dtype(dtype: str, device: str) -> str:
    known = ("float32", "bfloat16")
    if dtype == "auto":
        return "bfloat16" if device.startswith("cuda") else "float32"
    if dtype not in known:
        raise UsageError(unknown("dtype to learn in", dtype, ("auto", *known)))
    return dtype


def _workers(stated: int | None) -> int:
    """Return how many processes decode: half of the cores, so that the other half computes."""
    if stated is not None:
        return stated
    return min(_MOST_WORKERS, (os.cpu_count() or 1) // 2)


def _processes() -> int:
    """Return how many processes torchrun or its like started."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def _beside() -> int:
    """Return how many of them are on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
