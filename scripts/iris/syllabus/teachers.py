"""Full-reference measures that stand in for people: how far is a version from its original?

Each takes batches of originals and versions, RGB in 0..1, and returns one number a pair, higher
is better. Written from the papers:

- MDSI: Nafchi et al., Mean Deviation Similarity Index, IEEE Access 2016 (arXiv 1608.07433).
- HaarPSI: Reisenhofer et al., A Haar Wavelet-Based Perceptual Similarity Index, 2018
  (arXiv 1607.06140).
- MS-GMSD: Zhang, Sander, Bouter, ICASSP 2017, its luma part; GMSD itself: Xue et al. 2014
  (arXiv 1308.3052).
- DSS: Balanov et al., Image Quality Assessment Based on DCT Subband Similarity, ICIP 2015.
- tone: ours, see `tone`.
"""

import math
from collections.abc import Callable
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

Batch = Float[Tensor, "n 3 height width"]
Plane = Float[Tensor, "n height width"]
Values = Float[Tensor, " n"]


def mdsi(original: Batch, version: Batch) -> Values:
    """Return 1 - MDSI."""
    r, d = original * 255, version * 255
    fused = (r + d) / 2
    g_r, g_d, g_f = (_gradient(_mix(x, (0.2989, 0.587, 0.114))) for x in (r, d, fused))
    similar = _similarity(g_r, g_d, 140) + _similarity(g_d, g_f, 55) - _similarity(g_r, g_f, 55)
    h_r, h_d = (_mix(x, (0.30, 0.04, -0.35)) for x in (r, d))
    m_r, m_d = (_mix(x, (0.34, -0.60, 0.17)) for x in (r, d))
    top = 2 * (h_r * h_d + m_r * m_d) + 550
    chroma = top / (h_r**2 + h_d**2 + m_r**2 + m_d**2 + 550)
    both = (0.6 * similar + 0.4 * chroma).clamp(min=0).sqrt().sqrt()
    deviation = (both - both.mean((1, 2), keepdim=True)).abs().mean((1, 2))
    return 1 - deviation.clamp(min=0).sqrt().sqrt()


def haarpsi(original: Batch, version: Batch) -> Values:
    """Return HaarPSI with C = 30 and alpha = 4.2."""
    planes_r, planes_d = (F.avg_pool2d(_yiq(x * 255), 2) for x in (original, version))
    similar, weights = [], []
    for turn in (False, True):
        r, d = (p[:, 0].transpose(1, 2) if turn else p[:, 0] for p in (planes_r, planes_d))
        pairs = [(_haar(r, 2**j), _haar(d, 2**j)) for j in (1, 2, 3)]
        map_ = sum(_similarity(a, b, 30) for a, b in pairs[:2]) / 2
        weight = torch.maximum(*pairs[2])
        similar.append(map_.transpose(1, 2) if turn else map_)
        weights.append(weight.transpose(1, 2) if turn else weight)
    chroma = [_box(x, 2).abs() for x in (planes_r[:, 1:], planes_d[:, 1:])]
    similar.append(_similarity(*chroma, 30).mean(1))
    weights.append((weights[0] + weights[1]) / 2)
    maps, weight = torch.stack(similar, 1), torch.stack(weights, 1)
    mean = (torch.sigmoid(4.2 * maps) * weight).sum((1, 2, 3)) / (weight.sum((1, 2, 3)) + 1e-9)
    # a picture without any detail has no weight at all: nothing was lost
    mean = torch.where(weight.sum((1, 2, 3)) > 1e-6, mean, torch.sigmoid(torch.tensor(4.2)))
    return (torch.logit(mean.clamp(0.5, 0.99)) / 4.2) ** 2


def ms_gmsd(original: Batch, version: Batch) -> Values:
    """Return 1 - MS-GMSD of luma, four scales."""
    r, d = (_mix(x * 255, (0.299, 0.587, 0.114)) for x in (original, version))
    total = torch.zeros(len(r))
    for weight in (0.096, 0.596, 0.289, 0.019):
        r, d = (F.avg_pool2d(x[:, None], 2)[:, 0] for x in (r, d))
        similar = _similarity(_gradient(r), _gradient(d), 170)
        total += weight * similar.var((1, 2), correction=0)
    return 1 - total.sqrt()


def dss(original: Batch, version: Batch) -> Values:
    """Return DSS: similarity of the variances of DCT subbands, worst twentieth of each."""
    subbands_r, subbands_d = (
        _dct(_mix(x * 255, (0.299, 0.587, 0.114))) for x in (original, version)
    )
    frequency = torch.arange(8.0)
    weights = torch.exp(-(frequency[:, None] ** 2 + frequency**2) / (2 * 1.55**2)).flatten()
    total = torch.zeros(len(original))
    chosen = weights > 1e-2 * weights.max()
    for number in chosen.nonzero().flatten().tolist():
        map_ = _subband(subbands_r[:, number], subbands_d[:, number], constant=number == 0)
        worst = map_.flatten(1).sort(1).values[:, : max(1, math.ceil(0.05 * map_[0].numel()))]
        total += weights[number] / weights[chosen].sum() * worst.mean(1)
    return total


def tone(original: Batch, version: Batch) -> Values:
    """Return how well lightness, contrast and colour were kept: exp of minus a sum of offences.

    Ours, from what is known of people, not fitted to any data: an offence of 1 is a change of mean
    lightness by 40 of CIELAB's 100, of contrast to less than half, of colour by 35, of saturation
    to a quarter; growth of clipped areas by half. More contrast or saturation offends less than
    less. Measured on averages of 8×8 pixels.
    """
    lab_r, lab_d = (_lab(F.avg_pool2d(x, 8)) for x in (original, version))
    mean_r, mean_d = lab_r.mean((2, 3)), lab_d.mean((2, 3))
    contrast = torch.log2((lab_r[:, 0].std((1, 2)) + 3) / (lab_d[:, 0].std((1, 2)) + 3))
    colour_r, colour_d = (x[:, 1:].norm(dim=1).mean((1, 2)) for x in (lab_r, lab_d))
    saturation = torch.log2((colour_r + 4) / (colour_d + 4))
    cast = (lab_r - lab_d)[:, 1:].mean((2, 3)).norm(dim=1)
    offence = (
        ((mean_r - mean_d)[:, 0].abs() / 40) ** 1.2
        + _lopsided(contrast, less=1.0, more=0.4)
        + _lopsided(saturation, less=0.4, more=0.3)
        + (cast / 35) ** 1.2
        + 2 * (_clipped(version) - _clipped(original)).clamp(min=0)
    )
    return torch.exp(-offence)


TEACHERS: Final[dict[str, Callable[[Batch, Batch], Values]]] = {
    "mdsi": mdsi,
    "haarpsi": haarpsi,
    "ms_gmsd": ms_gmsd,
    "dss": dss,
}
"""The judges of structure."""


def same_tone(original: Batch, version: Batch) -> Batch:
    """Return the version with luma and chroma moved to the mean and deviation of the original.

    Full-reference measures misjudge pure changes of brightness and contrast; structure is judged
    on this, and `tone` judges the rest. Gains stay between 1/3 and 3.
    """
    yiq_r, yiq_d = _yiq(original), _yiq(version)
    mean_r, mean_d = (x.mean((2, 3), keepdim=True) for x in (yiq_r, yiq_d))
    low_r, low_d = (F.avg_pool2d(x, 4) for x in (yiq_r, yiq_d))
    gain = low_r.std((2, 3), keepdim=True) / (low_d.std((2, 3), keepdim=True) + 1e-3)
    moved = (yiq_d - mean_d) * gain.clamp(1 / 3, 3) + mean_r
    inverse = torch.linalg.inv(_YIQ)
    return torch.einsum("ij,njhw->nihw", inverse, moved).clamp(0, 1)


_YIQ: Final = torch.tensor([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])


def _mix(x: Batch, weights: tuple[float, float, float]) -> Plane:
    return x[:, 0] * weights[0] + x[:, 1] * weights[1] + x[:, 2] * weights[2]


def _yiq(x: Batch) -> Batch:
    return torch.stack([_mix(x, tuple(row)) for row in _YIQ.tolist()], 1)  # type: ignore[arg-type]


def _similarity(a: Tensor, b: Tensor, constant: float) -> Tensor:
    return (2 * a * b + constant) / (a * a + b * b + constant)


def _gradient(x: Plane) -> Plane:
    """Return the Prewitt gradient magnitude, a third of the sums; the edge is mirrored."""
    p = F.pad(x[:, None], (1, 1, 1, 1), mode="replicate")[:, 0]
    rows = p[:, :-2] + p[:, 1:-1] + p[:, 2:]
    columns = p[:, :, :-2] + p[:, :, 1:-1] + p[:, :, 2:]
    across, down = rows[:, :, 2:] - rows[:, :, :-2], columns[:, 2:] - columns[:, :-2]
    return torch.hypot(across / 3, down / 3)


def _box(x: Tensor, side: int) -> Tensor:
    """Return the mean over squares, same size, the edge repeated."""
    before, after = (side - 1) // 2, side // 2
    flat = x.flatten(0, -3)[:, None]
    pooled = F.avg_pool2d(F.pad(flat, (before, after, before, after), mode="replicate"), side, 1)
    return pooled[:, 0].view(x.shape)


def _haar(x: Plane, side: int) -> Plane:
    """Return |Haar coefficient| at one scale: upper half minus lower half of a square."""
    half = side // 2
    p = F.pad(x[:, None], (half - 1, half, half - 1, half), mode="replicate")[:, 0]
    sums = F.avg_pool2d(p[:, None], (half, side), 1)[:, 0]
    return (sums[:, :-half] - sums[:, half:]).abs() * (side / 2)


def _dct(x: Plane) -> Float[Tensor, "n 64 rows columns"]:
    """Return the coefficients of non-overlapping 8×8 blocks, one plane each."""
    n = torch.arange(8.0)
    matrix = torch.cos((2 * n + 1) * n[:, None] * math.pi / 16) / 2
    matrix[0] /= math.sqrt(2)
    blocks = x.unfold(1, 8, 8).unfold(2, 8, 8)
    return torch.einsum("ui,nyxij,vj->nuvyx", matrix, blocks, matrix).flatten(1, 2)


def _subband(r: Plane, d: Plane, *, constant: bool) -> Plane:
    """Return the similarity map of one subband; the constant one also asks for correlation."""
    c = 1000.0 if constant else 300.0
    mean_r, mean_d = _soft(r), _soft(d)
    var_r = (_soft(r * r) - mean_r**2).clamp(min=0)
    var_d = (_soft(d * d) - mean_d**2).clamp(min=0)
    root = (var_r * var_d).sqrt()
    similar = (2 * root + c) / (var_r + var_d + c)
    if not constant:
        return similar
    return similar * (_soft(r * d) - mean_r * mean_d + c) / (root + c)


def _soft(x: Plane) -> Plane:
    """Return a 3×3 Gaussian mean of deviation 1.5."""
    side = math.exp(-1 / (2 * 1.5**2))
    line = torch.tensor([side, 1.0, side]) / (1 + 2 * side)
    kernel = (line[:, None] * line)[None, None]
    return F.conv2d(F.pad(x[:, None], (1, 1, 1, 1), mode="replicate"), kernel)[:, 0]


def _lab(x: Batch) -> Batch:
    """Return CIELAB of sRGB, white point D65."""
    linear = torch.where(x <= 0.04045, x / 12.92, ((x.clamp(min=0) + 0.055) / 1.055) ** 2.4)
    matrix = torch.tensor(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    xyz = torch.einsum("ij,njhw->nihw", matrix, linear)
    xyz = xyz / matrix.sum(1)[:, None, None]
    f = torch.where(xyz > 0.008856, xyz.clamp(min=1e-6) ** (1 / 3), 7.787 * xyz + 16 / 116)
    return torch.stack(
        [116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], 1
    )


def _lopsided(logarithm: Values, less: float, more: float) -> Values:
    """Weigh a ratio's logarithm: positive when something was lost."""
    lost, gained = logarithm.clamp(min=0), (-logarithm).clamp(min=0)
    return less * lost**1.2 + more * (gained - 0.2).clamp(min=0) ** 1.2


def _clipped(x: Batch) -> Values:
    """Return the share of pixels that are white or black in every colour."""
    white, black = (x > 0.985).all(1), (x < 0.015).all(1)
    return (white | black).float().mean((1, 2))
