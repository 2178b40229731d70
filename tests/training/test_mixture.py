"""From tables and files to lessons: what is divided how, and what is refused before a step."""

import csv
import shutil
from pathlib import Path

import pytest

from beholder.errors import TableError, UsageError
from beholder.training import checks, mixture, settings

CLIP = Path(__file__).parents[2] / "examples" / "water_worsening.mp4"


@pytest.fixture
def folder(tmp_path, make_picture):
    """Forty pictures of ten scenes."""
    for number in range(40):
        make_picture(number, 48, 36).save(tmp_path / f"{number:02d}.png")
    return tmp_path


def table(folder, name="mos.csv", rows=range(40), **columns):
    """Write an opinion table; a column is a value of each row's number."""
    known = {"mos": lambda n: 2.5 * n, "scene": lambda n: f"scene{n % 10}"} | columns
    path = folder / name
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", *known])
        writer.writerows([f"{n:02d}.png", *(each(n) for each in known.values())] for n in rows)
    return path


def config(*data, **rest):
    return settings.build({"model": "iris", "data": list(data), **rest})


def prepared(*data, kept=None, **rest):
    told = config(*data, **rest)
    return mixture.prepare(told, mixture.open_sets(told), kept)


def test_parts_that_nobody_stated_are_drawn_by_scene(folder):
    made = prepared({"table": str(table(folder))})
    scenes = {part: {each.scene for each in rows} for part, rows in made.lessons.items()}
    assert {part: len(rows) for part, rows in made.lessons.items()} == {
        "train": 28,
        "validation": 4,
        "test": 8,
    }
    assert sum(map(len, scenes.values())) == 10 == len(set.union(*scenes.values()))
    again = prepared({"table": str(folder / "mos.csv")})
    assert again.fingerprint == made.fingerprint
    assert prepared({"table": str(folder / "mos.csv")}, seed=1).fingerprint != made.fingerprint


def test_parts_that_are_stated_stay_and_validation_alone_is_drawn(folder):
    path = table(folder, split=lambda n: "testing" if n % 10 < 2 else "Train")
    made = prepared({"table": str(path)})
    assert {each.scene for each in made.lessons["test"]} == {"0/scene0", "0/scene1"}
    assert len(made.lessons["validation"]) == 4
    assert "as stated" in made.divided[0].notes[0]


def test_tables_of_their_own_are_the_parts_they_are_named_for(folder):
    first = table(folder, "train.csv", range(30), scene=lambda n: f"s{n}")
    last = table(folder, "test.csv", range(30, 40), scene=lambda n: f"s{n}")
    made = prepared({"table": str(first), "test": str(last)})
    assert {each.name for each in made.lessons["test"]} == {f"{n}.png" for n in range(30, 40)}
    assert len(made.lessons["train"]) + len(made.lessons["validation"]) == 30


def test_pictures_that_look_alike_stay_together(folder):
    for number in range(20):
        shutil.copy(folder / f"{number:02d}.png", folder / f"{number + 20:02d}.png")
    made = prepared({"table": str(table(folder, scene=lambda n: ""))})
    parts = {each.name: part for part, rows in made.lessons.items() for each in rows}
    assert all(parts[f"{n:02d}.png"] == parts[f"{n + 20:02d}.png"] for n in range(20))
    assert "20 look-alikes stay with their like" in made.divided[0].notes
    checks.stop(made.found, ())


def test_a_count_of_one_is_told_of_one(folder):
    shutil.copy(folder / "00.png", folder / "20.png")
    path = table(folder, scene=lambda n: "")
    made = prepared({"table": str(path)})
    assert "1 look-alike stays with its like" in made.divided[0].notes
    (folder / "03.png").unlink()
    with pytest.raises(TableError, match="1 of 40 files is not there"):
        prepared({"table": str(path)})


def test_a_leak_between_stated_parts_stops_the_run(folder):
    path = table(folder, split=lambda n: "test" if n < 10 else "train")
    made = prepared({"table": str(path)})
    with pytest.raises(TableError, match=r"in more than one split.*--set ignore=scenes"):
        checks.stop(made.found, ())
    checks.stop(made.found, ("scenes",))
    with pytest.raises(UsageError, match="did you mean 'scenes'"):
        checks.stop(made.found, ("scene",))


def test_a_leak_from_one_set_to_another_stops_the_run(folder):
    one = table(folder, "one.csv", split=lambda n: "test" if n % 10 < 2 else "train")
    other = table(folder, "other.csv", split=lambda n: "train" if n % 10 < 7 else "test")
    made = prepared({"table": str(one)}, {"table": str(other)})
    with pytest.raises(TableError, match="across sets: paths in more than one split"):
        checks.stop(made.found, ())


def test_higher_is_better_in_lessons_also_of_a_dmos(folder):
    made = prepared({"table": str(table(folder)), "dmos": True, "range": [0, 100]})
    lessons = [each for rows in made.lessons.values() for each in rows]
    best = max(lessons, key=lambda each: each.opinion)
    assert (best.name, best.level) == ("00.png", 0)
    assert made.divided[0].set.bounds.low == 0.0


def test_only_what_is_learnt_is_dropped_outside_the_bounds(folder):
    data = {"table": str(table(folder)), "bounds": [10, 90], "outside": "drop"}
    made = prepared(data)
    opinions = {part: [each.opinion for each in rows] for part, rows in made.lessons.items()}
    assert min(opinions["train"]) >= 10
    assert max(opinions["train"]) < 90
    assert len(opinions["test"]) == 8
    taught = sum(map(len, opinions.values()))
    assert taught + made.dropped[0] == 40


def test_every_table_keeps_its_own_range_direction_and_rule(folder):
    one = {"table": str(table(folder, "a.csv", range(20), std=lambda n: 5)), "labels": "soft",
           "range": [0, 100], "weight": 2}  # fmt: skip
    other = {"table": str(table(folder, "b.csv", range(20, 40))), "dmos": True}
    made = prepared(one, other, split={"validation": 0.2, "test": 0.2})
    soft, hard = (
        next(each for each in made.lessons["train"] if each.set == number) for number in (0, 1)
    )
    assert max(soft.probabilities) < 1.0 == max(hard.probabilities)
    assert soft.deviation == 5.0
    record = made.record()["sets"]
    assert [each["weight"] for each in record] == [2.0, 1.0]
    assert [each["higher_is_better"] for each in record] == [True, False]


def test_a_run_that_goes_on_has_the_parts_it_had_and_refuses_another_table(folder, tmp_path):
    data = {"table": str(table(folder))}
    made = prepared(data)
    kept = tmp_path / "run"
    kept.mkdir()
    mixture.write(made, kept)
    again = prepared(data, kept=kept, split={"validation": 0.5, "test": 0.4})
    assert again.fingerprint == made.fingerprint
    table(folder, mos=lambda n: 2.5 * n + 1)
    with pytest.raises(UsageError, match="changed since the run"):
        prepared(data, kept=kept)


@pytest.mark.parametrize(
    ("columns", "data", "told"),
    [
        ({"mos": lambda n: "" if n == 3 else n}, {}, "1 row without a number.*row 5: 03.png"),
        ({"mos": lambda n: "nan" if n == 3 else n}, {}, "1 row without a number"),
        ({}, {"range": [0, 90]}, "3 rows outside the stated range 0-90.*row 39: 37.png: 92.5"),
        ({"mos": lambda n: 3}, {}, "opinions must differ"),
        ({"split": lambda n: "trian"}, {}, "the column split says 'trian'"),
        ({"split": lambda n: "test" if n < 9 else ""}, {}, "31 of 40 rows have no split"),
        ({"split": lambda n: "" if n == 3 else "train"}, {}, "1 of 40 rows has no split"),
        ({"split": lambda n: "test"}, {}, "the train part has no row of 40"),
        ({"split": lambda n: ("test", "train", "val")[min(n, 2)]}, {}, "the train part has 1 row"),
        ({"scene": lambda n: "one"}, {}, "the train part has no row"),
        ({}, {"labels": "soft"}, "row 2, 00.png, has no standard deviation"),
        ({}, {"labels": "votes"}, "row 2, 00.png: labels = votes needs"),
        ({}, {"media": "video"}, r"40 of 40 files are no video.*00\.png is a picture \(PNG\)"),
        ({}, {"root": "nowhere"}, "40 of 40 files are not there.*nowhere/00.png.*--root"),
    ],
)
def test_data_that_cannot_be_taught_are_refused_by_row(folder, columns, data, told):
    path = table(folder, **columns)
    with pytest.raises(TableError, match=told):
        prepared({"table": str(path), **data})


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"bounds": "rnage"}, "bounds are 'rnage'"),
        ({"bounds": "range"}, "nobody states any"),
        ({"bounds": [5, 1]}, None),
        ({"range": [5, 1]}, "not two increasing numbers"),
        ({"card": "konik"}, "did you mean 'koniq'"),
        ({"columns": {"mos": "score"}}, "has no column 'score' for mos"),
        ({"table": "nowhere.csv"}, "nowhere.csv cannot be read"),
    ],
)
def test_statements_that_cannot_be_right_are_refused(folder, data, told):
    path = table(folder)
    kind = UsageError if told else TableError
    with pytest.raises(kind, match=told or "levels would lie between 5 and 1"):
        prepared({"table": str(path), **data})


def test_a_set_with_one_item_is_refused(folder):
    with pytest.raises(TableError, match="the train part has no row of 1"):
        prepared({"table": str(table(folder, rows=[0])), "bounds": [0, 100]})


def test_a_clip_where_stills_were_said_is_refused(folder):
    shutil.copy(CLIP, folder / "03.png")
    with pytest.raises(TableError, match=r"1 of 40 files is no image.*03\.png is a clip"):
        prepared({"table": str(table(folder))})
