"""Q-Boost: the recorded numbers of its script come out, and its one bug does not."""

import json
from pathlib import Path

import pytest

from beholder.errors import UsageError
from beholder.levels import tones
from beholder.levels.scale import Scale
from beholder.scorers import boost

RECORDED = json.loads(Path(__file__).with_name("qboost.json").read_text())
PROMPTS = {"quality": {"image": {"question": "Rate the quality of the image.", "opening": ""}}}
UNIT = Scale.parse("0-1")
ROWS = [(row["logits"], row) for row in RECORDED["images"]]
NEUTRAL_ZERO = [row for logits, row in ROWS if logits["average"] == 0]


def score(backbone, frames, **settings):
    scorer = boost.build(backbone, {"prompts": PROMPTS, "levels": {}, **settings})
    (rating,) = scorer.judge([scorer.encode(frames)], "quality")
    return UNIT.of(rating.value), rating


@pytest.mark.parametrize("row", [row for logits, row in ROWS if logits["average"] != 0])
@pytest.mark.parametrize(
    ("way", "key"),
    [("triadic", "triadic"), ("ensemble", "ensemble"), ("binary", "binary_good_poor")],
)
def test_recorded_stills_come_out(table, still, row, way, key):
    value, _ = score(table(row["logits"]), still(), tones=way)
    assert value == pytest.approx(row[key], abs=1e-9)


@pytest.mark.parametrize("row", NEUTRAL_ZERO)
def test_a_neutral_logit_of_zero_is_a_logit_like_any_other(table, still, row):
    value, _ = score(table(row["logits"]), still())
    good, average, poor = (row["logits"][word] for word in ("good", "average", "poor"))
    masses = tones.softmax([good, average, poor])
    assert value == pytest.approx(masses[0] + masses[1] / 2, abs=1e-9)
    assert value != pytest.approx(row["triadic"], abs=1e-3), "the script's bug came along"
    assert value == pytest.approx(row["class_boost_off_fp16"], abs=1e-2)


@pytest.mark.parametrize("row", RECORDED["videos"])
def test_recorded_clips_come_out_by_the_ensemble_without_being_asked(table, clip, row):
    value, rating = score(table(*row["frames"]), clip(*range(len(row["frames"]))))
    assert value == pytest.approx(row["post_eval_video_rule"], abs=1e-9)
    assert rating.details["tones"] == "ensemble"


def test_a_still_is_asked_for_three_words_and_a_clip_for_nine(table, still, clip):
    backbone = table(ROWS[0][0], ROWS[1][0])
    scorer = boost.build(backbone, {"prompts": PROMPTS})
    inputs = [scorer.encode(still(0)), scorer.encode(clip(0, 1)), scorer.encode(still(1))]
    ratings = scorer.judge(inputs, "quality")
    assert [words for _, words in backbone.asked] == [
        tones.WAYS["triadic"],
        tones.WAYS["ensemble"],
    ]
    assert [rating.details["tones"] for rating in ratings] == ["triadic", "ensemble", "triadic"]
    assert ratings[2].value == pytest.approx(1 + 4 * ROWS[1][1]["triadic"], abs=1e-9)


@pytest.mark.parametrize(
    ("logits", "triadic", "binary"),
    [
        ((11.14, 8.68, 7.96), 0.9252, 0.5079),
        ((10.02, 10.71, 9.07), 0.5907, 0.5024),
        ((8.92, 10.75, 9.59), 0.4481, 0.4983),
        ((6.46, 8.62, 10.70), 0.0675, 0.4894),
    ],
)
def test_the_figures_of_the_paper_come_out(table, still, logits, triadic, binary):
    row = dict(zip(("good", "average", "poor"), logits, strict=True))
    assert score(table(row), still())[0] == pytest.approx(triadic, abs=5e-5)
    assert score(table(row), still(), tones="binary")[0] == pytest.approx(binary, abs=5e-5)


def test_level_probabilities_and_spread_are_those_of_the_tones(table, still):
    _, rating = score(table({"good": 0.0, "average": 0.0, "poor": 0.0}), still())
    assert rating.value == pytest.approx(3)
    assert rating.level == "average"
    assert list(rating.probabilities) == ["good", "average", "poor"]
    assert rating.spread == pytest.approx((8 / 3) ** 0.5)


def test_equal_logits_inside_a_tone_make_the_ensemble_the_triad(table, still):
    row = {word: {"good": 3.0, "average": 2.5, "poor": 1.0}[tone]
           for tone, words in tones.TONES.items() for word in words}  # fmt: skip
    one, many = (score(table(row), still(), tones=way)[0] for way in ("triadic", "ensemble"))
    assert one == pytest.approx(many, abs=1e-12)


def test_an_unknown_way_is_refused_with_the_known_ones(table):
    with pytest.raises(UsageError, match="did you mean 'triadic'"):
        boost.build(table(), {"prompts": PROMPTS, "tones": "triad"})
    with pytest.raises(UsageError, match="unknown way to ask for tones"):
        boost.build(table(), {"prompts": PROMPTS, "tones": ["triadic"]})


def test_the_words_are_part_of_the_settings(table):
    settings = [
        boost.build(table(), {"prompts": PROMPTS, "tones": way}).settings()
        for way in ("auto", "triadic", "ensemble", "binary")
    ]
    assert all(a != b for i, a in enumerate(settings) for b in settings[:i])
