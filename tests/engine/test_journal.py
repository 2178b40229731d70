"""The journal: rows are there or not at all, and one run writes at a time."""

import sqlite3
import subprocess
import sys

import pytest

from beholder.engine.journal import Entry, Journal
from beholder.errors import UsageError
from beholder.score import Score
from beholder.tables.columns import row_of


def entry(name, value=3.0, error="", stamp="1 1", file=None):
    score = Score(value=float("nan") if error else value, path=name, error=error)
    return Entry(file or name, stamp, row_of(score))


def test_rows_come_back_in_the_order_of_the_run(tmp_path):
    with Journal(tmp_path / "j") as journal:
        journal.add([entry("b", 2.0), entry("a", 4.0)])
        journal.add([entry("c", error="broken")])
        assert [row["path"] for _, row in journal.rows()] == ["b", "a", "c"]
        assert [row["path"] for _, row in journal.best()] == ["a", "b"]
        assert [row["path"] for _, row in journal.failures()] == ["c"]


def test_a_finished_file_is_known_again_unless_it_changed_or_failed(tmp_path):
    with Journal(tmp_path / "j") as journal:
        journal.add([entry("a", 4.0), entry("b", error="broken")])
    with Journal(tmp_path / "j") as journal:
        assert journal.finished("a", "a", "quality", "1 1")["score"] == 4.0
        assert journal.finished("a", "a", "quality", "1 2") is None
        assert journal.finished("a", "other name", "quality", "1 1") is None
        assert journal.finished("a", "a", "aesthetics", "1 1") is None
        assert journal.finished("b", "b", "quality", "1 1") is None


def test_rows_of_files_that_are_gone_are_kept_but_not_listed(tmp_path):
    with Journal(tmp_path / "j") as journal:
        journal.add([entry("a"), entry("b")])
    with Journal(tmp_path / "j") as journal:
        journal.add([entry("a")])
        assert [row["path"] for _, row in journal.rows()] == ["a"]
        assert journal.left_out() == 1


def test_names_that_are_not_utf8_come_back_as_they_were(tmp_path):
    with Journal(tmp_path / "j") as journal:
        journal.add([entry(r"caf\xe9.jpg", file="caf\udce9.jpg")])
        assert [file for file, _ in journal.rows()] == ["caf\udce9.jpg"]


def test_two_runs_cannot_write_to_one_table(tmp_path):
    another = pytest.raises(UsageError, match=r"results\.csv\.journal is being written by another")
    with Journal(tmp_path / "results.csv.journal"), another:
        Journal(tmp_path / "results.csv.journal")


def test_a_file_that_is_no_journal_is_refused_by_name(tmp_path):
    (tmp_path / "results.csv.journal").write_text("path,score\n" * 200)
    with pytest.raises(UsageError, match=r"results\.csv\.journal is not a journal"):
        Journal(tmp_path / "results.csv.journal")


def test_a_kill_between_rows_loses_none(tmp_path):
    code = f"""
import os, signal
from pathlib import Path
from beholder.engine.journal import Entry, Journal
from beholder.score import Score
from beholder.tables.columns import row_of
journal = Journal(Path({str(tmp_path / "j")!r}))
for n in range(50):
    journal.add([Entry(str(n), "", row_of(Score(value=float(n), path=str(n))))])
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", code], check=False)
    with sqlite3.connect(tmp_path / "j") as base:
        assert base.execute("SELECT count(*) FROM rows").fetchone() == (50,)
    base.close()


def test_what_a_run_was_made_with_is_kept(tmp_path):
    with Journal(tmp_path / "j") as journal:
        assert journal.about() == {}
        journal.describe({"tasks": ["quality"], "recipe": {"a": 1}})
    with Journal(tmp_path / "j") as journal:
        assert journal.about() == {"tasks": ["quality"], "recipe": {"a": 1}}


def test_without_a_path_nothing_stays_on_disk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Journal(None) as journal:
        journal.add([entry("a")])
        assert len(list(journal.rows())) == 1
    assert list(tmp_path.iterdir()) == []
