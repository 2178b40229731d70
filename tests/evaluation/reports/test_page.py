"""The page a person opens after scoring a folder."""

import json
import math
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from beholder.errors import TableError
from beholder.evaluation.reports import _html, page
from beholder.levels import statistics
from beholder.levels.scale import LEVELS, WEIGHTS
from beholder.levels.targets import soft_label

TINY = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffd9")
VOID = {"meta", "link", "img", "input"}
NASTY = "a\"'&<script>alert(1)</script>\u202egpj.\udcff\n\x07é 写真.jpg"


def row(path: str, mean: float = 3.6, **cells: Any) -> dict[str, Any]:
    shares = soft_label(mean, 0.7)
    value = statistics.expectation(shares, WEIGHTS)
    made = {
        "path": path,
        "media": "image",
        "width": 4000,
        "height": 3000,
        "seconds": None,
        "task": "quality",
        "score": value,
        "scale": "1-5",
        "level": statistics.nearest(value, LEVELS, WEIGHTS),
        **{f"p_{word}": share for word, share in zip(LEVELS, shares, strict=True)},
        "spread": statistics.spread(shares, WEIGHTS),
        "details": None,
        "error": None,
        "model": "iris",
        "fingerprint": "9f3a61c2",
    }
    return made | cells


def failed(path: str, error: str = "The file ends too early.") -> dict[str, Any]:
    empty = dict.fromkeys(("score", "level", "spread", *(f"p_{word}" for word in LEVELS)))
    return row(path) | empty | {"error": error, "width": None, "height": None}


class Page(HTMLParser):
    """A page taken apart: what is open when, and every element with its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.source = text
        self.open: list[dict[str, Any]] = []
        self.elements: list[dict[str, Any]] = []
        self.feed(text)
        self.close()
        assert not self.open, f"left open: {[item['tag'] for item in self.open]}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute of <{tag}> is given twice: {names}"
        item = {"tag": tag, "text": "", **{name: value or "" for name, value in attrs}}
        self.elements.append(item)
        if tag not in VOID:
            self.open.append(item)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop()["tag"] == tag

    def handle_data(self, data: str) -> None:
        for item in self.open:
            item["text"] += data

    def all(self, tag: str, kind: str = "") -> list[dict[str, Any]]:
        return [
            item
            for item in self.elements
            if item["tag"] == tag and (not kind or kind in item.get("class", "").split())
        ]

    def names(self) -> list[str]:
        return [item["title"] for item in self.all("a", "name")]


Made = Callable[..., Page]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    def make(
        *rows: dict[str, Any], preview: Callable[[str], bytes | None] | None = None, **about: Any
    ) -> Page:
        out = tmp_path / "page.html"
        about = {"title": "photos", "model": "iris", "version": "0.1.0"} | about
        page.write(out, iter(rows), page.About(**about), preview or (lambda _: TINY))
        return Page(out.read_text(encoding="utf-8"))

    return make


def test_a_page_is_whole_html_with_a_language_a_title_and_one_heading(made: Made) -> None:
    found = made(row("a.jpg"), row("b.jpg", 2.0), failed("c.jpg"), title="trip <1>")
    assert found.source.startswith("<!doctype html>")
    assert found.all("html")[0]["lang"] == "en"
    assert found.all("title")[0]["text"] == "trip <1> · Beholder"
    assert [item["text"] for item in found.all("h1")] == ["trip <1>"]
    ids = [item["id"] for item in found.elements if "id" in item]
    assert len(ids) == len(set(ids))
    assert all(item["alt"] for item in found.all("img"))


def test_cards_stand_best_first_and_ties_in_input_order(made: Made) -> None:
    found = made(row("b.jpg", 2.0), row("a.jpg", 4.5), row("d.jpg", 3.0), row("c.jpg", 3.0))
    assert found.names() == ["a.jpg", "d.jpg", "c.jpg", "b.jpg"]
    assert [card["data-index"] for card in found.all("li", "card")] == ["1", "2", "3", "0"]


def test_a_card_says_level_score_spread_and_the_five_probabilities(made: Made) -> None:
    shares = {"p_excellent": 0.1, "p_good": 0.6, "p_fair": 0.25, "p_poor": 0.05, "p_bad": 0.0}
    card = made(row("a.jpg", score=3.75, spread=0.698212, level="good", **shares))
    assert card.all("b", "chip")[0]["text"] == "good"
    assert "3.75 ± 0.70 of 1–5" in card.all("p", "verdict")[0]["text"]
    label = "excellent 10.0%, good 60.0%, fair 25.0%, poor 5.0%, bad 0%"
    assert card.all("svg", "odds")[0]["aria-label"] == label
    facts = dict(line.split("\t") for line in card.all("li", "card")[0]["data-facts"].split("\n"))
    assert facts["Score"] == "3.750000"
    assert facts["Pixels"] == "4000 × 3000 (12.0 megapixels)"


@pytest.mark.parametrize("field", ["path", "task", "level", "error", "model", "fingerprint"])
def test_nothing_a_row_says_is_taken_for_markup(made: Made, field: str) -> None:
    plain = made(row("a.jpg"), failed("b.jpg"))
    cells = {} if field == "error" else {field: NASTY}
    nasty = made(row("a.jpg") | cells, failed("b", NASTY))
    assert [item["tag"] for item in nasty.elements] == [item["tag"] for item in plain.elements]
    assert "\u202e" not in nasty.source
    assert "\x07" not in nasty.source


def test_a_name_of_any_bytes_is_shown_and_the_preview_is_asked_by_the_name_as_given(
    made: Made,
) -> None:
    asked: list[str] = []
    found = made(row(NASTY), preview=asked.append)
    assert asked == [NASTY]
    shown = "a\"'&<script>alert(1)</script>\\u202egpj.\\udcff\\n\\x07é 写真.jpg"
    assert found.names() == [shown]
    assert found.all("span", "none")


def test_nothing_about_a_run_is_taken_for_markup(made: Made) -> None:
    bad = "</script><script>x</script>"
    found = made(
        row("a.jpg", details={bad: bad}),
        title=bad, model=bad, version=bad, date=bad, fingerprint=bad, recipe={bad: [bad]},
        counts={bad: 2},
    )  # fmt: skip
    assert len(found.all("script")) == 1
    assert [json.loads(item["text"]) for item in found.all("pre")] == [{bad: bad}, {bad: [bad]}]


def test_the_page_refers_to_nothing_outside_itself(made: Made) -> None:
    found = made(row("a.jpg"), row("b.mp4", media="video"), failed("c.jpg"))
    assert not re.search(r"https?:|//[a-z]|@import|url\(", found.source)
    for item in found.elements:
        for name in ("src", "href"):
            assert item.get(name, "#").startswith(("#", "data:"))
        assert not {"style", "onclick", "onload", "srcset"} & item.keys()


def test_the_policy_lets_only_this_style_and_this_script_count(made: Made) -> None:
    found = made(row("a.jpg"))
    policy = found.all("meta")[1]["content"]
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy
    assert policy == _html.policy(found.all("style")[0]["text"], found.all("script")[0]["text"])


def test_errors_stand_in_a_section_of_their_own_and_not_among_the_cards(made: Made) -> None:
    found = made(row("a.jpg"), failed("b.jpg", "Cut <off>."), row("n.jpg", score=math.nan))
    section = found.all("section", "errors")[0]
    assert "2 files could not be scored" in section["text"]
    assert "Cut <off>." in section["text"]
    assert "The table has no score for this file." in section["text"]
    assert found.names() == ["a.jpg"]


def test_a_run_of_only_errors_says_so(made: Made) -> None:
    found = made(failed("b.jpg"), counts={"skipped": 3, "unseen": 0})
    lead = " ".join(found.all("p", "lead")[0]["text"].split())
    assert lead == "Nothing could be scored, 3 skipped, 1 not scored."
    assert not found.all("ol", "grid")
    assert not found.all("dialog")


def test_an_empty_table_makes_a_page(made: Made) -> None:
    assert "Nothing could be scored." in " ".join(made().all("p", "lead")[0]["text"].split())


def test_many_errors_are_counted_and_the_first_are_listed(made: Made) -> None:
    found = made(*(failed(f"{index}.jpg") for index in range(1200)))
    assert "1,200 files could not be scored" in found.source
    assert len(found.all("dt")) - len(found.all("dl", "facts")[0]["text"].split("\n")) < 500 + 5
    assert "Listed are the first 500" in found.source


def test_a_clip_has_its_duration_and_a_strip_with_the_worst_moment(made: Made) -> None:
    timeline = [[0.5, 3.2], [1.5, 1.4], [2.5, 4.6], [3.5, 3.9]]
    details = {"timeline": timeline, "note": "x"}
    found = made(row("a.mp4", media="video", seconds=4.0, details=details))
    assert found.all("span", "badge")[0]["text"] == "clip 0:04"
    strip = found.all("div", "strip")[0]
    assert "worst 1.40 at 1.5 s" in strip["text"]
    assert found.all("p", "ticks")[0]["text"] == "0.0 s1.0 s2.0 s3.0 s4.0 s"
    assert found.all("line", "worst")[0]["x1"] == "37.5"
    assert strip["data-moments"].split("\n")[1] == "25 25 1.5 s: 1.40"
    assert [item["class"] for item in found.all("path")[2:]] == ["f5", "f4", "f3", "f1"]
    assert json.loads(found.all("li", "card")[0]["data-extra"]) == {"note": "x"}


@pytest.mark.parametrize(
    "timeline",
    [None, [], [[0.0, 3.0]], "abc", [[1.0], 3, "ab", [None, 2.0], [1.0, math.nan]], {"a": 1}],
)
def test_a_clip_without_two_moments_has_no_strip(made: Made, timeline: Any) -> None:
    found = made(row("a.mp4", media="video", seconds=4.0, details={"timeline": timeline}))
    assert not found.all("div", "strip")


def test_a_strip_of_a_long_clip_is_drawn_in_few_stretches_and_keeps_the_worst(made: Made) -> None:
    timeline = [[second, 1.25 if second == 1234 else 4.0] for second in range(3600)]
    found = made(row("a.mp4", media="video", seconds=3600.0, details={"timeline": timeline}))
    moments = found.all("div", "strip")[0]["data-moments"].split("\n")
    assert [moment.split(" ", 2)[2] for moment in moments].count("20:34: 1.25") == 1
    assert len(moments) == 60


def test_no_cell_that_is_empty_or_not_a_number_is_ever_printed(made: Made) -> None:
    empty: dict[str, Any] = dict.fromkeys(
        ("width", "height", "spread", "level", "media", "scale", "task", "model", "fingerprint")
    )
    nan = dict.fromkeys(("width", "height", "seconds", "spread", "p_good"), math.nan)
    found = made(row("a.jpg", **empty), row("b.jpg", **nan), {"path": "c.jpg", "score": 0.25})
    text = " ".join(str(value) for item in found.elements for value in item.values())
    text = re.sub(r"data:image/jpeg\S*|sha256-\S*", "", text.replace(_html.asset("page.js"), ""))
    text = text.replace(_html.asset("page.css"), "")
    assert not re.search(r"\b(nan|inf|None|null|undefined)\b", text)
    assert sorted(found.names()) == ["a.jpg", "b.jpg", "c.jpg"]


@pytest.mark.parametrize(
    ("scale", "text"), [("0-100", "of 0–100"), ("0-1", "of 0–1"), ("niqe", "0.6892 niqe")]
)
def test_every_scale_is_named_and_drawn(made: Made, scale: str, text: str) -> None:
    rows = [row("a.jpg", score=0.25, scale=scale), row("b.jpg", score=0.75, scale=scale)]
    if scale == "niqe":
        for one in rows:
            one.update(score=-one["score"], level=None)
    found = made(*rows)
    assert text in " ".join(found.all("p", "verdict")[0]["text"].split())
    assert len(found.all("svg", "plot")) == 1
    assert found.names() == (["a.jpg", "b.jpg"] if scale == "niqe" else ["b.jpg", "a.jpg"])


UNANSWERED = {"level": None, "spread": None, **{f"p_{word}": None for word in LEVELS}}


def meaning(found: Page) -> str:
    text = " ".join(
        each["text"] for each in found.all("section") if "What the score" in each["text"]
    )
    return " ".join(text.split())


def test_a_page_of_measures_speaks_of_no_levels_and_no_answers(made: Made) -> None:
    rows = [row(f"{n}.jpg", score=-n, scale="negated distance", **UNANSWERED) for n in (5, 6)]
    told = meaning(made(*rows))
    assert (
        "Negated distance: a measured number, no place on a scale of levels; higher is better"
        in told
    )
    assert "five answers" not in told
    assert "spread" not in told
    assert [each.get("hidden") for each in made(*rows).all("fieldset", "levels")] == [""]


def test_a_page_of_scores_without_probabilities_does_not_speak_of_answers(made: Made) -> None:
    told = meaning(made(row("a.jpg", **UNANSWERED), row("b.jpg", **UNANSWERED)))
    assert "a scale whose high end is best" in told
    assert "five answers" not in told


def test_a_page_of_answers_says_what_they_are(made: Made) -> None:
    found = made(row("a.jpg"), row("b.jpg"))
    assert "each of five answers" in meaning(found)
    assert "measured number" not in meaning(found)
    assert "hidden" not in found.all("fieldset", "levels")[0]


def test_two_tasks_have_a_histogram_each(made: Made) -> None:
    rows = [row("a.jpg", task=task) for task in ("quality", "aesthetics")]
    found = made(*rows, *rows)
    assert len(found.all("svg", "plot")) == 2
    lead = " ".join(found.all("p", "lead")[0]["text"].split())
    assert lead == "4 scores of 2 kinds by the model iris."


def test_the_opening_line_counts_pictures_clips_and_what_is_missing(made: Made) -> None:
    rows = [row("a.jpg"), row("b.jpg"), row("c.mp4", media="video"), failed("d.jpg")]
    found = made(*rows, counts={"skipped": 1200})
    lead = " ".join(found.all("p", "lead")[0]["text"].split())
    expected = (
        "2 pictures and 1 clip scored for quality by the model iris, 1,200 skipped, 1 not scored."
    )
    assert lead == expected


def test_the_histogram_counts_every_score_in_the_colour_of_its_level(made: Made) -> None:
    found = made(*(row(f"{tenth}.jpg", score=tenth / 10) for tenth in range(10, 51)))
    plot = [item for item in found.all("rect") if item["text"].endswith(("file", "files"))]
    assert [item["class"] for item in plot] == [
        *["f1"] * 2, *["f2"] * 4, *["f3"] * 4, *["f4"] * 4, *["f5"] * 2
    ]  # fmt: skip
    assert sum(int(item["text"].split(": ")[1].split()[0]) for item in plot) == 41


def many(count: int) -> Iterator[dict[str, Any]]:
    for index in range(count):
        place = (index * 7919) % count
        score = 1 + 4 * place / count
        yield {"path": f"{place}.jpg", "media": "image", "score": score, "scale": "1-5"}


def test_five_thousand_files_are_all_shown_on_a_page_of_bounded_size(tmp_path: Path) -> None:
    side = page.preview_size(5_000)
    rows = (row(f"photos/summer/{index:04}.jpg") for index in range(5_000))
    out = tmp_path / "page.html"
    page.write(out, rows, page.About("photos"), lambda _: bytes(side * side // 4))
    text = out.read_text(encoding="utf-8")
    assert text.count('<li class="card') == 5_000
    assert len(text) < 40e6
    assert "This page shows" not in text


def test_of_more_than_five_thousand_the_best_and_the_worst_are_shown(tmp_path: Path) -> None:
    asked: list[str] = []
    out = tmp_path / "page.html"
    page.write(out, many(6_001), page.About("photos"), asked.append)
    shown = [f"{place}.jpg" for place in (*range(6_000, 3_500, -1), *range(2_499, -1, -1))]
    assert sorted(asked) == sorted(shown)
    text = out.read_text(encoding="utf-8")
    assert "the best 2,500 and the worst 2,500 of 6,001 files" in text


def test_previews_shrink_as_pages_grow() -> None:
    sizes = [page.preview_size(count) for count in (0, 1, 12, 200, 201, 1_000, 5_000, 10**6)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] <= page.LARGEST
    assert sizes[-1] == page.SMALLEST


def test_a_page_is_replaced_only_when_the_new_one_is_whole(tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    out.write_text("before")

    def stop(path: str) -> bytes | None:
        if path == "b.jpg":
            raise KeyboardInterrupt
        return None

    with pytest.raises(KeyboardInterrupt):
        page.write(out, [row("a.jpg", 4.0), row("b.jpg", 2.0)], page.About("photos"), stop)
    assert out.read_text() == "before"
    assert list(tmp_path.iterdir()) == [out]
    page.write(out, [row("a.jpg")], page.About("photos"), lambda _: None)
    assert out.read_text(encoding="utf-8").endswith("</html>")
    assert list(tmp_path.iterdir()) == [out]


def test_a_page_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    out = tmp_path / "file" / "page.html"
    with pytest.raises(TableError, match=r"file/page\.html cannot be written: File exists"):
        page.write(out, [row("a.jpg")], page.About("photos"), lambda _: None)


def test_the_same_rows_make_the_same_page(tmp_path: Path) -> None:
    pages = []
    for name in ("a.html", "b.html"):
        page.write(tmp_path / name, [row("a.jpg")], page.About("photos"), lambda _: TINY)
        pages.append((tmp_path / name).read_bytes())
    assert pages[0] == pages[1]


def test_the_templates_are_part_of_the_package() -> None:
    folder = resources.files("beholder.evaluation.reports")
    for name in ("page.html", "head.html", "brand.html", "card.html", "page.css", "page.js"):
        assert folder.joinpath(name).is_file()
