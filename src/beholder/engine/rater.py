"""Rater: a recipe brought to life. Anything that can be looked at goes in, a Score comes out."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import metadata
from typing import Any, overload

import numpy as np
from PIL import Image

from beholder.backbones import weights
from beholder.backbones.device import DTYPES, resolve_device, resolve_dtype
from beholder.engine.options import Chosen, choose
from beholder.errors import MediaError, ModelError
from beholder.levels import scale as scales
from beholder.levels.scale import Measure, Scale
from beholder.media.frames import Frames
from beholder.media.reading import read
from beholder.media.sampling import FrameRule
from beholder.recipes import recipe as recipes
from beholder.recipes.recipe import Recipe
from beholder.score import Score
from beholder.scorers.base import Encoded, Rating, Scorer

PIXELS = "upright sRGB, rule 1"
"""The pixel rule of docs/pixels.md; its number changes when a pixel can."""
DECODERS = ("av", "numpy", "pi-heif", "pillow", "simplejpeg")

Source = str | os.PathLike[str] | bytes | Image.Image | np.ndarray
"""What can be judged: a path, the bytes of a file, a PIL image, an array of pixels."""


@dataclass(frozen=True)
class Opened:
    """One input, decoded and prepared: what a worker hands to the device."""

    frames: Frames
    """What is known of it; its pictures are gone, so that pixels do not wait for the device."""
    encoded: Encoded


@dataclass(frozen=True)
class Rater:
    """A model that is ready to judge, and everything that can change what it says."""

    recipe: Recipe
    scorer: Scorer
    rule: FrameRule
    """Which frames of a clip are looked at."""
    scale: Scale | Measure
    device: str = "cpu"

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """All that can change a score, as JSON."""
        return {
            "format": 1,
            "model": self.recipe.name,
            **self.scorer.settings(),
            "frames": str(self.rule),
            "scale": str(self.scale),
            "pixels": PIXELS,
            "decoders": {name: metadata.version(name) for name in DECODERS},
        }

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that change whenever `settings` does."""
        text = json.dumps(self.settings, sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def open(self, source: Source) -> Opened:
        """Decode one input and prepare it for the device. Thread-safe.

        Raises:
            MediaError: when it cannot be judged.
        """
        frames = read(source, self.rule)
        try:
            return Opened(replace(frames, pictures=()), self.scorer.encode(frames))
        finally:
            frames.close()

    def rate(
        self, inputs: Sequence[Opened], task: str = "quality", paths: Sequence[str] = ()
    ) -> list[Score]:
        """Judge what `open` returned, one Score an input, in order; `paths` names them."""
        ratings = self.scorer.judge([each.encoded for each in inputs], task)
        names = paths or [""] * len(inputs)
        return [
            self._score(each, rating, task, path)
            for each, rating, path in zip(inputs, ratings, names, strict=True)
        ]

    def failed(self, error: str, path: str, task: str = "quality") -> Score:
        """Return the Score of an input that cannot be judged."""
        return Score(
            value=float("nan"),
            scale=str(self.scale),
            task=task,
            path=path,
            error=error,
            model=self.recipe.name,
            fingerprint=self.fingerprint,
        )

    @overload
    def score(self, source: Source, task: str = "quality") -> Score: ...
    @overload
    def score(self, source: list[Any], task: str = "quality") -> list[Score]: ...
    def score(self, source: Source | list[Any], task: str = "quality") -> Score | list[Score]:
        """Judge one picture or clip, or a list of them.

        An input of a list that cannot be judged becomes a Score with an `error`.

        Raises:
            MediaError: when a single input cannot be judged.
            ModelError: when the model has no answer for a single input.
            UsageError: when the model was not made for the task.
        """
        self.recipe.check_task(task)
        if isinstance(source, list):
            return [self._try(each, task) for each in source]
        score = self._one(source, task)
        if score.error:
            raise ModelError(score.error)
        return score

    def _one(self, source: Source, task: str) -> Score:
        return self.rate([self.open(source)], task, [_name(source)])[0]

    def _try(self, source: Source, task: str) -> Score:
        try:
            return self._one(source, task)
        except MediaError as error:
            return self.failed(str(error), _name(source), task)

    def _score(self, each: Opened, rating: Rating, task: str, path: str) -> Score:
        details = dict(rating.details)
        if rating.timeline:
            details["timeline"] = [[t, self.scale.of(value)] for t, value in rating.timeline]
        if rating.worst:
            details["worst"] = [rating.worst[0], self.scale.of(rating.worst[1])]
        if each.frames.notes:
            details["notes"] = list(each.frames.notes)
        return Score(
            value=self.scale.of(rating.value),
            scale=str(self.scale),
            level=rating.level,
            probabilities=rating.probabilities,
            spread=self.scale.width_of(rating.spread),
            task=task,
            path=path,
            media=each.frames.media,
            width=each.frames.width,
            height=each.frames.height,
            seconds=each.frames.seconds,
            details=details,
            error=rating.error,
            model=self.recipe.name,
            fingerprint=self.fingerprint,
        )


def load(
    model: str = "iris",
    *,
    device: str = "auto",
    dtype: str = "auto",
    scale: str = "auto",
    frames: str | int = "auto",
    options: Mapping[str, Any] | None = None,
) -> Rater:
    """Load a model by the name of its recipe, the path of a recipe (`.toml`), or its folder.

    `options` are those of its scorer and its backbone, e.g. `{"scorer": "boost"}`: docs/models.md.
    The scale is 1-5, or the name of what a model measures that has no range.

    Raises:
        UsageError: for an unknown model, device, dtype, scale, frame rule or option.
        ModelError: when its weights are not here or cannot be used.
    """
    recipe = recipes.load(model)
    rule = FrameRule.parse(recipe.frames if frames == "auto" else str(frames))
    chosen = choose(recipe, options or {})
    to = scales.choose(str(scale), getattr(chosen.scorer, "MEASURE", ""))
    backbone = bring(chosen, device, dtype)
    scorer = chosen.scorer.build(backbone, chosen.of_scorer)
    return Rater(chosen.recipe, scorer, rule, to, resolve_device(device))


def bring(chosen: Chosen, device: str, dtype: str) -> Any:
    """Find the weights of what was chosen and load its backbone.

    Raises:
        UsageError: for an unknown device or dtype.
        ModelError: when its weights are not here or cannot be used.
    """
    known = getattr(chosen.backbone, "DTYPES", DTYPES)
    where = {
        "device": resolve_device(device),
        "dtype": resolve_dtype(chosen.recipe.dtype if dtype == "auto" else dtype, known),
    }
    files = weights.find(chosen.recipe.weights) if chosen.recipe.weights else {}
    return chosen.backbone.load(**files, **where, **chosen.of_backbone)


def _name(source: Source) -> str:
    return os.fspath(source) if isinstance(source, str | os.PathLike) else ""
