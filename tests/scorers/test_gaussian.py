"""Distances to a Gaussian are those of scipy, whatever order the rows came in."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import mahalanobis as known

from beholder.scorers._gaussian import Moments, fit, mahalanobis, midway


@pytest.fixture(scope="module")
def rows():
    generator = torch.Generator().manual_seed(1)
    return torch.randn(40, 5, generator=generator, dtype=torch.float64) * 3 + 100


def test_mean_and_covariance_are_numpys(rows):
    found = fit(rows)
    assert np.allclose(found.mean, rows.mean(0), rtol=1e-12)
    assert np.allclose(found.covariance, np.cov(rows.numpy().T), rtol=1e-10)


@pytest.mark.parametrize("cut", [1, 7, 39])
def test_parts_put_together_are_the_whole(rows, cut):
    whole, parts = fit(rows), Moments.of(rows[:cut]).plus(Moments.of(rows[cut:])).gaussian()
    assert torch.allclose(parts.mean, whole.mean, rtol=1e-12)
    assert torch.allclose(parts.covariance, whole.covariance, rtol=1e-10)


def test_a_distance_is_that_of_scipy(rows):
    covariance = fit(rows).covariance
    found = mahalanobis(rows - 100, covariance)
    inverse = np.linalg.inv(covariance.numpy())
    expected = [known(row, np.full(5, 100.0), inverse) for row in rows.numpy()]
    assert np.allclose(found, expected, rtol=1e-9)


def test_a_set_is_at_no_distance_from_itself(rows):
    one = fit(rows)
    assert mahalanobis((one.mean - one.mean)[None], midway(one, one)).item() == 0


def test_the_ridge_is_added_after_both_covariances_are_averaged(rows):
    one, other = fit(rows), fit(rows * 2)
    plain, ridged = midway(one, other), midway(one, other, 0.5)
    assert torch.allclose(plain, (one.covariance + other.covariance) / 2)
    assert torch.allclose(ridged - plain, 0.5 * torch.eye(5, dtype=torch.float64))


def test_a_distance_by_a_covariance_of_too_few_rows_is_not_a_number():
    flat = torch.zeros(3, 3)
    assert mahalanobis(torch.ones(2, 3), flat).isnan().all()
