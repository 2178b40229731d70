"""`beholder study` as a person meets it, and the example that comes with it."""

import csv
import json
import re
import runpy
from pathlib import Path

import numpy as np
import pytest

from beholder.datasets import reading

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "study"
VOTES = "rater,item,vote\nann,a.png,5\nbob,a.png,4\nann,b.png,2\nbob,b.png,1\n"


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_votes_become_an_opinion_table_and_a_table_of_raters(beholder, tmp_path):
    votes = write(tmp_path / "votes.csv", VOTES)
    out, raters = tmp_path / "new" / "opinions.csv", tmp_path / "raters.csv"
    done = beholder("study", votes, "--out", out, "--raters", raters)
    assert (done.code, done.out) == (0, "")
    first, second = rows_of(out)
    assert " ".join(first) == (
        "path mos std n low high split scene p_excellent p_good p_fair p_poor p_bad details"
    )
    assert (first["path"], first["mos"], first["n"]) == ("a.png", "4.500000", "2")
    assert (first["p_excellent"], first["p_good"], first["p_bad"]) == (
        "0.500000",
        "0.500000",
        "0.000000",
    )
    assert second["std"] == "0.707107"
    assert [row["bias"] for row in rows_of(raters)] == ["0.500000", "-0.500000"]
    assert list(rows_of(raters)[0]) == ["rater", "bias", "inconsistency", "rejected", "reason"]
    assert "4 votes of 2 raters on 2 items, method mos" in done.err
    assert re.search(r"ICC\(2,k\), their mean +0\.\d+", done.err)
    assert "Krippendorff's alpha, interval" in done.err


def test_without_a_file_the_opinions_are_printed(beholder, tmp_path):
    done = beholder("study", write(tmp_path / "votes.csv", VOTES))
    assert done.out.splitlines()[0].startswith("path,mos,std,n,low,high")
    assert len(done.out.splitlines()) == 3


def test_json_lines_hold_the_same_numbers(beholder, tmp_path):
    votes = write(tmp_path / "votes.csv", VOTES.replace("a.png,5", "a.png,4.5"))
    out, lines = tmp_path / "o.csv", tmp_path / "o.jsonl"
    beholder("study", votes, "--out", out)
    beholder("study", votes, "--out", lines)
    for row, line in zip(rows_of(out), lines.read_text().splitlines(), strict=True):
        found = json.loads(line)
        assert found["mos"] == float(row["mos"])
        assert found["p_good"] is None
        assert found["details"] == json.loads(row["details"])


@pytest.mark.parametrize(
    "method", ["mos", "zscore", "bt500", "p913", "mle", "bradley-terry", "thurstone"]
)
def test_every_method_runs_on_the_example_and_its_table_is_an_opinion_table(
    method, beholder, tmp_path
):
    pairs = method in ("bradley-terry", "thurstone")
    out, raters = tmp_path / "opinions.csv", tmp_path / "raters.csv"
    done = beholder(
        *("study", EXAMPLE / ("pairs.csv" if pairs else "votes.csv"), "--method", method),
        *("--items", EXAMPLE / "items.csv", "--out", out, "--raters", raters),
    )
    assert done.code == 0, done.err
    table = reading.read(out)
    assert len(table) == 13
    good = {row.path: row.mos for row in table.rows}
    for spoilt in ("terrain_blur", "foliage_noise", "water_dark", "still_lowres", "text_motion"):
        assert good[f"{spoilt}.jpg"] < good[f"{spoilt.split('_')[0]}.jpg"]
    for row in table.rows:
        assert row.scene == row.path.removesuffix(".jpg").split("_")[0]
        assert row.low < row.mos < row.high
        if not pairs:
            assert sum(row.probabilities.values()) == pytest.approx(1.0, abs=5e-6)
    notes = {row["rater"]: row["reason"] for row in rows_of(raters) if row["reason"]}
    if not pairs:
        assert set(notes) == {"dora", "ivan", "kim"}
        assert "upside down" in notes["ivan"]


def test_the_example_is_what_its_script_makes(tmp_path):
    copy = write(tmp_path / "make_votes.py", (EXAMPLE / "make_votes.py").read_text())
    runpy.run_path(str(copy), run_name="__main__")
    for name in ("votes.csv", "items.csv", "pairs.csv"):
        assert (tmp_path / name).read_bytes() == (EXAMPLE / name).read_bytes()


def test_the_commands_of_the_page_run_and_print_what_it_says(beholder, tmp_path, monkeypatch):
    page = (ROOT / "docs" / "studies.md").read_text(encoding="utf-8")
    monkeypatch.chdir(ROOT)
    commands = re.findall(r"^beholder (study .*)$", page, re.MULTILINE)
    assert len(commands) >= 4
    said = ""
    for command in commands:
        words = [
            str(tmp_path / Path(word).name) if word.startswith("out/") else word
            for word in command.split()
        ]
        done = beholder(*words)
        assert done.code == 0, done.err
        said += done.out + done.err
    for line in re.findall(r"^```text\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        for each in line.splitlines():
            assert each.replace("out/", "") in said.replace(f"{tmp_path}/", ""), each


def test_differential_opinions_say_which_way_they_go(beholder, tmp_path):
    out = tmp_path / "o.csv"
    done = beholder(
        *("study", EXAMPLE / "votes.csv", "--items", EXAMPLE / "items.csv", "--differences"),
        *("--out", out),
    )
    assert {row["path"]: row["mos"] for row in rows_of(out)}["water.jpg"] == "5.000000"
    assert "a higher one is better" in done.err


@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        (VOTES, ["--range", "5,1"], (2, "'5,1'")),
        (VOTES, ["--out", "o.xlsx"], (2, "o.xlsx must end in .csv or .jsonl")),
        (VOTES, ["--method", "median"], (2, "'median'")),
        (VOTES, ["--method", "thurstone"], (2, "holds votes, which --method thurstone does not")),
        (VOTES, ["--items", "none.csv"], (2, "none.csv")),
        (VOTES, ["--differences"], (1, "2 items have no reference (a.png, b.png)")),
        (VOTES.replace("5", "70"), [], (2, "vote 70 of rater 'ann' on 'a.png' lies outside")),
        (VOTES + "ann,a.png,3\n", [], (2, "row 2 and votes.csv, row 6: rater 'ann' voted twice")),
        ("rater,item,vote\nann,a,3\n", ["--method", "mle"], (1, "one rater alone")),
        (
            "rater,item,vote\nann,a,3\nbob,b,4\n",
            ["--method", "p913"],
            (1, "2 groups that share no"),
        ),
        ("hello\n", [], (2, "holds no rows")),
        ("\n", [], (2, "is empty: it should hold one row for each vote")),
        ("rater,a,b,choice\nx,p,q,a\n", [], (2, "holds comparisons, which --method mos does not")),
        (
            "rater,a,b,choice\nx,p,q,a\n",
            ["--method", "bradley-terry", "--differences"],
            (2, "--differences is for votes"),
        ),
        (
            "rater,a,b,choice\nx,p,q,a\nx,r,s,a\n",
            ["--method", "bradley-terry"],
            (1, "2 groups that were never compared"),
        ),
        ("rater,a,b,choice\nx,p,q,a\n", ["--method", "thurstone"], (1, "'p' won every comparison")),
    ],
)
def test_what_cannot_be_right_or_used_is_one_sentence_and_leaves_no_file(
    text, arguments, said, beholder, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "votes.csv", text)
    out = [] if "--out" in arguments else ["--out", "opinions.csv"]
    done = beholder("study", "votes.csv", *arguments, *out)
    code, part = said
    assert done.code == code
    assert part in done.err
    assert "Traceback" not in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["votes.csv"]


def test_one_of_each_is_told_in_the_singular(beholder, tmp_path):
    votes = write(tmp_path / "v.csv", "rater,item,vote\nann,a,3\n")
    done = beholder("study", votes)
    assert "1 vote of 1 rater on 1 item, method mos" in done.err
    assert "  1 item has one vote (a): no interval" in done.err
    assert "1 item and 1 rater are too few" in done.err
    assert "0 items have two votes or more" in done.err
    pairs = write(tmp_path / "p.csv", "rater,a,b,choice\nx,p,q,tie\nx,p,q,\n")
    done = beholder("study", pairs, "--method", "bradley-terry")
    assert "1 comparison of 1 rater on 2 items" in done.err
    assert "  1 row holds no choice" in done.err


def test_a_file_that_is_not_there_is_misuse(beholder, tmp_path):
    done = beholder("study", tmp_path / "none.csv")
    assert done.code == 2
    assert "none.csv" in done.err


def test_help_names_every_method_and_loads_no_torch(beholder):
    done = beholder("study", "--help")
    assert done.code == 0
    for word in ("zscore", "p913", "mle", "thurstone", "--screen", "--raters"):
        assert word in done.out


def test_items_and_raters_without_any_vote_keep_their_rows(beholder, tmp_path):
    votes = write(tmp_path / "v.csv", "item,ann,bob,cy\na,1,2,\nb,,,\nc,4,5,\n")
    out, raters = tmp_path / "o.csv", tmp_path / "r.csv"
    done = beholder("study", votes, "--out", out, "--raters", raters)
    assert [row["path"] for row in rows_of(out)] == ["a", "b", "c"]
    assert (rows_of(out)[1]["mos"], rows_of(out)[1]["n"]) == ("", "0")
    assert [row["rater"] for row in rows_of(raters)] == ["ann", "bob", "cy"]
    assert rows_of(raters)[2]["bias"] == ""
    assert "1 item has no vote left (b): no opinion" in done.err
    assert "5 cells or rows hold no vote" in done.err


@pytest.fixture(scope="module")
def planted():
    """Votes of 24 raters on 100 items: two biased, one upside down, one careless."""
    rng = np.random.default_rng(0)
    quality = rng.uniform(1, 5, 100)
    biases = {0: 1.5, 1: -1.5}
    rows = ["rater,item,vote"]
    for rater in range(24):
        felt = quality + biases.get(rater, rng.normal(0, 0.3)) + rng.normal(0, 0.6, 100)
        felt = {2: 6 - felt, 3: rng.uniform(0.5, 5.5, 100)}.get(rater, felt)
        votes = np.clip(np.round(felt), 1, 5)
        seen = rng.random(100) > 0.4
        rows += [f"r{rater},{n}.png,{votes[n]:g}" for n in range(100) if seen[n]]
    return "\n".join(rows) + "\n"


@pytest.mark.parametrize("method", ["mos", "zscore", "bt500", "p913", "mle"])
def test_lint_finds_no_error_in_the_opinions_of_any_method(method, beholder, planted, tmp_path):
    out = tmp_path / "o.csv"
    votes = write(tmp_path / "v.csv", planted)
    assert beholder("study", votes, "--method", method, "--out", out).code == 0
    scale = [] if method == "zscore" else ["--range", "1,5"]
    done = beholder("lint", out, "--mos", "--json", tmp_path / "f.json", *scale)
    findings = json.loads((tmp_path / "f.json").read_text())["findings"]
    assert {f["check"] for f in findings if f["severity"] != "note"} == {"precision"}, done.out
