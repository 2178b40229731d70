"""A run can be trusted: whatever stops it, the table comes out the same."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from beholder.engine.journal import Journal
from beholder.tables.base import read


@pytest.fixture
def many(tmp_path, make_picture):
    """Sixty pictures of several sizes."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(60):
        side = 64 + 40 * (number % 5)
        make_picture(number, side * 2, side).save(folder / f"{number:03d}.png")
    return folder


def test_a_run_killed_at_any_moment_and_started_again_gives_the_same_bytes(
    beholder, many, tmp_path
):
    beholder("score", many, "--out", tmp_path / "whole.csv")
    out, rng, kills = tmp_path / "killed.csv", random.Random(7), 0
    command = [sys.executable, "-m", "beholder", "score", many, "--out", out, "--batch-size", "8"]
    for attempt in range(40):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for_rows(out, process)
        time.sleep(rng.uniform(0, 0.15))
        process.send_signal(signal.SIGKILL)
        if process.wait() == 0:
            break
        kills += 1
        assert whole_lines(out)
        if attempt == 4:
            subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            break
    assert kills > 0
    assert out.read_bytes() == (tmp_path / "whole.csv").read_bytes()


def wait_for_rows(out, process):
    before = out.read_bytes() if out.exists() else b""
    while process.poll() is None and (out.read_bytes() if out.exists() else b"") == before:
        time.sleep(0.01)


def whole_lines(out):
    return not out.exists() or out.read_bytes().endswith(b"\n")


def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(many, tmp_path):
    out = tmp_path / "r.csv"
    command = [sys.executable, "-m", "beholder", "score", many, "--out", out, "--batch-size", "1"]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    wait_for_rows(out, process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    if process.returncode == 0:
        pytest.skip("the run was finished before the signal came")
    assert process.returncode == 130
    assert "the same command goes on" in err
    assert "Traceback" not in err
    assert 0 < len(list(read(out))) < 60


def test_only_what_is_missing_is_scored_again(beholder, many, tmp_path, make_picture):
    out = tmp_path / "r.csv"
    first = beholder("score", many, "--out", out)
    assert "60 scored," in first.err
    make_picture(1000).save(many / "007.png")
    make_picture(1001).save(many / "zzz.png")
    (many / "003.png").unlink()
    before = {row["path"]: row for row in read(out)}
    again = beholder("score", many, "--out", out)
    assert "60 scored (58 before)" in again.err
    assert "1 from before left out" in again.err
    after = {row["path"]: row for row in read(out)}
    changed = {path for path in after if before.get(path) != after[path]}
    assert changed == {str(many / "007.png"), str(many / "zzz.png")}


def test_a_file_that_failed_is_tried_again(beholder, photos, tmp_path, make_picture):
    out = tmp_path / "r.csv"
    assert beholder("score", photos, "--out", out).code == 1
    state = (photos / "broken.jpg").stat()
    make_picture(5).save(photos / "broken.jpg")
    os.utime(photos / "broken.jpg", ns=(state.st_atime_ns, state.st_mtime_ns))
    assert beholder("score", photos, "--out", out).code == 0
    whole = tmp_path / "whole.csv"
    beholder("score", photos, "--out", whole)
    assert out.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        (["--scale", "0-100"], "scale: 1-5 → 0-100"),
        (["--frames", "3"], "frames: 1/s<=128 → 3"),
    ],
)
def test_a_table_made_with_other_settings_is_refused_and_restart_is_the_way_out(
    beholder, photos, tmp_path, extra, said
):
    out = tmp_path / "r.csv"
    beholder("score", photos / "0.png", "--out", out)
    before = out.read_bytes()
    refused = beholder("score", photos / "0.png", "--out", out, *extra)
    assert refused.code == 2
    assert said in refused.err
    assert "--restart" in refused.err
    assert out.read_bytes() == before
    assert beholder("score", photos / "0.png", "--out", out, *extra, "--restart").code == 0
    assert out.read_bytes() != before


def test_a_table_of_other_inputs_or_another_program_is_not_overwritten(beholder, photos, tmp_path):
    out = tmp_path / "r.csv"
    beholder("score", photos / "0.png", "--out", out)
    other = beholder("score", photos / "2.png", "--out", out)
    assert (other.code, "other inputs" in other.err) == (2, True)
    assert beholder("score", photos / "0.png", photos / "2.png", "--out", out).code == 0
    theirs = tmp_path / "theirs.csv"
    theirs.write_text("precious")
    refused = beholder("score", photos / "0.png", "--out", theirs)
    assert (refused.code, "theirs.csv" in refused.err) == (2, True)
    assert theirs.read_text() == "precious"


@pytest.mark.parametrize("options", [("--batch-size", "1"), ("--batch-size", "13", "--workers", 5)])
def test_batch_size_and_workers_do_not_change_a_score(beholder, many, tmp_path, options):
    beholder("score", many, "--out", tmp_path / "a.csv")
    beholder("score", many, "--out", tmp_path / "b.csv", *options)
    pairs = zip(read(tmp_path / "a.csv"), read(tmp_path / "b.csv"), strict=True)
    assert max(abs(a["score"] - b["score"]) for a, b in pairs) <= 1e-5


def test_the_order_of_the_inputs_does_not_change_a_score(beholder, many, tmp_path):
    names = sorted(many.iterdir())
    beholder("score", *names, "--out", tmp_path / "a.csv")
    beholder("score", *reversed(names), "--out", tmp_path / "b.csv")
    forward = {row["path"]: row["score"] for row in read(tmp_path / "a.csv")}
    backward = {row["path"]: row["score"] for row in read(tmp_path / "b.csv")}
    assert forward.keys() == backward.keys()
    assert max(abs(forward[name] - backward[name]) for name in forward) <= 1e-5


def test_a_full_disk_is_one_sentence_and_the_finished_rows_stay(many, tmp_path):
    code = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000));"
        "from beholder.cli.main import main; main()"
    )
    out = tmp_path / "r.csv"
    done = subprocess.run(
        [sys.executable, "-c", code, "score", many, "--out", out],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "cannot be written" in done.stderr
    assert done.stderr.count("\n") <= 2


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_other_formats_come_out_the_same_after_a_kill(beholder, many, tmp_path, ending):
    beholder("score", many, "--out", tmp_path / f"whole.{ending}")
    out = tmp_path / f"killed.{ending}"
    command = [sys.executable, "-m", "beholder", "score", many, "--out", out, "--batch-size", "8"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    journal = tmp_path / f"killed.{ending}.journal-wal"
    while process.poll() is None and (not journal.exists() or journal.stat().st_size < 110_000):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert "before" in beholder("score", many, "--out", out, "--batch-size", "8").err
    assert out.read_bytes() == (tmp_path / f"whole.{ending}").read_bytes()


def test_restart_does_not_take_a_table_from_a_run_that_is_going_on(beholder, photos, tmp_path):
    out = tmp_path / "r.csv"
    beholder("score", photos / "0.png", "--out", out)
    before = out.read_bytes()
    with Journal(tmp_path / "r.csv.journal"):
        for extra in ([], ["--restart"]):
            done = beholder("score", photos / "0.png", "--out", out, *extra)
            assert done.code == 2
            assert "is being written by another run" in done.err
    assert out.read_bytes() == before


@pytest.mark.parametrize("content", [b"no journal at all" * 99, None], ids=["text", "database"])
def test_what_is_no_journal_is_refused_and_replaced_by_restart(beholder, photos, tmp_path, content):
    path = tmp_path / "r.csv.journal"
    if content:
        path.write_bytes(content)
    else:
        with sqlite3.connect(path) as base:
            base.execute("CREATE TABLE theirs (a)")
        base.close()
    refused = beholder("score", photos / "0.png", "--out", tmp_path / "r.csv")
    assert (refused.code, "--restart" in refused.err) == (2, True)
    done = beholder("score", photos / "0.png", "--out", tmp_path / "r.csv", "--restart")
    assert done.code == 0


def test_a_list_of_files_goes_on_when_one_of_them_is_deleted(beholder, many, tmp_path):
    out = tmp_path / "r.csv"
    names = sorted(many.iterdir())[:5]
    beholder("score", *names, "--out", out)
    names[2].unlink()
    again = beholder("score", *names[:2], *names[3:], "--out", out)
    assert again.code == 0
    assert "4 scored (4 before), 1 from before left out" in again.err
