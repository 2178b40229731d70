"""Dividing a table: every row is tested, seeds decide, scenes stay together."""

import numpy as np
import pytest

from beholder.datasets.splits import k_fold, k_fold_by_scene, repeated, repeated_by_scene
from beholder.errors import UsageError

SCENES = [f"s{row // 5}" for row in range(50)]


def test_k_fold_tests_every_row_once():
    tests = [test for _, test in k_fold(23, 5, seed=1)]
    assert sorted(np.concatenate(tests).tolist()) == list(range(23))
    for train, test in k_fold(23, 5, seed=1):
        assert sorted([*train.tolist(), *test.tolist()]) == list(range(23))


def test_a_seed_gives_the_same_splits_and_another_gives_others():
    a, b, c = ([test.tolist() for _, test in repeated(100, 3, seed=seed)] for seed in (7, 7, 8))
    assert a == b != c
    assert [len(test) for test in a] == [20, 20, 20]
    assert a[0] != a[1]


def test_no_scene_is_on_both_sides():
    splits = [*k_fold_by_scene(SCENES, 3, seed=0), *repeated_by_scene(SCENES, 4, seed=0)]
    assert len(splits) == 7
    for train, test in splits:
        assert test.size
        assert not {SCENES[row] for row in train} & {SCENES[row] for row in test}


@pytest.mark.parametrize(
    ("call", "part"),
    [
        (lambda: k_fold(3, 5, seed=0), "3 rows or scenes cannot be divided into 5"),
        (lambda: k_fold(3, 1, seed=0), "into 1 folds"),
        (lambda: repeated(2, 1, seed=0), "leaves a side empty"),
        (lambda: repeated_by_scene(["a", "", "b"], 1, seed=0), "1 of 3 rows has no scene"),
    ],
)
def test_what_cannot_be_divided_is_refused(call, part):
    with pytest.raises(UsageError, match=part):
        list(call())
