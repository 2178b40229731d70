"""`beholder train`, from a table and a folder of pictures to a rater with a card."""

import csv
import json

import numpy as np
import pytest
from PIL import Image, ImageFilter

pytest.importorskip("accelerate", reason="needs pip install 'beholder[train]'")

from beholder.cli import train
from beholder.training import publishing, teach
from beholder.training.teach import Taught


@pytest.fixture(scope="module")
def data(tmp_path_factory, make_picture):
    """Forty pictures of ten scenes, more and more blurred, and what people would say."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "pictures").mkdir()
    random = np.random.default_rng(0)
    with (folder / "mos.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["path", "mos", "std", "scene"])
        for number in range(40):
            scene, strength = divmod(number, 4)
            noise = random.integers(0, 256, (96, 48, 3), dtype=np.uint8)
            shown = make_picture(scene, 96, 96)
            shown.paste(Image.fromarray(noise), (0, 0))
            blurred = shown.filter(ImageFilter.GaussianBlur(1.5 * strength))
            blurred.save(folder / "pictures" / f"{number:02d}.png")
            table.writerow([f"{number:02d}.png", 90 - 25 * strength, 8, f"scene{scene}"])
    return folder


def told(data, out, *more):
    table = ("--data", data / "mos.csv", "--root", data / "pictures", "--range", "0,100")
    return ("train", *table, "--model", "iris", "--out", out, "--set", "train.steps=4", *more)


FAST = ("--set", "keep.steps=2", "--set", "train.workers=0", "--device", "cpu")


def test_a_table_becomes_a_rater_with_a_card_that_score_opens(beholder, data, tmp_path):
    out = tmp_path / "mine"
    done = beholder(*told(data, out, *FAST))
    assert done.code == 0, done.err
    assert "28 train, 4 validation, 8 test (drawn by scene)" in done.err
    assert "step 4 of 4: validation SRCC" in done.err
    assert "mos  test" in done.out
    names = {"README.md", "curve.svg", "metrics.json", "recipe.toml", "data.csv", "data.json"}
    assert names <= {path.name for path in out.iterdir()}
    (tmp_path / "new").touch()
    written = (path for path in out.rglob("*") if path.is_file())
    assert {path.stat().st_mode for path in written} == {(tmp_path / "new").stat().st_mode}
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["parts"]["test"]["mos"]["n"] == 8
    assert -1 <= metrics["parts"]["test"]["mos"]["srcc"]["value"] <= 1
    scored = beholder("score", data / "pictures" / "00.png", "--model", out, "--out",
                      tmp_path / "scores.csv")  # fmt: skip
    assert scored.code == 0, scored.err
    rows = list(csv.DictReader((tmp_path / "scores.csv").read_text().splitlines()))
    assert (rows[0]["model"], rows[0]["fingerprint"]) == ("mine", metrics["fingerprint"])
    again = beholder(*told(data, out, *FAST))
    assert again.code == 0
    assert "is finished" in again.err
    other = beholder(*told(data, out, *FAST, "--seed", "7"))
    assert other.code == 2
    assert "seed was 0 and is 7" in other.err


def test_a_run_that_was_stopped_says_so_and_that_the_same_command_goes_on(
    beholder, data, tmp_path, monkeypatch
):
    def stopped(folder, config, mixture, tell, first=True):
        tell({"step": 3.0, "steps": 4.0})
        return Taught(history=(), best=0, steps=3, done=False)

    monkeypatch.setattr(train, "_fit", stopped)
    done = beholder(*told(data, tmp_path / "mine", *FAST))
    assert done.code == 130
    assert "Stopped after step 3 of 4; kept: " in done.err
    assert "the same command goes on" in done.err


@pytest.mark.parametrize("questions", ["pool", "scoring"])
def test_only_the_rows_of_the_training_part_are_taught(
    beholder, data, tmp_path, monkeypatch, questions
):
    given = []

    def fit(learner, train, validation, config, folder, ask, tell):  # noqa: PLR0917
        given.append({"train": train, "validation": validation, "pool": ask.pool})
        return Taught(history=(), best=0, steps=1, done=False)

    monkeypatch.setattr(teach, "fit", fit)
    done = beholder(*told(data, tmp_path, *FAST, "--set", f"prompts.questions={questions}"))
    assert done.code == 130, done.err
    (found,) = given
    rows = list(csv.DictReader((tmp_path / "data.csv").read_text().splitlines()))
    for part in ("train", "validation"):
        stated = [row["path"] for row in rows if row["split"] == part]
        assert [each.name for each in found[part]] == stated
    assert found["pool"] == (questions == "pool")


def test_check_finds_out_whether_all_is_well_and_teaches_nothing(beholder, data, tmp_path):
    done = beholder(*told(data, tmp_path / "mine", "--check", *FAST))
    assert done.code == 0
    assert "nothing was taught" in done.err
    assert not list((tmp_path / "mine").iterdir())


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (("--set", "train.bach=3"), 2, "did you mean 'batch'"),
        (("--set", "batch"), 2, "is not NAME=VALUE"),
        (("--model", "irsi"), 2, "did you mean 'iris'"),
        (("--range", "0,50"), 1, "rows outside the stated range 0-50"),
        (("--labels", "votes"), 1, "labels = votes needs the columns p_excellent"),
        (("--labels", "sfot"), 2, "did you mean 'soft'"),
        (("--card", "konik"), 2, "did you mean 'koniq'"),
        (("--config", "nowhere.yaml"), 2, "nowhere.yaml cannot be read"),
        (("--set", "data.mos.root=nowhere"), 1, "40 of 40 files are not there"),
        (("--set", "data.mos.media=video"), 1, "files are no video"),
        (("--set", "losses.next_tokn=1"), 2, "did you mean 'next_token'"),
        (("--push", "me"), 2, "names no owner"),
    ],
)
def test_what_is_wrong_is_told_before_the_first_step(beholder, data, tmp_path, more, code, said):
    done = beholder(*told(data, tmp_path / "mine", *FAST, *more))
    assert (done.code, said in done.err) == (code, True), done.err


def test_a_config_says_it_all_with_paths_beside_it(beholder, data, tmp_path):
    path = data / "train.yaml"
    path.write_text(
        "model: iris\ndata:\n  - {table: mos.csv, root: pictures, name: blur, range: [0, 100]}\n"
    )
    done = beholder("train", "--config", path, "--out", tmp_path / "mine", "--check")
    assert done.code == 0, done.err
    assert done.err.startswith("blur: ")
    done = beholder("train", "--config", path, "--out", tmp_path / "mine", "--range", "0,100")
    assert "--range says something of the table that --data names" in done.err


def test_nothing_that_names_nothing_starts(beholder, data, tmp_path):
    done = beholder("train", "--data", data / "mos.csv", "--out", tmp_path / "mine")
    assert (done.code, "no model is named" in done.err) == (2, True)
    done = beholder("train", "--model", "iris", "--out", tmp_path / "mine")
    assert (done.code, "no data are named" in done.err) == (2, True)


class Hub:
    """A Hub that remembers what it was given."""

    def __init__(self):
        self.calls = {}

    def HfApi(self):
        return self

    def whoami(self):
        return {"name": "me"}

    def create_repo(self, name, **options):
        self.calls["create"] = options
        return type("Url", (str,), {"repo_id": name})(f"https://hub.test/{name}")

    def upload_folder(self, **options):
        self.calls["upload"] = options


def test_push_uploads_in_private_and_without_checkpoints_and_opinions(tmp_path, monkeypatch):
    hub = Hub()
    monkeypatch.setattr(publishing, "_hub", lambda: hub)
    publishing.check("me/rater")
    assert publishing.push(tmp_path, "me/rater", public=False) == "https://hub.test/me/rater"
    assert hub.calls["create"] == {"private": True, "exist_ok": True}
    ignored = hub.calls["upload"]["ignore_patterns"]
    assert {"checkpoints/*", "data.csv", "training.json"} <= set(ignored)
