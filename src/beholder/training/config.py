"""What a training run is told: records with a default for everything but the model and the data.

`settings.py` reads them from YAML or TOML; `mixtures/` holds those of the originals.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

FORMAT: Final = 1


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


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
    task: str = ""
    """`quality` or `aesthetics`; the card's, else quality."""
    media: str = ""
    """`image` or `video`; the card's, else image."""
    range: tuple[float, float] | None = None
    """Range of the opinions; the card's when not given."""
    dmos: bool | None = None
    """Whether lower is better; the card's when not given."""
    columns: Mapping[str, str] = field(default_factory=_nothing)
    """Our name → the table's name of a column."""
    weight: float = 1.0
    """How often it is drawn: 2 twice an epoch, 0.5 every other row."""
    labels: str = "hard"
    """Level rule: `hard` bins, `soft` from mean and deviation, `votes` from the shares of votes."""
    density: str = "pdf"
    """Of soft labels: `pdf` or `cdf`."""
    bounds: tuple[float, float] | None = None
    """Between which opinions the five hard levels lie; the card's, else the range."""
    outside: str = ""
    """Opinions outside the bounds: `drop` or `clip`; the card's, else clip."""


@dataclass(frozen=True)
class Split:
    """How rows without a stated split are divided; scenes are kept together where known."""

    validation: float = 0.1
    """Share of the scenes (rows) on which the best checkpoint is chosen."""
    test: float = 0.1
    """Share that is measured once, at the end; 0 for none."""


@dataclass(frozen=True)
class Prompts:
    """What the model is asked while it learns."""

    questions: str = "pool"
    """`pool`: drawn from the published questions; `scoring`: always the one asked when scoring."""
    form: str = "scoring"
    """`scoring`: the form in which it is asked later; `training`: that of the originals' training.
    """


@dataclass(frozen=True)
class Adapter:
    """Which weights learn: all of them (`full`) or low-rank additions (`lora`)."""

    kind: str = "full"
    preset: str = ""
    """Layout by name, e.g. `q-align` or `deqa`; the learner's own first one when empty."""
    rank: int | None = None
    alpha: float | None = None
    dropout: float | None = None
    modules: tuple[str, ...] = ()
    """Names of the modules that get additions; the preset's when empty."""
    merge: bool = False
    """Whether the additions are added into the weights that are saved."""


@dataclass(frozen=True)
class Train:
    """How long, how hard, in which numbers."""

    epochs: float = 3.0
    steps: int | None = None
    """Optimiser steps; goes before `epochs`."""
    batch: int = 16
    """Lessons a device and step; pairs for the fidelity loss are made within it."""
    accumulate: int = 1
    """Batches that make one step."""
    rate: float | None = None
    """Learning rate; the learner's own when not given."""
    rates: Mapping[str, float] = field(default_factory=_nothing)
    """Part of the model → its own learning rate."""
    freeze: tuple[str, ...] = ()
    """Parts of the model that do not learn."""
    schedule: str = "cosine"
    warmup: float = 0.03
    """Share of the steps in which the rate rises."""
    decay: float = 0.0
    """Weight decay."""
    clip: float = 1.0
    """Largest norm of the gradient; 0 for none."""
    dtype: str = "auto"
    """`float32` or `bfloat16`; auto: bfloat16 on a GPU, float32 on a CPU."""
    device: str = "auto"
    """`auto`, `cpu`, `cuda` …"""
    checkpointing: bool = False
    """Whether activations are computed twice to save memory."""
    group_by_length: bool = False
    """Whether lessons of similar length share a batch."""
    workers: int | None = None
    """Threads or processes that decode; as many as the machine bears when not given."""
    options: Mapping[str, Any] = field(default_factory=_nothing)
    """More of transformers' TrainingArguments, e.g. `deepspeed` or `fsdp`, as they are."""


@dataclass(frozen=True)
class Keep:
    """When it is evaluated and saved, and what stays."""

    every: float = 1.0
    """Epochs between evaluations; a checkpoint is saved at each."""
    steps: int | None = None
    """Steps between evaluations; goes before `every`."""
    checkpoints: int = 2
    """How many stay, the best one besides."""
    measure: str = "srcc"
    """By which the best is chosen on validation: `srcc`, `plcc` or `loss`."""
    log: int = 10
    """Steps between two lines of the log."""
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
    seed: int = 0
    split: Split = Split()
    prompts: Prompts = Prompts()
    losses: Mapping[str, float] = field(default_factory=_nothing)
    """Loss → weight, e.g. `next_token`, `level_kl`, `fidelity`; the learner's own when empty."""
    learner: Mapping[str, Any] = field(default_factory=_nothing)
    """What the learner is told besides."""
    adapter: Adapter = Adapter()
    train: Train = Train()
    keep: Keep = Keep()
