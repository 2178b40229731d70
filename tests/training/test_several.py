"""Two processes on one machine teach one model, and share the validation part."""

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("accelerate", reason="needs pip install 'beholder[train]'")

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from planted import lessons  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
TINY = HERE.parent / "fixtures" / "owl2" / "tiny_mha"


def test_two_processes_rate_the_validation_part_as_the_finished_folder_does(tmp_path):
    with (tmp_path / "mos.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["path", "mos", "scene"])
        for each in lessons(tmp_path, range(40)):
            table.writerow([each.path.name, each.opinion, each.path.stem])
    settings = ("train.steps=3", "train.batch=4", "train.workers=0", "keep.steps=3",
                "keep.before=false", "split.validation=0.4", "losses.fidelity=1",
                "train.rate=1e-3")  # fmt: skip
    run = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"),
        *("-m", "beholder", "train", "--data", "mos.csv", "--model", str(TINY)),
        *("--device", "cpu", "--out", "out"),
        *(word for each in settings for word in ("--set", each)),
    ]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    process = subprocess.Popen(
        run, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        said, _ = process.communicate(timeout=400)
    finally:
        process.terminate()
    assert process.returncode == 0, said
    (told,) = re.findall(r"step 3 of 3: validation SRCC (\S+) .*PLCC (\S+) ", said)
    found = json.loads((tmp_path / "out" / "metrics.json").read_text())
    measured = found["parts"]["validation"]["mos"]
    assert measured["n"] > 10
    for number, name in zip(told, ("srcc", "plcc"), strict=True):
        value = float(number.replace("\u2212", "-"))
        assert value == pytest.approx(measured[name]["value"], abs=2e-3)
    left = sorted(path.name for path in (tmp_path / "out" / "checkpoints").iterdir())
    assert left == ["checkpoint-3", "run.json"]
