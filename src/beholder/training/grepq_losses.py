"""What both paths of GRepQ are taught by: contrasts that know how alike two pictures are.

The lower path draws together versions of one picture by their similarity to each other; the higher
one draws together pictures that CLIP calls good, and those it calls bad, and holds both groups
apart (arXiv 2312.04838). Neither needs an opinion.
"""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


def quality_aware(
    one: Float[Tensor, "scenes versions features"],
    other: Float[Tensor, "scenes versions features"],
    similarity: Float[Tensor, "scenes versions versions"],
    temperature: float = 0.1,
) -> Float[Tensor, ""]:
    """Return the loss of two views of all versions of each scene.

    `similarity` of every two versions is from 0 to 1, as FSIM gives it. It is the mean of minus the
    logarithm of what the alike have of all, over the versions of the one view and of the other.
    """
    cosines = functional.normalize(one, dim=-1) @ functional.normalize(other, dim=-1).mT
    near = (cosines / temperature).exp()
    alike = (2 - 2 / (1 + similarity**2)) * near
    rows, columns = (near.sum(axis) / alike.sum(axis) for axis in (-1, -2))
    return rows.log().mean() + columns.log().mean()


def groups(
    good: Float[Tensor, "pictures features"],
    bad: Float[Tensor, "pictures features"],
    temperature: float = 0.5,
) -> Float[Tensor, ""]:
    """Return the loss of two groups of pictures, two or more in each.

    A picture is drawn to the mean of its group, itself left out, and pushed from all of the other.
    """
    one, other = functional.normalize(good, dim=-1), functional.normalize(bad, dim=-1)
    apart = (one @ other.T / temperature).exp()
    return (_pulled(one, apart, temperature) + _pulled(other, apart.T, temperature)) / 2


def _pulled(
    group: Float[Tensor, "pictures features"],
    apart: Float[Tensor, "pictures others"],
    temperature: float,
) -> Float[Tensor, ""]:
    alike = group @ group.T
    within = (alike.sum(1) - alike.diagonal()) / (len(group) - 1)
    near = (within / temperature).exp()
    return (1 + apart.sum(1) / near).log().mean()
