"""What was opened once is read back in the next epoch; no weight depends on it."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

pytest.importorskip("accelerate", reason="needs pip install 'beholder[train]'")

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from planted import lessons  # noqa: E402

from beholder.errors import UsageError  # noqa: E402
from beholder.scorers.base import Encoded  # noqa: E402
from beholder.training import cache, opening, teach  # noqa: E402
from beholder.training.config import Config, Data, Keep, Train  # noqa: E402
from beholder.training.questions import Questions  # noqa: E402

TINY = HERE.parent / "fixtures" / "owl2" / "tiny_mha"
CONFIG = Config(
    str(TINY),
    (Data("planted"),),
    train=Train(batch=2, epochs=2.0, workers=0, device="cpu", rate=1e-3),
    keep=Keep(every=1.0),
)


def numbered(number):
    return lambda: Encoded("image", (None,), (torch.full((100,), float(number)), number))


def kept(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_an_example_is_made_once_and_read_back_as_it_was(tmp_path):
    with cache.opened("auto", tmp_path, 10**6) as found:
        first = found.get(Path("a.png"), numbered(1))
        again = found.get(Path("a.png"), numbered(2))
        other = found.get(Path("b.png"), numbered(3))
    assert torch.equal(again.parts[0], first.parts[0])
    assert again.parts[1] == 1
    assert other.parts[1] == 3
    assert not kept(tmp_path)


def test_files_of_one_name_in_two_folders_are_two(tmp_path):
    with cache.opened("auto", tmp_path, 10**6) as found:
        for number, folder in enumerate("ab"):
            assert found.get(Path(folder, "x.png"), numbered(number)).parts[1] == number


def test_it_never_takes_more_bytes_than_are_stated(tmp_path):
    with cache.opened("auto", tmp_path, 5000) as found:
        for number in range(20):
            assert found.get(Path(f"{number}.png"), numbered(number)).parts[1] == number
        sizes = [path.stat().st_size for path in kept(tmp_path)]
        assert 0 < sum(sizes) <= 5000
        assert found.get(Path("0.png"), numbered(9)).parts[1] == 0
        assert found.get(Path("19.png"), numbered(9)).parts[1] == 9


def test_a_full_disk_costs_nothing_but_time(tmp_path, monkeypatch):
    def full(example, path):
        path.write_bytes(b"half of it")
        raise OSError(28, "No space left on device")

    with cache.opened("auto", tmp_path, 10**6) as found:
        monkeypatch.setattr(torch, "save", full)
        assert found.get(Path("a.png"), numbered(1)).parts[1] == 1
        assert not kept(tmp_path)
        monkeypatch.undo()
        assert found.get(Path("a.png"), numbered(2)).parts[1] == 2
        assert not kept(tmp_path)


def test_what_an_earlier_run_left_is_not_read(tmp_path):
    with cache.opened(str(tmp_path), tmp_path / "run", 10**6) as found:
        found.get(Path("a.png"), numbered(1))
        with cache.opened(str(tmp_path), tmp_path / "run", 10**6) as later:
            assert later.folder == found.folder
            assert later.get(Path("a.png"), numbered(2)).parts[1] == 2


def test_room_for_checkpoints_is_left(tmp_path):
    stat = os.statvfs(tmp_path)
    with cache.opened("auto", tmp_path, 10**18, room=stat.f_bavail * stat.f_frsize * 2) as found:
        assert found.most == 0
    with cache.opened("auto", tmp_path, 10**18) as found:
        assert 0 < found.most < stat.f_bavail * stat.f_frsize


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with (
        pytest.raises(UsageError, match=r"train.cache is '.*nowhere', where nothing can be kept"),
        cache.opened(str(tmp_path / "nowhere"), tmp_path, 10**6),
    ):
        pass


def taught(tmp_path, name, stated, **train):
    """Teach; return the weights, and how many pictures were opened."""
    config = replace(CONFIG, train=replace(CONFIG.train, cache=stated, **train))
    learner = opening.load(config, ("quality",))
    plain, seen = learner.encode, []
    learner.encode = lambda frames: (seen.append(1), plain(frames))[1]
    shown = lessons(tmp_path / "pictures", range(6))
    apart = lessons(tmp_path / "pictures", range(900, 904))
    teach.fit(learner, shown, apart, config, tmp_path / name, Questions(learner.recipe, 0))
    return learner.network.state_dict(), len(seen)


def test_weights_are_the_same_bit_for_bit_with_and_without(tmp_path):
    without, times = taught(tmp_path, "without", "off")
    with_it, once = taught(tmp_path, "with", "auto")
    some, between = taught(tmp_path, "some", "auto", cache_bytes=60_000)
    assert (times, once) == (2 * (6 + 4), 6 + 4)
    assert once < between < times
    for other in (with_it, some):
        assert all(torch.equal(other[name], without[name]) for name in without)
    assert not list((tmp_path / "with" / "checkpoints").glob(".aside*"))


def test_lessons_that_are_shown_once_are_not_kept(tmp_path):
    sizes = []
    config = replace(CONFIG, train=replace(CONFIG.train, epochs=1.0))
    learner = opening.load(config, ("quality",))
    folder = tmp_path / "once" / "checkpoints"
    teach.fit(
        learner,
        lessons(tmp_path / "pictures", range(6)),
        lessons(tmp_path / "pictures", range(900, 904)),
        config,
        tmp_path / "once",
        Questions(learner.recipe, 0),
        lambda line: sizes.append(len(kept(folder / ".aside-examples"))),
    )
    assert max(sizes) == 4
