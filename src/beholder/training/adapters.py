"""Which weights learn, and how fast: freezing by part, low-rank additions, rates by part.

Low-rank additions are PEFT's (LoRA, arXiv 2106.09685), put into the network itself, so that it is
still asked as before.
"""

import fnmatch
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from beholder._names import unknown
from beholder._optional import require
from beholder.errors import UsageError
from beholder.training.config import Adapter, Train
from beholder.training.learners.base import Layout, Learner

KINDS: Final = ("full", "lora")
BESIDE: Final = "non_lora_trainables.bin"
"""Weights that learned whole, beside the additions; the originals' name."""
_ADDED: Final = ("lora_A.", "lora_B.")
_EXAMPLES: Final = 5


def prepare(learner: Learner, adapter: Adapter, train: Train, seed: int) -> None:
    """Put additions in where they are wanted, and let exactly the wanted weights learn.

    Raises:
        UsageError: for an unknown kind, layout, part or module, or when nothing would learn.
    """
    if adapter.kind not in KINDS:
        raise UsageError(unknown("kind of adapter", adapter.kind, KINDS))
    parts = learner.parts()
    for part in (*train.freeze, *train.rates):
        if part not in parts:
            raise UsageError(unknown("part of this model", part, parts))
    if adapter.kind == "lora":
        learner.layout = _layout(learner, adapter)
        _add(learner, learner.layout, seed)
    whole = learner.layout.whole if learner.layout else tuple(parts)
    for name, weight in learner.network.named_parameters():
        part = part_of(name, parts)
        learns = part in whole or is_added(name)
        weight.requires_grad_(learns and part not in train.freeze and weight.is_floating_point())
    _check_rates(learner, train)


def groups(
    learner: Learner, train: Train, named: Iterable[tuple[str, nn.Parameter]] | None = None
) -> list[dict[str, Any]]:
    """Return the groups of the optimiser: one a rate, matrices decayed and the rest not.

    `named` are the parameters as a wrapper has them, under the names they have in the network.

    A part's rate in `train.rates` goes before `train.rate`, and that before the layout's or the
    learner's own.
    """
    parts = learner.parts()
    usual = learner.layout.rate if learner.layout else learner.rate
    rate = usual if train.rate is None else train.rate
    found: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, weight in named or learner.network.named_parameters():
        if weight.requires_grad:
            of_part = float(train.rates.get(part_of(name, parts), rate))
            decay = train.decay if weight.ndim > 1 else 0.0
            found.setdefault((of_part, decay), []).append(weight)
    return [
        {"params": weights, "lr": of_part, "weight_decay": decay}
        for (of_part, decay), weights in found.items()
    ]


def part_of(name: str, parts: Mapping[str, Sequence[str]]) -> str:
    """Return the part a parameter is of: the one with the longest prefix of its name.

    >>> part_of("model.vision.layer.weight", {"rest": ["model"], "eyes": ["model.vision"]})
    'eyes'
    """
    fitting = [
        (len(prefix), part)
        for part, prefixes in parts.items()
        for prefix in prefixes
        if _within(name, prefix)
    ]
    return max(fitting)[1] if fitting else ""


def is_added(name: str) -> bool:
    """Tell whether a parameter is of a low-rank addition."""
    return any(mark in name for mark in _ADDED)


def merge(network: nn.Module) -> None:
    """Add low-rank additions to the weights they change, and take them out."""
    for name, module in list(network.named_modules()):
        if _is_changed(module):
            added: Any = module
            added.merge()
            path, _, leaf = name.rpartition(".")
            setattr(network.get_submodule(path), leaf, added.get_base_layer())


def write(network: nn.Module, layout: Layout, folder: Path, base: str) -> None:
    """Write additions in the form of PEFT, and what learned whole beside them."""
    state = dict(network.named_parameters())
    added = {_published(name): _plain(each) for name, each in state.items() if is_added(name)}
    save_file(added, folder / "adapter_model.safetensors", {"format": "pt"})
    whole = {
        _published(name): _plain(each)
        for name, each in state.items()
        if each.requires_grad and not is_added(name)
    }
    if whole:
        torch.save(whole, folder / BESIDE)
    changed = [name for name, module in network.named_modules() if _is_changed(module)]
    config = _peft().LoraConfig(**_settings(layout, changed))
    config.base_model_name_or_path = base
    config.inference_mode = True
    config.save_pretrained(str(folder))


def _layout(learner: Learner, adapter: Adapter) -> Layout:
    """Return a layout by name, with what was stated in its place."""
    known = learner.lora()
    if not known:
        raise UsageError(f"{learner.recipe.name} has no low-rank additions: adapter.kind = 'full'")
    name = adapter.preset or next(iter(known))
    if name not in known:
        raise UsageError(unknown("layout of low-rank additions", name, known))
    stated = {
        field: getattr(adapter, field)
        for field in ("rank", "alpha", "dropout")
        if getattr(adapter, field) is not None
    }
    if adapter.modules:
        stated |= {"modules": adapter.modules, "inside": ("",)}
    return replace(known[name], **stated)


def _add(learner: Learner, layout: Layout, seed: int) -> None:
    wanted = list(_wanted(learner.network, layout))
    if not wanted:
        linear = sorted({name.rpartition(".")[2] for name, _ in _linear(learner.network)})
        raise UsageError(
            f"no linear module of {learner.recipe.name} ends in {' or '.join(layout.modules)}; "
            f"its linear modules end in {', '.join(linear)}"
        )
    peft = _peft()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        peft.inject_adapter_in_model(peft.LoraConfig(**_settings(layout, wanted)), learner.network)


def _settings(layout: Layout, modules: Sequence[str]) -> dict[str, Any]:
    return {
        "r": layout.rank,
        "lora_alpha": layout.alpha,
        "lora_dropout": layout.dropout,
        "target_modules": list(modules),
        "bias": "none",
    }


def _wanted(network: nn.Module, layout: Layout) -> Iterator[str]:
    for name, _ in _linear(network):
        if not any(_within(name, prefix) for prefix in layout.inside):
            continue
        ends = (fnmatch.fnmatchcase(f".{name}", f"*.{end}") for end in layout.modules)
        if not layout.modules or any(ends):
            yield name


def _linear(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    for name, module in network.named_modules():
        if isinstance(module, nn.Linear) and not name.startswith("lm_head"):
            yield name, module


def _check_rates(learner: Learner, train: Train) -> None:
    """Refuse a rate that reaches nothing: the originals' rate for the abstractor never did."""
    parts = learner.parts()
    learning = {
        part_of(name, parts)
        for name, weight in learner.network.named_parameters()
        if weight.requires_grad
    }
    if not learning:
        raise UsageError(f"no weight of {learner.recipe.name} would learn: thaw one of its parts")
    for part in train.rates:
        if part not in learning:
            raise UsageError(
                f"train.rates has a rate for {part!r}, but no weight of it learns; those of "
                f"{', '.join(sorted(learning))} do"
            )


def _within(name: str, prefix: str) -> bool:
    return not prefix or name == prefix or name.startswith(f"{prefix}.")


def _is_changed(module: nn.Module) -> bool:
    return hasattr(module, "lora_A") and hasattr(module, "get_base_layer")


def _published(name: str) -> str:
    return f"base_model.model.{name.replace('.default.', '.').replace('.base_layer.', '.')}"


def _plain(weight: Tensor) -> Tensor:
    return weight.detach().cpu().contiguous()


def _peft() -> Any:
    return require("peft", "train")
