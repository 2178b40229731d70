"""Finding pictures and clips: what an argument means, and what is said when it means nothing."""

import io
import json
import os
import sys
from pathlib import Path

import pytest

from beholder.errors import MissingExtraError, UsageError
from beholder.media import manifests
from beholder.media.items import Item, printable
from beholder.media.sources import Skipped, find


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def touch(*names):
    for name in names:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def names(*inputs, **options):
    return [item.path for item in find(inputs, **options)]


def test_a_file_named_is_taken_whatever_its_name(here):
    touch("a.jpg", "readme.md", "noending")
    assert names("readme.md", "a.jpg", "noending") == ["readme.md", "a.jpg", "noending"]


def test_a_folder_is_searched_below_in_sorted_order(here):
    touch("f/b.jpg", "f/a/z.png", "f/a/y.mp4", "f/c.webp", "f/A.jpg", "f/a.jpg")
    assert names("f") == ["f/A.jpg", "f/a/y.mp4", "f/a/z.png", "f/a.jpg", "f/b.jpg", "f/c.webp"]


@pytest.mark.parametrize(
    ("given", "wanted"), [("f/", "f/a.jpg"), ("./f", "./f/a.jpg"), ("f/../f", "f/../f/a.jpg")]
)
def test_names_begin_as_the_folder_was_given(here, given, wanted):
    touch("f/a.jpg")
    assert names(given) == [wanted]


def test_the_current_folder_can_be_given(here):
    touch("a.jpg")
    assert names(".") == ["./a.jpg"]


def test_other_files_and_hidden_ones_are_skipped_and_counted(here):
    touch("f/a.jpg", "f/notes.txt", "f/.DS_Store", "f/Thumbs.db", "f/._a.jpg", "f/.git/b.jpg")
    skipped = Skipped()
    assert names("f", skipped=skipped) == ["f/a.jpg"]
    assert skipped.count == 4


def test_a_list_inside_a_folder_is_not_followed(here):
    touch("f/a.jpg")
    Path("f/list.txt").write_text("/etc/passwd\n")
    assert names("f") == ["f/a.jpg"]


def test_links_that_lead_back_are_not_followed_twice(here):
    touch("f/a/x.jpg")
    Path("f/a/up").symlink_to(here / "f")
    Path("f/a/self").symlink_to(Path("self"))
    assert names("f") == ["f/a/x.jpg"]


def test_links_to_other_folders_are_followed(here):
    touch("f/a.jpg", "other/b.jpg")
    Path("f/link").symlink_to(here / "other")
    assert names("f") == ["f/a.jpg", "f/link/b.jpg"]


def test_a_link_that_leads_nowhere_is_given_out_by_its_name(here):
    touch("f/a.jpg")
    Path("f/b.jpg").symlink_to("missing")
    assert names("f") == ["f/a.jpg", "f/b.jpg"]


def test_a_folder_that_cannot_be_searched_is_an_item_with_a_reason(here, monkeypatch):
    touch("f/a.jpg", "f/closed/b.jpg", "f/z.jpg")
    scandir = os.scandir

    def guarded(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    found = list(find(["f"]))
    assert [item.path for item in found] == ["f/a.jpg", "f/closed", "f/z.jpg"]
    assert [item.error is None for item in found] == [True, False, True]
    assert "cannot be searched" in found[1].error
    assert "not permitted" in found[1].error


def test_one_folder_at_a_time_is_held(here, monkeypatch):
    touch("f/a/1.jpg", "f/b/2.jpg", "f/c/3.jpg")
    opened, scandir = [], os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: (opened.append(str(path)), scandir(path))[1])
    stream = find(["f"])
    assert next(stream).path == "f/a/1.jpg"
    assert opened == ["f", "f/a"]


def test_globs_that_the_shell_left_alone_are_expanded_in_order(here):
    touch("b.jpg", "a.jpg", "c.txt", "d/e.jpg", "d/f/g.jpg")
    assert names("*.jpg") == ["a.jpg", "b.jpg"]
    assert names("**/*.jpg") == ["a.jpg", "b.jpg", "d/e.jpg", "d/f/g.jpg"]
    assert names(str(here / "?.jpg")) == [str(here / "a.jpg"), str(here / "b.jpg")]


def test_a_name_with_brackets_that_exists_is_a_name(here):
    touch("a[1].jpg")
    assert names("a[1].jpg") == ["a[1].jpg"]


def test_a_glob_without_a_match_is_misuse(here):
    with pytest.raises(UsageError, match=r"no file matches '\*\.jpg'"):
        find(["*.jpg"])


def test_a_missing_name_is_misuse_with_a_near_name(here):
    touch("holiday/beach.jpg", "other.png")
    with pytest.raises(
        UsageError, match=r"no 'holiday/beech.jpg': did you mean 'holiday/beach.jpg'"
    ):
        find(["holiday/beech.jpg"])
    with pytest.raises(UsageError, match="no 'holidays': did you mean 'holiday'"):
        find(["holidays"])
    with pytest.raises(UsageError, match="no 'xyz': check the name"):
        find(["xyz"])


def test_a_missing_name_is_noticed_before_anything_is_given_out(here):
    touch("a.jpg")
    with pytest.raises(UsageError):
        find(["a.jpg", "b.jpg"])


def test_no_input_is_misuse():
    with pytest.raises(UsageError, match="no input was given"):
        find([])


def test_an_empty_name_is_misuse(here):
    with pytest.raises(UsageError, match="check the name"):
        find([""])


def test_a_folder_without_pictures_is_misuse_when_the_stream_ends(here):
    touch("f/a.doc", "f/b.doc")
    stream = find(["f"])
    with pytest.raises(UsageError, match=r"no picture or clip was found in f .2 other files"):
        next(stream)
    touch("g/a.doc")
    with pytest.raises(UsageError, match=r"1 other file was skipped"):
        next(find(["g"]))


@pytest.mark.parametrize("separator", ["\n", "\r\n", "\0"])
def test_standard_input_is_a_list_of_names(here, separator):
    touch("a b.jpg", "c.jpg")
    text = separator.join(["a b.jpg", "", "missing.jpg", "c.jpg"]).encode()
    found = list(find(["-"], stdin=io.BytesIO(text)))
    assert [item.path for item in found] == ["a b.jpg", "missing.jpg", "c.jpg"]
    assert found[1] == Item("missing.jpg", "missing.jpg")


def test_a_long_list_is_read_as_a_stream(here):
    class Endless(io.BytesIO):
        given = 0

        def read(self, size=-1):
            self.given += 1
            return b"some/name.jpg\n" * 100

    stdin = Endless()
    stream = find(["-"], stdin=stdin)
    assert [next(stream).path for _ in range(250)] == ["some/name.jpg"] * 250
    assert stdin.given < 10


def test_a_line_without_an_end_is_misuse(here):
    with pytest.raises(UsageError, match="longer than 65536 bytes"):
        list(find(["-"], stdin=io.BytesIO(b"x" * 200_000)))


def written(kind, rows, path):
    if kind == "txt":
        path.write_text("\ufeff" + "\n".join(rows) + "\n", encoding="utf-8")
    elif kind == "csv":
        path.write_text(
            "\ufeffid,path\n" + "".join(f'{at},"{row}"\n' for at, row in enumerate(rows)),
            encoding="utf-8",
        )
    elif kind == "jsonl":
        path.write_text("\n".join(json.dumps({"path": row, "n": 1}) for row in rows) + "\n\n")
    else:
        pyarrow = pytest.importorskip("pyarrow")
        parquet = pytest.importorskip("pyarrow.parquet")
        parquet.write_table(pyarrow.table({"path": rows, "n": [1] * len(rows)}), path)
    return str(path)


KINDS = ["txt", "csv", "jsonl", "parquet"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_manifest_gives_its_rows_in_order_exactly_as_written(here, kind):
    touch("lists/b.jpg", "a, b.jpg")
    rows = ["b.jpg", "a, b.jpg", "lists/b.jpg", "ü/missing.jpg", str(here / "a, b.jpg")]
    found = list(find([written(kind, rows, here / "lists" / f"all.{kind}")]))
    assert [item.path for item in found] == rows
    assert [item.file for item in found] == [
        str(here / "lists/b.jpg"), "a, b.jpg", "lists/b.jpg", "ü/missing.jpg",
        str(here / "a, b.jpg"),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_beside_the_manifest_comes_before_the_current_folder(here, kind):
    touch("lists/a.jpg", "a.jpg")
    (item,) = find([written(kind, ["a.jpg"], here / "lists" / f"all.{kind}")])
    assert item.file == str(here / "lists/a.jpg")


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_manifest_is_misuse(here, kind):
    manifest = written(kind, [], here / f"all.{kind}")
    with pytest.raises(UsageError, match="no picture or clip was found"):
        list(find([manifest]))


def test_a_table_without_a_path_column_is_misuse_that_names_its_columns(here):
    Path("a.csv").write_text("file,mos\na.jpg,3\n")
    with pytest.raises(UsageError, match=r"'a.csv' has the columns file, mos; it needs .*'path'"):
        list(find(["a.csv"]))


@pytest.mark.parametrize(
    ("name", "content", "row", "message"),
    [
        ("a.jsonl", '{"path": "a.jpg"}\n{"path"\n', 2, "it is no JSON"),
        ("a.jsonl", '{"path": "a.jpg"}\n["a.jpg"]\n', 2, 'it has no text under "path"'),
        ("a.jsonl", '{"path": 3}\n{"path": "a.jpg"}\n', 1, 'it has no text under "path"'),
        ("a.csv", "path,n\na.jpg,1\n,2\n", 3, "its path is empty"),
    ],
)
def test_a_damaged_row_of_a_manifest_is_an_error_that_names_the_row(
    here, name, content, row, message
):
    Path(name).write_text(content)
    good, bad = sorted(find([name]), key=lambda item: item.error or "")
    assert (good.path, good.error) == ("a.jpg", None)
    assert bad.path == f"{name} row {row}"
    assert message in bad.error


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", 'path\n"' + "x" * 200_000, "is no CSV"),
        ("a.csv", "", "0 bytes"),
        ("a.csv", "\n", "has the columns none"),
        ("a.parquet", "no parquet", "is no Parquet file"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_misuse(here, name, content, message):
    Path(name).write_text(content)
    with pytest.raises(UsageError, match=message):
        list(find([name]))


def test_without_pyarrow_the_way_to_install_it_is_told(here, monkeypatch):
    Path("a.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'beholder\[parquet\]'"):
        list(find(["a.parquet"]))


def test_names_that_are_no_utf8_are_printable_and_still_open(here):
    raw = os.fsencode(str(here)) + b"/f/caf\xe9.jpg"
    Path("f").mkdir()
    Path(os.fsdecode(raw)).write_bytes(b"x")
    (item,) = find(["f"])
    assert item.path == "f/caf\\xe9.jpg"
    item.path.encode("utf-8")
    assert Path(item.file).read_bytes() == b"x"
    (listed,) = find(["-"], stdin=io.BytesIO(b"f/caf\xe9.jpg\n"))
    assert listed == item


def test_line_breaks_and_control_characters_in_names_are_escaped():
    assert printable("a\nb\x1b[31m.jpg") == "a\\nb\\x1b[31m.jpg"
    assert printable("Grüße 写真.jpg") == "Grüße 写真.jpg"


def test_a_csv_in_another_encoding_keeps_its_names_openable(here):
    touch("a.jpg")
    Path(os.fsdecode(b"caf\xe9.jpg")).write_bytes(b"x")
    Path("l.csv").write_bytes(b"path\ncaf\xe9.jpg\n")
    (item,) = find(["l.csv"])
    assert item.path == "caf\\xe9.jpg"
    assert Path(item.file).exists()


def test_a_manifest_that_is_a_pipe_or_a_folder_is_treated_as_what_it_is(here):
    touch("list.txt/a.jpg")
    assert names("list.txt") == ["list.txt/a.jpg"]


def test_the_lists_that_are_known_are_data():
    assert manifests.COLUMN == "path"


def test_folders_may_be_very_deep(here):
    deep = here / "f"
    deep.mkdir()
    folder = os.open(deep, os.O_RDONLY)
    for _ in range(700):
        os.mkdir("d", dir_fd=folder)
        below = os.open("d", os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = below
    os.close(os.open("a.jpg", os.O_CREAT, dir_fd=folder))
    os.close(folder)
    assert names("f") == ["f/" + "d/" * 700 + "a.jpg"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
@pytest.mark.timeout(10)
def test_a_manifest_that_is_a_pipe_is_refused_without_waiting(here):
    os.mkfifo("list.txt")
    with pytest.raises(UsageError, match=r"'list.txt': it is a pipe"):
        list(find(["list.txt"]))


def test_names_far_too_long_are_misuse_or_a_row(here):
    long = "x" * 5000
    for name in (long, f"{long}/a.jpg"):
        with pytest.raises(UsageError, match="check the name"):
            find([name])
    Path("a.txt").write_text(f"{long}/a.jpg\n")
    assert names("a.txt") == [f"{long}/a.jpg"]


def test_a_link_into_nowhere_named_on_the_command_line_is_a_row(here):
    Path("a.jpg").symlink_to("a.jpg")
    assert names("a.jpg") == ["a.jpg"]
