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


@given(st.integers(8, 5_000), st.integers(1, 96))
def test_a_mirrored_side_of_whole_blocks_has_the_same_windows_but_the_middle(blocks, count):
    starts = windows.starts(8 * blocks, count)
    mirrored = [8 * blocks - windows.SIDE - start for start in reversed(starts)]
    middle = count // 2
    for number, (one, other) in enumerate(zip(starts, mirrored, strict=True)):
        # the one in the middle may lie half a block aside
        assert abs(one - other) <= (8 if count % 2 and number == middle else 0)


def test_a_square_gets_a_square_of_windows_where_that_many_are_allowed():
    assert windows.counts(1025, 1025, 144) == (12, 12)


@given(st.integers(1, 10_000), st.integers(1, 10_000), st.integers(1, 144))
def test_a_turned_picture_has_the_same_windows(height, width, most):
    if height != width:
        turned = windows.counts(width, height, most)
        assert windows.counts(height, width, most) == turned[::-1]


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
