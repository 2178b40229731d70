"""Score tables of any tool."""

import json
import math
from pathlib import Path

import pytest

from beholder.engine.output import recipe_of
from beholder.errors import TableError, UsageError
from beholder.evaluation.scores import NO_SCORE, read, recipe_beside


def test_path_and_score_are_enough_and_more_is_kept(tmp_path, write_csv):
    table = write_csv(tmp_path / "t.csv", {"path": ["a", "b"], "score": [1, 2.5], "kind": "xy"})
    scores = read(table)
    assert [(row.path, row.score, row.error) for row in scores.rows] == [
        ("a", 1, ""),
        ("b", 2.5, ""),
    ]
    assert scores.rows[1].cells["kind"] == "y"
    assert scores.name == "t"


@pytest.mark.parametrize("text", ["", "nan", "inf"])
def test_a_row_without_a_number_has_failed(tmp_path, write_csv, text):
    table = write_csv(tmp_path / "t.csv", {"path": ["a", "b"], "score": [text, 1]})
    assert math.isnan(read(table).rows[0].score)
    assert read(table).rows[0].error == NO_SCORE


def test_a_row_with_an_error_has_failed_whatever_its_number(tmp_path, write_csv):
    columns = {"path": ["a"], "score": [3], "error": ["it is torn"]}
    (row,) = read(write_csv(tmp_path / "t.csv", columns)).rows
    assert (math.isnan(row.score), row.error) == (True, "it is torn")


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"path": ["a"], "scor": [1]}, "no score"),
        ({"file": ["a"], "score": [1]}, "no path"),
        ({"path": ["a"], "score": ["good"]}, "row 2: score 'good'"),
        ({"path": ["a"], "score": [1], "spread": ["wide"]}, "row 2: spread 'wide'"),
    ],
)
def test_what_is_no_score_table_is_refused(tmp_path, write_csv, columns, said):
    with pytest.raises(TableError, match=said):
        read(write_csv(tmp_path / "t.csv", columns))


def test_an_error_names_the_line_of_the_file(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("path,task,score\n\na,quality,1\n\nb,other,2\n\nc,quality,good\n")
    with pytest.raises(TableError, match="row 7: score 'good'"):
        read(table, "quality")


def test_of_several_tasks_one_is_named(tmp_path, write_csv):
    columns = {"path": "aabb", "task": ["quality", "aesthetics"] * 2, "score": [1, 2, 3, 4]}
    table = write_csv(tmp_path / "t.csv", columns)
    with pytest.raises(UsageError, match=r"quality, aesthetics.*--task"):
        read(table)
    assert [row.score for row in read(table, "aesthetics").rows] == [2, 4]
    with pytest.raises(UsageError, match="'sharpness'"):
        read(table, "sharpness")


def test_the_recipe_beside_the_table_is_found(tmp_path, write_csv):
    table = write_csv(tmp_path / "t.csv", {"path": ["a"], "score": [1]})
    assert recipe_beside(table) == recipe_of(table)
    assert read(table).recipe == {}
    recipe_of(table).write_text(json.dumps({"recipe": {"model": "iris"}}))
    assert read(table).recipe == {"model": "iris"}
    recipe_of(table).write_text("torn")
    assert read(table).recipe == {}


def test_json_lines_are_read_as_well(tmp_path):
    table = tmp_path / "t.jsonl"
    table.write_text('{"path": "a", "score": 1.5, "model": "m"}\n{"path": "b", "score": null}\n')
    scores = read(table)
    assert [math.isnan(row.score) for row in scores.rows] == [False, True]
    assert scores.model == "m"


def test_a_table_that_is_not_there_is_told():
    with pytest.raises(UsageError, match=r"nowhere\.csv"):
        read(Path("nowhere.csv"))
