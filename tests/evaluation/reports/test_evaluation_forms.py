"""Every form of a report: JSON, Markdown, the page."""

import io
import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from PIL import Image

from beholder.datasets.opinions import Opinion, Opinions
from beholder.errors import TableError
from beholder.evaluation.evaluate import Question, evaluate
from beholder.evaluation.measuring import MEASURES
from beholder.evaluation.reports import _told, evaluation, markdown
from beholder.evaluation.reports import json as numbers
from beholder.evaluation.scores import Scored, Scores
from beholder.evaluation.splitting import Plan

EVIL = '</title><script>alert("x")</script>&|`*_<b>.png'
QUICK = Question(replicates=20)


def nothing(path):
    return None


@pytest.fixture(scope="module")
def rich():
    """An evaluation with everything in it, and names that try to break out."""
    from beholder.levels.scale import Scale

    rows = tuple(
        Opinion(
            EVIL if i == 3 else f"{i}.png",
            1 + (i * 7 % 24) / 6,
            std=0.6 + i % 3 / 10,
            n=20,
            scene=f"s{i % 4}",
            extra={"kind": EVIL if i % 2 else "plain"},
            row=i,
        )
        for i in range(24)
    )
    ours = tuple(
        Scored(row.path, row.mos + math.sin(i) / 2, 0.7) if i != 5 else Scored(row.path, math.nan)
        for i, row in enumerate(rows)
    )
    ours = tuple(row if row.path != "5.png" else replace(row, error=EVIL) for row in ours)
    theirs = tuple(Scored(row.path, row.mos + 2 * math.cos(i)) for i, row in enumerate(rows))
    return evaluate(
        Opinions(rows, EVIL, scale=Scale(1.0, 5.0), card=EVIL),
        Scores(ours, "a.csv", scale="1-5", model=EVIL, fingerprint="0123", recipe={"x": EVIL}),
        Question(by=("kind",), plan=Plan(folds=2), replicates=20),
        against=Scores(theirs, "b.csv", model="<i>rival"),
    )


@pytest.fixture(scope="module")
def empty():
    """An evaluation in which no number exists."""
    rows = tuple(Opinion(f"{i}.png", 3.0, row=i) for i in range(2))
    scores = Scores(tuple(Scored(row.path, 1.0) for row in rows), "a.csv")
    return evaluate(Opinions(rows, "mos.csv"), scores, QUICK)


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open = []
        self.seen = []
        self.attributes = []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.attributes += [(tag, *each) for each in attrs]
        if tag not in ("meta", "link", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append(tag)
        self.attributes += [(tag, *each) for each in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_json_has_the_promised_shape(rich):
    found = json.loads(json.dumps(numbers.content(rich), allow_nan=False))
    assert found["format"] == 1
    parts = [found["overall"], *found["groups"].values()]
    assert len(parts) == 1 + 2
    for part in parts:
        assert {"n", "failed", "difference", "verdict"} <= set(part)
        for name in MEASURES:
            assert {"value", "low", "high"} <= set(part[name])
            assert {"value", "low", "high", "p"} <= set(part["difference"][name])
        assert part["verdict"] in ("better", "worse", "not separable")
    assert (found["overall"]["n"], found["overall"]["failed"]) == (23, 1)
    assert set(found["overall"]["srcc"]) == {"value", "low", "high"}
    assert found["join"]["exact"] == 24
    assert found["join"]["failed"]["count"] == 1
    assert found["against"]["overall"]["n"] == 24
    assert found["splits"]["scene_disjoint"] is True
    assert found["splits"]["srcc"]["median"] is not None
    assert found["krasula"]["ours"]["pairs"] == 23 * 22 // 2
    assert len(found["calibration"]["coverage"]) == 5


def test_json_has_null_and_a_reason_where_there_is_no_number(empty):
    found = numbers.content(empty)
    for name in MEASURES:
        value = found["overall"][name]
        assert (value["value"], value["low"], value["high"]) == (None, None, None)
        assert "2 pairs are too few" in value["reason"]
    assert found["groups"] == {}
    assert "difference" not in found["overall"]


def test_markdown_shows_every_number_and_no_mark_breaks_it(rich):
    text = markdown.text(rich)
    lines = [line for line in text.splitlines() if line.startswith("|")]
    for name, value in rich.overall.values.items():
        row = next(line for line in lines if line.startswith(f"| {_told.NAMES[name]} |"))
        assert f"{value.value:.3f}" in row
        assert "| 23 | 1 |" in row
    assert re.search(r"(?<!\\)[<>]", text.replace("\n> ", "\n")) is None
    assert r"\<script\>" in text
    width = 0
    for line in text.splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        assert not (cells and width) or cells == width
        width = cells


def test_markdown_says_why_there_is_no_number(empty):
    assert "none (2 pairs are too few" in markdown.text(empty)


def test_the_page_is_well_formed_and_whole(rich):
    text = evaluation.render(rich, nothing)
    tags = Tags()
    tags.feed(text)
    assert tags.open == []
    assert "svg" in tags.seen
    assert text.count("<h1>") == 1
    for part in ("numbers", "against", "curve", "spread", "groups", "apart", "rows", "about"):
        assert f'id="{part}"' in text
    targets = {
        value[1:] for _, name, value in tags.attributes if name == "href" and value[0] == "#"
    }
    ids = {value for _, name, value in tags.attributes if name == "id"}
    assert targets <= ids
    assert "nan" not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL).lower()


def test_the_page_escapes_every_name(rich):
    text = evaluation.render(rich, nothing)
    assert "<script" not in text
    assert "alert(&#34;x&#34;)" in text
    assert "<i>rival" not in text
    assert "<b>.png" not in text


def test_the_page_needs_no_network_and_its_policy_forbids_it(rich):
    text = evaluation.render(rich, nothing)
    assert "default-src &#39;none&#39;" in text
    tags = Tags()
    tags.feed(text)
    for _, name, value in tags.attributes:
        assert name not in ("style", "onclick", "srcset")
        if name in ("href", "src"):
            assert value.startswith(("#", "data:"))
    assert "url(" not in text
    assert "@import" not in text


def test_the_largest_disagreements_show_their_picture(rich):
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "JPEG")
    asked = []

    def preview(path):
        asked.append(path)
        return buffer.getvalue()

    text = evaluation.render(rich, preview)
    assert 1 < len(asked) <= 12
    assert text.count('src="data:image/jpeg;base64,') == len(asked)
    assert 'class="apart bare"' in evaluation.render(rich, nothing)


def test_the_page_says_why_there_is_no_number(empty):
    text = evaluation.render(empty, nothing)
    Tags().feed(text)
    assert text.count("2 pairs are too few") >= 6
    assert "nan" not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL).lower()


def test_thousands_of_files_make_a_small_page():
    rows = tuple(Opinion(f"{i}.png", (i * 37 % 9973) / 2000, row=i) for i in range(9000))
    scores = tuple(Scored(row.path, row.mos + math.sin(i)) for i, row in enumerate(rows))
    made = evaluate(Opinions(rows, "mos.csv"), Scores(scores, "a.csv"), Question(replicates=2))
    text = evaluation.render(made, nothing)
    assert len(text) < 600_000
    assert "files are not drawn, but counted" in text


def test_a_page_is_replaced_whole_or_not_at_all(rich, empty, tmp_path):
    out = tmp_path / "new" / "page.html"
    evaluation.write(out, rich, nothing)
    before = out.read_bytes()

    def broken(path):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluation.write(out, rich, broken)
    assert out.read_bytes() == before
    assert [path.name for path in out.parent.iterdir()] == ["page.html"]


@pytest.mark.parametrize("form", [numbers, markdown])
def test_a_place_that_cannot_be_written_is_told(rich, tmp_path, form):
    (tmp_path / "file").write_text("")
    with pytest.raises(TableError, match="file"):
        form.write(tmp_path / "file" / "out", rich)


def test_the_verdict_is_a_plain_sentence(rich):
    text = _told.verdict(rich.overall, "a", "b")
    assert re.match(r"a is better than b: difference in SRCC 0\.\d{3} \[0\.", text)
    found = replace(rich.overall.differences["srcc"], verdict="not separable", needed=1234)
    text = _told.verdict(replace(rich.overall, differences={"srcc": found}), "a", "b")
    assert "not separable over 23 files" in text
    assert "about 1,234 files" in text


@pytest.mark.parametrize(
    ("origin", "named"),
    [
        ("x/pictures/scores.csv", "m on pictures"),
        ("mos.csv", "m on mos"),
        ("a/koniq.csv", "m on koniq"),
    ],
)
def test_a_report_is_named_by_model_and_data(empty, origin, named):
    made = replace(empty, opinions=replace(empty.opinions, origin=origin))
    assert markdown.title(replace(made, scores=replace(made.scores, model="m"))) == named


def test_no_null_stands_without_a_reason(rich, empty):
    def lacking(value):
        if isinstance(value, list):
            return [each for part in value for each in lacking(part)]
        if not isinstance(value, dict):
            return []
        own = [key for key in value if value[key] is None and not value.get("reason")]
        return own + [each for part in value.values() for each in lacking(part)]

    flat = replace(rich.calibration, srcc=math.nan)
    unknown = replace(rich.calibration, reason="the range is not known")
    alike = replace(rich.overall.differences["srcc"], needed=None)
    overall = replace(rich.overall, differences={"srcc": alike})
    for made in (
        rich,
        replace(rich, calibration=flat),
        replace(rich, calibration=unknown, overall=overall),
        empty,
    ):
        found = numbers.content(made)
        for part in (found["overall"], found["calibration"]):
            assert lacking(part) == []
    assert (
        "equal" in numbers.content(replace(rich, calibration=flat))["calibration"]["srcc"]["reason"]
    )


def test_no_comparison_is_no_verdict_in_any_form(rich):
    nan = math.nan
    none = {
        name: replace(each, value=nan, low=nan, high=nan, p=nan, reason="0 pairs are too few")
        for name, each in rich.overall.differences.items()
    }
    made = replace(rich, overall=replace(rich.overall, differences=none))
    found = numbers.content(made)["overall"]
    assert (found["verdict"], found["reason"]) == (None, "0 pairs are too few")
    assert found["verdicts"] == {}
    assert 'class="word' not in evaluation.render(made, nothing).split('id="against"')[1][:300]
    assert "cannot be compared: 0 pairs are too few" in markdown.text(made)


def test_a_fit_that_is_not_to_be_trusted_is_cautioned_about_in_every_form(rich):
    assert "these 23 files" in numbers.content(rich)["overall"]["rmse_logistic4"]["caution"]
    assert "too narrow below about 100 files" in evaluation.render(rich, nothing)
    assert "too narrow below about 100 files" in markdown.text(rich)


def test_a_small_p_is_less_than_and_one_scene_is_one(rich):
    assert "p < 0.001" in _told.verdict(small(rich), "a", "b")
    assert _told.drawn(replace(rich, overall=replace(rich.overall, scenes=1))).endswith(
        "of 1 scene, seed 0"
    )


def small(rich):
    return replace(
        rich.overall, differences={"srcc": replace(rich.overall.differences["srcc"], p=1e-4)}
    )
