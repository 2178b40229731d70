"""A model that measures a distance: fitted on clean pictures, scored, printed, kept and shown."""

import os
import re
import subprocess
import sys

import pytest

from beholder.tables.base import read

RECIPE = """
format = 1
name = "tiny"
about = "a tiny trunk"
licence = "none"
backbone = "efficientnet"
scorer = "mdfs"
frames = "1/s<=16"

[weights]
folder = "{folder}"
file = "tiny.pth"

[options]
width = 0.1
depth = 0.3
statistics = "{folder}/statistics.safetensors"
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    import torch

    from beholder.backbones.efficientnet import Network, Size

    folder = tmp_path_factory.mktemp("tiny")
    torch.manual_seed(0)
    torch.save(Network(Size(0.1, 0.3)).state_dict(), folder / "tiny.pth")
    path = folder / "tiny.toml"
    path.write_text(RECIPE.format(folder=folder))
    return path


@pytest.fixture(scope="module")
def pristine(tmp_path_factory, make_picture):
    folder = tmp_path_factory.mktemp("pristine")
    for seed in range(5):
        make_picture(seed, 320, 256).save(folder / f"{seed}.png")
    return folder


@pytest.fixture
def fitted(beholder, recipe, pristine):
    out = recipe.with_name("statistics.safetensors")
    if not out.is_file():
        done = beholder("fit", pristine, "--model", recipe, "--out", out)
        assert (done.code, done.out) == (0, "")
        assert "Fitted to 5 pictures, " in done.err
        assert f"--set statistics={out}" in done.err
    return out


def test_without_statistics_a_score_says_how_to_fit_them(beholder, recipe, photos, tmp_path):
    lacking = f"statistics={tmp_path / 'none.safetensors'}"
    done = beholder("score", photos, "--model", recipe, "--set", lacking)
    assert done.code == 2
    assert "`beholder fit` makes them" in done.err


@pytest.mark.usefixtures("fitted")
def test_a_distance_is_negated_named_and_has_no_level(beholder, recipe, photos, tmp_path):
    out = tmp_path / "t.jsonl"
    done = beholder("score", photos, "--model", recipe, "--out", out)
    rows = list(read(out))
    good = [row for row in rows if row["error"] is None]
    assert len(good) == 6
    assert done.code == 1
    for row in good:
        assert row["score"] < 0
        assert row["scale"] == "negated MDFS distance"
        assert row["level"] is row["spread"] is row["p_good"] is None
    line = done.out.splitlines()[0].split("\t")
    assert line[1:4] == ["", "", "quality"]


@pytest.mark.usefixtures("fitted")
def test_other_statistics_are_another_fingerprint(beholder, recipe, pristine, photos, tmp_path):
    make = tmp_path / "other.safetensors"
    files = sorted(pristine.iterdir())[1:]
    assert beholder("fit", *files, "--model", recipe, "--out", make).code == 0
    out, both = tmp_path / "t.jsonl", []
    for chosen in ([], ["--set", f"statistics={make}"]):
        beholder("score", photos / "0.png", "--model", recipe, "--out", out, "--restart", *chosen)
        both.append(next(iter(read(out))))
    assert both[0]["fingerprint"] != both[1]["fingerprint"]
    assert both[0]["score"] != both[1]["score"]


@pytest.mark.usefixtures("fitted")
def test_a_terminal_names_the_measure_and_has_no_columns_of_levels(recipe, photos):
    command = f"{sys.executable} -m beholder score {photos}/sub --model {recipe}"
    environment = os.environ | {"COLUMNS": "90", "TERM": "xterm-256color"}
    done = subprocess.run(
        ["script", "-qec", command, "/dev/null"], capture_output=True, env=environment
    )
    text = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0
    assert "score: negated MDFS distance; higher is better" in text
    for absent in ("level  ", "bad to excellent", "±", "None", "nan"):
        assert absent not in text


@pytest.mark.usefixtures("fitted")
def test_show_says_the_measure_and_no_levels(beholder, recipe, photos):
    told = beholder("show", photos / "0.png", "--model", recipe).out
    assert " on negated MDFS distance\n" in told
    assert "nan" not in told
    assert "levels" not in told


@pytest.mark.usefixtures("fitted")
def test_a_page_of_a_measure_is_made(beholder, recipe, photos, tmp_path):
    done = beholder("score", photos, "--model", recipe, "--report", tmp_path / "p.html")
    text = (tmp_path / "p.html").read_text()
    assert "Negated MDFS distance: a measured number" in text
    assert "Page: " in done.err


@pytest.mark.usefixtures("fitted")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--scale", "0-100"], "scale '0-100' was asked for, but this model gives a negated MDFS"),
        (["--scorer", "align"], "tiny answers no questions, so align, which asks, cannot"),
        (["--task", "aesthetics"], "unknown task 'aesthetics'"),
        (["--set", "statistic=x"], "did you mean 'statistics'"),
        (["--set", "width=wide"], "width of the EfficientNet is 'wide'"),
    ],
)
def test_what_a_measure_cannot_do_is_refused_in_one_sentence(
    beholder, recipe, photos, options, said
):
    done = beholder("score", photos, "--model", recipe, *options)
    assert done.code == 2
    assert said in done.err


def test_the_shipped_recipe_says_which_file_to_put_where(beholder, photos, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    done = beholder("score", photos, "--model", "mdfs")
    assert done.code == 2
    file = "mdfs/efficientnet_b7_lukemelas-c5b4e57e.pth"
    assert f"there is no file {tmp_path}/.cache/beholder/{file}" in done.err
    assert "fetch it from https://download.pytorch.org/models/" in done.err


def test_what_cannot_be_read_is_left_out_of_a_fit_and_told(
    beholder, recipe, pristine, photos, tmp_path
):
    out = tmp_path / "s.safetensors"
    done = beholder("fit", pristine, photos / "broken.jpg", "--model", recipe, "--out", out)
    assert done.code == 1
    assert "left out" in done.err
    assert "broken.jpg" in done.err
    assert "Fitted to 5 pictures" in done.err
    assert out.is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--model", "iris", "--out", "{tmp}/s.safetensors"],
            "iris rates by no statistics; .*mdfs",
        ),
        (["--model", "{recipe}", "--out", "{tmp}/s.csv"], "must end in .safetensors"),
        (["--model", "{recipe}", "--out", "{tmp}/d.safetensors"], "is a folder"),
        (["--model", "{recipe}", "--out", "{tmp}/file/s.safetensors"], "cannot be written"),
    ],
)
def test_a_fit_that_cannot_be_is_refused_in_one_sentence(
    beholder, recipe, pristine, tmp_path, arguments, said
):
    (tmp_path / "d.safetensors").mkdir()
    (tmp_path / "file").touch()
    done = beholder("fit", pristine, *(a.format(tmp=tmp_path, recipe=recipe) for a in arguments))
    assert done.code in (1, 2)
    assert "Traceback" not in done.err
    assert re.search(said, done.err)
