"""Makes the votes of this example: eighteen drawn raters, three of them bad, thirteen pictures.

No person voted here. Each picture has a quality we made up, each rater a bias and an inconsistency;
votes are quality + bias + inconsistency · normal, rounded and kept within 1 to 5. `dora` votes at
random, `ivan` reads the scale upside down, `kim` votes low throughout; a tenth of the votes is
missing. Comparisons are drawn from the same qualities.

    python examples/study/make_votes.py
"""

import csv
from itertools import combinations
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
SEED = 20
QUALITY = {
    "terrain.jpg": 4.5,
    "terrain_blur.jpg": 2.2,
    "terrain_jpeg.jpg": 1.8,
    "clouds.jpg": 4.3,
    "clouds_banding.jpg": 2.9,
    "foliage.jpg": 4.1,
    "foliage_noise.jpg": 2.4,
    "water.jpg": 4.4,
    "water_dark.jpg": 2.0,
    "still.jpg": 4.2,
    "still_lowres.jpg": 2.1,
    "text.jpg": 3.9,
    "text_motion.jpg": 1.6,
}
RATERS = (
    *("ada", "ben", "chen", "dora", "eli", "fay", "gus", "hana", "ivan"),
    *("june", "kim", "lea", "max", "nina", "omar", "pia", "quin", "rosa"),
)
REPEATS = 3
"""How often a pair of pictures of one scene, or of two good ones, is shown to different raters."""


def main() -> None:
    """Write votes.csv, items.csv and pairs.csv beside this file."""
    random = np.random.Generator(np.random.PCG64(SEED))
    write("items.csv", ("path", "scene", "reference"), map(about, QUALITY))
    write("votes.csv", ("rater", "item", "session", "vote"), votes(random))
    write("pairs.csv", ("rater", "a", "b", "choice"), pairs(random))


def about(path):
    """Return path, scene and reference of a picture."""
    scene = path.removesuffix(".jpg").split("_")[0]
    return path, scene, f"{scene}.jpg"


def votes(random):
    """Yield rater, item, session and vote; some votes are missing."""
    for rater in RATERS:
        bias = -1.3 if rater == "kim" else random.normal(0, 0.15)
        inconsistency = random.uniform(0.35, 0.6)
        for path, quality in QUALITY.items():
            value = quality + bias + random.normal(0, inconsistency)
            if rater == "dora":
                value = random.uniform(0.5, 5.5)
            if rater == "ivan":
                value = 6 - value
            missing = random.random() < 0.1
            vote = int(np.clip(round(value), 1, 5))
            yield rater, path, 1, "" if missing else vote


def pairs(random):
    """Yield rater, a, b and the choice; every pair of pictures a few times, sides drawn."""
    for first, second in combinations(QUALITY, 2):
        for _ in range(REPEATS):
            a, b = (first, second) if random.random() < 0.5 else (second, first)
            rater = RATERS[random.integers(len(RATERS))]
            gap = QUALITY[a] - QUALITY[b] + random.normal(0, 1.2)
            choice = "tie" if abs(gap) < 0.15 else "a" if gap > 0 else "b"
            yield rater, a, b, choice


def write(name, header, rows):
    """Write one table."""
    with (HERE / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


if __name__ == "__main__":
    main()
