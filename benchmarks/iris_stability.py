"""How far iris moves when a picture hardly changes.

    python benchmarks/iris_stability.py --data ../shared/data [--weights FILE]

Test photographs of `clean/`: saved again as JPEG at quality 95, turned by 90°, mirrored, and
shrunk to half. Pictures of more than 2 megapixels: all windows against those that are sampled
(`human/sr4k`, no opinion is read), and rendered scenes of 4000×3000 against their half.
Prints median and 95th percentile of the absolute difference on the 1-5 scale.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts" / "iris"))

from syllabus import evaluation, photos, procedural
from syllabus.ladders import scores
from syllabus.pixels import coded, from_bytes, to_bytes

from beholder.backbones import iris
from beholder.backbones.iris import model, windows
from beholder.levels.scale import LEVELS
from beholder.prompts import IMAGE_QUALITY


def main() -> None:
    options = _options()
    torch.set_num_threads(1)
    backbone = iris.load(options.weights)
    chosen = photos.split(options.data).test
    changes: dict[str, list[float]] = {}
    for path in chosen:
        for name, change in changed(np.asarray(Image.open(path).convert("RGB"))):
            before, after = scores(backbone, change)
            changes.setdefault(name, []).append(after - before)
    for path in sorted((options.data / "human" / "sr4k").glob("*.jpg"))[:: options.every]:
        pixels = np.asarray(Image.open(path).convert("RGB"))
        changes.setdefault("sampled cells", []).append(sampled(backbone, pixels))
    for number in range(options.scenes):
        large = scene(number)
        before, after = scores(backbone, [large, half(large)])
        changes.setdefault("4000×3000 to 2000×1500", []).append(after - before)
    for name, values in changes.items():
        apart = np.abs(values)
        print(
            f"{name}: median {np.median(apart):.3f}, 95th percentile "
            f"{np.percentile(apart, 95):.3f}, mean change {np.mean(values):+.3f}, n {len(values)}"
        )


def changed(pixels: np.ndarray) -> Iterator[tuple[str, list[np.ndarray]]]:
    """Yield a picture beside each of its changed versions."""
    again = to_bytes(coded(from_bytes(pixels), "JPEG", quality=95, subsampling=0))
    yield "JPEG at quality 95", [pixels, again]
    yield "turned by 90°", [pixels, np.rot90(pixels)]
    yield "mirrored", [pixels, pixels[:, ::-1]]
    yield "832 px to 416 px", [pixels, half(pixels)]


def half(pixels: np.ndarray) -> np.ndarray:
    """Return the picture at half size."""
    picture = Image.fromarray(pixels)
    size = picture.width // 2, picture.height // 2
    return np.asarray(picture.resize(size, Image.Resampling.LANCZOS))


def sampled(backbone: iris.Iris, pixels: np.ndarray) -> float:
    """Return the score of sampled windows minus that of all windows."""
    examples = [
        model.look(pixels, windows.views(*pixels.shape[:2], every=every)) for every in (True, False)
    ]
    logits = backbone.logits(examples, IMAGE_QUALITY, LEVELS).double().numpy()
    full, some = evaluation.moments(logits, 1.0)[0]
    return float(some - full)


def scene(number: int) -> np.ndarray:
    """Render a scene of 4000×3000 pixels."""
    rng = np.random.default_rng([7, number])
    make = (procedural.terrain, procedural.leaves, procedural.clouds)[number % 3]
    return to_bytes(make(4000, rng)[:3000].clip(0, 1))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--scenes", type=int, default=30)
    parser.add_argument("--every", type=int, default=2, help="take every n-th large picture")
    return parser.parse_args()


if __name__ == "__main__":
    main()
