"""Every command has help that is told in the docs; `models` and `show` say what is there."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import beholder as package
from beholder import _names
from beholder.cli import main

COMMANDS = [name for name in _names.names("cli") if name != "main"]
DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_a_sentence_for_every_option(beholder, name):
    done = beholder(name, "--help")
    assert done.code == 0
    command = _names.find("cli", name).command
    assert command.short_help
    for option in command.params:
        if option.param_type_name == "option":
            assert option.help, option.name


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_told_in_the_docs(name):
    pages = "\n".join(path.read_text(encoding="utf-8") for path in DOCS.glob("*.md"))
    assert f"beholder {name}" in pages


def test_the_version_is_that_of_the_package(beholder):
    done = beholder("--version")
    assert done.out.split()[-1] == package.__version__


def test_models_lists_iris_with_its_licence(beholder):
    done = beholder("models")
    assert done.code == 0
    assert "iris" in done.out
    assert "Apache-2.0" in done.out


def test_models_is_one_line_a_model_through_a_pipe(beholder):
    rows = [line.split("\t") for line in beholder("models").out.splitlines()]
    assert {len(row) for row in rows} == {6}
    (iris,) = (row for row in rows if row[0] == "iris")
    assert iris[2:5] == ["-", "yes", "Apache-2.0"]
    assert "one-align" in {row[0] for row in rows}


def test_show_tells_what_a_file_looks_like_to_the_model(beholder, photos, tmp_path):
    done = beholder("show", photos / "0.png", "--save", tmp_path / "seen")
    assert done.code == 0
    assert "96×72 upright" in done.out
    fingerprint = package.load("iris").fingerprint
    assert fingerprint in done.out
    saved = Image.open(tmp_path / "seen" / "0-000.png")
    assert saved.tobytes() == Image.open(photos / "0.png").tobytes()


def test_show_refuses_what_is_no_picture_in_one_sentence(beholder, photos):
    done = beholder("show", photos / "notes.md")
    assert done.code == 2
    assert "notes.md" in done.err or "text" in done.err
    assert "Traceback" not in done.err


def test_python_m_beholder_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "beholder", "--version"], capture_output=True, text=True, check=True
    )
    assert package.__version__ in done.stdout


def test_a_reader_that_leaves_early_stops_a_run_without_a_table_quietly(photos):
    done = subprocess.run(
        f"{sys.executable} -m beholder score {photos} | head -n 1",
        shell=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.count("\n") == 1
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


def test_a_reader_that_leaves_early_does_not_stop_a_run_that_writes_a_table(photos, tmp_path):
    out = tmp_path / "t.csv"
    subprocess.run(
        f"{sys.executable} -m beholder score {photos} --batch-size 1 --out {out} | true", shell=True
    )
    assert out.read_text().count("\n") == 8


def test_a_mistake_of_ours_is_not_hidden(monkeypatch, photos):
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("beholder.engine.rater.load", broken)
    with pytest.raises(ZeroDivisionError):
        main.run(["score", str(photos)])
