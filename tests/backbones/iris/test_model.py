"""iris answers the questions it was taught, about any picture, the same way every time."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from beholder.backbones import iris
from beholder.backbones.iris import weights, windows
from beholder.backbones.iris.model import Seen
from beholder.backbones.iris.network import Sight
from beholder.errors import ModelError, UsageError
from beholder.levels.scale import LEVELS, WEIGHTS
from beholder.levels.statistics import expectation, softmax
from beholder.media.frames import Picture
from beholder.prompts import (
    IMAGE_AESTHETICS,
    IMAGE_QUALITY,
    QUALITY_QUESTIONS,
    VIDEO_QUALITY,
    Prompt,
)


@pytest.fixture(scope="module")
def model() -> iris.Iris:
    return iris.load()


def noise(height: int, width: int, seed: int = 0) -> Picture:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Picture(pixels)


def score(model: iris.Iris, picture: Picture) -> float:
    logits = model.logits([model.encode([picture])], IMAGE_QUALITY, LEVELS)
    return expectation(softmax(logits[0].tolist()), WEIGHTS)


def test_the_evaluated_model_is_the_saved_one():
    loaded = weights.read(weights.SHIPPED)
    if not loaded.probe:
        pytest.skip("these weights hold no probe")
    model = iris.Iris(loaded)
    probe = loaded.probe
    native, half = (
        [Sight(c[None], o[None], kind) for c, o in zip(probe[cells], probe[overall], strict=True)]
        for kind, (cells, overall) in enumerate((("cells", "overall"), ("half", "half_overall")))
    )
    examples = [Seen(sights) for sights in zip(native, half, strict=True)]
    logits = model.logits(examples, IMAGE_QUALITY, LEVELS)
    torch.testing.assert_close(logits, probe["logits"], atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("height", "width"),
    [(1, 1), (7, 5), (40, 63), (64, 64), (65, 3), (10, 30_000), (30_000, 10), (2000, 3000)],
)
def test_a_picture_of_any_size_gets_finite_logits(model, height, width):
    logits = model.logits([model.encode([noise(height, width)])], IMAGE_QUALITY, LEVELS)
    assert logits.shape == (1, 5)
    assert logits.dtype == torch.float32
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("value", [0, 1, 128, 254, 255])
def test_a_flat_picture_gets_finite_logits(model, value):
    flat = Picture(np.full((100, 300, 3), value, np.uint8))
    assert 1 <= score(model, flat) <= 5


def test_the_company_of_other_pictures_does_not_change_a_score(model):
    pictures = [noise(64, 64, 1), noise(384, 512, 2), noise(700, 900, 3), noise(10, 100, 4)]
    seen = [model.encode([p]) for p in pictures]
    together = model.logits(seen, IMAGE_QUALITY, LEVELS)
    for row, one in zip(together, seen, strict=True):
        alone = model.logits([one], IMAGE_QUALITY, LEVELS)[0]
        values = [expectation(softmax(x.tolist()), WEIGHTS) for x in (row, alone)]
        assert values[0] == pytest.approx(values[1], abs=1e-5)


def test_encoding_in_many_threads_gives_the_same_bits(model):
    pictures = [noise(200 + 10 * k, 300, k) for k in range(8)]
    alone = [model.encode([p]) for p in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda p: model.encode([p]), pictures))
    for one, other in zip(alone, together, strict=True):
        for mine, theirs in zip(one.sights, other.sights, strict=True):
            assert torch.equal(mine.cells, theirs.cells)
            assert torch.equal(mine.overall, theirs.overall)


@pytest.mark.parametrize("question", QUALITY_QUESTIONS)
def test_every_question_of_the_syllabus_is_read(model, question):
    prompt = Prompt(question, IMAGE_QUALITY.opening)
    assert torch.isfinite(model.logits([model.encode([noise(64, 64)])], prompt, LEVELS)).all()


def test_candidates_come_back_in_the_order_asked(model):
    seen = [model.encode([noise(64, 64)])]
    there = model.logits(seen, IMAGE_QUALITY, LEVELS)
    back = model.logits(seen, IMAGE_QUALITY, LEVELS[::-1])
    torch.testing.assert_close(there, back.flip(1))


def test_all_windows_of_a_large_picture_are_looked_at_when_asked(model):
    thorough = iris.load(windows="all")
    small, large = noise(384, 512), noise(1500, 2000)
    assert thorough.encode([small]).counts == model.encode([small]).counts
    assert model.encode([large]).counts == (4 * 24, 4 * 12)
    assert thorough.encode([large]).counts == (4 * 24 * 32, 4 * 12 * 16)
    assert thorough.settings() != model.settings()
    with pytest.raises(UsageError, match=r"most.*some"):
        iris.load(windows="most")


def test_larger_pictures_are_seen_smaller_too(model):
    shapes = ((255, 600), (256, 600), (1600, 2000))
    kinds = [[s.kind for s in model.encode([noise(*shape)]).sights] for shape in shapes]
    assert kinds == [[0], [0, 1], [0, 1, 1]]


@pytest.mark.parametrize(("factor", "side"), [(2, 256), (4, 1536)])
def test_a_reduced_view_is_that_of_the_shrunk_picture(model, factor, side):
    small = noise(side // factor, 1600 // factor).pixels
    large = np.repeat(np.repeat(small, factor, 0), factor, 1)
    reduced = model.encode([Picture(large)]).sights[factor // 2]
    view = next(v for v in windows.views(*large.shape[:2]) if v.factor == factor)
    alone = iris.model.look(small, [windows.View(1, view.most)]).sights[0]
    torch.testing.assert_close(reduced.cells, alone.cells)


def test_a_transposed_picture_gets_the_same_score(model):
    picture = noise(128, 192)
    across = Picture(np.ascontiguousarray(picture.pixels.transpose(1, 0, 2)))
    assert score(model, across) == pytest.approx(score(model, picture), abs=1e-3)


def test_no_pictures_give_no_rows(model):
    assert model.logits([], IMAGE_QUALITY, LEVELS).shape == (0, 5)


def test_aesthetics_is_refused_for_want_of_labels(model):
    with pytest.raises(ModelError, match="without human labels"):
        model.logits([model.encode([noise(64, 64)])], IMAGE_AESTHETICS, LEVELS)


@pytest.mark.parametrize(
    ("prompt", "candidate", "named"),
    [
        (VIDEO_QUALITY, "good", "video"),
        (IMAGE_QUALITY, "superb", "superb"),
        (IMAGE_QUALITY, "good bad", "good bad"),
        (Prompt("Rate the sharpness.", IMAGE_QUALITY.opening), "good", "sharpness"),
        (Prompt("Rate the quality of this image.", "The quality is"), "good", "The quality is"),
        (Prompt("rate " * 60, IMAGE_QUALITY.opening), "good", "62"),
    ],
)
def test_what_it_was_not_taught_is_refused_by_name(model, prompt, candidate, named):
    with pytest.raises(ModelError, match=named):
        model.logits([model.encode([noise(64, 64)])], prompt, [candidate])


@pytest.mark.parametrize("number", [0, 2])
def test_only_one_picture_at_a_time_is_encoded(model, number):
    with pytest.raises(ModelError, match=f"got {number}"):
        model.encode([noise(8, 8)] * number)


def test_settings_name_weights_pixels_and_dtype(model):
    settings = model.settings()
    assert settings["weights"] == weights.read(weights.SHIPPED).sha256
    assert settings["dtype"] == "float32"
    assert "64 px" in settings["pixels"]


def test_half_precision_changes_the_settings_and_hardly_the_score(model):
    half = iris.load(dtype="bfloat16")
    assert half.settings() != model.settings()
    picture = noise(128, 128)
    assert score(half, picture) == pytest.approx(score(model, picture), abs=0.1)


def test_an_unknown_dtype_is_refused():
    with pytest.raises(ModelError, match="'int8'"):
        iris.load(dtype="int8")


def test_missing_and_broken_weights_are_refused(tmp_path: Path):
    with pytest.raises(ModelError, match=r"nowhere\.safetensors"):
        iris.load(tmp_path / "nowhere.safetensors")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"\xff" * 100)
    with pytest.raises(ModelError, match=r"broken\.safetensors"):
        iris.load(broken)
