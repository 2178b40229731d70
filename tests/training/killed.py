"""A run in a process of its own, to be killed: `killed.py MODEL PICTURES RUN KIND`.

Every finished step is a line; the weights that learned are written at the end.
"""

import os
import sys
from pathlib import Path

import torch
from planted import lessons
from safetensors.torch import save_file

from beholder.training import opening, teach
from beholder.training.config import Adapter, Config, Data, Keep, Train
from beholder.training.questions import Questions

torch.set_num_threads(1)


def main(model: str, pictures: str, run: str, kind: str) -> None:
    """Teach to the end, from where it is."""
    config = Config(
        model=model,
        data=(Data("planted"),),
        adapter=Adapter(kind, rank=4, dropout=0.2),
        train=Train(batch=4, accumulate=2, steps=9, workers=1, device="cpu", rate=1e-3),
        keep=Keep(steps=2, log=1),
    )
    learner = opening.load(config, ("quality",))
    taught = teach.fit(
        learner,
        lessons(Path(pictures), range(36)),
        lessons(Path(pictures), range(900, 908)),
        config,
        Path(run),
        Questions(learner.recipe, config.seed),
        lambda line: print(f"step {line['step']:g}", flush=True),
    )
    learning = {n: w for n, w in learner.network.named_parameters() if w.requires_grad}
    if taught.done:
        save_file({n: w.detach() for n, w in learning.items()}, Path(run) / "weights.safetensors")
    print(f"done {taught.done} best {taught.best} pid {os.getpid()}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
