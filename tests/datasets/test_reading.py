"""The formats of the field, each as five rows or fewer, and what is odd in them."""

import json
import math

import pytest

from beholder.datasets import card
from beholder.datasets.opinions import Stated, locate, merge, parse_range
from beholder.datasets.reading import read
from beholder.errors import TableError, UsageError
from beholder.levels.scale import Scale


def record(path, score, word, question="Rate the quality of this image.", **more):
    return {
        "id": f"{path}->{score}",
        "image": path,
        "conversations": [
            {"from": "human", "value": f"{question}\n<|image|>"},
            {"from": "gpt", "value": f"The quality of the image is {word}."},
        ],
        **more,
    }


RECORDS = [record("koniq/a.jpg", 77.4, "good"), record("koniq/b.jpg", 12.0, "bad")]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(RECORDS),
        "\n".join(json.dumps(each) for each in RECORDS),
        "".join(json.dumps(each, indent=1) for each in RECORDS),
        json.dumps(RECORDS[:1]) + json.dumps(RECORDS[1:]),
        "\ufeff" + json.dumps(RECORDS),
    ],
    ids=["list", "lines", "concatenated", "two lists", "byte order mark"],
)
def test_q_align_records_are_read_however_they_are_put_together(tmp_path, text):
    (tmp_path / "train.json").write_text(text, encoding="utf-8")
    table = read(tmp_path / "train.json")
    assert table.format == "qalign"
    assert [(row.path, row.mos, row.level) for row in table.rows] == [
        ("koniq/a.jpg", 77.4, "good"),
        ("koniq/b.jpg", 12.0, "bad"),
    ]
    assert table.rows[0].question == "Rate the quality of this image."
    assert table.score_column == "id"


def test_a_score_may_be_text_with_blanks_and_the_path_may_be_img_path(tmp_path):
    rows = [{"img_path": "a.png", "gt_score": "3.71 "}, {"img_path": "b.png", "gt_score": 2}]
    (tmp_path / "cgi.json").write_text(json.dumps(rows))
    table = read(tmp_path / "cgi.json")
    assert [row.mos for row in table.rows] == [3.71, 2.0]
    (problem,) = table.problems
    assert (problem.what, problem.count) == ("scores written as text", 1)
    assert "'3.71 '" in problem.examples


def test_an_answer_of_several_words_and_a_fused_question_are_kept_as_they_are(tmp_path):
    fused = "How would you rate it?\n<|image|>\nHow do you assess it?"
    rows = [record("a.png", 3.0, "below average", fused)]
    (tmp_path / "t.json").write_text(json.dumps(rows))
    (row,) = read(tmp_path / "t.json").rows
    assert row.level == "below average"
    assert row.question == "How would you rate it?\nHow do you assess it?"


def test_frames_of_a_clip_are_named_by_the_first(tmp_path):
    frames = ["v/1.jpg", "v/2.jpg"]
    (tmp_path / "t.json").write_text(json.dumps([record("v", 3.0, "fair") | {"image": frames}]))
    (row,) = read(tmp_path / "t.json").rows
    assert row.path == "v/1.jpg"
    assert row.extra["paths"] == frames


def test_soft_labels_of_deqa_score_are_the_probabilities_best_first(tmp_path):
    more = {
        "gt_score": 70.0,
        "gt_score_norm": 4.1,
        "std": 8.0,
        "level_probs": [0.3, 0.5, 0.2, 0, 0],
    }
    (tmp_path / "t.json").write_text(json.dumps([record("a.png", 70.0, "good", **more)]))
    table = read(tmp_path / "t.json")
    (row,) = table.rows
    assert table.format == "deqa"
    assert (row.mos, row.std, row.level) == (70.0, 8.0, "good")
    assert row.probabilities == {"excellent": 0.3, "good": 0.5, "fair": 0.2, "poor": 0, "bad": 0}
    assert row.extra["gt_score_norm"] == 4.1


def test_pyiqa_lists_with_references_give_the_scene(tmp_path):
    (tmp_path / "m.csv").write_text("ref_name,dist_name,dmos\n1600.png,1600.AWGN.1.png,0.06\n")
    table = read(tmp_path / "m.csv")
    (row,) = table.rows
    assert (table.format, table.score_column) == ("pyiqa", "dmos")
    assert (row.path, row.scene, row.mos) == ("1600.AWGN.1.png", "1600.png", 0.06)
    assert table.higher_is_better
    assert not table.direction_stated


def test_pyiqa_votes_are_shares_and_their_spread_is_not_taken_for_that_of_the_mos(tmp_path):
    (tmp_path / "m.csv").write_text(
        "img_name,mos,std,split,c1,c2,c3,c4,c5,c_total\na.jpg,77.4,0.5,test,0,0,0.2,0.7,0.1,105\n"
    )
    (row,) = read(tmp_path / "m.csv").rows
    assert row.probabilities["good"] == pytest.approx(0.7)
    assert (row.n, row.split, row.std) == (105, "test", None)
    assert row.extra == {"std_of_votes_1_5": 0.5}


def test_lines_of_dover_have_the_score_last(tmp_path):
    (tmp_path / "labels.txt").write_text("Video/A001.mp4, 10.0, 29.97, 80.23\nB.mp4, -1, -1, 5\n")
    table = read(tmp_path / "labels.txt")
    assert table.format == "dover"
    assert [(row.path, row.mos) for row in table.rows] == [("Video/A001.mp4", 80.23), ("B.mp4", 5)]
    assert table.rows[0].extra == {"column_2": 10.0, "column_3": 29.97}
    other = read(tmp_path / "labels.txt", stated=Stated(columns={"mos": "column_2"}))
    assert other.rows[0].mos == 10.0


def test_lines_with_the_score_first_are_read(tmp_path):
    (tmp_path / "mos_with_names.txt").write_text("5.51429 I01_01_1.bmp\n5.56757 i01_01_2.bmp\n")
    assert read(tmp_path / "mos_with_names.txt").rows[0].path == "I01_01_1.bmp"


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet"])
def test_a_plain_table_keeps_all_columns_in_every_format(tmp_path, ending):
    cells = {"path": "a.png", "mos": 3.5, "std": 0.7, "n": 24, "scene": "s", "distortion": "blur"}
    path = tmp_path / f"t.{ending}"
    if ending == "parquet":
        arrow = pytest.importorskip("pyarrow")
        parquet = pytest.importorskip("pyarrow.parquet")
        parquet.write_table(arrow.Table.from_pylist([cells]), path)
    elif ending == "jsonl":
        path.write_text(json.dumps(cells))
    else:
        mark = "\t" if ending == "tsv" else ","
        path.write_text(mark.join(cells) + "\n" + mark.join(map(str, cells.values())) + "\n")
    table = read(path)
    (row,) = table.rows
    assert (row.mos, row.std, row.n, row.scene) == (3.5, 0.7, 24, "s")
    assert table.column("distortion") == ["blur"]


def test_an_object_of_objects_is_a_table_by_name(tmp_path):
    (tmp_path / "mos.json").write_text(
        json.dumps({"a.png": {"mos": 3, "std": 1}, "b.png": {"mos": 4}})
    )
    assert [row.path for row in read(tmp_path / "mos.json").rows] == ["a.png", "b.png"]


def test_nothing_is_dropped_and_what_is_odd_is_counted(tmp_path):
    (tmp_path / "t.csv").write_text("path,mos\na.png,3\na.png,4\nb.png,n/a\n,2\n")
    table = read(tmp_path / "t.csv")
    assert len(table) == 4
    assert math.isnan(table.rows[2].mos)
    assert {problem.what: problem.count for problem in table.problems} == {
        "rows without a path": 1,
        "rows without a number": 1,
        "paths that stand more than once": 1,
    }


def test_what_is_stated_goes_before_the_card_and_the_card_before_the_default(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("image_name,MOS,MOS_zscore\na.jpg,3.8,77.4\n")
    koniq = card.load("koniq")
    assert read(path).rows[0].mos == 3.8
    table = read(path, koniq)
    assert (table.rows[0].mos, table.scale, table.direction_stated) == (
        77.4,
        Scale(0.0, 100.0),
        True,
    )
    stated = Stated(dmos=True, scale=Scale(1.0, 5.0), columns={"mos": "MOS"})
    table = read(path, koniq, stated)
    assert (table.rows[0].mos, table.scale) == (3.8, Scale(1.0, 5.0))
    assert not table.higher_is_better
    assert table.agreement(3.8) == -3.8


def test_two_files_become_splits_of_one_table(tmp_path):
    for name in ("train", "test"):
        (tmp_path / f"{name}.csv").write_text(f"path,mos\n{name}.png,3\n")
    both = merge([read(tmp_path / "train.csv"), read(tmp_path / "test.csv")])
    assert [(row.path, row.split) for row in both.rows] == [
        ("train.png", "train"),
        ("test.png", "test"),
    ]


def test_two_files_of_one_name_are_splits_named_after_their_folders(tmp_path):
    for name in ("train", "test"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "labels.txt").write_text(f"{name}.mp4, 8, 30, 50\n")
    both = merge([read(tmp_path / name / "labels.txt") for name in ("train", "test")])
    assert both.column("split") == ["train/labels", "test/labels"]
    with pytest.raises(UsageError, match="no opinion table was given"):
        merge([])


def test_tables_with_different_ranges_are_not_put_together(tmp_path):
    (tmp_path / "a.csv").write_text("path,mos\na,3\n")
    tables = [read(tmp_path / "a.csv"), read(tmp_path / "a.csv", stated=Stated(dmos=True))]
    with pytest.raises(UsageError, match="different ranges or directions"):
        merge(tables)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "empty"),
        ("hello\nworld\n", "no opinion table: it has"),
        ("path,quality\na,3\n", "it has path, quality"),
        ("path,mos\na,high\n", "it has path, mos"),
        ('[{"path": "a", "mos": 3}', "no JSON"),
        ('{"path": "a", "mos": 3}{"path": ', "after 1 values"),
        ("[1, 2]", "no objects"),
    ],
)
def test_a_file_that_is_no_opinion_table_is_refused_with_what_it_has(tmp_path, text, part):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(TableError, match=part):
        read(tmp_path / "t.csv")


def test_bytes_that_are_no_text_and_a_file_that_is_not_there_are_refused(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"path,mos\ncaf\xe9,3\n")
    with pytest.raises(TableError, match="UTF-8"):
        read(tmp_path / "t.csv")
    (tmp_path / "t.parquet").write_bytes(b"PAR1 but no more")
    with pytest.raises(TableError, match=r"t\.parquet"):
        read(tmp_path / "t.parquet")
    with pytest.raises(UsageError, match=r"none\.csv"):
        read(tmp_path / "none.csv")


def test_a_stated_column_that_is_not_there_is_refused_with_the_columns(tmp_path):
    (tmp_path / "t.csv").write_text("path,mos\na,3\n")
    with pytest.raises(UsageError, match=r"'MOS5'.*path, mos"):
        read(tmp_path / "t.csv", stated=Stated(columns={"mos": "MOS5"}))


def test_a_column_that_nobody_has_is_refused_with_the_columns(tmp_path):
    (tmp_path / "t.csv").write_text("path,mos,camera\na,3,x\n")
    with pytest.raises(UsageError, match=r"'scenery'.*split, scene, n, camera"):
        read(tmp_path / "t.csv").column("scenery")


@pytest.mark.parametrize("text", ["5,1", "a,b", "1,inf", "0;100"])
def test_a_range_that_is_none_is_refused(text):
    with pytest.raises(UsageError, match=text):
        parse_range(text)


def test_a_file_is_looked_for_in_every_folder_in_turn(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "x.png").touch()
    folders = [tmp_path / "a", tmp_path / "b"]
    assert locate("x.png", folders) == tmp_path / "b" / "x.png"
    assert locate("y.png", folders) == tmp_path / "a" / "y.png"
    assert locate("y.png", []).name == "y.png"
