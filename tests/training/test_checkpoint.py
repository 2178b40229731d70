"""A checkpoint is whole or not there; a full disk costs no earlier one."""

import errno
import json
import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from beholder.errors import ModelError, UsageError
from beholder.training import checkpoint


def write(folder, step, text="weights"):
    with checkpoint.written(folder, step) as aside:
        (aside / "weights").write_text(text)


def test_a_checkpoint_is_in_place_only_when_all_of_it_is_written(tmp_path):
    with checkpoint.written(tmp_path, 3) as aside:
        (aside / "weights").write_text("half")
        assert checkpoint.steps(tmp_path) == []
    assert checkpoint.steps(tmp_path) == [3]
    assert (checkpoint.at(tmp_path, 3) / "weights").read_text() == "half"
    assert not aside.exists()


@pytest.mark.parametrize(
    "failure",
    [OSError(errno.ENOSPC, "No space left on device"), RuntimeError("write: No space left")],
)
def test_a_full_disk_is_told_and_keeps_the_last_checkpoint(tmp_path, failure):
    write(tmp_path, 3)
    with pytest.raises(ModelError, match=r"step 6 could not be saved .*disk is full.*of step 3"):
        fail(tmp_path, 6, failure)
    assert checkpoint.steps(tmp_path) == [3]
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-3"]


def fail(folder, step, failure):
    with checkpoint.written(folder, step) as aside:
        (aside / "weights").write_text("half")
        raise failure


def test_a_disk_that_fills_while_learning_keeps_the_last_checkpoint(tmp_path, monkeypatch):
    pytest.importorskip("accelerate", reason="needs pip install 'beholder[train]'")
    import sys

    sys.path.insert(0, str(Path(__file__).parent))
    from planted import lessons

    from beholder.training import opening, teach, trainer
    from beholder.training.config import Config, Data, Keep, Train
    from beholder.training.questions import Questions

    config = Config(
        str(Path(__file__).parents[1] / "fixtures" / "owl2" / "tiny_mha"),
        (Data("planted"),),
        train=Train(batch=2, steps=4, workers=0, device="cpu"),
        keep=Keep(steps=2),
    )
    learner = opening.load(config, ("quality",))
    plain, saved = trainer.save_file, []

    def full(state, path, metadata):
        if saved:
            path.write_bytes(b"half of it")
            raise OSError(errno.ENOSPC, "No space left on device")
        saved.append(path)
        plain(state, path, metadata)

    monkeypatch.setattr(trainer, "save_file", full)
    shown = lessons(tmp_path / "pictures", range(4))
    ask = Questions(learner.recipe, 0)
    with pytest.raises(ModelError, match=r"step 4 could not be saved.*that of step 2 is whole"):
        teach.fit(learner, shown, [], config, tmp_path, ask)
    assert checkpoint.steps(tmp_path / "checkpoints") == [2]
    monkeypatch.undo()
    again = opening.load(config, ("quality",))
    steps = []
    tell = lambda line: steps.append(line["step"])  # noqa: E731
    outcome = teach.fit(again, shown, [], config, tmp_path, ask, tell)
    assert (outcome.done, outcome.steps, min(steps)) == (True, 4, 3)


def test_too_little_room_is_told_before_the_first_step(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 5, 5_000_000))
    checkpoint.check_room(tmp_path, 4_000_000)
    with pytest.raises(ModelError, match=r"0\.01 GB free and one checkpoint takes about 7\.00 GB"):
        checkpoint.check_room(tmp_path, 7 * 10**9)


def test_the_best_and_the_newest_checkpoints_stay(tmp_path):
    for step in (2, 4, 6, 8):
        write(tmp_path, step)
    checkpoint.rotate(tmp_path, 2, kept=[4])
    assert checkpoint.steps(tmp_path) == [4, 6, 8]
    checkpoint.rotate(tmp_path, 1)
    assert checkpoint.steps(tmp_path) == [8]


def test_a_checkpoint_of_the_same_step_is_replaced(tmp_path):
    write(tmp_path, 2, "old")
    write(tmp_path, 2, "new")
    assert (checkpoint.at(tmp_path, 2) / "weights").read_text() == "new"


def test_those_who_may_read_new_files_may_read_a_checkpoint(tmp_path):
    mask = os.umask(0o027)
    try:
        with checkpoint.written(tmp_path, 2) as aside:
            (aside / "weights").touch(mode=0o600)
    finally:
        os.umask(mask)
    assert (checkpoint.at(tmp_path, 2) / "weights").stat().st_mode & 0o777 == 0o640


def test_a_folder_is_of_one_run_and_what_was_left_half_written_goes(tmp_path):
    checkpoint.claim(tmp_path, {"seed": 0})
    checkpoint.claim(tmp_path, {"seed": 1})
    write(tmp_path, 2)
    (tmp_path / ".aside-4").mkdir()
    with pytest.raises(UsageError, match="seed was 1 and is 2"):
        checkpoint.claim(tmp_path, {"seed": 2})
    checkpoint.claim(tmp_path, {"seed": 1})
    assert not (tmp_path / ".aside-4").exists()
    assert json.loads((tmp_path / checkpoint.ABOUT).read_text()) == {"seed": 1}


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="folder of checkpoints cannot be made"):
        checkpoint.claim(tmp_path / "file" / "inside", {})
