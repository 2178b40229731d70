"""Benchmark cards: all there, consistent in themselves, nothing guessed."""

import json
from pathlib import Path

import pytest

from beholder.datasets import card
from beholder.datasets.reading import read
from beholder.errors import TableError, UsageError

WANTED = {
    *("KonIQ-10k", "SPAQ", "KADID-10k", "LIVE", "LIVE-C", "CSIQ", "TID2013", "BID", "AGIQA-3K"),
    *("CGIQA-6K", "PIPAL", "FLIVE", "AVA", "LSVQ", "LSVQ-1080p", "KoNViD-1k", "LIVE-VQC"),
    *("YouTube-UGC", "MaxWell"),
}
MAY_BE_UNKNOWN = {"items": "items", "scale": "range", "levels": "levels", "splits": "splits"}
DOCS = Path(__file__).parents[2] / "docs" / "datasets.md"


def test_every_benchmark_has_a_card():
    assert {card.load(name).title for name in card.names()} == WANTED


@pytest.mark.parametrize("name", card.names())
def test_what_a_card_leaves_out_it_names_as_unverified(name):
    known = card.load(name)
    named = " ".join(known.unverified)
    for field, word in MAY_BE_UNKNOWN.items():
        assert getattr(known, field) or word in named, field
    for field in ("licence", "obtain"):
        assert bool(getattr(known, field)) != (field in known.unverified), field
    assert known.media in ("image", "video")
    assert known.task in ("quality", "aesthetics")
    assert known.paper


@pytest.mark.parametrize("name", [n for n in card.names() if card.load(n).levels])
def test_the_bounds_of_the_levels_lie_in_the_range(name):
    known = card.load(name)
    assert known.levels.low < known.levels.high
    assert known.levels.outside in ("drop", "clip")
    if known.scale:
        assert known.scale.low <= known.levels.low
        assert known.levels.high <= known.scale.high


@pytest.mark.parametrize("name", card.names())
def test_the_table_in_the_documentation_is_that_of_the_cards(name):
    known = card.load(name)
    scale = f"{known.scale.low:g} to {known.scale.high:g}" if known.scale else "not verified"
    direction = "lower is better" if known.higher_is_better is False else "higher is better"
    line = (
        f"| `{name}` | {known.title} | {known.media} | {known.items or 'not verified'} | {scale} |"
        f" {direction} |"
    )
    assert line in DOCS.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "path", "scene", "distortion"),
    [
        ("kadid", "images/I65_21_03.png", "i65", "21"),
        ("tid2013", "i01_24_5.bmp", "i01", "24"),
        ("tid2013", "I01_11_1.BMP", "i01", "11"),
        ("csiq", "awgn/1600.AWGN.1.png", "1600", "awgn"),
        ("csiq", "csiq/1600.png", "1600", ""),
        ("pipal", "A0001_00_11.bmp", "a0001", "00"),
        ("koniq", "10004473376.jpg", "", ""),
    ],
)
def test_the_name_of_a_file_tells_scene_and_distortion(name, path, scene, distortion):
    known = card.load(name)
    assert (known.scene_of(path), known.distortion_of(path)) == (scene, distortion)


def test_a_card_gives_scene_range_and_direction_to_a_table(tmp_path):
    (tmp_path / "m.csv").write_text("ref_name,dist_name,dmos\n1600.png,1600.AWGN.1.png,0.06\n")
    table = read(tmp_path / "m.csv", card.load("csiq"))
    assert (table.rows[0].scene, table.column("distortion")) == ("1600", ["awgn"])
    assert (table.higher_is_better, table.direction_stated, table.card) == (False, True, "csiq")


def test_the_column_of_kadid_is_called_dmos_and_is_none():
    assert card.load("kadid").higher_is_better


def test_a_table_is_found_below_the_root(tmp_path):
    folder = tmp_path / "koniq"
    folder.mkdir()
    (folder / "test_koniq.json").write_text(json.dumps([{"image": "a", "gt_score": 1}]))
    koniq = card.load("koniq")
    assert koniq.find_table(tmp_path) == folder / "test_koniq.json"
    assert koniq.places(tmp_path)[:2] == [tmp_path, tmp_path / "koniq"]
    (tmp_path / "CVD2014").mkdir()
    (tmp_path / "CVD2014" / "labels.txt").write_text("a.mp4, 8, 30, 50\n")
    with pytest.raises(UsageError, match=r"LIVE-VQC.*labels\.txt"):
        card.load("live-vqc").find_table(tmp_path)
    with pytest.raises(UsageError, match=r"MaxWell.*maxwell_test\.json"):
        card.load("maxwell").find_table(tmp_path)


def test_a_title_is_a_name_and_an_unknown_name_says_what_was_meant():
    assert card.load("KonIQ-10k").name == "koniq"
    with pytest.raises(UsageError, match="'konik': did you mean 'koniq'"):
        card.load("konik")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("format = 2", "format 2"),
        ('format = 1\ntitle = "x"\nmedia = "image"\ntask = "quality"\ncolour = 1', "colour"),
        ("format = 1\n[", "not a benchmark card"),
        ('format = 1\ntitle="x"\nmedia="image"\ntask="quality"\nscene = "("', "not a benchmark"),
    ],
)
def test_a_file_that_is_no_card_is_refused(tmp_path, text, part):
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(TableError, match=part):
        card.load(str(tmp_path / "mine.toml"))


def test_a_card_of_your_own_is_a_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('format = 1\ntitle = "Mine"\nmedia = "image"\ntask = "quality"\n')
    assert card.load(str(path)).name == "mine"
