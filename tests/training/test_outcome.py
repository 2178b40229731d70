"""What stands in a finished folder: numbers, picture, card; and whose folder it is."""

import json
import math
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml

from beholder.errors import TableError, UsageError
from beholder.recipes import recipe
from beholder.training import card, curve, folder, judging, settings
from beholder.training.lesson import Lesson
from beholder.training.measuring import Rated, measure

LESSON = Lesson(Path("a.png"), "quality", "image", 0, 3.0, 0.5, 2, (0.0, 0.0, 1.0, 0.0, 0.0))
CONFIG = settings.build({"model": "iris", "data": [{"table": "my_table.csv"}]})


def rated(noise, sets=1, count=40, scenes=0):
    """Ratings that follow the opinions, but for noise."""
    found = []
    for number in range(count):
        lesson = replace(
            LESSON,
            set=number % sets,
            opinion=float(number),
            scene=f"s{number % scenes}" if scenes else "",
        )
        found.append(Rated(lesson, number + noise * math.sin(7 * number)))
    return found


def history(evaluations=5):
    lines = []
    for step in map(float, range(1, 10 * evaluations + 1)):
        lines.append({"step": step, "epoch": step / 10, "loss": 1 / step, "rate": 1e-4})
        if step % 10 == 0:
            srcc = {"srcc": 0.9, "srcc_low": 0.8, "srcc_high": 0.95}
            lines.append({"step": step, **srcc, "plcc": math.nan})
    return lines


def facts(**given):
    iris = recipe.load("iris")
    measured = {
        "validation": measure(rated(5), ["my_table"], 0),
        "test": measure(rated(2, scenes=5), ["my_table"], 0, rated(30, scenes=5)),
    }
    row = {"name": "my_table", "task": "quality", "media": "image", "labels": "hard",
           "bounds": [0, 100], "higher_is_better": True, "weight": 1.0,
           "rows": {"train": 99, "validation": 40, "test": 40}}  # fmt: skip
    known = {
        "config": CONFIG,
        "origin": iris,
        "result": replace(iris, name="mine"),
        "fingerprint": "0" * 16,
        "data": {"fingerprint": "f" * 16, "sets": [row]},
        "measured": measured,
        "best": 10,
        "steps": 50,
        "history": history(),
        "version": "0.1.0",
    }
    return card.Facts(**(known | given))


def front(text):
    return yaml.safe_load(text.split("---\n")[1])


def test_sets_are_measured_apart_and_never_compared():
    found = measure(rated(0, sets=2), ["first", "second"], seed=0)
    assert {name: each.n for name, each in found.items()} == {"first": 20, "second": 20}
    assert found["first"].values["srcc"].value == pytest.approx(1.0)


@pytest.mark.parametrize("scenes", [0, 8])
def test_the_log_has_the_intervals_of_the_final_table(scenes):
    rows = rated(5, scenes=scenes)
    logged = judging.follows([each.lesson for each in rows], [each.score for each in rows], 3)
    final = measure(rows, ["my_table"], seed=3)["my_table"].values
    assert logged == {
        f"{name}{end}": getattr(value, part)
        for name, value in final.items()
        for end, part in (("", "value"), ("_low", "low"), ("_high", "high"))
    }


def test_files_that_failed_are_counted_and_the_first_is_named():
    rows = rated(1)
    rows[3] = replace(rows[3], score=math.nan, error="it is broken")
    found = measure(rows, ["set"], seed=0)["set"]
    assert (found.n, found.failed, found.error) == (39, 1, "it is broken")
    assert json.loads(json.dumps(found.record(), allow_nan=False))["failed"] == 1


def test_what_teaching_gained_is_a_paired_difference_over_the_files_of_both():
    before = rated(30)
    before[0] = replace(before[0], score=math.nan, error="it is broken")
    found = measure(rated(1), ["set"], 0, before)["set"]
    gain = found.gains["srcc"]
    assert gain.n == 39
    assert gain.verdict == "better"
    assert gain.value == pytest.approx(
        measure(rated(1)[1:], ["set"], 0)["set"].values["srcc"].value - found.before["srcc"]
    )


def test_the_card_has_front_matter_that_says_licence_metrics_and_intervals():
    made = card.text(facts())
    matter = front(made)
    assert matter["license"] == "apache-2.0"
    assert matter["library_name"] == "beholder"
    result = matter["model-index"][0]["results"][0]
    assert result["dataset"] == {"name": "my_table", "type": "my_table", "split": "test"}
    srcc = result["metrics"][0]
    assert (srcc["type"], srcc["name"].startswith("SRCC [")) == ("srcc", True)


def test_the_card_says_what_was_measured_what_was_gained_and_what_to_doubt():
    made = card.text(facts())
    assert "| my\\_table | test | 40 | " in made
    assert "Against iris as it was, on the test part of my\\_table: SRCC" in made
    assert "my\\_table (5 scenes)" in made
    assert "the weights are those of step 10" in made
    assert "beholder score pictures/ --model mine" in made
    assert "my_table.csv" not in made


def test_a_card_without_a_test_part_says_that_its_numbers_are_too_good():
    validation = {"validation": measure(rated(5), ["my_table"], 0)}
    made = card.text(facts(measured=validation))
    assert "There was no test part" in made
    assert "model-index" not in front(made)


def test_a_licence_the_hub_does_not_know_is_named_as_it_is():
    own = replace(recipe.load("iris"), name="mine", licence="For Aunt Mary only")
    matter = front(card.text(facts(result=own)))
    assert (matter["license"], matter["license_name"]) == ("other", "For Aunt Mary only")


@pytest.mark.parametrize("evaluations", [0, 1, 5])
def test_the_curve_is_one_picture_that_needs_nothing_else(evaluations):
    made = curve.draw(history(evaluations), 10, "<mine> & others")
    root = ET.fromstring(made)
    assert "http" not in made.replace("http://www.w3.org/2000/svg", "")
    dots = [each for each in root.iter() if "dot" in each.get("class", "").split()]
    assert len(dots) == evaluations
    assert ("nothing was evaluated" in made) == (evaluations == 0)


def test_points_of_the_curve_lie_within_their_axes():
    root = ET.fromstring(curve.draw(history(), 10, "mine"))
    for each in root.iter("{http://www.w3.org/2000/svg}circle"):
        assert 0 <= float(each.get("cx")) <= curve.PANEL[0]
        assert 0 <= float(each.get("cy")) <= curve.PANEL[1]


def test_a_folder_with_other_files_or_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"holds other files \(notes\.txt"):
        folder.claim(tmp_path, CONFIG)
    with pytest.raises(UsageError, match="cannot be written"):
        folder.claim(tmp_path / "notes.txt", CONFIG)
    with pytest.raises(UsageError, match="is the model itself"):
        folder.claim(tmp_path, CONFIG, model=tmp_path)


def test_a_run_of_other_settings_is_refused_with_the_difference_once_it_has_a_checkpoint(tmp_path):
    run = tmp_path / "run"
    assert folder.claim(run, CONFIG) is False
    folder.begin(run, CONFIG, "0.1.0")
    (run / folder.RECORD).write_text("{}")
    other = replace(CONFIG, seed=1)
    assert folder.claim(run, other) is False
    (run / folder.CHECKPOINTS / "checkpoint-5").mkdir(parents=True)
    assert folder.claim(run, CONFIG) is True
    with pytest.raises(UsageError, match="seed was 0 and is 1"):
        folder.claim(run, other)
    (run / folder.TOLD).write_text("{")
    with pytest.raises(UsageError, match="is damaged"):
        folder.claim(run, CONFIG)


def test_a_file_that_cannot_be_written_leaves_the_old_one_whole(tmp_path, monkeypatch):
    path = tmp_path / "README.md"
    path.write_text("old")

    def full(number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(TableError, match="No space left on device"):
        folder.write(path, "new")
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["README.md"]
