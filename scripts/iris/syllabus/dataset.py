"""Versions of contents, as statistics with what the teachers say: made once, kept in shards.

A content is a crop of 256×256 of a photograph at a random size, or a picture of our own making. It
gives an original and `VERSIONS` versions of it; two of them have the same distortion at different
severities. Every content is drawn from its own seed, so shards can be made in any order and a
broken run goes on where it stopped.
"""

import csv
import multiprocessing
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image

from beholder.backbones.iris import stem, windows
from syllabus import chains, procedural, teachers
from syllabus.chains import CHAINS, Damage
from syllabus.distortions import CATALOGUE
from syllabus.pixels import Pixels, from_bytes, luma, resized, to_bytes

SIZE: Final = 256
VERSIONS: Final = 7
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


@dataclass(frozen=True)
class Row:
    """What is known of one version besides its statistics."""

    content: int
    source: str
    """Name of the photograph, or `procedural`."""
    name: str
    group: str
    severity: float
    mdsi: float
    haarpsi: float
    ms_gmsd: float
    dss: float
    tone: float


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


def statistics(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read cells (half precision), overall numbers and summaries of all versions, in order."""
    parts = [np.load(file) for file in sorted(folder.glob("*.npz"))]
    cells, overall, summary = (
        np.concatenate([p[k] for p in parts]) for k in ("cells", "overall", "summary")
    )
    return cells, overall, summary


def summaries(folder: Path) -> Float[np.ndarray, "versions 460"]:
    """Read the summaries of all versions alone, in order; little memory is needed."""
    return np.concatenate([np.load(file)["summary"] for file in sorted(folder.glob("*.npz"))])


def originals(folder: Path) -> Float[np.ndarray, "contents 460"]:
    """Read the summaries of the untouched contents of a split, photographs only."""
    parts = [np.load(file) for file in sorted(folder.glob("*.npz"))]
    return np.concatenate([p["originals"][p["photo"]] for p in parts])


def versions_of(plan: Plan, number: int) -> list[UInt8[np.ndarray, "256 256 3"]]:
    """Make the versions of one content again, as 8-bit pixels."""
    rng = np.random.default_rng([plan.seed, number])
    _, pixels = _content(plan, number, rng)
    return [to_bytes(version) for version, _ in _versions(pixels, rng)]


def summary(cells: Float[np.ndarray, "cells 460"]) -> Float[np.ndarray, "460"]:
    """Return the mean statistics of the more active half of the cells."""
    activity = cells[:, 1:64].mean(1)
    return cells[activity >= np.median(activity)].mean(0)


def describe(pixels: Pixels) -> tuple[np.ndarray, np.ndarray]:
    """Return what iris sees of a picture."""
    cells, overall = stem.describe(windows.take(to_bytes(pixels)))
    return cells.numpy(), overall.numpy()


def _files(folder: Path, shard: int) -> tuple[Path, Path]:
    return folder / f"{shard:05d}.npz", folder / f"{shard:05d}.csv"


def _make_shard(job: tuple[Plan, Path, int]) -> None:
    plan, folder, shard = job
    made = range(shard * SHARD, min((shard + 1) * SHARD, plan.contents))
    cells, overall, summaries, untouched, photo, lines = [], [], [], [], [], []
    for number in made:
        rng = np.random.default_rng([plan.seed, number])
        source, pixels = _content(plan, number, rng)
        untouched.append(summary(describe(pixels)[0]))
        photo.append(source != "procedural")
        made_versions = list(_versions(pixels, rng))
        for version, _ in made_versions:
            seen = describe(version)
            cells.append(seen[0].astype(np.float16))
            overall.append(seen[1])
            summaries.append(summary(seen[0]))
        lines += _judged(pixels, made_versions, number, source)
    arrays, table = _files(folder, shard)
    np.savez(arrays, cells=np.stack(cells), overall=np.stack(overall), photo=np.array(photo),
             summary=np.stack(summaries), originals=np.stack(untouched))  # fmt: skip
    # the table comes last: a shard without one is not finished
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(asdict(lines[0])))
        writer.writeheader()
        writer.writerows(asdict(line) for line in lines)


def _content(plan: Plan, number: int, rng: np.random.Generator) -> tuple[str, Pixels]:
    """Return where a content is from, and its pixels."""
    if rng.random() < plan.procedural:
        return "procedural", from_bytes(to_bytes(procedural.picture(SIZE, rng)))
    path = plan.photos[number % len(plan.photos)]
    pixels = from_bytes(np.asarray(Image.open(path).convert("RGB")))
    for _ in range(4):
        crop = _crop(pixels, rng)
        if luma(crop).std() > 0.02:
            break
    return path.name, from_bytes(to_bytes(crop))


def _crop(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Return a square at a random size and place, maybe mirrored or turned."""
    height, width = pixels.shape[:2]
    smallest = min(1.0, SIZE / min(height, width) + 0.01)
    factor = rng.uniform(max(smallest, 0.4), 1.0) if rng.random() < 0.75 else 1.0
    if factor < 0.97:
        size = max(SIZE, round(height * factor)), max(SIZE, round(width * factor))
        pixels = resized(pixels, *size, Image.Resampling.LANCZOS)
    if min(pixels.shape[:2]) < SIZE:
        missing = [max(0, SIZE - n) for n in pixels.shape[:2]]
        pixels = np.pad(pixels, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="symmetric")
    top, left = (int(rng.integers(0, n - SIZE + 1)) for n in pixels.shape[:2])
    crop = pixels[top : top + SIZE, left : left + SIZE]
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    return np.ascontiguousarray(np.rot90(crop) if rng.random() < 0.2 else crop)


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
    original: Pixels, versions: list[tuple[Pixels, Damage]], number: int, source: str
) -> list[Row]:
    """Ask the teachers about the versions of a content."""
    batch = _batch([version for version, _ in versions])
    originals_ = _batch([original]).expand_as(batch)
    with torch.inference_mode():
        toned = teachers.same_tone(originals_, batch)
        says = {name: judge(originals_, toned) for name, judge in teachers.TEACHERS.items()}
        says["tone"] = teachers.tone(originals_, batch)
    return [
        Row(number, source, damage.name, damage.group, damage.severity,
            **{name: float(values[k]) for name, values in says.items()})
        for k, (_, damage) in enumerate(versions)
    ]  # fmt: skip


def _batch(pictures: list[Pixels]) -> torch.Tensor:
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()


def _row(line: dict[str, str]) -> Row:
    words = {"source", "name", "group"}
    numbers = {k: float(v) for k, v in line.items() if k not in words | {"content"}}
    return Row(int(line["content"]), line["source"], line["name"], line["group"], **numbers)
