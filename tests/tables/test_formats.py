"""Score tables out and in again: the same rows in every format."""

import json
import math

import pytest

from beholder.errors import TableError, UsageError
from beholder.levels.scale import LEVELS
from beholder.score import Score
from beholder.tables.base import format_of, open_writer, read
from beholder.tables.columns import COLUMNS, row_of

NAMES = ["plain.jpg", 'quote".jpg', "comma, and\nnewline.jpg", "grüße 🙂.png", r"caf\xe9.jpg"]


def scores():
    for number, name in enumerate(NAMES):
        yield Score(
            value=1 + number / 3,
            level="fair",
            probabilities=dict(zip(LEVELS, (0.1, 0.2, 0.4, 0.2, 0.1), strict=True)),
            spread=math.sqrt(1.2),
            path=name,
            media="video",
            width=3,
            height=4,
            seconds=2 / 3,
            details={"timeline": [[0.0, 1 / 3], [1.0, 2.0]]},
            model="iris",
            fingerprint="0" * 16,
        )
    yield Score(value=math.nan, path="bad.jpg", error="it is empty", model="iris")


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_what_is_written_is_read_back(tmp_path, ending):
    path = tmp_path / f"table.{ending}"
    rows = [row_of(score) for score in scores()]
    writer = open_writer(path)
    for row in rows:
        writer.write(row)
    writer.close()
    assert list(read(path)) == rows
    assert list(tmp_path.iterdir()) == [path]


def test_columns_stand_in_the_order_of_the_design():
    assert COLUMNS == (
        *("path", "media", "width", "height", "seconds", "task", "score", "scale", "level"),
        *("p_excellent", "p_good", "p_fair", "p_poor", "p_bad", "spread", "details"),
        *("error", "model", "fingerprint"),
    )
    assert tuple(row_of(Score(value=3.0))) == COLUMNS


def test_csv_has_six_decimals_and_empty_cells_where_there_is_nothing(tmp_path):
    path = tmp_path / "table.csv"
    writer = open_writer(path)
    for score in scores():
        writer.write(row_of(score))
    writer.close()
    lines = path.read_bytes().decode().split("\n")
    assert lines[0] == ",".join(COLUMNS)
    assert lines[1].startswith("plain.jpg,video,3,4,0.666667,quality,1.000000,1-5,fair,0.100000,")
    assert lines[-2] == "bad.jpg,,,,,quality,,1-5,,,,,,,,,it is empty,iris,"


def test_other_words_leave_the_five_columns_empty_and_stand_in_details():
    row = row_of(Score(value=0.5, scale="0-1", probabilities={"good": 0.5, "poor": 0.5}))
    assert row["p_good"] is None
    assert row["details"] == {"probabilities": {"good": 0.5, "poor": 0.5}}


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_rows_are_seen_as_soon_as_they_are_written_after_publishing(tmp_path, ending):
    path = tmp_path / f"table.{ending}"
    writer = open_writer(path)
    assert not path.exists()
    writer.publish()
    for count, score in enumerate(scores(), 1):
        writer.write(row_of(score))
        assert len(list(read(path))) == count
    writer.discard()
    assert len(list(read(path))) == len(NAMES) + 1


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_a_table_that_is_given_up_leaves_what_was_there(tmp_path, ending):
    path = tmp_path / f"table.{ending}"
    path.write_text("what was there")
    writer = open_writer(path)
    writer.write(row_of(Score(value=3.0, path="a")))
    writer.discard()
    assert path.read_text() == "what was there"
    assert list(tmp_path.iterdir()) == [path]


def test_an_ending_without_a_format_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(UsageError, match=r"table\.xlsx.*use \.csv, \.jsonl, \.parquet"):
        format_of(tmp_path / "table.xlsx")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", "file,score\na,1\n"),
        ("t.csv", "path,score\na,high\n"),
        ("t.jsonl", '{"path": "a"}\nnot json\n'),
        ("t.jsonl", '{"file": "a"}\n'),
        ("t.parquet", "not parquet"),
    ],
)
def test_a_file_that_is_no_score_table_is_refused_by_name(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(TableError, match=name):
        list(read(tmp_path / name))


def test_a_table_of_other_tools_needs_only_path_and_score(tmp_path):
    (tmp_path / "t.csv").write_text("score,path,extra\n0.25,a.jpg,x\n")
    (row,) = read(tmp_path / "t.csv")
    assert (row["path"], row["score"], row["level"]) == ("a.jpg", 0.25, None)
    assert json.dumps(row)
