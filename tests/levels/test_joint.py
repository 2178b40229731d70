"""A text for every combination, in the order that published weights expect, and sums over them."""

import json

import numpy as np
import pytest

from beholder.levels import attributes, joint


@pytest.fixture
def liqe(clip_file):
    return json.loads(clip_file("liqe/texts.json").read_text())


def test_scenes_and_distortions_are_those_of_the_authors_in_their_order(liqe, clip_file):
    assert attributes.SCENES == tuple(liqe["scenes"])
    assert attributes.DISTORTIONS == tuple(liqe["distortions"])
    labels = json.loads(clip_file("liqe/labels.json").read_text())
    assert labels["dist_map"] == attributes.DISTORTION_OF
    assert set(attributes.DISTORTION_OF.values()) == set(attributes.DISTORTIONS)


def test_marginals_of_independent_kinds_are_the_kinds():
    rng = np.random.default_rng(0)
    sizes = {"quality": 5, "scene": 9, "distortion": 11}
    parts = [rng.dirichlet(np.ones(size)) for size in sizes.values()]
    joined = np.einsum("q,s,d->qsd", *parts).ravel().tolist()
    words = {kind: [f"{kind}{i}" for i in range(size)] for kind, size in sizes.items()}
    found = joint.marginals(joined, words)
    for kind, part in zip(sizes, parts, strict=True):
        assert list(found[kind].values()) == pytest.approx(part.tolist(), abs=1e-12)


def test_a_number_of_probabilities_that_does_not_fit_the_words_is_refused():
    with pytest.raises(ValueError, match=r"size 3 .* \(2,2\)"):
        joint.marginals([0.5, 0.25, 0.25], {"a": ["x", "y"], "b": ["u", "v"]})
