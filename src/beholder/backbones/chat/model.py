"""A chat model as a backbone: pixels in worker threads, the network for whole batches."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from beholder._counting import counted
from beholder._names import unknown
from beholder.backbones import words
from beholder.backbones._choices import pick
from beholder.backbones.base import Backbone
from beholder.backbones.chat import added, batch, files
from beholder.backbones.chat.asking import Eyes, Reading, Seen
from beholder.backbones.words import BYS, Tokens
from beholder.errors import MediaError, ModelError, UsageError
from beholder.media.frames import Picture
from beholder.prompts import IMAGE_QUALITY, Prompt

LONGEST_OF_CLIP: Final = 448
"""Pixels on the longer side of a frame among others, as in Q-ReAlign."""


@dataclass(frozen=True)
class Options:
    """What may be chosen about a chat model."""

    words: str = "first"
    """Words are weighed by their `first` token, or `exact`: by all of them."""
    longest: int = 0
    """A single picture is shrunk to this many pixels on the longer side; 0: the processor's way."""
    longest_of_clip: int = LONGEST_OF_CLIP
    """The same for frames that are looked at together."""


DTYPES: Final = ("float32", "bfloat16", "float16")
OPTIONS: Final = tuple(Options.__dataclass_fields__)
"""Names of what may be chosen."""


@dataclass(frozen=True)
class Chat(Backbone):
    """Network, processor and what they came from."""

    network: torch.nn.Module
    eyes: Eyes
    about: Mapping[str, Any]
    """What is known of the weights, for the fingerprint."""
    by: str = "first"
    device: str = "cpu"
    _spelled: dict[tuple[Prompt, tuple[str, ...]], list[Tokens]] = field(default_factory=dict)

    def settings(self) -> Mapping[str, Any]:
        """Return all that can change a logit: weights, processor, dtype, how words are weighed."""
        return {
            **self.about,
            "dtype": str(next(self.network.parameters()).dtype).removeprefix("torch."),
            "words": self.by,
            "longest": self.eyes.longest,
            "longest of a clip": self.eyes.longest_of_clip,
        }

    def encode(self, pictures: Iterable[Picture]) -> Seen:
        """Prepare one picture, or all frames of a clip as several pictures. Thread-safe.

        Raises:
            ModelError: when there is no picture.
        """
        return self.eyes.see(pictures)

    def logits(
        self, examples: Sequence[Seen], prompt: Prompt, candidates: Sequence[str]
    ) -> Float[Tensor, "batch candidates"]:
        """Return the logit of each candidate as the next word of the answer, float32 on the CPU.

        Words that are weighed exactly get their log-probability instead.

        Raises:
            ModelError: when the words cannot be told apart, or memory does not suffice.
        """
        spelled = self._spell(prompt, tuple(candidates))
        answer = torch.zeros(len(examples), len(candidates))
        texts = {n: self.eyes.text(prompt, n) for n in {len(each.stand_ins) for each in examples}}
        readings = [self.eyes.read(each, texts[len(each.stand_ins)]) for each in examples]
        for some in batch.chunks([len(each.ids) for each in readings]):
            features = batch.side_by_side([examples[i].features for i in some])
            answer[some] = self._weigh([readings[i] for i in some], features, candidates, spelled)
        return answer

    def _spell(self, prompt: Prompt, candidates: tuple[str, ...]) -> list[Tokens]:
        key = prompt, candidates
        if key not in self._spelled:
            text = self.eyes.text(prompt, 1)
            spelled = words.spell(self.eyes.tokenizer(), text, candidates)
            if self.by == "first":
                words.first_tokens(self.eyes.tokenizer(), candidates, spelled)
            self._spelled[key] = spelled
        return self._spelled[key]

    def _weigh(
        self,
        readings: Sequence[Reading],
        features: Mapping[str, Tensor],
        candidates: Sequence[str],
        spelled: Sequence[Tokens],
    ) -> Float[Tensor, "batch candidates"]:
        if self.by == "first":
            return self._next(readings, features, ())[:, [tokens[0] for tokens in spelled]].cpu()
        answer = torch.zeros(len(readings), len(spelled))
        for begun, after in words.steps(candidates, spelled).items():
            said = self._next(readings, features, begun).log_softmax(1)[:, list(after)].cpu()
            for word, tokens in enumerate(spelled):
                if len(tokens) > len(begun) and tokens[: len(begun)] == begun:
                    answer[:, word] += said[:, after.index(tokens[len(begun)])]
        return answer

    def _next(
        self, readings: Sequence[Reading], features: Mapping[str, Tensor], begun: Tokens
    ) -> Float[Tensor, "batch vocabulary"]:
        """Return the logits of every next token, when the answer has begun with some tokens.

        They are float32 and on the device.
        """
        rows = [begun] * len(readings)
        moved = self.inputs(readings, rows, features)
        try:
            with torch.inference_mode():
                out = self.network(**moved, logits_to_keep=1, use_cache=False)
        except torch.OutOfMemoryError as error:
            raise ModelError(
                f"{self.device} has not enough memory for {counted(len(rows), 'input')} of up to "
                f"{moved['input_ids'].shape[1]} tokens: use a smaller --batch-size, a smaller "
                "dtype, or shrink the pictures with --set longest=1024"
            ) from error
        last: Tensor = out.logits[:, -1].float()
        return last

    def inputs(
        self,
        readings: Sequence[Reading],
        tails: Sequence[Tokens],
        features: Mapping[str, Tensor],
    ) -> dict[str, Tensor]:
        """Return what the network takes: inputs with the tokens of their answers, and pixels.

        Rows are padded on the left, so the last column is the last token of each.
        """
        rows = [[*each.ids, *tail] for each, tail in zip(readings, tails, strict=True)]
        inputs = {
            "input_ids": batch.left_padded(rows, self._padding()),
            "attention_mask": batch.left_padded([[1] * len(row) for row in rows], 0),
            **self._kinds(readings, tails),
            **features,
        }
        dtype = next(self.network.parameters()).dtype
        return {
            name: value.to(self.device, dtype if value.is_floating_point() else None)
            for name, value in inputs.items()
        }

    def _kinds(self, readings: Sequence[Reading], tails: Sequence[Tokens]) -> dict[str, Tensor]:
        """Say which tokens are pictures, to models that ask."""
        if not self.eyes.wants_kinds:
            return {}
        rows = [
            [*each.kinds, *(0 for _ in tail)] for each, tail in zip(readings, tails, strict=True)
        ]
        names = self.eyes.processor.model_input_names
        name = "token_type_ids" if "token_type_ids" in names else "mm_token_type_ids"
        return {name: batch.left_padded(rows, 0)}

    def _padding(self) -> int:
        tokenizer = self.eyes.processor.tokenizer
        known = (tokenizer.pad_token_id, tokenizer.eos_token_id, 0)
        return next(number for number in known if number is not None)


def load(
    weights: Path | None = None,
    device: str = "cpu",
    dtype: str = "float32",
    *,
    base: Path | None = None,
    **options: Any,
) -> Chat:
    """Load any image-text checkpoint of transformers from a folder; nothing is fetched.

    One of adapters needs the folder of its `base` too.

    Raises:
        ModelError: when the folder, its processor or its weights cannot be used.
        MissingExtraError: when transformers is not installed.
        UsageError: for an unknown option.
    """
    if weights is None:
        raise ModelError(
            "a chat model needs its weights: --model FOLDER, or --model URL of a server"
        )
    if dtype not in DTYPES:
        raise ModelError(f"chat models run in {', '.join(DTYPES)}, got {dtype!r}")
    chosen = pick(Options, options, "a chat model")
    if chosen.words not in BYS:
        raise UsageError(unknown("way to weigh words", chosen.words, BYS))
    kind = files.check_kind(weights)
    files.silence()
    processor = files.load_processor(weights)
    eyes = Eyes(processor, chosen.longest, chosen.longest_of_clip)
    _try(eyes, weights)
    network = files.load_model(base or weights, device, dtype)
    if base:
        added.merge(network, weights)
    about = {
        "architecture": kind,
        "weights": files.digest(weights),
        "pixels by": f"{type(processor.image_processor).__name__} of transformers "
        f"{files.version()}",
    }
    return Chat(network, eyes, about, chosen.words, device)


def _try(eyes: Eyes, folder: Path) -> None:
    """Look at a grey picture, so that a processor that cannot be used is told before the weights.

    It also leaves the tokenizer without padding or truncation, as threads need it.
    """
    grey = Picture(np.full((64, 64, 3), 128, np.uint8))
    try:
        eyes.read(eyes.see([grey]), eyes.text(IMAGE_QUALITY, 1))
    except MediaError as error:
        raise ModelError(f"the processor in {folder} cannot be used: {error}") from error
    except files.BROKEN as error:
        raise ModelError(
            f"the processor in {folder} cannot be used: {files.said(error)}"
        ) from error
