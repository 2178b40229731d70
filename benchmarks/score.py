"""How fast `beholder score` is, as ratios taken in one run on one machine.

    python benchmarks/score.py [--workers 2] [--quick]

Decoding alone and scoring take turns, so that a busy machine slows both. Pictures are rendered by
`scripts/examples`, written to a temporary folder, and read from disk.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

from beholder.engine.journal import Journal
from beholder.engine.rater import Rater, load
from beholder.engine.run import Run
from beholder.media.reading import read
from beholder.media.sampling import FrameRule
from beholder.media.sources import Item
from examples.scenes import render

ROUNDS = 3
SCENES = ("terrain", "clouds", "foliage", "water", "still", "text")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--quick", action="store_true", help="a tenth of the work")
    options = parser.parse_args()
    share = 10 if options.quick else 1
    print(
        f"{options.workers} workers, torch {torch.__version__}, {torch.get_num_threads()} threads"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        startup(folder)
        rater = load("iris", device="cpu")
        large(rater, folder, options.workers, 100 // share)
        small(rater, folder, options.workers, 600 // share)
        memory(rater, folder, options.workers, 2000 // share)


def startup(folder: Path) -> None:
    """One picture end to end, against importing torch."""
    picture = copies(folder / "one", ["still"], (512, 384), 1)[0]
    command = [sys.executable, "-m", "beholder", "score", picture.file]
    importing = [sys.executable, "-c", "import torch"]
    ends, imports = [], []
    for _ in range(ROUNDS):
        ends.append(seconds(lambda: subprocess.run(command, check=True, capture_output=True)))
        imports.append(seconds(lambda: subprocess.run(importing, check=True)))
    print(
        f"one picture, end to end: {min(ends):.2f} s, of which importing torch {min(imports):.2f} s"
        f" (difference {min(ends) - min(imports):+.2f} s; reach: at most +1 s)"
    )


def large(rater: Rater, folder: Path, workers: int, count: int) -> None:
    """A 12-megapixel JPEG many times, against decoding alone with the same library and threads."""
    items = copies(folder / "large", ["terrain"], (4000, 3000), count)
    ratios, rates = [], []
    for _ in range(ROUNDS):
        decode = count / seconds(lambda: decode_all(items, workers))
        score = count / seconds(lambda: score_all(rater, items, workers))
        ratios.append(score / decode)
        rates.append((score, decode))
    score, decode = rates[ratios.index(median(ratios))]
    print(
        f"4000×3000 JPEG: {score:.1f} scored a second, {decode:.1f} decoded a second,"
        f" ratio {median(ratios):.2f} (reach: at least 0.60; rounds {rounded(ratios)})"
    )


def small(rater: Rater, folder: Path, workers: int, count: int) -> None:
    """Small pictures a second, from disk to row."""
    items = copies(folder / "small", SCENES, (512, 384), count)
    rates = [count / seconds(lambda: score_all(rater, items, workers)) for _ in range(ROUNDS)]
    print(f"512×384 JPEG: {max(rates):.0f} scored a second (rounds {rounded(rates)})")


def memory(rater: Rater, folder: Path, workers: int, count: int) -> None:
    """Resident memory over a long run."""
    items = copies(folder / "many", SCENES, (512, 384), count)
    sizes = []
    score_all(rater, items, workers, lambda done: sizes.append(resident()) if done % 50 == 0 else 0)
    early, late = max(sizes[: max(1, len(sizes) // 20)]), max(sizes[-5:])
    print(f"memory: {early:.0f} MiB after {count // 20} pictures, {late:.0f} MiB after {count}")


def copies(folder: Path, scenes: Iterable[str], size: tuple[int, int], count: int) -> list[Item]:
    """Write one picture a scene and `count` links to them, so that each is a file of its own."""
    folder.mkdir()
    originals = []
    for scene in scenes:
        path = folder / f"{scene}.jpg"
        Image.fromarray(render(scene, *size, seed=1)).save(path, quality=90)
        originals.append(path)
    items = []
    for number in range(count):
        link = folder / f"link-{number:05d}.jpg"
        os.link(originals[number % len(originals)], link)
        items.append(Item.of(str(link)))
    return items


def decode_all(items: Iterable[Item], workers: int) -> None:
    rule = FrameRule(1)
    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(lambda item: read(item.file, rule).width, items):
            pass


def score_all(
    rater: Rater, items: Iterable[Item], workers: int, step: Callable[[int], object] = bool
) -> None:
    with Journal(None) as journal:
        for done, due in enumerate(Run(rater, journal, ["quality"], 8, workers).rows(items), 1):
            assert not due.row["error"], due.row["error"]
            step(done)


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def resident() -> float:
    """Resident memory of this process in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def rounded(values: Iterable[float]) -> str:
    return ", ".join(f"{value:.2f}" for value in values)


if __name__ == "__main__":
    main()
