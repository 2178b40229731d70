"""The statistics are those the docstring states, whatever the picture."""

import numpy as np
import pytest
import scipy.fft
import torch

from beholder.backbones.iris import stem, windows


def picture(seed: int = 0, size: int = 64) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)


def luma(pixels: np.ndarray) -> np.ndarray:
    return pixels @ np.array([0.299, 0.587, 0.114]) / 255


def logs(plane: np.ndarray) -> np.ndarray:
    """Log-DCT of every 8×8 block at every fourth pixel, by the book."""
    rows = range(0, plane.shape[0] - 7, 4)
    blocks = [plane[y : y + 8, x : x + 8] for y in rows for x in rows]
    return np.log(np.abs(scipy.fft.dctn(blocks, axes=(1, 2), norm="ortho")) + 0.004)


def test_luma_of_a_cell_is_described_as_stated():
    pixels = picture()
    cells, _ = stem.describe(pixels[None])
    for number, (y, x) in enumerate([(0, 0), (0, 32), (32, 0), (32, 32)]):
        expected = logs(luma(pixels)[y : y + 32, x : x + 32])
        mean, deviation = cells[number, :64], cells[number, 64:128]
        assert mean.numpy() == pytest.approx(expected.mean(0).ravel(), abs=1e-4)
        assert deviation.numpy() == pytest.approx(expected.std(0).ravel(), abs=1e-3)


def test_half_size_is_shared_by_the_four_cells():
    pixels = picture()
    cells, _ = stem.describe(pixels[None])
    half = luma(pixels).reshape(32, 2, 32, 2).mean((1, 3))
    expected = logs(half).mean(0).ravel()
    for cell in cells:
        assert cell[stem.SCALE : stem.SCALE + 64].numpy() == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("value", [0, 255])
def test_flat_windows_have_finite_statistics(value):
    cells, overall = stem.describe(np.full((2, 64, 64, 3), value, np.uint8))
    assert torch.isfinite(cells).all()
    assert torch.isfinite(overall).all()


def test_blocks_of_eight_show_as_blockiness():
    blocks = picture(size=8)[:, :, :1].repeat(3, 2).repeat(8, 0).repeat(8, 1)
    smooth = picture()
    column = stem.CELL - stem.EXTRAS
    blocky, plain = (stem.describe(x[None])[0][:, column] for x in (blocks, smooth))
    assert blocky.min() > 1
    assert plain.abs().max() < 0.5


def test_more_windows_than_a_chunk_change_nothing():
    many = windows.take(picture(size=64 * 5), windows.View(1, 96))
    assert len(many) > stem.CHUNK
    cells, _ = stem.describe(many)
    alone, _ = stem.describe(many[-1:])
    assert torch.equal(cells[-4:], alone)
