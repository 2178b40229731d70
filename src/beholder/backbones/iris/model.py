"""iris as a backbone: statistics of cells in worker threads, the network for whole batches."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from beholder._names import unknown
from beholder.backbones.base import Backbone
from beholder.backbones.iris import stem, windows
from beholder.backbones.iris import weights as files
from beholder.backbones.iris.network import Memory, Network, Sight
from beholder.backbones.iris.words import ASSISTANT, IMAGE, USER, Words
from beholder.errors import ModelError, UsageError
from beholder.media.frames import Picture
from beholder.prompts import IMAGE_QUALITY, Prompt

PIXELS: Final = (
    f"windows of {windows.SIDE} px on an even grid of views reduced by factors, at most "
    f"{windows.MOST}, above {windows.LARGE} pixels {windows.MOST_OF_LARGE}, "
    "all together; at half size from "
    f"{windows.HALF} px, at a quarter from {windows.QUARTER}; mirrored below {windows.SIDE} px; "
    "log-DCT statistics of 32 px cells; 4"
)
"""The rule from pixels to cells; the number at its end changes with any change of the result."""
WINDOWS: Final = ("some", "all")
"""Of pictures that are not covered: as many as keep looking quick beside decoding, or all."""
DTYPES: Final = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class Seen:
    """What `encode` keeps of a picture: statistics of its views, no pixels."""

    sights: tuple[Sight, ...]
    """Batches of one."""

    @property
    def counts(self) -> tuple[int, ...]:
        """How many cells each view has."""
        return tuple(sight.cells.shape[1] for sight in self.sights)


class Iris(Backbone):
    """A small model that reads the Q-Align question, looks at cells, and answers with a level."""

    def __init__(
        self,
        loaded: files.Loaded,
        device: str = "cpu",
        dtype: str = "float32",
        windows: str = "some",
    ) -> None:
        if dtype not in DTYPES:
            raise ModelError(f"iris runs in {' or '.join(DTYPES)}, got {dtype!r}")
        if windows not in WINDOWS:
            raise UsageError(unknown("choice of windows", windows, WINDOWS))
        self.loaded = loaded
        self._windows = windows
        self._words = Words(loaded.words)
        self._temperature = loaded.temperature
        self._sha256 = loaded.sha256
        self._device = torch.device(device)
        self._dtype = dtype
        self._network: Network = loaded.network.to(self._device, DTYPES[dtype])
        self._read: dict[str, Memory] = {}

    def settings(self) -> Mapping[str, Any]:
        """Return all that can change a logit: weights, pixel rule, dtype."""
        return {
            "architecture": files.ARCHITECTURE,
            "weights": self._sha256,
            "pixels": PIXELS,
            "windows": self._windows,
            "dtype": self._dtype,
        }

    def encode(self, pictures: Iterable[Picture]) -> Seen:
        """Return the cell statistics of exactly one picture. Thread-safe, on the CPU.

        Raises:
            ModelError: when there is not exactly one picture.
        """
        pictures = list(pictures)
        if len(pictures) != 1:
            raise ModelError(f"iris looks at one picture at a time, got {len(pictures)}")
        pixels = pictures[0].pixels
        with _one_thread():
            every = self._windows == "all"
            return look(pixels, windows.views(*pixels.shape[:2], every=every))

    def logits(
        self, examples: Sequence[Seen], prompt: Prompt, candidates: Sequence[str]
    ) -> Float[Tensor, "batch candidates"]:
        """Return the logit of each candidate as the next word of the answer, float32 on the CPU.

        Raises:
            ModelError: when the question or a candidate is outside the vocabulary.
        """
        words = torch.tensor([self._words.single(c) for c in candidates], device=self._device)
        opening = self._opening(prompt)
        with torch.inference_mode(), _one_thread():
            question = self._question(prompt.question)
            if not examples:
                return torch.zeros(0, len(candidates))
            tokens = see(self._network, examples)
            answer = self._network.words(opening).expand(len(examples), -1, -1)
            states, _ = self._network.read(torch.cat([tokens, answer], 1), question)
            logits = self._network.say(states[:, -1], words).float().cpu()
        return logits / self._temperature

    def _opening(self, prompt: Prompt) -> Tensor:
        if prompt.opening != IMAGE_QUALITY.opening:
            self._words.ids(prompt.opening)
            raise ModelError(
                f"iris was taught to answer {IMAGE_QUALITY.opening!r}, got {prompt.opening!r}"
            )
        return torch.tensor(self._words.ids(f"{ASSISTANT} {prompt.opening}"), device=self._device)

    def _question(self, question: str) -> Memory:
        """Return what the decoder remembers of the question; computed once for each."""
        if question not in self._read:
            ids = self._words.ids(f"{USER} {question} {IMAGE}")
            room = self._network.design.longest - self._network.design.tokens - 12
            if len(ids) > room:
                raise ModelError(f"iris reads up to {room} tokens of question, got {len(ids)}")
            numbers = torch.tensor(ids, device=self._device)
            _, self._read[question] = self._network.read(self._network.words(numbers)[None])
        return self._read[question]


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute on one core: iris is so small that threads would wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def look(pixels: UInt8[np.ndarray, "height width 3"], views: Sequence[windows.View] = ()) -> Seen:
    """Return the statistics of some views of a picture; of those that fit its size by default."""
    sights = []
    for view in views or windows.views(*pixels.shape[:2]):
        cells, overall = stem.describe(windows.take(pixels, view))
        sights.append(Sight(cells[None], overall[None], kind=int(view.factor > 1)))
    return Seen(tuple(sights))


def see(network: Network, examples: Sequence[Seen]) -> Float[Tensor, "batch tokens width"]:
    """Return the visual tokens of each picture; those with equally many cells go together."""
    device, dtype = network.places.device, network.places.dtype
    parts, order = [], []
    for counts in dict.fromkeys(example.counts for example in examples):
        chosen = [n for n, example in enumerate(examples) if example.counts == counts]
        views = zip(*(examples[n].sights for n in chosen), strict=True)
        parts.append(network.see([_together(view, device, dtype) for view in views]))
        order += chosen
    return torch.cat(parts)[torch.tensor(order, device=device).argsort()]


def _together(views: Sequence[Sight], device: torch.device, dtype: torch.dtype) -> Sight:
    """Join the same view of several pictures."""
    cells = torch.cat([view.cells for view in views]).to(device, dtype)
    overall = torch.cat([view.overall for view in views]).to(device, dtype)
    return Sight(cells, overall, views[0].kind)


def load(
    weights: Path | None = None,
    device: str = "cpu",
    dtype: str = "float32",
    windows: str = "some",
) -> Iris:
    """Load iris from a file of weights, or a folder with one; without, those in the package.

    `windows` is one of `WINDOWS`.

    Raises:
        ModelError: when the file is missing or does not fit, or the dtype is not offered.
        UsageError: when `windows` is neither "some" nor "all".
    """
    path = weights or files.SHIPPED
    return Iris(files.read(path / files.FILE if path.is_dir() else path), device, dtype, windows)
