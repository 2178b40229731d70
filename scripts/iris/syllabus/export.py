"""From a trained network to the file that ships, with proof that it is the one evaluated."""

from pathlib import Path

import torch

from beholder.backbones.iris import model, weights
from beholder.backbones.iris.network import Network, Sight
from beholder.backbones.iris.words import vocabulary
from beholder.levels.scale import LEVELS
from beholder.prompts import IMAGE_QUALITY
from syllabus import evaluation
from syllabus.training import Lesson, predict

COVERED = 0.94
"""Share of validation labels that score ± 1.96 spread shall hold; 90 to 98 % will do elsewhere."""
PROBES = 4


def export(network: Network, validation: Lesson, path: Path) -> weights.Loaded:
    """Set the temperature on the validation split, save in half precision, read back."""
    weights.save(path, network, vocabulary(), 1.0)
    rounded = weights.read(path).network
    logits = predict(rounded, validation).numpy()
    label = validation.opinion.numpy()
    temperature = evaluation.best_temperature(logits, label, COVERED)
    weights.save(path, network, vocabulary(), temperature)
    loaded = weights.read(path)
    weights.save_with_probe(path, _probed(loaded, validation))
    path.chmod(0o644)
    return weights.read(path)


def _probed(loaded: weights.Loaded, lesson: Lesson) -> weights.Loaded:
    """Add a few examples and the logits that the shipped model gives them."""
    chosen = torch.linspace(0, len(lesson.opinion) - 1, PROBES).long()
    native, half = lesson.sights(chosen)
    examples = [
        model.Seen(tuple(_one(sight, n) for sight in (native, half))) for n in range(PROBES)
    ]
    logits = model.Iris(loaded).logits(examples, IMAGE_QUALITY, LEVELS)
    probe = {
        "cells": native.cells,
        "overall": native.overall,
        "half": half.cells,
        "half_overall": half.overall,
        "logits": logits,
    }
    return weights.Loaded(loaded.network, loaded.words, loaded.temperature, probe, "")


def _one(sight: Sight, number: int) -> Sight:
    """Return one picture of a batch."""
    one = slice(number, number + 1)
    return Sight(sight.cells[one], sight.overall[one], sight.kind)
