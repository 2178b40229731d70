"""`beholder lint` as a person meets it."""

import json

import pytest


@pytest.fixture
def clean(tmp_path, make_picture):
    """A table of 400 rows on 1 to 5 without files: nothing but notes."""
    rows = "".join(f"{n}.png,{1 + 4 * (n * 37 % 401) / 401}\n" for n in range(400))
    path = tmp_path / "clean.csv"
    path.write_text("path,mos\n" + rows)
    return path


def test_a_clean_table_has_notes_only_and_exit_code_0(beholder, clean):
    done = beholder("lint", clean, "--range", "1,5", "--mos")
    assert done.code == 0
    assert "400 rows, 0 files looked at: 0 errors, 0 warnings, 2 notes" in done.err
    assert "files were not looked at" in done.out
    assert "0.755 to 0.837" in done.out


def test_a_finding_is_told_with_examples_and_what_to_do_and_gives_exit_code_1(beholder, clean):
    with clean.open("a") as file:
        file.write("3.png,5.5\n")
    done = beholder("lint", clean, "--range", "1,5")
    assert done.code == 1
    assert "error   paths with opinions that differ (1)  [repeated]" in done.out
    assert "3.png: 2.10723, 5.5" in done.out
    assert "→ find out which is right" in done.out
    assert done.out.startswith("error")


def test_pictures_beside_the_table_are_looked_at_and_leaks_are_found(
    beholder, tmp_path, make_picture
):
    for n in range(4):
        make_picture(n, 160, 120).save(tmp_path / f"{n}.png")
    (tmp_path / "4.png").write_bytes((tmp_path / "0.png").read_bytes())
    (tmp_path / "train.csv").write_text("path,mos\n0.png,1\n1.png,2\n")
    (tmp_path / "test.csv").write_text("path,mos\n2.png,3\n3.png,4\n4.png,5\n")
    done = beholder("lint", tmp_path / "train.csv", tmp_path / "test.csv")
    assert done.code == 1
    assert "0.png (train) = 4.png (test)" in done.out
    assert "5 files looked at" in done.err
    done = beholder("lint", tmp_path / "train.csv", tmp_path / "test.csv", "--no-files")
    assert "[identical]" not in done.out
    assert "--no-files was given" in done.out


def test_a_root_without_the_files_is_an_error_and_no_root_is_a_note(beholder, clean, tmp_path):
    done = beholder("lint", clean, "--root", tmp_path, "--range", "1,5")
    assert done.code == 1
    assert "error   files that are not there (400)  [missing]" in done.out


def test_the_findings_are_written_for_programs(beholder, clean, tmp_path):
    out = tmp_path / "findings.json"
    done = beholder("lint", clean, "--range", "1,4", "--json", out)
    assert done.code == 1
    record = json.loads(out.read_text())
    assert (record["format"], record["rows"]) == (1, 400)
    assert "scores" in record["checks"]
    (finding,) = [f for f in record["findings"] if f["check"] == "scores"]
    assert set(finding) == {"severity", "what", "count", "examples", "advice", "check"}
    assert finding["severity"] == "error"
    assert finding["count"] == 99


def test_a_card_gives_bounds_scenes_and_direction(beholder, tmp_path):
    rows = "ref_name,dist_name,dmos\n" + "".join(
        f"r{s}.png,r{s}.AWGN.{n}.png,{0.15 * n + 0.01 * s:.3f}\n"
        for s in range(12)
        for n in range(1, 6)
    )
    (tmp_path / "csiq.csv").write_text(rows)
    assert "series of growing distortion" in beholder("lint", tmp_path / "csiq.csv").out
    done = beholder("lint", tmp_path / "csiq.csv", "--card", "csiq")
    assert "series" not in done.out
    assert "direction" not in done.out


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ([], "Missing argument"),
        (["none.csv"], "none.csv cannot be read"),
        (["{clean}", "--range", "5,1"], "'5,1' is not two increasing numbers"),
        (["{clean}", "--card", "konik"], "did you mean 'koniq'"),
        (["{clean}", "--root", "nowhere"], "nowhere"),
    ],
)
def test_misuse_is_one_sentence_and_exit_code_2(beholder, clean, arguments, part):
    done = beholder("lint", *[text.format(clean=clean) for text in arguments])
    assert done.code == 2
    assert part in done.err


def test_a_file_that_is_no_table_and_a_place_that_cannot_be_written_are_told(
    beholder, clean, tmp_path
):
    (tmp_path / "t.csv").write_text("picture,quality\na,3\n")
    done = beholder("lint", tmp_path / "t.csv")
    assert done.code == 2
    assert "it has picture, quality" in done.err
    done = beholder("lint", clean, "--json", tmp_path / "t.csv" / "f.json")
    assert (done.code, done.out) == (2, "")
    assert "cannot be written" in done.err


def test_the_help_page_says_what_the_exit_code_means(beholder):
    done = beholder("lint", "--help")
    assert done.code == 0
    assert (
        "0: nothing, or notes only; 1: a warning or an error; 2: misuse, or DATA cannot be read"
        in " ".join(done.out.split())
    )
