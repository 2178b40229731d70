"""Cheap ablations: what do kinds of statistics, contents and labels bring to a small network?

    python scripts/iris/ablate.py --work .work/iris/full

The full model takes half an hour a seed on two cores; here a two-layer network learns the same
labels from the mean and deviation of a picture's cells in seconds, so every variant gets several
seeds. Differences carry over to iris in direction, not in size.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from syllabus import dataset, evaluation, labels
from syllabus.labels import Labels
from torch import Tensor, nn

from beholder.backbones.iris import stem


@dataclass(frozen=True)
class Part:
    """A split, reduced to one row a picture."""

    rows: list[dataset.Row]
    x: Tensor
    labels: Labels


def main() -> None:
    options = _options()
    torch.set_num_threads(1)
    parts = {blend: read(options.work, blend) for blend in (0.0, 0.3)}
    usual = parts[0.3]
    photo = torch.from_numpy(labels.is_photo(usual["train"].rows))
    everything = torch.ones(usual["train"].x.shape[1], dtype=torch.bool)
    compare("all", usual, everything, options.seeds)
    for name, kept in columns().items():
        compare(name, usual, kept, options.seeds)
    compare("photographs only", usual, everything, options.seeds, rows=photo)
    for share in (0.25, 0.5):
        some = torch.arange(len(photo)) < share * len(photo)
        compare(f"{share:.0%} of the contents", usual, everything, options.seeds, rows=some)
    compare("no naturalness in the label", parts[0.0], everything, options.seeds)


def compare(
    name: str,
    parts: dict[str, Part],
    kept: Tensor,
    seeds: int,
    rows: Tensor | None = None,
) -> None:
    """Print mean and range over seeds of the correlation with the label on two splits."""
    found: dict[str, list[float]] = {"test": [], "foreign": []}
    for seed in range(seeds):
        score = fitted(parts["train"], kept, rows, seed)
        for split, values in found.items():
            part = parts[split]
            values.append(evaluation.spearman(score(part.x[:, kept]), part.labels.opinion))
    line = ", ".join(
        f"{split} {np.mean(v):.3f} ({min(v):.3f} to {max(v):.3f})" for split, v in found.items()
    )
    print(f"{name}: {line}", flush=True)


def fitted(
    part: Part, kept: Tensor, rows: Tensor | None, seed: int
) -> Callable[[Tensor], np.ndarray]:
    """Fit a two-layer network to the soft labels."""
    torch.manual_seed(seed)
    x, soft = part.x[:, kept], torch.from_numpy(part.labels.soft)
    if rows is not None:
        x, soft = x[rows], soft[rows]
    middle, width = x.mean(0), x.std(0) + 0.02
    model = nn.Sequential(nn.Linear(x.shape[1], 256), nn.GELU(), nn.Dropout(0.2), nn.Linear(256, 5))
    optimiser = torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=0.05)
    for _ in range(12):
        for chosen in torch.randperm(len(x)).split(128):
            given = ((x[chosen] - middle) / width).clamp(-6, 6)
            loss = -(soft[chosen] * model(given).log_softmax(1)).sum(1).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    model.eval()

    def score(y: Tensor) -> np.ndarray:
        with torch.inference_mode():
            p = model(((y - middle) / width).clamp(-6, 6)).softmax(1)
        return (p @ torch.arange(5.0, 0, -1)).numpy()

    return score


def columns() -> dict[str, Tensor]:
    """Return variants that leave out some statistics."""
    index = torch.arange(stem.CELL)
    half = (index >= stem.SCALE) & (index < 2 * stem.SCALE)
    quarter = (index >= 2 * stem.SCALE) & (index < 2 * stem.SCALE + 64)
    extras = index >= stem.CELL - stem.EXTRAS
    within = index % stem.SCALE
    chroma = (within >= 128) & (index < 2 * stem.SCALE)
    deviation = ((within >= 64) & (within < 128) & (index < 2 * stem.SCALE)) | (
        chroma & ((within - 128) % 32 >= 16)
    )
    cell = {
        "without half size": ~half,
        "without quarter size": ~quarter,
        "without extras": ~extras,
        "without chroma": ~chroma,
        "without deviations": ~deviation,
    }
    overall = torch.ones(stem.OVERALL, dtype=torch.bool)
    found = {name: torch.cat([kept, kept, overall]) for name, kept in cell.items()}
    whole = torch.ones(2 * stem.CELL + stem.OVERALL, dtype=torch.bool)
    found["without overall numbers"] = whole.clone()
    found["without overall numbers"][-stem.OVERALL :] = False
    found["without spread over cells"] = whole.clone()
    found["without spread over cells"][stem.CELL : 2 * stem.CELL] = False
    return found


def read(work: Path, blend: float) -> dict[str, Part]:
    """Load and label the splits."""
    loaded = {name: _load(work / name) for name in ("train", "test", "foreign")}
    rows, _, summary = loaded["train"]
    judge = labels.judge(rows, summary, dataset.originals(work / "train"), blend)
    return {
        name: Part(rows, x, labels.labels(judge, rows, summary))
        for name, (rows, x, summary) in loaded.items()
    }


def _load(folder: Path) -> tuple[list[dataset.Row], Tensor, np.ndarray]:
    """Read a split shard by shard: mean and deviation over cells, and the overall numbers."""
    parts, summaries = [], []
    for file in sorted(folder.glob("*.npz")):
        held = np.load(file)
        cells = held["cells"].astype(np.float32)
        parts.append(np.concatenate([cells.mean(1), cells.std(1), held["overall"]], 1))
        summaries.append(held["summary"])
    x = torch.from_numpy(np.concatenate(parts)).float()
    return dataset.rows(folder), x, np.concatenate(summaries)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path(".work/iris/full"))
    parser.add_argument("--seeds", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
