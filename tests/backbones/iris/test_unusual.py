"""Pictures that are no photographs get a sensible score, and damage lowers it there too."""

import numpy as np
import pytest
from syllabus import chains, procedural
from syllabus.ladders import scores
from syllabus.pixels import to_bytes

from beholder.backbones import iris


@pytest.fixture(scope="module")
def model() -> iris.Iris:
    return iris.load()


def score(model: iris.Iris, pixels: np.ndarray) -> float:
    return float(scores(model, [pixels])[0])


@pytest.mark.parametrize("kind", ["page", "night"])
def test_a_clean_page_or_night_sky_is_at_least_fair(model, kind):
    made = procedural.KINDS[kind](256, np.random.default_rng(8)).clip(0, 1)
    assert score(model, to_bytes(made)) > 3


@pytest.mark.parametrize("kind", ["page", "drawing", "night", "terrain", "clouds"])
@pytest.mark.parametrize("damage", ["gaussian_blur", "gaussian_noise", "jpeg", "pixelation"])
def test_damage_lowers_the_score_of_any_kind_of_content(model, kind, damage):
    made = procedural.KINDS[kind](256, np.random.default_rng(9)).clip(0, 1).astype(np.float32)
    worse, _ = chains.one(made, damage, 0.85, np.random.default_rng(1))
    least = 0.0 if (kind, damage) == ("clouds", "gaussian_blur") else 0.3  # hardly any detail
    assert score(model, to_bytes(worse)) < score(model, to_bytes(made)) - least


def test_pure_noise_is_bad(model):
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    assert score(model, noise) < 2


@pytest.mark.parametrize("shape", [(33, 500), (2000, 70), (96, 96)])
def test_small_and_narrow_pictures_follow_damage_too(model, shape):
    scene = procedural.terrain(2000, np.random.default_rng(2)).clip(0, 1)
    good = to_bytes(scene[1200 : 1200 + shape[0], : shape[1]][: shape[0]])
    if good.shape[0] < shape[0]:
        good = to_bytes(scene[: shape[0], : shape[1]])
    rough = good.astype(int) + np.random.default_rng(0).normal(0, 25, good.shape)
    assert score(model, rough.clip(0, 255).astype(np.uint8)) < score(model, good)
