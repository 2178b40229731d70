"""Versions of contents, as statistics with what the teachers say: made once, kept in shards.

A content is a crop of 320×320 of a photograph at a random size, or a picture of our own making. One
in five photographs is enlarged, so that smooth pictures, as from cameras of many megapixels, are
known as well. A content gives an original and `VERSIONS` versions of it; two of them have the same
distortion at different severities. Each is seen as iris will see it: at full and at half size.
Every content is drawn from its own seed, so shards can be made in any order and a broken run goes
on where it stopped.
"""

import csv
import multiprocessing
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from PIL import Image

from beholder.backbones.iris import stem, windows
from syllabus import chains, niqe, procedural, teachers
from syllabus.chains import CHAINS, Damage
from syllabus.distortions import CATALOGUE
from syllabus.pixels import Pixels, from_bytes, luma, resized, to_bytes

SIZE: Final = 320
VERSIONS: Final = 7
ENLARGED: Final = 0.2
"""Share of photographs that are enlarged, by up to `MOST_ENLARGED`."""
MOST_ENLARGED: Final = 2.4
PATCH: Final = 80
"""Side of the patches of NIQE, so that a content has 16."""
NATIVE, REDUCED = windows.views(SIZE, SIZE)
SHARD: Final = 16
"""Contents a shard."""


@dataclass(frozen=True)
class Plan:
    """What a split is made of."""

    name: str
    photos: tuple[Path, ...]
    contents: int
    procedural: float
    """Share of contents of our own making."""
    seed: int
    windows: int = 25
    """Windows kept of each version, of 25; drawn at random where not all are."""
    halves: int = 9
    """The same of the 9 windows at half size."""


@dataclass(frozen=True)
class Row:
    """What is known of one version besides its statistics."""

    content: int
    source: str
    """Name of the photograph, or `procedural`."""
    scale: float
    """How much the photograph was enlarged."""
    name: str
    group: str
    severity: float
    mdsi: float
    haarpsi: float
    ms_gmsd: float
    dss: float
    tone: float


@dataclass(frozen=True)
class Material:
    """What labels are made from: a split without its cells."""

    rows: list[Row]
    summary: Float[np.ndarray, "versions 460"]
    patch_mean: Float[np.ndarray, "versions 36"]
    patch_covariance: Float[np.ndarray, "versions 36 36"]
    originals: Float[np.ndarray, "contents 460"]
    """Summaries of the untouched contents."""
    patches: Float[np.ndarray, "contents 16 36"]
    sharpness: Float[np.ndarray, "contents 16"]

    @classmethod
    def read(cls, *folders: Path) -> "Material":
        """Read one split, or several one after the other."""
        arrays = {
            name: np.concatenate([column(folder, name) for folder in folders])
            for name in cls.__dataclass_fields__
            if name != "rows"
        }
        return cls([row for folder in folders for row in rows(folder)], **arrays)

    @property
    def owner(self) -> Int[np.ndarray, " versions"]:
        """Return which content each version is of."""
        return np.repeat(np.arange(len(self.originals)), VERSIONS)

    @property
    def photo(self) -> Bool[np.ndarray, " contents"]:
        """Say which contents are photographs."""
        return np.array([row.source != "procedural" for row in self.rows[::VERSIONS]])

    @property
    def scale(self) -> Float[np.ndarray, " contents"]:
        """Return how much each content was enlarged."""
        return np.array([row.scale for row in self.rows[::VERSIONS]])


def make(plan: Plan, folder: Path, workers: int) -> None:
    """Make all shards of a split that are not there yet."""
    folder = folder / plan.name
    folder.mkdir(parents=True, exist_ok=True)
    shards = range((plan.contents + SHARD - 1) // SHARD)
    missing = [(plan, folder, k) for k in shards if not _files(folder, k)[1].exists()]
    if not missing:
        return
    with multiprocessing.get_context("spawn").Pool(workers, torch.set_num_threads, (1,)) as pool:
        for done, _ in enumerate(pool.imap_unordered(_make_shard, missing), 1):
            if done % 16 == 0 or done == len(missing):
                print(f"{plan.name}: {done} of {len(missing)} shards", flush=True)


def rows(folder: Path) -> list[Row]:
    """Read what is known of all versions of a split, in order."""
    found: list[Row] = []
    for file in sorted(folder.glob("*.csv")):
        with file.open(newline="") as lines:
            found += [_row(line) for line in csv.DictReader(lines)]
    return found


def column(folder: Path, name: str) -> np.ndarray:
    """Read one array of a split, in order: `cells`, `half`, `summary`, `originals`, …"""
    files = sorted(folder.glob("*.npz"))
    parts = [np.load(file)[name] for file in (files[0], files[-1])]
    step = len(parts[0])
    whole = np.empty((step * (len(files) - 1) + len(parts[1]), *parts[0].shape[1:]), parts[0].dtype)
    for number, file in enumerate(files):
        whole[number * step : (number + 1) * step] = np.load(file)[name]
    return whole


def versions_of(plan: Plan, number: int) -> list[UInt8[np.ndarray, "320 320 3"]]:
    """Make the versions of one content again, as 8-bit pixels."""
    rng = np.random.default_rng([plan.seed, number])
    *_, pixels = _content(plan, number, rng)
    return [to_bytes(version) for version, _ in _versions(pixels, rng)]


def summary(cells: Float[np.ndarray, "cells 460"]) -> Float[np.ndarray, "460"]:
    """Return the mean statistics of the more active half of the cells."""
    activity = cells[:, 1:64].mean(1)
    return cells[activity >= np.median(activity)].mean(0)


def describe(pixels: Pixels) -> tuple[np.ndarray, np.ndarray]:
    """Return what iris sees of a picture."""
    return _described(pixels, NATIVE)


def _described(pixels: Pixels, view: windows.View) -> tuple[np.ndarray, np.ndarray]:
    cells, overall = stem.describe(windows.take(to_bytes(pixels), view))
    return cells.numpy(), overall.numpy()


def _files(folder: Path, shard: int) -> tuple[Path, Path]:
    return folder / f"{shard:05d}.npz", folder / f"{shard:05d}.csv"


def _make_shard(job: tuple[Plan, Path, int]) -> None:
    plan, folder, shard = job
    made = range(shard * SHARD, min((shard + 1) * SHARD, plan.contents))
    arrays: dict[str, list[np.ndarray]] = defaultdict(list)
    lines: list[Row] = []
    for number in made:
        rng = np.random.default_rng([plan.seed, number])
        source, scale, pixels = _content(plan, number, rng)
        arrays["originals"].append(summary(describe(pixels)[0]))
        patches, sharpness = niqe.two_scales(to_bytes(pixels), PATCH)
        arrays["patches"].append(patches.astype("f4"))
        arrays["sharpness"].append(sharpness.astype("f4"))
        versions = list(_versions(pixels, rng))
        for version, _ in versions:
            for name, array in _seen(version, plan, rng).items():
                arrays[name].append(array)
        lines += _judged(pixels, versions, (number, source, scale))
    path, table = _files(folder, shard)
    np.savez(path, **{name: np.stack(parts) for name, parts in arrays.items()})
    # the table comes last: a shard without one is not finished
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(asdict(lines[0])))
        writer.writeheader()
        writer.writerows(asdict(line) for line in lines)


def _seen(version: Pixels, plan: Plan, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return what iris sees of a version: windows kept, numbers of the whole, the summary."""
    cells, overall = describe(version)
    half, half_overall = _described(version, REDUCED)
    patches, _ = niqe.two_scales(to_bytes(version), PATCH)
    return {
        "cells": _some(cells, plan.windows, rng),
        "overall": overall,
        "half": _some(half, plan.halves, rng),
        "half_overall": half_overall,
        "summary": summary(cells),
        "patch_mean": patches.mean(0).astype("f4"),
        "patch_covariance": np.cov(patches.T).astype("f4"),
    }


def _some(cells: np.ndarray, kept: int, rng: np.random.Generator) -> np.ndarray:
    """Keep some windows, four cells each, in half precision."""
    chosen = np.sort(rng.permutation(len(cells) // 4)[:kept])
    return cells.reshape(-1, 4, cells.shape[1])[chosen].reshape(-1, cells.shape[1]).astype("f2")


def _content(plan: Plan, number: int, rng: np.random.Generator) -> tuple[str, float, Pixels]:
    """Return where a content is from, how much it was enlarged, and its pixels."""
    if rng.random() < plan.procedural:
        return "procedural", 1.0, from_bytes(to_bytes(procedural.picture(SIZE, rng)))
    path = plan.photos[number % len(plan.photos)]
    pixels = from_bytes(np.asarray(Image.open(path).convert("RGB")))
    enlarged = rng.random() < ENLARGED
    for _ in range(4):
        scale, crop = _enlarged(pixels, rng) if enlarged else _shrunk(pixels, rng)
        if luma(crop).std() > 0.02:
            break
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    crop = np.ascontiguousarray(np.rot90(crop) if rng.random() < 0.2 else crop)
    return path.name, scale, from_bytes(to_bytes(crop))


def _shrunk(pixels: Pixels, rng: np.random.Generator) -> tuple[float, Pixels]:
    """Return a square at a random place of a photograph made smaller by a random factor."""
    height, width = pixels.shape[:2]
    smallest = min(1.0, SIZE / min(height, width) + 0.01)
    factor = rng.uniform(max(smallest, 0.4), 1.0) if rng.random() < 0.75 else 1.0
    if factor < 0.97:
        size = max(SIZE, round(height * factor)), max(SIZE, round(width * factor))
        pixels = resized(pixels, *size, Image.Resampling.LANCZOS)
    if min(pixels.shape[:2]) < SIZE:
        missing = [max(0, SIZE - n) for n in pixels.shape[:2]]
        pixels = np.pad(pixels, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="symmetric")
    return factor, _square(pixels, SIZE, rng)


def _enlarged(pixels: Pixels, rng: np.random.Generator) -> tuple[float, Pixels]:
    """Return a small square of a photograph, enlarged."""
    factor = float(rng.uniform(1.1, MOST_ENLARGED))
    how = (Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)[rng.integers(2)]
    return factor, resized(_square(pixels, round(SIZE / factor), rng), SIZE, SIZE, how)


def _square(pixels: Pixels, side: int, rng: np.random.Generator) -> Pixels:
    top, left = (int(rng.integers(0, n - side + 1)) for n in pixels.shape[:2])
    return pixels[top : top + side, left : left + side]


def _versions(pixels: Pixels, rng: np.random.Generator) -> Iterator[tuple[Pixels, Damage]]:
    """Yield the versions of a content."""
    names = [str(name) for name in rng.permutation(list(CATALOGUE))[:4]]
    low = rng.uniform(0, 0.7)
    yield chains.one(pixels, names[0], low, rng)
    yield chains.one(pixels, names[0], rng.uniform(low + 0.15, 1), rng)
    yield chains.one(pixels, names[1], rng.uniform(0, 1), rng)
    yield chains.one(pixels, names[2], rng.uniform(0, 1), rng)
    yield chains.chain(pixels, str(rng.choice(list(CHAINS))), rng)
    yield (
        chains.pair(pixels, rng)
        if rng.random() < 0.5
        else chains.chain(pixels, str(rng.choice(list(CHAINS))), rng)
    )
    if rng.random() < 0.35:
        yield chains.untouched(pixels)
    else:
        yield chains.one(pixels, names[3], rng.uniform(0, 1) ** 1.5, rng)


def _judged(
    original: Pixels, versions: list[tuple[Pixels, Damage]], content: tuple[int, str, float]
) -> list[Row]:
    """Ask the teachers about the versions of a content."""
    batch = _batch([version for version, _ in versions])
    originals_ = _batch([original]).expand_as(batch)
    with torch.inference_mode():
        toned = teachers.same_tone(originals_, batch)
        says = {name: judge(originals_, toned) for name, judge in teachers.TEACHERS.items()}
        says["tone"] = teachers.tone(originals_, batch)
    return [
        Row(*content, damage.name, damage.group, damage.severity,
            **{name: float(values[k]) for name, values in says.items()})
        for k, (_, damage) in enumerate(versions)
    ]  # fmt: skip


def _batch(pictures: list[Pixels]) -> torch.Tensor:
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()


def _row(line: dict[str, str]) -> Row:
    words = {name: line.pop(name) for name in ("source", "name", "group")}
    number = int(line.pop("content"))
    return Row(number, **words, **{name: float(value) for name, value in line.items()})
