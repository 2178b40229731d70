"""The benchmark compares two ways to the same logits, also where Beholder is not installed."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
SCRIPT = """
import importlib.metadata, runpy
ask = importlib.metadata.version
def answer(name):
    if name == "beholder":
        raise importlib.metadata.PackageNotFoundError(name)
    return ask(name)
importlib.metadata.version = answer
bench = runpy.run_path("benchmarks/owl2.py")
from beholder.backbones.owl2.config import Abstractor, Config, Vision
import torch
torch.set_num_threads(1)
config = Config(64, 128, 3, 4, 4, vision=Vision(48, 96, 2, 4, image_size=56),
                abstractor=Abstractor(48, 48, 80, 2, 3, 8))
model = bench["make"](config, torch.float32, "cpu")
inputs = bench["squares"](config, [1, 3, 1, 2])
rows = [bench[way](model, inputs, bench["VIDEO_QUALITY"]) for way in ("plain", "quick")]
assert rows[0].std() > 0.1
print((rows[0] - rows[1]).abs().max().item())
real = bench["flops"](bench["REAL"], 1)
print(real)
"""


def test_both_ways_of_the_benchmark_agree_and_it_counts_operations():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    off, operations = map(float, done.stdout.split())
    assert off < 2e-5
    assert 1.70e12 < operations < 1.76e12
