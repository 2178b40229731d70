"""The syllabus: distortions, contents, labels and training do what they say."""

import numpy as np
import pytest
import torch
from syllabus import chains, evaluation, procedural, training
from syllabus.distortions import CATALOGUE
from syllabus.labels import Rank
from syllabus.pixels import Pixels

from beholder.backbones.iris import stem


@pytest.fixture(scope="module")
def scene() -> Pixels:
    return procedural.picture(256, np.random.default_rng(0))


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_distortion_keeps_the_size_and_grows_with_severity(name, scene):
    apart = []
    for severity in (0.0, 1.0):
        version, damage = chains.one(scene, name, severity, np.random.default_rng(1))
        assert version.shape == scene.shape
        assert version.dtype == np.float32
        assert damage.severity == severity
        apart.append(float(np.abs(version - scene).mean()))
    assert 0 < apart[0] < apart[1]


@pytest.mark.parametrize("name", chains.CHAINS)
def test_a_chain_is_repeated_by_its_seed(name, scene):
    first, _ = chains.chain(scene, name, np.random.default_rng(2))
    second, _ = chains.chain(scene, name, np.random.default_rng(2))
    assert np.array_equal(first, second)


def test_chains_name_only_known_distortions():
    steps = {name for steps in chains.CHAINS.values() for step in steps for name in step if name}
    assert steps <= set(CATALOGUE)


@pytest.mark.parametrize("kind", procedural.KINDS)
def test_a_picture_of_our_making_is_no_flat_one(kind):
    made = procedural.KINDS[kind](256, np.random.default_rng(4))
    assert made.shape == (256, 256, 3)
    assert made.std() > 0.01


def test_ranks_are_shares_of_the_training_set():
    rank = Rank.among(np.array([1.0, 2.0, 2.0, 5.0]))
    assert rank.of(np.array([0.0, 2.0, 3.0, 9.0])).tolist() == [0, 0.5, 0.75, 1]


@pytest.fixture
def lesson() -> training.Lesson:
    """Return 64 versions: every second untouched, the others blurred from 0 to 1 in steps."""
    seen = (torch.randn(64, 64, stem.CELL), torch.randn(64, stem.OVERALL)) * 2
    told = (torch.rand(64, 5), torch.linspace(1, 5, 64), torch.ones(64))
    damage = torch.arange(64) % 2
    severity = torch.where(damage == 1, torch.linspace(0, 1, 64), -1.0)
    return training.Lesson(*seen, *told, damage, severity)


def test_versions_are_joined_with_others_of_the_same_damage(lesson):
    rows = torch.arange(64)
    for seed in range(5):
        found = lesson.alike(rows, np.random.default_rng(seed))
        assert torch.equal(lesson.damage[found], lesson.damage)
        blurred = lesson.damage == 1
        apart = (lesson.severity[found] - lesson.severity)[blurred].abs()
        assert apart.max() <= 2 * training.NEIGHBOURS / 63 + 1e-6
        assert (found != rows).float().mean() > 0.5


def test_contents_are_moved_as_a_whole_by_a_difference_of_photographs(lesson):
    course = training.Course(1, contents=4, versions=2)
    sights = lesson.sights(torch.arange(8))
    moved = training._moved(lesson, sights, course, np.random.default_rng(0))
    for before, after in zip(sights, moved, strict=True):
        shift = after.cells - before.cells
        assert torch.allclose(shift[0::2], shift[1::2], atol=1e-5)
        assert torch.allclose(shift, shift[:, :1], atol=1e-5)
        assert shift.abs().max() > 0.01
        assert torch.equal(after.overall, before.overall)


def test_a_joined_picture_holds_windows_of_all_its_parts(lesson):
    course = training.Course(1, contents=4, versions=2, moved=0.0)
    first, second = torch.arange(8), torch.arange(8, 16)
    seen = training._seen(lesson, [first, second], course, np.random.default_rng(0))
    for view, cells in zip(seen, (lesson.cells, lesson.half), strict=True):
        known = {tuple(cell[:3].tolist()) for cell in cells[8]}
        held = [tuple(cell[:3].tolist()) in known for cell in view.cells[0]]
        assert len(held) // 4 * 4 == len(held)
        assert 0 < sum(held) < len(held)


def test_the_running_average_follows_every_parameter(lesson):
    network = training.new_network(lesson, 0, width=24, layers=1, looks=1)
    other = training.new_network(lesson, 1, width=24, layers=1, looks=1)
    training._follow(network, other, 0.0)
    for (name, one), two in zip(network.named_parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two), name


def test_the_temperature_reaches_the_wanted_coverage():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (2000, 5))
    mean, spread = evaluation.moments(logits, 1.0)
    label = mean + 0.7 * spread * rng.normal(0, 1, 2000)
    temperature = evaluation.best_temperature(logits, label, 0.95)
    assert evaluation.coverage(*evaluation.moments(logits, temperature), label) == pytest.approx(
        0.95, abs=0.02
    )
