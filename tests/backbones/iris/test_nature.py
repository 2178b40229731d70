"""Naturalness and labels: what is taken from a picture is never a merit."""

import numpy as np
import pytest
from syllabus import dataset, labels, nature
from syllabus.dataset import Material, Row

CONTENTS = 80


@pytest.fixture(scope="module")
def material() -> Material:
    """Originals alike; of seven versions one is louder, one fainter, the others as they were."""
    rng = np.random.default_rng(0)
    originals = rng.normal(-2, 0.5, (CONTENTS, 1)) + rng.normal(0, 0.3, (CONTENTS, 460))
    patches = rng.normal(0, 1, (CONTENTS, 16, 36))
    owner = np.repeat(np.arange(CONTENTS), dataset.VERSIONS)
    shift = np.tile([0, 0, 0, 0, 0, 2.0, -2.0], CONTENTS)
    names = ["none", "jpeg", "jpeg", "wobble", "wobble", "gaussian_noise", "haze"]
    groups = ["none", "compression", "compression", "geometry", "geometry", "noise", "contrast"]
    rows = [
        Row(content, f"{content}.jpg", 1.0, names[k], groups[k], (k + content % 10) / 16,
            *rng.uniform(0.5, 1, 4), 1.0)
        for content in range(CONTENTS) for k in range(dataset.VERSIONS)
    ]  # fmt: skip
    return Material(
        rows,
        originals[owner] + shift[:, None],
        patches.mean(1)[owner] + np.abs(shift[:, None]),
        np.stack([np.cov(x.T) for x in patches])[owner],
        originals,
        patches,
        rng.uniform(0.5, 1, (CONTENTS, 16)),
    )


def versions(values: np.ndarray, number: int) -> np.ndarray:
    return values[number :: dataset.VERSIONS]


def test_a_version_is_never_more_natural_than_its_original(material):
    known = nature.Nature.fitted(material)
    apart = known.distances(material)
    for name, found in apart.items():
        for number in range(dataset.VERSIONS):
            assert (versions(found, number) >= versions(found, 0) - 1e-9).all(), name


def test_lost_contrast_is_faint_and_added_contrast_earns_nothing(material):
    known = nature.Nature.fitted(material)
    faint = known.distances(material)["faintness"]
    assert (versions(faint, 6) > 1).all()
    assert np.array_equal(versions(faint, 5), versions(faint, 0))


def test_distances_of_patches_grow_with_their_shift(material):
    apart = nature.Nature.fitted(material).distances(material)["patches"]
    assert versions(apart, 5).mean() > 2 * versions(apart, 0).mean()


def test_moved_places_are_judged_by_severity_alone(material):
    judge = labels.judge(material, 0.0)
    told = labels.labels(judge, material)
    moved = [n for n, row in enumerate(material.rows) if row.name == "wobble"]
    by_severity = {}
    for n in moved:
        by_severity.setdefault(material.rows[n].severity, set()).add(round(told.opinion[n], 9))
    assert len(by_severity) > 3
    assert all(len(found) == 1 for found in by_severity.values())


def test_opinions_are_spread_evenly_from_1_to_5(material):
    told = labels.labels(labels.judge(material, 0.3), material)
    assert told.opinion.min() >= 1
    assert told.opinion.max() <= 5
    assert np.histogram(told.opinion, 4, (1, 5))[0] == pytest.approx(
        np.full(4, len(told.opinion) / 4), abs=3
    )
    assert told.soft.sum(1) == pytest.approx(1, abs=1e-6)
