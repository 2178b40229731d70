"""Dividing a table: k-fold, repeated random splits, scenes kept together. Seeds are arguments.

A split is a pair of row numbers, (train, test), both sorted. Methods that report a median over
splits use these; a table's own `split` column is better where there is one.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Int

from beholder._counting import counted
from beholder.errors import UsageError

Codes = Int[np.ndarray, " rows"]
Split = tuple[Int[np.ndarray, " train"], Int[np.ndarray, " test"]]


def k_fold(count: int, folds: int, seed: int) -> Iterator[Split]:
    """Yield `folds` splits; every row is tested once.

    Raises:
        UsageError: when there are fewer rows than folds.

    >>> [test.tolist() for _, test in k_fold(5, 2, seed=0)]
    [[2, 3, 4], [0, 1]]
    """
    yield from k_fold_by_scene([str(row) for row in range(count)], folds, seed)


def repeated(count: int, times: int, seed: int, test_share: float = 0.2) -> Iterator[Split]:
    """Yield `times` random splits that test `test_share` of the rows; tests may overlap.

    Raises:
        UsageError: when a side would be empty.
    """
    yield from repeated_by_scene([str(row) for row in range(count)], times, seed, test_share)


def k_fold_by_scene(scenes: Sequence[str], folds: int, seed: int) -> Iterator[Split]:
    """Yield `folds` splits in which no scene is on both sides; every row is tested once.

    Raises:
        UsageError: when there are fewer scenes than folds, or a row has none.
    """
    codes, count = _codes(scenes)
    if not 2 <= folds <= count:
        raise UsageError(
            f"{count} rows or scenes cannot be divided into {folds} folds: use 2 to {count}"
        )
    order = np.random.default_rng(seed).permutation(count)
    for chosen in np.array_split(order, folds):
        yield _split(codes, chosen)


def repeated_by_scene(
    scenes: Sequence[str], times: int, seed: int, test_share: float = 0.2
) -> Iterator[Split]:
    """Yield `times` random splits that test `test_share` of the scenes, none on both sides.

    Raises:
        UsageError: when a side would be empty, or a row has no scene.
    """
    codes, count = _codes(scenes)
    size = round(count * test_share)
    if not 0 < size < count:
        raise UsageError(
            f"{test_share:g} of {count} rows or scenes leaves a side empty: take a "
            "share between 0 and 1 and more rows"
        )
    generator = np.random.default_rng(seed)
    for _ in range(times):
        yield _split(codes, generator.permutation(count)[:size])


def _codes(scenes: Sequence[str]) -> tuple[Codes, int]:
    missing = sum(not scene for scene in scenes)
    if missing:
        of = f"of {len(scenes)} rows"
        told = counted(missing, f"{of} has", f"{of} have")
        raise UsageError(f"{told} no scene: give every row one")
    names = {scene: code for code, scene in enumerate(dict.fromkeys(scenes))}
    return np.array([names[scene] for scene in scenes], dtype=np.int64), len(names)


def _split(codes: Codes, chosen: Int[np.ndarray, " chosen"]) -> Split:
    test = np.isin(codes, chosen)
    return np.flatnonzero(~test), np.flatnonzero(test)
