"""A folder with a checkpoint of `transformers` → processor and model, or a sentence on what fails.

Processors are made from their parts: the image processor on Pillow (the torchvision one gives
slightly different pixels), the tokenizer, and no video part, which would need torchvision; a clip
is shown as several pictures.
"""

import difflib
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError

from beholder._counting import counted
from beholder._optional import require
from beholder.backbones._digest import sha256
from beholder.backbones._json import read_json
from beholder.errors import ModelError

PARTS: Final = ("image_processor", "tokenizer")
"""What is used of a processor."""
COUNTS: Final = (".json", ".jinja", ".safetensors", ".bin", ".model", ".txt")
"""Endings of the files in a checkpoint that can change a logit."""
LONGEST_TEXT: Final = 10**9
"""Tokens; the model's own limit is met when it is run."""
FAMILIES: Final = ("llava", "qwen3_vl", "internvl", "idefics3", "gemma3")
"""Well-known types of models, to name where none is alike."""
BROKEN: Final = (
    *(OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, ImportError),
    SafetensorError,
)
"""What the library raises for a checkpoint that is not whole."""


def digest(folder: Path) -> str:
    """Return the SHA-256 over names and bytes of everything in a checkpoint that counts."""
    total = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix in COUNTS and path.is_file():
            total.update(f"{path.name} {sha256(path)}\n".encode())
    return total.hexdigest()


def configuration(folder: Path) -> dict[str, Any]:
    """Read `config.json`.

    Raises:
        ModelError: when it is missing or is no configuration of a model.
    """
    path = folder / "config.json"
    config = read_json(path)
    if not isinstance(config.get("model_type"), str):
        raise ModelError(f"{path} names no model_type: it is not of a checkpoint of transformers")
    return config


def check_kind(folder: Path) -> str:
    """Return the `model_type`, where the library has a model of it for pictures and text.

    Raises:
        ModelError: when it has none, or there is no configuration.
    """
    kind: str = configuration(folder)["model_type"]
    mapping = require("transformers.models.auto.modeling_auto", extra="models")
    known = mapping.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES
    if kind not in known:
        close = difflib.get_close_matches(kind, known, n=3) or [k for k in FAMILIES if k in known]
        raise ModelError(
            f"{folder} holds a model of type {kind!r}, which transformers {version()} does not "
            f"know as one for pictures and text; it knows {len(known)}, {', '.join(close)} "
            "among them: use a checkpoint of one of these"
        )
    return kind


def silence() -> None:
    """Keep the library's advice about single pictures off the terminal, unless it is asked for."""
    if "TRANSFORMERS_VERBOSITY" not in os.environ:
        require("transformers", extra="models").utils.logging.set_verbosity_error()


def load_processor(folder: Path) -> Any:
    """Load image processor, tokenizer and chat template as the processor of the model's kind.

    Raises:
        ModelError: when one is missing or cannot be used.
    """
    transformers = require("transformers", extra="models")
    with _quiet(transformers):
        try:
            base = _processor_class(transformers, folder)
            parts = {
                "image_processor": transformers.AutoImageProcessor.from_pretrained(
                    folder, backend="pil", local_files_only=True
                ),
                "tokenizer": transformers.AutoTokenizer.from_pretrained(
                    folder, local_files_only=True
                ),
            }
            processor = _assemble(base, folder, parts)
        except BROKEN as error:
            raise ModelError(f"the processor in {folder} cannot be used: {said(error)}") from error
    if not (processor.chat_template or processor.tokenizer.chat_template):
        raise ModelError(f"{folder} has no chat template: it is not a model that can be asked")
    _unbound(processor.tokenizer)
    return processor


def _unbound(tokenizer: Any) -> None:
    """Let a tokenizer give texts as they are: some folders store a truncation or a padding."""
    tokenizer.model_max_length = LONGEST_TEXT
    for name in ("max_length", "truncation", "truncation_strategy", "stride", "padding"):
        tokenizer.init_kwargs.pop(name, None)
    if backend := getattr(tokenizer, "backend_tokenizer", None):
        backend.no_truncation()
        backend.no_padding()


def _processor_class(transformers: Any, folder: Path) -> type[Any]:
    for name in ("processor_config.json", "preprocessor_config.json", "tokenizer_config.json"):
        path = folder / name
        config = read_json(path) if path.is_file() else {}
        if known := getattr(transformers, config.get("processor_class") or "", None):
            return known  # type: ignore[no-any-return]
    kind = configuration(folder)["model_type"]
    mapping = require("transformers.models.auto.processing_auto", extra="models")
    if kind not in mapping.PROCESSOR_MAPPING_NAMES:
        raise ValueError(f"transformers {transformers.__version__} knows no processor for {kind!r}")
    known_class: type[Any] = getattr(transformers, mapping.PROCESSOR_MAPPING_NAMES[kind])
    return known_class


def _assemble(base: type[Any], folder: Path, parts: dict[str, Any]) -> Any:
    """Make a processor of the given class without its video and audio parts."""
    wanted = [name for name in base.get_attributes() if name in PARTS]
    if sorted(wanted) != sorted(PARTS):
        raise ValueError(f"{base.__name__} has no image processor and tokenizer")
    # The name stays: the library chooses its rules by the name of the class.
    pictures_only = type(base.__name__, (base,), {"get_attributes": classmethod(lambda _: wanted)})
    settings, _ = base.get_processor_dict(folder, local_files_only=True)
    settings = {key: value for key, value in settings.items() if not key.endswith("_processor")}
    return pictures_only.from_args_and_dict([parts[name] for name in wanted], settings)  # type: ignore[attr-defined]


def load_model(folder: Path, device: str, dtype: str) -> torch.nn.Module:
    """Load the weights; every tensor the model needs must be there.

    Raises:
        ModelError: when a file is missing, broken or does not fit.
    """
    transformers = require("transformers", extra="models")
    kind = configuration(folder)["model_type"]
    with _quiet(transformers):
        try:
            model, report = transformers.AutoModelForImageTextToText.from_pretrained(
                folder,
                dtype=getattr(torch, dtype),
                local_files_only=True,
                output_loading_info=True,
            )
        except BROKEN as error:
            raise ModelError(f"the weights in {folder} cannot be used: {said(error)}") from error
    if missing := sorted(report["missing_keys"]):
        raise ModelError(
            f"{folder} lacks {counted(len(missing), 'tensor')} that {kind} needs ({missing[0]}, "
            "…): fetch it again"
        )
    return model.to(device).eval().requires_grad_(requires_grad=False)  # type: ignore[no-any-return]


def said(error: BaseException) -> str:
    """Return the first line of what the library said, and of which kind it is."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{lines[0] if lines else 'nothing more is known'} ({type(error).__name__})"


@contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """Keep the library's progress bars and advice off the terminal."""
    logging = transformers.utils.logging
    before, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
        if bars:
            logging.enable_progress_bar()


def version() -> str:
    """Return the version of the library."""
    return str(require("transformers", extra="models").__version__)
