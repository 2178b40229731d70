"""Every teacher knows a perfect copy, and every further step of damage."""

import numpy as np
import pytest
import torch
from syllabus import chains, procedural, teachers
from syllabus.pixels import Pixels

ALL = [*teachers.TEACHERS.items()]


def batch(pixels: Pixels) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None]


@pytest.fixture(scope="module")
def scene() -> Pixels:
    return procedural.terrain(256, np.random.default_rng(3)).clip(0, 1).astype(np.float32)


@pytest.mark.parametrize(("name", "judge"), [*ALL, ("tone", teachers.tone)])
def test_a_copy_is_perfect(name, judge, scene):
    x = batch(scene)
    assert float(judge(x, x)) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize(("name", "judge"), ALL)
@pytest.mark.parametrize("distortion", ["gaussian_blur", "gaussian_noise", "jpeg", "pixelation"])
def test_more_damage_is_judged_worse(name, judge, distortion, scene):
    values = []
    for severity in (0, 0.35, 0.7, 1):
        version, _ = chains.one(scene, distortion, severity, np.random.default_rng(0))
        values.append(float(judge(batch(scene), batch(version))))
    assert values == sorted(values, reverse=True)


@pytest.mark.parametrize(("name", "judge"), ALL[1:3])
def test_both_directions_give_the_same(name, judge, scene):
    version, _ = chains.one(scene, "gaussian_blur", 0.5, np.random.default_rng(0))
    there = float(judge(batch(scene), batch(version)))
    assert there == pytest.approx(float(judge(batch(version), batch(scene))), abs=1e-4)


@pytest.mark.parametrize(("name", "judge"), [*ALL, ("tone", teachers.tone)])
@pytest.mark.parametrize("shade", [0.0, 0.5, 1.0])
def test_flat_pictures_are_judged_without_nan(name, judge, shade):
    flat = torch.full((1, 3, 64, 64), shade)
    assert torch.isfinite(judge(flat, flat)).all()


def test_a_batch_gives_what_each_pair_gives(scene):
    rng = np.random.default_rng(0)
    versions = torch.cat([batch(chains.one(scene, "jpeg", s, rng)[0]) for s in (0.1, 0.9)])
    originals = batch(scene).expand_as(versions)
    for judge in teachers.TEACHERS.values():
        together = judge(originals, versions)
        alone = [float(judge(originals[k : k + 1], versions[k : k + 1])) for k in (0, 1)]
        assert together.tolist() == pytest.approx(alone, abs=1e-4)


@pytest.mark.parametrize("distortion", ["underexposed", "overexposed", "contrast_lowered", "haze"])
def test_tone_judges_what_structure_forgives(distortion, scene):
    version, _ = chains.one(scene, distortion, 0.5, np.random.default_rng(0))
    tone = float(teachers.tone(batch(scene), batch(version)))
    assert tone < 0.85


def test_tone_forgives_blur(scene):
    version, _ = chains.one(scene, "gaussian_blur", 0.5, np.random.default_rng(0))
    assert float(teachers.tone(batch(scene), batch(version))) > 0.95


def test_same_tone_undoes_a_change_of_contrast(scene):
    paler = batch(0.25 + 0.5 * scene)
    back = teachers.same_tone(batch(scene), paler)
    assert float((back - batch(scene)).abs().mean()) < 0.01
