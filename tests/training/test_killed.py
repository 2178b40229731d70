"""A run that is killed, or stopped, goes on and ends with the very same weights."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("accelerate", reason="needs pip install 'beholder[train]'")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
HERE = Path(__file__).parent
TINY = HERE.parent / "fixtures" / "owl2" / "tiny_mha"


def started(tmp_path, run, kind):
    command = [sys.executable, "-W", "error::UserWarning", str(HERE / "killed.py")]
    given = [str(TINY), str(tmp_path / "pictures"), str(tmp_path / run), kind]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    return subprocess.Popen(
        command + given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env
    )


def to_the_end(tmp_path, run, kind):
    process = started(tmp_path, run, kind)
    said, _ = process.communicate(timeout=500)
    assert process.returncode == 0, said
    return said.splitlines()


def sent(tmp_path, run, kind, number, at):
    """Send a signal as soon as a step is told; return what was said until then, and after."""
    process = started(tmp_path, run, kind)
    before = []
    for line in process.stdout:
        before.append(line.strip())
        if line.startswith(f"step {at}"):
            process.send_signal(number)
            break
    after, _ = process.communicate(timeout=500)
    assert before[-1].startswith(f"step {at}"), before
    return process.returncode, after.splitlines()


def test_killed_and_started_again_it_ends_with_the_weights_of_a_run_in_one_piece(tmp_path):
    to_the_end(tmp_path, "whole", "full")
    code, _ = sent(tmp_path, "killed", "full", signal.SIGKILL, at=5)
    assert code == -signal.SIGKILL
    (tmp_path / "killed" / "checkpoints" / ".aside-6").mkdir()
    said = to_the_end(tmp_path, "killed", "full")
    assert "step 1" not in said
    assert "step 9" in said
    assert weights(tmp_path, "killed") == weights(tmp_path, "whole")
    assert not list((tmp_path / "killed" / "checkpoints").glob(".aside*"))


def test_ctrl_c_saves_after_the_step_and_the_same_call_goes_on_from_there(tmp_path):
    to_the_end(tmp_path, "whole", "lora")
    code, after = sent(tmp_path, "stopped", "lora", signal.SIGINT, at=3)
    assert code == 0
    assert after[-1].startswith("done False")
    kept = sorted(path.name for path in (tmp_path / "stopped" / "checkpoints").glob("check*"))
    assert kept[-1] in ("checkpoint-3", "checkpoint-4", "checkpoint-5")
    said = to_the_end(tmp_path, "stopped", "lora")
    assert f"step {int(kept[-1][-1]) + 1}" in said
    assert "step 3" not in said
    assert weights(tmp_path, "stopped") == weights(tmp_path, "whole")


def weights(tmp_path, run):
    return (tmp_path / run / "weights.safetensors").read_bytes()
