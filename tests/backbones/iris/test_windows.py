"""Windows lie evenly, inside the picture, and never too many."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beholder.backbones.iris import windows


@given(st.integers(1, 40_000), st.integers(1, 40_000))
def test_never_more_windows_than_allowed_and_at_least_one(height, width):
    for view in windows.views(height, width):
        rows, columns = windows.counts(height // view.factor, width // view.factor, view.most)
        assert 1 <= rows * columns <= view.most


@given(st.integers(64, 40_000), st.integers(1, 96))
def test_windows_lie_inside_on_the_block_grid(length, count):
    for start in windows.starts(length, count):
        assert 0 <= start <= length - windows.SIDE
        assert start % windows.PHASE == 0


def test_a_picture_of_whole_windows_is_covered_once():
    pixels = np.arange(128 * 192 * 3, dtype=np.uint32).astype(np.uint8).reshape(128, 192, 3)
    taken = windows.take(pixels, windows.View(1, 96))
    assert np.array_equal(taken[0], pixels[:64, :64])
    assert np.array_equal(taken[5], pixels[64:, 128:])


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (200, 3), (63, 64)])
def test_small_sides_are_mirrored(shape):
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    taken = windows.take(pixels, windows.View(1, 96))
    assert taken.shape[1:] == (64, 64, 3)
    assert set(map(tuple, taken.reshape(-1, 3))) <= set(map(tuple, pixels.reshape(-1, 3)))
