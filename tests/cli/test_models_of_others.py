"""`beholder score` with a model's folder, a server, another method, and clips over time."""

import importlib.util
import sys
from pathlib import Path

import pytest

from beholder.cli._terminal import sparkline
from beholder.tables.base import read

BACKBONES = Path(__file__).parents[1] / "backbones"


def load_module(path: Path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    pytest.importorskip("transformers", reason="needs pip install 'beholder[models]'")
    tiny = load_module(BACKBONES / "chat" / "tiny.py")
    return tiny.internvl(tmp_path_factory.mktemp("internvl"))


@pytest.fixture
def server():
    pytest.importorskip("httpx", reason="needs pip install 'beholder[remote]'")
    running = load_module(BACKBONES / "remote" / "conftest.py").Server()
    yield running
    running.stop()


@pytest.fixture
def clip(tmp_path, make_picture):
    """Four seconds, a frame every half second; dark in the third."""
    path = tmp_path / "clip.gif"
    light, dark = make_picture(1), make_picture(1).point(lambda value: value // 8)
    frames = [light] * 4 + [dark] * 2 + [light] * 2
    # Slightly unlike frames, since equal ones in a row are joined when a GIF is written.
    frames = [frame.rotate(number) for number, frame in enumerate(frames)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=500)
    return path


def test_a_folder_is_a_model_and_several_tasks_come_from_one_encoding(
    beholder, folder, photos, tmp_path
):
    out = tmp_path / "t.jsonl"
    done = beholder(
        *("score", photos / "0.png", photos / "sub", "--model", folder),
        *("--task", "quality,aesthetics", "--out", out),
    )
    assert (done.code, done.err.count("Traceback")) == (0, 0)
    rows = list(read(out))
    names = ["0.png", "sub/1.jpg", "sub/3.jpg", "sub/5.jpg"]
    assert [(row["path"].removeprefix(f"{photos}/"), row["task"]) for row in rows] == [
        (name, task) for name in names for task in ("quality", "aesthetics")
    ]
    assert {row["model"] for row in rows} == {folder.name}
    assert all(1 <= row["score"] <= 5 for row in rows)
    assert rows[0]["score"] != rows[1]["score"]


def test_a_picture_is_encoded_once_for_all_tasks(folder, make_picture, monkeypatch):
    import beholder
    from beholder.backbones.chat import Chat

    rater = beholder.load(str(folder))
    calls = []
    encode = Chat.encode
    monkeypatch.setattr(Chat, "encode", lambda self, p: calls.append(1) or encode(self, p))
    opened = [rater.open(make_picture(0))]
    assert [rater.rate(opened, task)[0].task for task in rater.scorer.tasks] == [
        "quality",
        "aesthetics",
    ]
    assert len(calls) == 1


def test_q_boost_rates_with_any_model_and_its_tones_stand_in_details(
    beholder, folder, photos, clip, tmp_path
):
    out = tmp_path / "t.jsonl"
    done = beholder(
        *("score", photos / "0.png", clip, "--model", folder, "--scorer", "boost"),
        *("--scale", "0-1", "--set", "clips=frames", "--out", out),
    )
    assert done.code == 0
    still, moving = read(out)
    assert (still["details"]["tones"], moving["details"]["tones"]) == ("triadic", "ensemble")
    for row in (still, moving):
        p = row["details"]["probabilities"]
        assert list(p) == ["good", "average", "poor"]
        assert row["score"] == pytest.approx(p["good"] + p["average"] / 2, abs=1e-5)
        assert row["scale"] == "0-1"
        assert (row["p_good"], row["error"]) == (None, None)


def test_other_levels_are_an_option(beholder, folder, photos, tmp_path):
    out = tmp_path / "t.jsonl"
    levels = "levels=excellent, good, fair, average, poor, low, bad"
    assert (
        beholder("score", photos / "0.png", "--model", folder, "--set", levels, "--out", out).code
        == 0
    )
    (row,) = read(out)
    assert list(row["details"]["probabilities"]) == levels.partition("=")[2].split(", ")


def test_a_recipe_of_the_users_asks_in_another_language(beholder, folder, photos, tmp_path):
    recipe = tmp_path / "mine.toml"
    recipe.write_text(
        f"""
format = 1
name = "mine"
about = "asked in German"
licence = "mine"
backbone = "chat"
scorer = "align"

[weights]
folder = "{folder.as_posix()}"

[options]
words = "exact"

[levels]
ausgezeichnet = 5.0
gut = 4.0
ordentlich = 3.0
"dürftig" = 2.0
schlecht = 1.0

[prompts.quality.image]
question = "Wie bewerten Sie die Qualität dieses Bildes?"
opening = "Die Qualität des Bildes ist"
""",
        encoding="utf-8",
    )
    out = tmp_path / "t.jsonl"
    done = beholder("score", photos / "0.png", "--model", recipe, "--out", out)
    assert done.code == 0, done.err
    (row,) = read(out)
    words = ["ausgezeichnet", "gut", "ordentlich", "dürftig", "schlecht"]
    assert list(row["details"]["probabilities"]) == words
    assert row["level"] in words


def test_a_timeline_is_printed_line_by_line_and_names_the_worst_moment(beholder, clip, tmp_path):
    out = tmp_path / "t.jsonl"
    done = beholder("score", clip, "--frames", "2/s", "--timeline", "--out", out)
    assert done.code == 0
    whole, *moments = [line.split("\t") for line in done.out.splitlines()]
    assert whole[4] == str(clip)
    assert [moment[4] for moment in moments] == [f"{clip}#t={second}" for second in range(4)]
    (row,) = read(out)
    assert row["details"]["worst"] == min(row["details"]["timeline"], key=lambda pair: pair[1])
    assert row["details"]["worst"][1] < row["score"]
    assert [float(moment[0]) for moment in moments] == [
        value for _, value in row["details"]["timeline"]
    ]
    plain = tmp_path / "plain.jsonl"
    beholder("score", clip, "--frames", "2/s", "--out", plain)
    (other,) = read(plain)
    assert other["score"] == row["score"]
    assert other["fingerprint"] != row["fingerprint"]


def test_longer_segments_are_fewer_and_a_whole_clip_has_a_timeline_too(
    beholder, folder, clip, tmp_path
):
    scores = []
    for name, extra in (("a", ()), ("b", ("--segment", 2))):
        out = tmp_path / f"{name}.jsonl"
        assert beholder("score", clip, "--model", folder, "--out", out, *extra).code == 0
        (row,) = read(out)
        scores.append(row["score"])
    assert [seconds for seconds, _ in row["details"]["timeline"]] == [0, 2]
    assert scores[0] == scores[1]


def test_a_sparkline_keeps_the_lowest_of_each_stretch():
    assert sparkline([5.0, 5.0, 1.0, 5.0, 5.0, 5.0], width=3) == "█▁█"
    assert sparkline([3.0]) == "█"


def test_a_server_is_a_model(beholder, server, photos, tmp_path):
    out = tmp_path / "t.jsonl"
    done = beholder("score", photos / "0.png", "--model", server.url, "--out", out)
    assert done.code == 0
    (row,) = read(out)
    assert row["model"] == server.url.removeprefix("http://")
    assert sum(row[f"p_{word}"] for word in ("excellent", "good", "fair", "poor", "bad")) == (
        pytest.approx(1, abs=1e-5)
    )


def test_a_word_that_a_server_leaves_out_is_an_error_row(beholder, server, photos, tmp_path):
    server.behave(fault="missing")
    out = tmp_path / "t.jsonl"
    done = beholder("score", photos / "0.png", "--model", server.url, "--out", out)
    assert done.code == 1
    (row,) = read(out)
    assert "'fair' and 'bad'" in row["error"]
    assert (row["score"], row["level"], row["p_good"], row["spread"]) == (None, None, None, None)


def test_a_server_that_stops_mid_run_keeps_the_rows_it_gave(beholder, server, photos, tmp_path):
    out = tmp_path / "t.jsonl"
    first = photos / "0.png"
    common = ("--model", server.url, "--set", "tries=1", "--batch-size", 1, "--out", out)
    assert beholder("score", first, *common).code == 0
    server.behave(fault="die")
    done = beholder("score", first, photos / "2.png", *common)
    assert done.code == 1
    assert "stopped answering" in done.err
    assert f"Stopped after 1 row; kept: {out}: the same command goes on." in done.err
    assert "Traceback" not in done.err
    rows = list(read(out))
    assert [row["error"] for row in rows] == [None]


def test_a_server_that_stops_before_the_first_row_is_misuse(beholder, server, photos, tmp_path):
    server.behave(fault="die")
    done = beholder("score", photos / "0.png", "--model", server.url, "--set", "tries=1")
    assert done.code == 2
    assert "stopped answering" in done.err
    assert "kept" not in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--model", "http://user:pw@127.0.0.1:9"], "BEHOLDER_API_KEY"),
        (["--model", "http://127.0.0.1:9", "--set", "tries=1"], "does not answer"),
        (["--set", "clips=hole"], "did you mean 'whole'"),
        (["--set", "clip=whole"], "did you mean 'clips'"),
        (["--set", "clips"], "NAME=VALUE"),
        (["--scorer", "bost"], "did you mean 'boost'"),
        (["--scorer", "boost"], "does not know the word 'average'"),
        (["--segment", "0"], "0"),
    ],
)
def test_misuse_is_exit_code_2_and_one_clear_sentence(beholder, photos, arguments, said):
    if "http://127.0.0.1:9" in arguments:
        pytest.importorskip("httpx", reason="needs pip install 'beholder[remote]'")
    done = beholder("score", photos / "0.png", *arguments)
    assert (done.code, said in done.err) == (2, True), done.err
    assert "Traceback" not in done.err
    assert "pw" not in done.err
