"""`beholder score` as a person meets it."""

import csv
import json
import os
import subprocess
import sys

import pytest
from rich.color import Color, ColorSystem

from beholder.cli import _terminal, main
from beholder.levels.scale import LEVELS
from beholder.media.manifests import read_list
from beholder.tables.base import read


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_folder_becomes_a_table_with_one_row_a_file_in_sorted_order(beholder, photos, tmp_path):
    out = tmp_path / "results.csv"
    done = beholder("score", photos, "--out", out)
    assert done.code == 1
    names = [row["path"].removeprefix(f"{photos}/") for row in rows_of(out)]
    assert names == [
        *("0.png", "2.png", "4.png", "broken.jpg"),
        *("sub/1.jpg", "sub/3.jpg", "sub/5.jpg"),
    ]
    good, bad = rows_of(out)[0], rows_of(out)[3]
    assert 1 <= float(good["score"]) <= 5
    assert good["error"] == ""
    assert bad["error"]
    assert (bad["score"], bad["level"], bad["p_good"], bad["spread"]) == ("", "", "", "")
    assert "1 could not be scored" in done.err
    assert "broken.jpg" in done.err
    assert "1 skipped (neither picture nor clip by name)" in done.err


def test_the_probabilities_give_the_score_and_the_spread(beholder, photos, tmp_path):
    out = tmp_path / "results.jsonl"
    beholder("score", photos / "0.png", "--out", out)
    (row,) = read(out)
    p = [row[f"p_{word}"] for word in ("excellent", "good", "fair", "poor", "bad")]
    mean = sum(a * b for a, b in zip(p, (5, 4, 3, 2, 1), strict=True))
    assert sum(p) == pytest.approx(1, abs=3e-6)
    assert row["score"] == pytest.approx(mean, abs=2e-5)
    variance = sum(a * (b - mean) ** 2 for a, b in zip(p, (5, 4, 3, 2, 1), strict=True))
    assert row["spread"] == pytest.approx(variance**0.5, abs=2e-5)


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_every_format_holds_the_same_rows(beholder, photos, tmp_path, ending):
    beholder("score", photos, "--out", tmp_path / "a.csv")
    beholder("score", photos, "--out", tmp_path / f"b.{ending}")
    assert list(read(tmp_path / "a.csv")) == list(read(tmp_path / f"b.{ending}"))


def test_all_scored_is_exit_code_0_and_plain_lines_go_through_pipes(beholder, photos):
    done = beholder("score", photos / "0.png", photos / "2.png")
    assert done.code == 0
    lines = [line.split("\t") for line in done.out.splitlines()]
    assert [line[4] for line in lines] == [str(photos / "0.png"), str(photos / "2.png")]
    assert all(1 <= float(line[0]) <= 5 for line in lines)


def test_top_prints_the_best_first_and_the_table_keeps_every_row(beholder, photos, tmp_path):
    out = tmp_path / "results.csv"
    done = beholder("score", photos, "--out", out, "--top", 2)
    printed = [float(line.split("\t")[0]) for line in done.out.splitlines()]
    scores = sorted((float(row["score"]) for row in rows_of(out) if row["score"]), reverse=True)
    assert printed == scores[:2]
    assert len(rows_of(out)) == 7


def test_min_and_paths_only_pick_a_list_to_pipe_on(beholder, photos, tmp_path):
    out = tmp_path / "results.csv"
    beholder("score", photos, "--out", out)
    scored = [(float(row["score"]), row["path"]) for row in rows_of(out) if row["score"]]
    middle = sorted(scored)[2][0]
    done = beholder("score", photos, "--out", out, "--min", middle, "--paths-only")
    assert done.out.splitlines() == [path for score, path in scored if score >= middle]


@pytest.mark.parametrize("option", ["--null", "-0"])
def test_odd_names_survive_a_pipe_of_paths_that_end_with_nul(
    capfdbinary, make_picture, tmp_path, option
):
    names = [b"two\nlines.png", b" blank '\".png", b"caf\xe9.png"]
    files = [os.fsencode(tmp_path) + b"/" + name for name in names]
    for file in files:
        make_picture(0).save(tmp_path / "a.png")
        (tmp_path / "a.png").rename(os.fsdecode(file))
    assert main.run(["score", str(tmp_path), "--paths-only", option]) == 0
    printed = capfdbinary.readouterr().out
    assert sorted(printed.split(b"\0")) == sorted([*files, b""])
    (tmp_path / "list").write_bytes(printed)
    with (tmp_path / "list").open("rb") as pipe:
        assert [os.fsencode(item.file) for item in read_list(pipe, tmp_path / "list")] == (
            printed.split(b"\0")[:-1]
        )


def test_null_without_paths_alone_is_misuse(beholder, photos):
    done = beholder("score", photos, "--null")
    assert (done.code, done.out) == (2, "")
    assert "--paths-only" in done.err


def test_a_name_that_is_not_utf8_is_scored_and_printed_as_it_is(beholder, make_picture, tmp_path):
    name = b"caf\xe9.png".decode("utf-8", "surrogateescape")
    make_picture(0).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / name)
    out = tmp_path / "t.csv"
    assert main.run(["score", str(tmp_path / name), "--out", str(out)]) == 0
    (row,) = rows_of(out)
    assert row["path"].endswith(r"caf\xe9.png")


def test_another_scale_is_the_same_score_stated_otherwise(beholder, photos, tmp_path):
    beholder("score", photos / "0.png", "--out", tmp_path / "a.jsonl")
    beholder("score", photos / "0.png", "--out", tmp_path / "b.jsonl", "--scale", "0-100")
    (a,), (b,) = read(tmp_path / "a.jsonl"), read(tmp_path / "b.jsonl")
    assert b["scale"] == "0-100"
    assert b["score"] == pytest.approx((a["score"] - 1) * 25, abs=1e-4)
    assert b["spread"] == pytest.approx(a["spread"] * 25, abs=1e-4)
    assert b["level"] == a["level"]
    assert b["fingerprint"] != a["fingerprint"]


def test_the_recipe_behind_a_table_is_kept_beside_it(beholder, photos, tmp_path):
    out = tmp_path / "results.csv"
    beholder("score", photos / "0.png", "--out", out)
    kept = json.loads((tmp_path / "results.csv.recipe.json").read_text())
    assert kept["fingerprint"] == rows_of(out)[0]["fingerprint"]
    assert kept["recipe"]["model"] == "iris"
    assert kept["recipe"]["prompts"]["quality"]["image"]["opening"] == "The quality of the image is"


def test_a_page_is_written_with_a_card_for_each_and_the_errors(beholder, photos, tmp_path):
    page = tmp_path / "new folder" / "page.html"
    assert beholder("score", photos, "--report", page).code == 1
    text = page.read_text()
    assert text.count("data:image/jpeg;base64,") >= 6
    assert "broken.jpg" in text
    assert "http://" not in text.replace("http://www.w3.org", "")


def test_manifests_and_lists_name_what_is_scored(beholder, photos, tmp_path):
    (photos / "list.csv").write_text("path,mos\n0.png,3\nnowhere.png,1\nsub/1.jpg,2\n")
    done = beholder("score", photos / "list.csv", "--out", tmp_path / "t.csv")
    assert done.code == 1
    rows = rows_of(tmp_path / "t.csv")
    assert [row["path"] for row in rows] == ["0.png", "nowhere.png", "sub/1.jpg"]
    assert [bool(row["error"]) for row in rows] == [False, True, False]
    assert "no such file" in rows[1]["error"]


def test_a_file_named_twice_is_two_equal_rows(beholder, photos, tmp_path):
    out = tmp_path / "t.csv"
    beholder("score", photos / "0.png", photos / "2.png", photos / "0.png", "--out", out)
    first, _, third = rows_of(out)
    assert first == third


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["score"], "no input"),
        (["score", "{photos}/nowhere"], "nowhere"),
        (["score", "{photos}/0.pgn"], "did you mean"),
        (["score", "{photos}/empty"], "no picture or clip"),
        (["score", "{photos}", "--model", "irs"], "did you mean 'iris'"),
        (["score", "{photos}", "--task", "aesthetics"], "never shown human aesthetics"),
        (["score", "{photos}", "--task", "qualty"], "did you mean 'quality'"),
        (["score", "{photos}", "--scale", "5-1"], "'5-1'"),
        (["score", "{photos}", "--frames", "often"], "'often'"),
        (["score", "{photos}", "--out", "t.xlsx"], "t.xlsx"),
        (["score", "{photos}", "--report", "t.pdf"], "t.pdf"),
        (["score", "{photos}", "--batch-size", "many"], "'many'"),
        (["score", "{photos}", "--batch-size", "0"], "'0'"),
        (["score", "{photos}", "--workers", "0"], "0"),
        (["score", "{photos}", "--device", "gpu"], "'gpu'"),
        (["score", "{photos}", "--dtype", "float8"], "'float8'"),
        (["score", "{photos}", "--modle", "iris"], "--model"),
        (["scroe", "{photos}"], "did you mean 'score'"),
    ],
)
def test_misuse_is_exit_code_2_and_one_clear_sentence(beholder, photos, arguments, said):
    (photos / "empty").mkdir()
    done = beholder(*(argument.format(photos=photos) for argument in arguments))
    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err
    assert done.out == ""


def test_a_device_that_is_not_here_is_refused_with_what_is(beholder, photos):
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    done = beholder("score", photos, "--device", "cuda")
    assert (done.code, "here: cpu" in done.err) == (2, True)


def test_an_input_is_never_written_over(beholder, photos):
    listed = photos / "list.csv"
    listed.write_text("path\n0.png\n")
    for extra in ([], ["--restart"]):
        done = beholder("score", listed, "--out", listed, *extra)
        assert (done.code, "list.csv is an input" in done.err) == (2, True)
    assert listed.read_text() == "path\n0.png\n"


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("{photos}/folder.{ending}", "it is a folder"),
        ("{photos}/0.png/new/file.{ending}", "0.png is no folder"),
        ("{photos}/" + "n" * 300 + "/file.{ending}", "too long"),
    ],
)
@pytest.mark.parametrize("written", [("--report", "html"), ("--out", "csv")])
def test_a_place_that_cannot_be_written_is_told_before_a_model_is_loaded(
    beholder, photos, monkeypatch, written, place, said
):
    option, ending = written
    monkeypatch.setattr("beholder.cli.score._load", lambda _: pytest.fail("a model was loaded"))
    (photos / f"folder.{ending}").mkdir()
    done = beholder("score", photos, option, place.format(photos=photos, ending=ending))
    assert (done.code, done.out) == (2, "")
    assert f"{option} {photos}" in done.err
    assert "cannot be written: " in done.err
    assert said in done.err


def test_the_folder_of_a_page_is_made(beholder, photos, tmp_path):
    page = tmp_path / "new" / "deep" / "page.html"
    assert beholder("score", photos / "0.png", "--report", page).code == 0
    assert page.is_file()


def test_a_picture_without_a_preview_does_not_cost_the_page(
    beholder, photos, tmp_path, monkeypatch
):
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("beholder.cli._report.thumbnail", broken)
    page = tmp_path / "page.html"
    assert beholder("score", photos / "0.png", "--report", page).code == 0
    assert "no preview" in page.read_text()


@pytest.mark.parametrize(
    ("redirect", "code", "said"),
    [
        ("{line} - <&-", 2, "no picture or clip"),
        ("{line} {photos}/0.png >&-", 0, "1 scored"),
        ("{line} {photos}/0.png >/dev/full", 1, "standard output cannot be written"),
    ],
)
def test_closed_and_broken_streams_are_one_sentence(photos, redirect, code, said):
    line = f"{sys.executable} -m beholder score"
    done = subprocess.run(
        redirect.format(line=line, photos=photos), shell=True, capture_output=True, text=True
    )
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("width", [44, 80, 200])
@pytest.mark.parametrize("colour", ["xterm-256color", "dumb"])
def test_a_terminal_of_any_width_shows_score_level_and_the_end_of_the_path(photos, width, colour):
    environment = os.environ | {"COLUMNS": str(width), "TERM": colour, "PYTHONIOENCODING": "ascii"}
    environment.pop("NO_COLOR", None)
    done = subprocess.run(
        ["script", "-qec", f"{sys.executable} -m beholder score {photos}/sub", "/dev/null"],
        capture_output=True,
        env=environment,
    )
    text = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0
    assert "Traceback" not in text
    for name in ("1.jpg", "3.jpg", "5.jpg"):
        assert name in text
    assert any(level in text for level in ("excellent", "good", "fair", "poor", "bad"))


def test_version_is_an_option_of_the_command_too(beholder):
    assert beholder("score", "--version").out == beholder("--version").out


@pytest.mark.parametrize("colours", [_terminal.COLOURS, _terminal.FEW_COLOURS], ids=["256", "16"])
def test_levels_stay_apart_in_the_colours_a_terminal_has(colours):
    system = ColorSystem.EIGHT_BIT if colours is _terminal.COLOURS else ColorSystem.STANDARD
    shown = {Color.parse(colour).downgrade(system).number for colour in colours.values()}
    assert len(shown) == len(LEVELS)
