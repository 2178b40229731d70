"""Multivariate Gaussians of features, and how far something is from one: what NIQE began.

MDFS and GRepQ, like NIQE (Mittal, Soundararajan and Bovik 2013), describe pictures without damage
by a mean and a covariance and measure a distance to them. All of it is in double precision.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Gaussian:
    """A mean and an unbiased covariance."""

    mean: Float[Tensor, " channels"]
    covariance: Float[Tensor, "channels channels"]


@dataclass(frozen=True)
class Moments:
    """Sums over rows that were seen so far; parts are put together as Chan, Golub and LeVeque do.

    >>> rows = torch.tensor([[0.0, 1.0], [2.0, 1.0], [4.0, 4.0]])
    >>> Moments.of(rows[:1]).plus(Moments.of(rows[1:])).gaussian().covariance.tolist()
    [[4.0, 3.0], [3.0, 3.0]]
    """

    count: int
    mean: Float[Tensor, " channels"]
    scatter: Float[Tensor, "channels channels"]
    """Sum of the products of what is left after the mean is taken off."""

    @classmethod
    def of(cls, rows: Float[Tensor, "rows channels"]) -> "Moments":
        """Sum up one or more rows."""
        rows = rows.double()
        mean = rows.mean(0)
        return cls(len(rows), mean, (rows - mean).T @ (rows - mean))

    def plus(self, other: "Moments") -> "Moments":
        """Return the moments of both."""
        count = self.count + other.count
        apart = other.mean - self.mean
        return Moments(
            count,
            self.mean + apart * (other.count / count),
            self.scatter
            + other.scatter
            + torch.outer(apart, apart) * (self.count * other.count / count),
        )

    def gaussian(self) -> Gaussian:
        """Return mean and unbiased covariance; of two rows or more."""
        assert self.count > 1
        return Gaussian(self.mean, self.scatter / (self.count - 1))


def gathered(before: Moments | None, rows: Float[Tensor, "rows channels"]) -> Moments:
    """Return the moments of one or more rows and, if there are any, of those before."""
    seen = Moments.of(rows)
    return seen if before is None else before.plus(seen)


def fit(rows: Float[Tensor, "rows channels"]) -> Gaussian:
    """Return mean and unbiased covariance of two rows or more."""
    return Moments.of(rows).gaussian()


def midway(one: Gaussian, other: Gaussian, ridge: float = 0.0) -> Float[Tensor, "n n"]:
    """Return the mean of both covariances, `ridge` added on its diagonal afterwards."""
    mean = (one.covariance + other.covariance) / 2
    return mean + ridge * torch.eye(len(mean), dtype=mean.dtype)


def mahalanobis(
    differences: Float[Tensor, "rows channels"], covariance: Float[Tensor, "channels channels"]
) -> Float[Tensor, " rows"]:
    """Return the length of each difference measured in standard deviations; NaN if singular.

    >>> mahalanobis(torch.tensor([[3.0, 0.0]]), torch.tensor([[9.0, 0.0], [0.0, 1.0]])).tolist()
    [1.0]
    """
    solved, _ = torch.linalg.solve_ex(covariance.double(), differences.double().T)
    lengths = (differences * solved.T).sum(1).abs().sqrt()
    return torch.where(lengths.isfinite(), lengths, torch.nan)
