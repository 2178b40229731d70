"""What a training run is told: records with a default for everything but the model and the data.

`settings.py` reads them from YAML or TOML and holds values to what is stated here; `mixtures/`
holds those of the originals.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

FORMAT: Final = 1


def _one_of(*choices: str) -> Any:
    """A text out of a few, the first unless another is given."""
    return field(default=choices[0], metadata={"choices": choices})


def _number(default: int | float | None, low: int | float, high: int | float = math.inf) -> Any:
    """A number from `low` to `high`."""
    return field(default=default, metadata={"low": low, "high": high})


LEAST: Final = 1e-9
"""Stands for "above 0"."""


@dataclass(frozen=True)
class Data:
    """One data set of the mixture: an opinion table and how it is taught."""

    table: str
    """Opinion table in any format of `docs/datasets.md`."""
    root: str = ""
    """Folder of the pictures and clips; that of the table when empty."""
    validation: str = ""
    """Table of the validation part, where it is another file."""
    test: str = ""
    """Table of the test part, where it is another file."""
    name: str = ""
    """What it is called; the table's file name when empty."""
    card: str = ""
    """Benchmark whose card applies, e.g. `koniq`."""
    task: str = _one_of("", "quality", "aesthetics")
    """`quality` or `aesthetics`; the card's, else quality."""
    media: str = _one_of("", "image", "video")
    """`image` or `video`; the card's, else image."""
    range: tuple[float, float] | None = None
    """Range of the opinions; the card's when not given."""
    dmos: bool | None = None
    """Whether lower is better; the card's when not given."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Our name → the table's name of a column."""
    weight: float = _number(1.0, LEAST, 1000)
    """How often it is drawn: 2 twice an epoch, 0.5 every other row."""
    labels: str = _one_of("hard", "soft", "votes")
    """Level rule: `hard` bins, `soft` from mean and deviation, `votes` from the shares of votes."""
    density: str = _one_of("pdf", "cdf")
    """Of soft labels: `pdf` or `cdf`."""
    bounds: str | tuple[float, float] = ""
    """Between which opinions the levels lie: two numbers; `card`; `range`; `trimmed`, the ends
    without a thousandth each, as Q-Align has them; or `observed`, the smallest and the largest.
    The first of `card` (hard labels only), `range` and `trimmed` (soft: `observed`) when empty."""
    outside: str = _one_of("", "drop", "clip")
    """Opinions outside the bounds: `drop` or `clip`; the card's, else clip."""


@dataclass(frozen=True)
class Split:
    """How rows without a stated split are divided; scenes are kept together where known."""

    validation: float = _number(0.1, LEAST, 0.9)
    """Share of the scenes (rows) on which the best checkpoint is chosen."""
    test: float = _number(0.2, 0, 0.9)
    """Share that is measured once, at the end; 0 for none."""


@dataclass(frozen=True)
class Prompts:
    """What the model is asked while it learns."""

    questions: str = _one_of("pool", "scoring")
    """`pool`: drawn from the published questions; `scoring`: always the one asked when scoring."""
    form: str = _one_of("scoring", "training")
    """`scoring`: the form in which it is asked later; `training`: that of the originals' training.
    """


@dataclass(frozen=True)
class Adapter:
    """Which weights learn: all of them (`full`) or low-rank additions (`lora`)."""

    kind: str = _one_of("full", "lora")
    preset: str = ""
    """Layout by name, e.g. `q-align` or `deqa`; the learner's own first one when empty."""
    rank: int | None = _number(None, 1, 65536)
    alpha: float | None = _number(None, LEAST)
    dropout: float | None = _number(None, 0, 0.99)
    modules: tuple[str, ...] = ()
    """Names of the modules that get additions; the preset's when empty."""
    merge: bool = False
    """Whether the additions are added into the weights that are saved."""


@dataclass(frozen=True)
class Train:
    """How long, how hard, in which numbers."""

    epochs: float = _number(3.0, LEAST)
    steps: int | None = _number(None, 1)
    """Optimiser steps; goes before `epochs`."""
    batch: int = _number(16, 1)
    """Lessons a device and step; pairs for the fidelity loss are made within it."""
    accumulate: int = _number(1, 1)
    """Batches that make one step."""
    rate: float | None = _number(None, LEAST)
    """Learning rate; the learner's own when not given."""
    rates: Mapping[str, float] = field(default_factory=dict)
    """Part of the model → its own learning rate."""
    freeze: tuple[str, ...] = ()
    """Parts of the model that do not learn."""
    schedule: str = "cosine"
    warmup: float = _number(0.03, 0, 1)
    """Share of the steps in which the rate rises."""
    decay: float = _number(0.0, 0)
    """Weight decay."""
    clip: float = _number(1.0, 0)
    """Largest norm of the gradient; 0 for none."""
    dtype: str = _one_of("auto", "float32", "bfloat16")
    """`float32` or `bfloat16`; auto: bfloat16 on a GPU, float32 on a CPU."""
    device: str = "auto"
    """`auto`, `cpu`, `cuda` …"""
    checkpointing: bool = False
    """Whether activations are computed twice to save memory."""
    group_by_length: bool = False
    """Whether lessons of similar length share a batch."""
    workers: int | None = _number(None, 0, 256)
    """Threads or processes that decode; as many as the machine bears when not given."""
    cache: str = "auto"
    """Where opened lessons are kept from epoch to epoch: `auto`, beside the checkpoints while the
    run lasts; `off`; or a folder on a faster disk."""
    cache_bytes: int = _number(16 * 2**30, 0)
    """The most bytes they take on a machine, and never more than half of what is free."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """More of transformers' TrainingArguments, e.g. `deepspeed` or `fsdp`, as they are."""


@dataclass(frozen=True)
class Keep:
    """When it is evaluated and saved, and what stays."""

    every: float = _number(1.0, LEAST)
    """Epochs between evaluations; a checkpoint is saved at each."""
    steps: int | None = _number(None, 1)
    """Steps between evaluations; goes before `every`."""
    checkpoints: int = _number(2, 1)
    """How many stay, the best one besides."""
    measure: str = _one_of("srcc", "plcc", "loss")
    """By which the best is chosen on validation: `srcc`, `plcc` or `loss`."""
    log: int | None = _number(None, 1)
    """Steps between two lines of the log; about 200 lines a run when not given."""
    before: bool = True
    """Whether what is taught further is measured on the test part, too: did teaching help?"""
    report_to: tuple[str, ...] = ()
    """`tensorboard`, `wandb`: where it is also logged."""


@dataclass(frozen=True)
class Config:
    """Everything a run is told."""

    model: str
    """Name, folder or recipe of what learns."""
    data: tuple[Data, ...]
    name: str = ""
    """What the result is called; the name of its folder when empty."""
    licence: str = ""
    """Licence of the result, for its card."""
    seed: int = _number(0, 0, 2**32 - 1)
    split: Split = Split()
    prompts: Prompts = Prompts()
    losses: Mapping[str, float] = field(default_factory=dict)
    """Loss → weight, e.g. `next_token`, `level_kl`, `fidelity`; the learner's own when empty."""
    learner: Mapping[str, Any] = field(default_factory=dict)
    """What the learner is told besides."""
    adapter: Adapter = Adapter()
    train: Train = Train()
    keep: Keep = Keep()
    ignore: tuple[str, ...] = ()
    """Checks of `beholder lint` whose errors are told and do not stop the run."""
