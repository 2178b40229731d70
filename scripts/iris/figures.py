"""Draw the figures of the card of iris: how it was taught, and pictures that it gets wrong.

    python scripts/iris/figures.py --course .work/iris/full/seed0.jsonl

All pictures are rendered here from fixed seeds, so that anyone may look at them and score them.
"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from syllabus import chains, procedural
from syllabus.pixels import from_bytes, to_bytes

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import beholder
from beholder.training import curve
from examples.scenes import render

FIGURES: Final = Path(__file__).resolve().parents[2] / "docs" / "figures"
SHOWN: Final = (300, 225)
"""Room of a picture in the sheet, in pixels; larger pictures are shrunk for it, after scoring."""
CAPTION: Final = 62
ACROSS: Final = 4


@dataclass(frozen=True)
class Case:
    """A picture, and what anyone can see in it."""

    truth: str
    pixels: Callable[[], np.ndarray]


def scene(name: str, width: int = 512, height: int = 384, seed: int = 1) -> np.ndarray:
    """Return a clean scene of the examples."""
    return render(name, width, height, seed=seed)


def damaged(name: str, how: str, severity: float) -> np.ndarray:
    """Return a scene of the examples with one distortion of the syllabus."""
    rng = np.random.default_rng(0)
    return to_bytes(chains.one(from_bytes(scene(name)), how, severity, rng)[0])


def leaves(size: int) -> np.ndarray:
    """Return leaves that hide each other, undamaged."""
    return to_bytes(procedural.leaves(size, np.random.default_rng(3)).clip(0, 1))


CASES: Final = (
    Case("undamaged, 512 px", lambda: leaves(512)),
    Case("undamaged, 256 px", lambda: leaves(256)),
    Case("undamaged", lambda: scene("clouds")),
    Case("undamaged", lambda: scene("still")),
    Case("doubled", lambda: damaged("foliage", "ghosts", 0.9)),
    Case("bent", lambda: damaged("foliage", "wobble", 0.9)),
    Case("undamaged", lambda: scene("water")),
    Case("the same with noise", lambda: damaged("water", "gaussian_noise", 0.5)),
)


def sheet(cases: tuple[Case, ...]) -> Image.Image:
    """Return all cases side by side, each with its score below."""
    rater = beholder.load("iris")
    (width, height), rows = SHOWN, -(-len(cases) // ACROSS)
    paper = Image.new("RGB", (ACROSS * width, rows * (height + CAPTION)), "white")
    draw = ImageDraw.Draw(paper)
    large, small = (ImageFont.load_default(size) for size in (19, 16))
    for number, case in enumerate(cases):
        pixels = case.pixels()
        score = rater.score(pixels)
        left, top = number % ACROSS * width, number // ACROSS * (height + CAPTION)
        picture = Image.fromarray(pixels)
        picture.thumbnail((width - 8, height - 8), Image.Resampling.LANCZOS)
        paper.paste(picture, (left + (width - picture.width) // 2, top + height - picture.height))
        told = f"{score.value:.2f} ± {score.spread:.2f}, {score.level}"
        draw.text((left + width / 2, top + height + 18), told, "black", large, anchor="mm")
        draw.text((left + width / 2, top + height + 42), case.truth, "#555", small, anchor="mm")
    return paper


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--course", type=Path, default=Path(".work/iris/full/seed0.jsonl"))
    options = parser.parse_args()
    if not options.course.exists():
        raise SystemExit(f"there is no course at {options.course}: build.py writes it")
    FIGURES.mkdir(exist_ok=True)
    sheet(CASES).save(FIGURES / "iris_wrong.jpg", quality=88)
    history = [json.loads(line) for line in options.course.read_text().splitlines()]
    last = max(line["step"] for line in history)
    drawn = curve.draw(history, last, "iris", "labels of validation contents")
    (FIGURES / "iris_course.svg").write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main()
