"""iris beside classical measures on pictures rated by people: measured, never tuned on.

    python benchmarks/iris_people.py --data ../shared/data [--weights FILE] [--out FILE.json]

Prints one line a set: Spearman rank correlation with a 95 % interval (pictures resampled; for sr4k
within scenes) of iris as it is and with all windows, NIQE refitted on `pristine/`, BRISQUE's
features with kernel ridge regression on our synthetic labels, and Laplacian sharpness.
"""

import argparse
import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts" / "iris"))

from iris_baselines import Ridge, laplacian, whole
from syllabus import dataset, evaluation, labels, photos
from syllabus.ladders import scores
from syllabus.niqe import Niqe

from beholder.backbones import iris

TAUGHT = 200
"""Contents, 7 versions each, that BRISQUE's regression learns from."""


def main() -> None:
    options = _options()
    torch.set_num_threads(1)
    usual, whole_look = (iris.load(options.weights, windows=w) for w in ("some", "all"))
    niqe = Niqe.fitted([pixels(p) for p in sorted((options.data / "pristine").glob("*.jpg"))])
    brisque = taught(options.data, options.work)
    measures: dict[str, Callable[[np.ndarray], float]] = {
        "iris": lambda x: float(scores(usual, [x])[0]),
        "iris, all windows": lambda x: float(scores(whole_look, [x])[0]),
        "NIQE": niqe.score,
        "BRISQUE": lambda x: float(brisque.score(whole(x)[None])[0]),
        "Laplacian": laplacian,
    }
    report = {}
    for name in ("sr4k", "pcuid"):
        report[name] = compared(options.data / "human" / name, measures)
        print(name, json.dumps(report[name], indent=1), flush=True)
    if options.out:
        options.out.write_text(json.dumps(report, indent=1))


def compared(
    folder: Path, measures: dict[str, Callable[[np.ndarray], float]]
) -> dict[str, dict[str, object]]:
    """Return the correlation of every measure on one set, and by scene where there are scenes."""
    with (folder / "scores.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    opinion = np.array([float(row["mos"]) for row in rows])
    values = {name: [] for name in measures}
    for row in rows:
        x = pixels(folder / row["path"])
        for name, measure in measures.items():
            values[name].append(measure(x))
    scene = np.array([row.get("scene", "") for row in rows])
    found: dict[str, dict[str, object]] = {}
    for name, given in values.items():
        value = np.array(given)
        whole_set = evaluation.correlation(value, opinion, np.arange(len(value)), 2000)
        found[name] = {"srcc": str(whole_set)}
        if len(set(scene)) > 1:
            found[name]["scenes"] = {
                str(s): round(evaluation.spearman(value[scene == s], opinion[scene == s]), 3)
                for s in np.unique(scene)
            }
    return found


def taught(data: Path, work: Path) -> Ridge:
    """Fit BRISQUE's regression to labelled versions, made again from their seeds."""
    material = dataset.Material.read(work / "train")
    opinion = labels.labels(labels.judge(material, 0.3), material).opinion
    plan = dataset.Plan("train", photos.split(data).train, 0, 0.22, seed=11)
    count = min(TAUGHT, len(opinion) // dataset.VERSIONS)
    x = [whole(version) for k in range(count) for version in dataset.versions_of(plan, k)]
    return Ridge.fitted(np.stack(x), opinion[: len(x)])


def pixels(path: Path) -> np.ndarray:
    """Return 8-bit RGB."""
    return np.asarray(Image.open(path).convert("RGB"))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--work", type=Path, default=Path(".work/iris/full"))
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
