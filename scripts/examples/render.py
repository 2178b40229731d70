"""Render the pictures and clips of `examples/`: `python scripts/examples/render.py`."""

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from examples import clips
from examples.degrade import DEFECTS
from examples.scenes import SCENES, render

__all__ = ["CLIPS", "DEFECTS", "PICTURES", "SCENES", "render"]

QUALITY = 92


@dataclass(frozen=True)
class Picture:
    """One good picture, and the defects it is also shown with."""

    scene: str
    seed: int
    width: int
    height: int
    defects: tuple[str, ...]


@dataclass(frozen=True)
class Clip:
    """One clip, and the frame from which on it is spoilt."""

    name: str
    scene: str
    seed: int
    frames: int
    spoilt_from: int


PICTURES = (
    Picture("terrain", 19, 1200, 800, ("blur", "jpeg")),
    Picture("clouds", 9, 1200, 750, ("banding",)),
    Picture("foliage", 1, 1024, 768, ("noise",)),
    Picture("water", 3, 1200, 800, ("dark",)),
    Picture("still", 8, 1024, 768, ("lowres",)),
    Picture("text", 1, 800, 1066, ("motion",)),
)
CLIPS = (
    Clip("terrain_flight.mp4", "terrain", 19, 96, 96),
    Clip("water_worsening.mp4", "water", 3, 96, 48),
)


def save_pictures(plan: Picture, out: Path, scale: float, only: str) -> None:
    """Write one scene's good picture and its degraded ones."""
    names = {"": f"{plan.scene}.jpg"} | {d: f"{plan.scene}_{d}.jpg" for d in plan.defects}
    wanted = {defect: name for defect, name in names.items() if only in name}
    if not wanted:
        return
    size = round(plan.width * scale), round(plan.height * scale)
    good = render(plan.scene, *size, plan.seed, samples=2)
    for defect, name in wanted.items():
        picture = DEFECTS[defect](good, plan.seed) if defect else good
        Image.fromarray(picture).save(out / name, quality=QUALITY, optimize=True)


def save_clip(plan: Clip, out: Path, scale: float) -> None:
    """Write one clip."""
    size = round(640 * scale) // 2 * 2, round(360 * scale) // 2 * 2
    frames = clips.frames(plan.scene, plan.seed, size, plan.frames)
    clips.write(out / plan.name, clips.spoil(frames, plan.spoilt_from), size, crf=24)


def main() -> None:
    """Render everything, or what `--only` names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("examples"))
    parser.add_argument("--size", type=float, default=1.0, help="factor on every width and height")
    parser.add_argument("--only", default="", help="part of the names of the files to render")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    for picture in PICTURES:
        save_pictures(picture, options.out, options.size, options.only)
    for clip in CLIPS:
        if options.only in clip.name:
            save_clip(clip, options.out, options.size)
    print(f"rendered into {options.out} in {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
