"""Files to votes: every shape gives the same votes, and every bad cell is told with its place."""

import json

import numpy as np
import pytest

from beholder.errors import TableError, UsageError
from beholder.levels.scale import Scale
from beholder.studies.comparisons import Comparisons
from beholder.studies.reading import read
from beholder.studies.votes import Votes

FIVE = Scale(1.0, 5.0)
LONG = """rater,item,session,vote
ann,a.png,1,5
bob,a.png,1,4
ann,b.png,1,2
bob,b.png,1,
ann,b.png,2,3
"""


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def by_name(votes):
    return {
        (votes.raters[r], votes.items[i], votes.sessions[s]): value
        for r, i, s, value in zip(
            votes.rater.tolist(),
            votes.item.tolist(),
            votes.session.tolist(),
            votes.value.tolist(),
            strict=True,
        )
    }


def test_long_votes_are_read_and_what_is_missing_is_counted(tmp_path):
    votes = read(write(tmp_path / "votes.csv", LONG), FIVE)
    assert isinstance(votes, Votes)
    assert by_name(votes) == {
        ("ann", "a.png", "1"): 5.0,
        ("bob", "a.png", "1"): 4.0,
        ("ann", "b.png", "1"): 2.0,
        ("ann", "b.png", "2"): 3.0,
    }
    assert votes.missing == 1
    assert votes.per_item.tolist() == [2, 2]


@pytest.mark.parametrize(
    "text",
    [
        "item,ann,bob\na.png,5,4\nb.png,2,\n",
        "Path;ann;bob\na.png;5;4\nb.png;2;n/a\n",
        "rater,a.png,b.png\nann,5,2\nbob,4,\n",
        "subject\tstimulus\trating\nann\ta.png\t5\nbob\ta.png\t4\nann\tb.png\t2\nbob\tb.png\t-\n",
        json.dumps(
            [
                {"worker_id": "ann", "image": "a.png", "score": 5},
                {"worker_id": "bob", "image": "a.png", "score": 4},
                {"worker_id": "ann", "image": "b.png", "score": 2},
                {"worker_id": "bob", "image": "b.png", "score": None},
            ]
        ),
    ],
)
def test_every_shape_gives_the_same_votes(tmp_path, text):
    votes = read(write(tmp_path / "votes.txt", text), FIVE)
    found = {(rater, item): value for (rater, item, _), value in by_name(votes).items()}
    assert found == {("ann", "a.png"): 5.0, ("bob", "a.png"): 4.0, ("ann", "b.png"): 2.0}
    assert votes.missing == 1


def test_raters_may_be_numbers(tmp_path):
    votes = read(write(tmp_path / "v.csv", "item,1,2,3\na,5,4,3\nb,1,2,3\n"), FIVE)
    assert votes.raters == ("1", "2", "3")
    assert votes.matrix().tolist() == [[5.0, 4.0, 3.0], [1.0, 2.0, 3.0]]


def test_raters_whose_names_end_alike_are_two(tmp_path):
    votes = read(write(tmp_path / "v.csv", "item,ann,ann_2\na,5,4\n"), FIVE)
    assert votes.raters == ("ann", "ann_2")


def test_the_level_words_are_votes_on_five_steps_only(tmp_path):
    path = write(tmp_path / "v.csv", "item,ann,bob\na,Excellent,bad\n")
    assert read(path, FIVE).value.tolist() == [5.0, 1.0]
    assert read(path, Scale(0.0, 4.0)).value.tolist() == [4.0, 0.0]
    with pytest.raises(TableError, match="'Excellent' is no vote"):
        read(path, Scale(0.0, 100.0))


def test_scene_split_and_reference_come_from_the_votes_or_from_a_file_on_items(tmp_path):
    long = "rater,item,vote,scene\nann,a.png,5,lake\nann,b.png,3,lake\n"
    items = write(tmp_path / "items.csv", "path,reference,split\na.png,a.png,train\nb.png,a.png,\n")
    votes = read(write(tmp_path / "v.csv", long), FIVE, items)
    assert votes.about["b.png"].scene == "lake"
    assert votes.about["b.png"].reference == "a.png"
    assert votes.about["a.png"].split == "train"


def test_comparisons_are_read_with_ties_and_names_of_items(tmp_path):
    text = "rater,a,b,choice\nann,x,y,a\nann,x,y,B\nbob,x,y,tie\nbob,y,x,x\nbob,y,x,\n"
    found = read(write(tmp_path / "pairs.csv", text), FIVE)
    assert isinstance(found, Comparisons)
    assert found.choice.tolist() == [1.0, 0.0, 0.5, 0.0]
    assert found.missing == 1
    assert found.wins().tolist() == [[0.0, 2.5], [1.5, 0.0]]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("rater,item,vote\nann,a,7\n", "row 2: vote 7 of rater 'ann' on 'a' lies outside"),
        ("rater,item,vote\nann,a,inf\n", "vote inf of rater 'ann'"),
        ("rater,item,vote\nann,a,good-ish\n", "row 2: 'good-ish' is no vote"),
        ("rater,item,vote\nann,a,4\nann,a,5\n", "v.csv, row 2 and v.csv, row 3: rater 'ann' voted"),
        ("rater,item,vote\n,a,4\n", "row 2: it has no rater"),
        ("\nrater,item,vote\n\nann,a,4\n\n,a,4\n", "row 6: it has no rater"),
        ("\nitem,1,2\n\na,4,5\n\nb,4,so-so\n", "row 6, column '2': 'so-so' is no vote"),
        ("item,ann\n\na,4\n\nb,4,5\n", "row 5 has more cells than the header"),
        ("rater,item,vote\nann,,4\n", "row 2: it has no item"),
        ("rater,item,vote\nann,a,\n", "there is no vote"),
        ("rater,item,vote\n", "holds no rows below its header"),
        ("rater,item,mark\nann,a,4\n", "its columns are rater, item, mark"),
        ("item,scene\na,lake\n", "a column for the item and none with votes"),
        ("item,ann\na,4,5\n", "row 2 has more cells than the header"),
        ("item,ann,kind\na,4,blur\n", "row 2, column 'kind': 'blur' is no vote"),
        ("item,1,1\na,4,5\n", "two columns of one name"),
        ("item,ann,ann\na,4,5\n", "two columns of one name: 'ann'"),
        ("path,mos,std\na,4,0.5\n", "looks like a table of opinions, not of votes"),
        ("rater,item,vote,scene\nann,a,4,x\nbob,a,4,y\n", "row 3: 'a' is"),
        ("rater,a,b,choice\nann,x,y,c\n", "row 2: choice 'c' is neither"),
        ("rater,a,b,choice\nann,x,x,a\n", "row 2: 'x' is compared with itself"),
        ("rater,a,b\nann,x,y\n", "none called choice"),
        ("rater,a,b,choice\nann,x,,a\n", "row 2: it has no b"),
        ("rater,a,b,choice\nann,x,y,\n", "there is no comparison"),
    ],
)
def test_a_file_that_cannot_be_used_says_where_and_why(tmp_path, text, part):
    with pytest.raises(TableError) as caught:
        read(write(tmp_path / "v.csv", text), FIVE)
    assert part in str(caught.value)


def test_a_file_that_is_not_there_is_misuse(tmp_path):
    for name in ("votes.csv", "set.py", "set.json"):
        with pytest.raises(UsageError, match=name):
            read(tmp_path / name, FIVE)


SUREAL = '''
"""A data set."""
import os
os.system("touch {0}")
dataset_name = "small"
ref_dir = "refs"
dis_dir = ref_dir + "/dis"
ref_score = 5.0
ref_videos = [{{"content_id": 0, "path": ref_dir + "/lake.yuv"}}]
dis_videos = [
    {{"content_id": 0, "asset_id": 0, "path": ref_dir + "/lake.yuv", "os": {1}}},
    {{"content_id": 0, "asset_id": 1, "path": dis_dir + "/lake_1.yuv", "os": {2}}},
]
'''


@pytest.mark.parametrize(
    ("first", "second", "raters"),
    [
        ("[5, 4, None]", "[2, 3, 1]", ("001", "002", "003")),
        ('{"ann": 5, "bob": 4}', '{"ann": [2, 3], "cy": 1.0}', ("ann", "bob", "cy")),
    ],
)
def test_a_sureal_file_is_read_and_never_run(tmp_path, first, second, raters):
    trace = tmp_path / "trace"
    votes = read(write(tmp_path / "set.py", SUREAL.format(trace, first, second)), FIVE)
    assert not trace.exists()
    assert votes.raters == raters
    assert votes.items == ("refs/lake.yuv", "refs/dis/lake_1.yuv")
    assert votes.about["refs/dis/lake_1.yuv"].reference == "refs/lake.yuv"
    assert votes.about["refs/lake.yuv"].scene == "0"
    assert len(votes) == 5
    assert votes.missing == first.count("None")


def test_a_sureal_json_file_gives_the_same_votes(tmp_path):
    text = SUREAL.format(tmp_path / "trace", "[5, 4, None]", "[2, 3, 1]")
    python = read(write(tmp_path / "set.py", text), FIVE)
    data = {
        "ref_videos": [{"content_id": 0, "path": "refs/lake.yuv"}],
        "dis_videos": [
            {"content_id": 0, "path": "refs/lake.yuv", "os": [5, 4, None]},
            {"content_id": 0, "path": "refs/dis/lake_1.yuv", "os": [2, 3, 1]},
        ],
    }
    found = read(write(tmp_path / "set.json", json.dumps(data)), FIVE)
    assert by_name(found) == by_name(python)
    assert found.about == python.about
    assert np.array_equal(found.value, python.value)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("dis_videos = load()", "line 1: 'load()' is more than a literal"),
        ("dis_videos = [open('x').read()]", "is more than a literal"),
        ("dis_videos = [{'path': 'a', 'os': ['x']}]", "dis_videos 1: 'x' of rater '001'"),
        ("dis_videos = [{'path': 'a', 'os': 'xyz'}]", "neither a list nor an object"),
        ("dis_videos = [{'path': 'a'}]", "dis_videos 1 has no votes"),
        ("dis_videos = [{'path': 'a', 'os': [None]}]", "there is no vote"),
        ("a = 1", "no list 'dis_videos'"),
        ("a = (", "is no Python file"),
        ("a = " + "-" * 100_000 + "1", "is no Python file"),
        ("a = '\\0'\n\0", "is no Python file"),
        ("a = " + "'b' + " * 3_000 + "'c'", "is n"),
    ],
)
def test_a_sureal_file_that_cannot_be_used_says_why(tmp_path, text, part):
    with pytest.raises(TableError) as caught:
        read(write(tmp_path / "set.py", text), FIVE)
    assert part in str(caught.value)
