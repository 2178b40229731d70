"""The sizes of an mPLUG-Owl2: what its `config.json` says, with the published 7B as default."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from beholder.backbones._json import read_json
from beholder.errors import ModelError

MODEL_TYPE: Final = "mplug_owl2"
"""What `model_type` must be in a `config.json`."""


@dataclass(frozen=True)
class Vision:
    """The vision tower: a ViT-L/14 at 448 px unless the file says otherwise."""

    hidden_size: int = 1024
    intermediate_size: int = 4096
    num_hidden_layers: int = 24
    num_attention_heads: int = 16
    num_channels: int = 3
    image_size: int = 448
    patch_size: int = 14
    layer_norm_eps: float = 1e-6
    hidden_act: str = "quick_gelu"

    @property
    def tokens(self) -> int:
        """Patches of a picture and the class token."""
        return (self.image_size // self.patch_size) ** 2 + 1


@dataclass(frozen=True)
class Abstractor:
    """The visual abstractor: queries that read the vision tower's tokens."""

    hidden_size: int = 1024
    encoder_hidden_size: int = 1024
    intermediate_size: int = 2816
    num_hidden_layers: int = 6
    num_attention_heads: int = 16
    num_learnable_queries: int = 64
    layer_norm_eps: float = 1e-6
    """Of the norm inside the feed-forward block only; the others have torch's default, 1e-5."""


@dataclass(frozen=True)
class Config:
    """A whole model: a LLaMA-2 7B with a vision tower and an abstractor unless told otherwise."""

    hidden_size: int = 4096
    intermediate_size: int = 11008
    num_hidden_layers: int = 32
    num_attention_heads: int = 32
    num_key_value_heads: int = 32
    vocab_size: int = 32000
    rms_norm_eps: float = 1e-6
    rope_theta: float = 10000.0
    vision: Vision = field(default_factory=Vision)
    abstractor: Abstractor = field(default_factory=Abstractor)

    def __post_init__(self) -> None:
        for part in (self, self.vision, self.abstractor):
            if part.hidden_size % part.num_attention_heads:
                raise ModelError(
                    f"hidden_size {part.hidden_size} is not a multiple of "
                    f"num_attention_heads {part.num_attention_heads}"
                )
        if self.num_attention_heads % self.num_key_value_heads:
            raise ModelError(
                f"num_attention_heads {self.num_attention_heads} is not a multiple of "
                f"num_key_value_heads {self.num_key_value_heads}"
            )
        if not (
            self.abstractor.hidden_size
            == self.abstractor.encoder_hidden_size
            == self.vision.hidden_size
        ):
            raise ModelError(
                f"the abstractor's width {self.abstractor.hidden_size} must be that of the "
                f"vision tower, {self.vision.hidden_size}"
            )

    @property
    def head_size(self) -> int:
        """Numbers in one head of the decoder."""
        return self.hidden_size // self.num_attention_heads

    @property
    def tokens(self) -> int:
        """Positions that one picture takes in the decoder: the queries and an end mark."""
        return self.abstractor.num_learnable_queries + 1

    @classmethod
    def parse(cls, values: Mapping[str, Any], origin: str = "config.json") -> "Config":
        """Read the fields of a `config.json`; what is missing has the default of the 7B.

        Raises:
            ModelError: when it describes another architecture, one that is not computed here, or
                none at all.
        """
        if values.get("model_type") != MODEL_TYPE:
            raise ModelError(
                f"{origin} describes model_type {values.get('model_type')!r}; "
                f"this backbone reads {MODEL_TYPE!r}"
            )
        rope = _part(values, "rope_parameters", origin)
        newer = {"rope_theta": rope["rope_theta"]} if "rope_theta" in rope else {}
        kept = _known(cls, {**values, **newer}, origin)
        kept.setdefault("num_key_value_heads", kept.get("num_attention_heads", 32))
        visual = _part(values, "visual_config", origin)
        tower = _part(visual, "visual_model", origin)
        abstractor = _part(visual, "visual_abstractor", origin)
        config = cls(
            **kept,
            vision=Vision(**_known(Vision, tower, origin)),
            abstractor=Abstractor(**_known(Abstractor, abstractor, origin)),
        )
        _refuse_what_is_not_computed(config, values, origin)
        return config


def read(folder: Path) -> Config:
    """Read the `config.json` of a folder.

    Raises:
        ModelError: when there is none, or it is not one of an mPLUG-Owl2.
    """
    path = folder / "config.json"
    return Config.parse(read_json(path), str(path))


def _part(values: Mapping[str, Any], name: str, origin: str) -> Mapping[str, Any]:
    part = values.get(name) or {}
    if not isinstance(part, Mapping):
        raise ModelError(f"{origin} sets {name} to {part!r}; it is an object of settings")
    return part


def _known(kind: type, values: Mapping[str, Any], origin: str) -> dict[str, Any]:
    """Return the fields that are set, all numbers among them checked."""
    kept = {}
    for each in fields(kind):
        if each.name in ("vision", "abstractor") or values.get(each.name) is None:
            continue
        kept[each.name] = value = values[each.name]
        if isinstance(each.default, int | float):
            check_number(value, type(each.default), each.name, origin)
    return kept


def check_number(value: Any, kind: type, name: str, origin: str) -> None:
    """Refuse what is no number above 0 of a kind, `int` or `float`.

    Raises:
        ModelError: naming the field and its value.
    """
    allowed = (int,) if kind is int else (int, float)
    fits = isinstance(value, allowed) and not isinstance(value, bool)
    if not fits or not math.isfinite(value) or value <= 0:
        wanted = "a whole number" if kind is int else "a number"
        raise ModelError(f"{origin} sets {name} to {value!r}; it is {wanted} above 0")


def _refuse_what_is_not_computed(config: Config, values: Mapping[str, Any], origin: str) -> None:
    """Refuse settings that no published checkpoint has, rather than compute something else."""
    scaling = _part(values, "rope_scaling", origin)
    wrong = {
        "rope_scaling": scaling and scaling.get("rope_type", scaling.get("type")) != "default",
        "attention_bias": values.get("attention_bias"),
        "tie_word_embeddings": values.get("tie_word_embeddings"),
        "hidden_act": values.get("hidden_act", "silu") != "silu",
        "visual_config.visual_model.hidden_act": config.vision.hidden_act != "quick_gelu",
    }
    for name, is_wrong in wrong.items():
        if is_wrong:
            raise ModelError(f"{origin} sets {name}, which this backbone does not compute")
