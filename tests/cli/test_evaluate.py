"""`beholder evaluate` as a person meets it."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from beholder.evaluation import rating


@pytest.fixture
def tables(tmp_path):
    """Opinions of 40 files, good and rough scores of them."""
    rng = np.random.default_rng(0)
    mos = rng.uniform(1, 5, 40)
    names = [f"set/{number:02}.png" for number in range(40)]

    def table(name, header, *columns):
        with (tmp_path / name).open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            writer.writerows(zip(*columns, strict=True))

    kinds = ["blur" if number % 2 else "noise" for number in range(40)]
    table("mos.csv", ["path", "mos", "distortion"], names, mos, kinds)
    table("dmos.csv", ["path", "dmos"], names, 100 - 20 * mos)
    table("good.csv", ["path", "score"], names, mos + rng.normal(0, 0.2, 40))
    table("rough.csv", ["path", "score"], names, mos + rng.normal(0, 2, 40))
    return tmp_path


def quick(*arguments):
    return ("evaluate", "--bootstrap", 100, *arguments)


def test_two_tables_become_numbers_with_error_bars(beholder, tables):
    out = tables / "new" / "out.json"
    scores, mos = tables / "good.csv", tables / "mos.csv"
    done = beholder(*quick("--scores", scores, "--opinions", mos, "--json", out))
    assert done.code == 0
    found = json.loads(out.read_text())["overall"]
    rows = [list(csv.DictReader(path.read_text().splitlines())) for path in (scores, mos)]
    x, y = (
        [float(row[key]) for row in each] for each, key in zip(rows, ("score", "mos"), strict=True)
    )
    assert found["srcc"]["value"] == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-9)
    assert found["srcc"]["low"] < found["srcc"]["value"] < found["srcc"]["high"]
    assert (found["n"], found["failed"]) == (40, 0)
    assert f"SRCC {found['srcc']['value']:.3f} [" in done.out
    assert "40 by exact" in done.err


def test_the_same_seed_gives_the_same_file(beholder, tables):
    call = quick("--scores", tables / "good.csv", "--opinions", tables / "mos.csv")
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        beholder(*call, "--seed", seed, "--json", tables / f"{name}.json")
    a, b, c = ((tables / f"{name}.json").read_text() for name in "abc")
    assert a == b
    assert a != c


def test_all_forms_are_written_at_once_and_named(beholder, tables):
    done = beholder(
        *quick("--scores", tables / "good.csv", "--opinions", tables / "mos.csv"),
        *("--against", tables / "rough.csv", "--by", "distortion"),
        *(
            "--json",
            tables / "o.json",
            "--markdown",
            tables / "o.md",
            "--report",
            tables / "o.html",
        ),
    )
    assert done.code == 0
    found = json.loads((tables / "o.json").read_text())
    assert set(found["groups"]) == {"blur", "noise"}
    assert found["overall"]["verdict"] == "better"
    assert "good is better than rough" in done.out
    assert "good is better than rough" in (tables / "o.html").read_text()
    assert "**good is better than rough" in (tables / "o.md").read_text()
    assert "o.html" in done.err


def test_dmos_is_negated_so_that_better_agreement_is_positive(beholder, tables):
    out = tables / "o.json"
    call = quick("--scores", tables / "good.csv", "--opinions", tables / "dmos.csv", "--json", out)
    assert beholder(*call, "--dmos").code == 0
    assert json.loads(out.read_text())["overall"]["srcc"]["value"] > 0.9
    done = beholder(*call)
    assert "Add --dmos" in done.err
    assert json.loads(out.read_text())["overall"]["srcc"]["value"] < -0.9


def test_failed_and_unmatched_rows_are_shown_and_failures_are_exit_code_1(beholder, tables):
    scores = tables / "part.csv"
    lines = (tables / "good.csv").read_text().splitlines()
    scores.write_text("\n".join([*lines[:30], "set/35.png,", "elsewhere.png,3"]) + "\n")
    done = beholder(*quick("--scores", scores, "--opinions", tables / "mos.csv"))
    assert done.code == 1
    assert "could not be scored: 1. For example: set/35.png" in done.err
    assert "Opinions without a row in the score table: 10." in done.err
    assert "Scores without a row in the opinion table: 1. For example: elsewhere.png" in done.err


def test_models_that_scored_other_files_have_no_verdict_and_exit_code_1(beholder, tables):
    lines = (tables / "good.csv").read_text().splitlines()
    (tables / "a.csv").write_text("\n".join(lines[:21]) + "\n")
    (tables / "b.csv").write_text("\n".join([lines[0], *lines[21:]]) + "\n")
    out = tables / "o.json"
    done = beholder(
        *quick("--scores", tables / "a.csv", "--opinions", tables / "mos.csv"),
        *("--against", tables / "b.csv", "--json", out),
    )
    assert done.code == 1
    found = json.loads(out.read_text())["overall"]
    assert found["verdict"] is None
    assert "0 pairs are too few" in found["reason"]
    assert "cannot be compared" in done.out


def test_fewer_than_three_pairs_have_no_number_and_a_reason(beholder, tables):
    few = tables / "few.csv"
    few.write_text("path,score\nset/01.png,1\nset/02.png,2\n")
    out = tables / "o.json"
    done = beholder(
        *quick("--scores", few, "--opinions", tables / "mos.csv", "--json", out),
        *("--report", tables / "o.html", "--markdown", tables / "o.md"),
    )
    assert done.code == 1
    value = json.loads(out.read_text())["overall"]["srcc"]
    assert value["value"] is None
    assert "2 pairs are too few" in value["reason"]
    assert "2 pairs are too few" in done.out


@pytest.fixture
def rated(photos):
    """Opinions of the photos."""
    names = ["0.png", "2.png", "4.png", "sub/1.jpg", "sub/3.jpg", "sub/5.jpg"]
    rows = [f"{name},{number}" for number, name in enumerate(names, 1)]
    (photos / "mos.csv").write_text("\n".join(["path,mos", *rows]) + "\n")
    return photos


def test_a_model_rates_the_files_that_people_rated(beholder, rated, tmp_path):
    out, page = tmp_path / "o.json", tmp_path / "o.html"
    done = beholder(
        *quick("--model", "iris", "--data", rated / "mos.csv", "--root", rated),
        *("--out", tmp_path / "r.csv", "--json", out, "--report", page),
    )
    assert done.code == 0, done.err
    found = json.loads(out.read_text())
    assert found["overall"]["n"] == 6
    assert found["scores"]["model"] == "iris"
    assert found["scores"]["recipe"]["model"] == "iris"
    assert found["join"]["exact"] == 6
    assert "data:image/jpeg" in page.read_text()
    with (tmp_path / "r.csv").open() as file:
        assert [row["path"] for row in csv.DictReader(file)][3] == "sub/1.jpg"


def test_the_table_of_a_model_is_gone_on_with_and_evaluates_to_the_same(
    beholder, rated, tmp_path, monkeypatch
):
    table, out = tmp_path / "r.csv", tmp_path / "o.json"
    call = quick("--model", "iris", "--data", rated / "mos.csv", "--out", table)
    judged = []
    whole = rating.Run._judge

    def judge(run, slots, opened, task):
        judged.extend(slots)
        return whole(run, slots, opened, task)

    monkeypatch.setattr(rating.Run, "_judge", judge)

    def scored():
        count = sum(slot.opened is not None for slot in judged)
        judged.clear()
        return count

    beholder(*call, "--json", out)
    assert scored() == 6
    first, numbers = table.read_bytes(), json.loads(out.read_text())
    beholder(*call, "--json", out)
    assert scored() == 0
    assert table.read_bytes() == first
    assert json.loads(out.read_text()) == numbers
    beholder(*quick("--scores", table, "--data", rated / "mos.csv", "--json", out))
    assert json.loads(out.read_text())["overall"] == numbers["overall"]


def test_the_model_is_told_what_beholder_score_is_told(beholder, rated, tmp_path):
    out, chosen = tmp_path / "o.json", ("--scorer", "boost", "--set", "tones=ensemble")
    call = quick("--data", rated / "mos.csv", "--model", "iris", "--json", out)
    done = beholder(*call, *chosen)
    assert done.code == 2
    assert "words" in done.err
    assert beholder(*call, "--set", "levels=excellent,fair,bad").code == 0
    assert list(json.loads(out.read_text())["scores"]["recipe"]["levels"]) == [
        *("excellent", "fair", "bad")
    ]


def test_published_test_parts_give_the_median_over_them(beholder, tables):
    out, calls = tables / "o.json", []
    for number in range(2):
        lines = [f"images/set/{row:02}.png\t3.0" for row in range(number, 40, 2)]
        (tables / f"test{number}.txt").write_text("\n".join(lines))
        calls += ["--test-list", tables / f"test{number}.txt"]
    scores, mos = tables / "good.csv", tables / "mos.csv"
    done = beholder(*quick("--scores", scores, "--opinions", mos, "--json", out, *calls))
    assert done.code == 0, done.err
    found = json.loads(out.read_text())["splits"]
    assert (found["parts"], found["lists"], found["lacking"], found["smallest"]) == (2, 2, 0, 20)
    assert "2 test parts of 20 files (as listed)" in done.out


def test_a_file_that_is_missing_or_broken_is_a_failed_row(beholder, rated):
    with (rated / "mos.csv").open("a") as file:
        file.write("gone.png,3\nbroken.jpg,2\n")
    done = beholder(*quick("--data", rated / "mos.csv"))
    assert done.code == 1
    assert "could not be scored: 2. For example: gone.png" in done.err


def test_scores_of_beholder_score_join_whatever_the_folder(beholder, rated, tmp_path, monkeypatch):
    monkeypatch.chdir(rated.parent)
    beholder("score", "photos", "--out", tmp_path / "r.csv")
    done = beholder(*quick("--scores", tmp_path / "r.csv", "--opinions", "photos/mos.csv"))
    assert "6 by root" in done.err
    assert "Scores without a row in the opinion table: 1." in done.err


def test_a_benchmark_is_a_card_and_a_folder(beholder, rated, tmp_path):
    card = tmp_path / "ours.toml"
    card.write_text(
        'format = 1\ntitle = "Ours"\nmedia = "image"\ntask = "quality"\nrange = [1.0, 6.0]\n'
        'higher_is_better = false\nscene = "^([0-9])"\ntables = ["mos.csv"]\nfolders = ["sub"]\n'
        'items = 8\nnotes = ["two files are lost"]\n'
    )
    out = tmp_path / "o.json"
    done = beholder(*quick("--benchmark", card, "--root", rated, "--json", out))
    assert done.code == 0, done.err
    found = json.loads(out.read_text())
    assert found["opinions"]["card"] == "ours"
    assert found["opinions"]["direction"] == "DMOS, negated"
    assert found["overall"]["drawn"] == "6 scenes"
    assert "Note: Ours: two files are lost" in done.err
    assert "Ours has 8 rated items by its card" in done.err
    assert "names 6" in done.err
    card.write_text(card.read_text().replace("items = 8", "items = 6"))
    assert "rated items" not in beholder(*quick("--benchmark", card, "--root", rated)).err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "no opinions"),
        (["--benchmark", "koniq"], "--root"),
        (["--benchmark", "koniqq", "--root", "{t}"], "did you mean 'koniq'"),
        (["--benchmark", "koniq", "--root", "{t}"], "no opinion table of KonIQ-10k"),
        (["--opinions", "{t}/nowhere.csv"], "nowhere.csv"),
        (["--opinions", "{t}/mos.csv", "--scores", "{t}/nowhere.csv"], "nowhere.csv"),
        (["--opinions", "{t}/mos.csv", "--scores", "{t}/good.csv", "--model", "iris"], "--model"),
        (["--opinions", "{t}/mos.csv", "--scores", "{t}/good.csv", "--by", "sort"], "distortion"),
        (["--opinions", "{t}/mos.csv", "--scores", "{t}/good.csv", "--range", "5,1"], "'5,1'"),
        (["--opinions", "{t}/mos.csv", "--scores", "{t}/good.csv", "--folds", "1"], "--folds 1"),
        (["--opinions", "{t}/mos.csv", "--scores", "{t}/good.csv", "--folds", "99"], "99 folds"),
        (["--opinions", "{t}/mos.csv", "--scores", "{t}/good.csv", "--task", "x"], "'x'"),
        (["--opinions", "{t}/mos.csv", "--scores", "{t}/good.csv", "--report", "a.pdf"], ".html"),
        (["--opinions", "{t}/mos.csv", "--scores", "{t}/good.csv", "--bootstrap", "x"], "'x'"),
        (["--opinions", "{t}/mos.csv", "--scores", "{t}/good.csv", "--bootstrap", "99"], "100<=x"),
        (["--opinions", "{t}/mos.csv", "--json", "{t}/mos.csv/o.json"], "mos.csv is no folder"),
        (["--opinions", "{t}/mos.csv", "--report", "{t}"], ".html"),
        (["--opinions", "{t}/mos.csv", "--json", "{t}"], "it is a folder"),
        (["--opinions", "{t}/mos.csv", "--scores", "{t}/other.csv"], "'other/1.png'"),
        (["--opinions", "{t}/mos.csv", "--model", "irs"], "'irs'"),
        (["--opinions", "{t}/mos.csv"], "none of the 40 files"),
        (["--opinions", "{t}/mos.csv", "--out", "t.xlsx"], "t.xlsx"),
        (["--opinions", "{t}/mos.csv", "--scores", "{t}/good.csv", "--set", "a=1"], "--set"),
        (["--opinions", "{t}/mos.csv", "--model", "iris", "--set", "formm=x"], "'formm'"),
        (["--opinions", "{t}/mos.csv", "--test-list", "{t}/none.txt"], "none.txt"),
        (["--opinions", "{t}/mos.csv", "--test-list", "{t}/good.csv", "--splits", "2"], "--splits"),
    ],
)
def test_misuse_is_exit_code_2_and_one_clear_sentence(beholder, tables, arguments, said):
    (tables / "other.csv").write_text("path,score\nother/1.png,1\n")
    done = beholder("evaluate", *(argument.format(t=tables) for argument in arguments))
    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err
    assert done.out == ""


def test_a_table_that_is_none_is_misuse(beholder, tables):
    done = beholder(*quick("--scores", tables / "mos.csv", "--opinions", tables / "mos.csv"))
    assert (done.code, "no score" in done.err) == (2, True)
    done = beholder(*quick("--scores", tables / "good.csv", "--opinions", tables / "empty.csv"))
    assert done.code == 2


def test_files_are_written_though_nobody_reads_what_is_printed(tables):
    call = [
        *(sys.executable, "-m", "beholder", "evaluate", "--bootstrap", "100"),
        *("--scores", tables / "good.csv", "--opinions", tables / "mos.csv"),
        *("--json", tables / "o.json"),
    ]
    with Path("/dev/full").open("w") as full:  # a disk without room, where nothing can be printed
        subprocess.run(call, stdout=full, stderr=subprocess.DEVNULL)
    assert json.loads((tables / "o.json").read_text())["overall"]["n"] == 40


def test_a_benchmark_may_be_called_a_card_as_in_lint(beholder, tables):
    done = beholder("evaluate", "--card", "koniqq", "--root", tables)
    assert "did you mean 'koniq'" in done.err
    assert (
        "did you mean 'koniq'" in beholder("lint", tables / "mos.csv", "--benchmark", "konik").err
    )


def test_finished_scores_are_evaluated_without_torch(tables):
    code = (
        "import sys; from beholder.cli.main import run;"
        f"run(['evaluate', '--scores', r'{tables / 'good.csv'}', '--opinions',"
        f" r'{tables / 'mos.csv'}', '--bootstrap', '100']);"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"
