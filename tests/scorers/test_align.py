"""Any words, any questions, clips as a whole or frame by frame, and where a clip is worst."""

import math

import pytest
import torch

from beholder.backbones.base import Backbone
from beholder.errors import UsageError
from beholder.levels.scale import LEVELS, WEIGHTS
from beholder.levels.statistics import expectation, softmax
from beholder.scorers import align
from beholder.scorers._asking import segments

PROMPTS = {
    "quality": {
        "image": {"question": "How good is this image?", "opening": "It is"},
        "video": {"question": "How good is this video?", "opening": "It is"},
    }
}
FIVE = dict(zip(LEVELS, WEIGHTS, strict=True))
ROWS = [
    dict(zip(LEVELS, logits, strict=True))
    for logits in (
        (2.0, 1.0, 0.0, -1.0, -2.0),
        (0.0, 0.5, 3.0, 0.0, 0.0),
        (-3.0, -1.0, 0.0, 2.0, 1.0),
    )
]


def by_hand(*rows):
    means = [sum(row[word] for row in rows) / len(rows) for word in LEVELS]
    return expectation(softmax(means), WEIGHTS)


def build(backbone, **settings):
    return align.build(backbone, {"prompts": PROMPTS, "levels": FIVE, **settings})


def rate(backbone, *inputs, **settings):
    scorer = build(backbone, **settings)
    return scorer.judge([scorer.encode(each) for each in inputs], "quality")


def test_a_clip_judged_by_frames_averages_logits_and_keeps_every_frame(table, clip):
    (rating,) = rate(table(*ROWS), clip(0, 1, 2))
    assert rating.value == pytest.approx(by_hand(*ROWS), abs=1e-9)
    assert [seconds for seconds, _ in rating.timeline] == [0.0, 0.5, 1.0]
    assert [v for _, v in rating.timeline] == pytest.approx([by_hand(row) for row in ROWS])
    assert rating.worst is None


def test_a_clip_judged_as_a_whole_is_one_question_about_the_video(table, clip):
    bonus = {"excellent": 1.0}
    backbone = table(*ROWS, whole=bonus)
    (rating,) = rate(backbone, clip(0, 1, 2), clips="whole")
    assert [question for question, _ in backbone.asked] == ["How good is this video?"]
    assert backbone.encoded == 1
    lifted = [{**row, "excellent": row["excellent"] + 1} for row in ROWS]
    assert rating.value == pytest.approx(by_hand(*lifted), abs=1e-9)
    assert rating.timeline == []


def test_the_timeline_of_a_whole_clip_leaves_its_score_and_names_the_worst_moment(table, clip):
    (plain,) = rate(table(*ROWS), clip(0, 1, 2, 2), clips="whole")
    (rating,) = rate(table(*ROWS), clip(0, 1, 2, 2), clips="whole", segment=1)
    assert rating.value == pytest.approx(plain.value, abs=1e-12)
    expected = [(0.0, by_hand(ROWS[0], ROWS[1])), (1.0, by_hand(ROWS[2], ROWS[2]))]
    assert [s for s, _ in rating.timeline] == [s for s, _ in expected]
    assert [v for _, v in rating.timeline] == pytest.approx([v for _, v in expected])
    assert rating.worst == rating.timeline[1]


def test_segments_average_the_frames_in_them_and_leave_the_score(table, clip):
    numbers = (0, 1, 2, 0, 1, 2)
    (plain,) = rate(table(*ROWS), clip(*numbers))
    (rating,) = rate(table(*ROWS), clip(*numbers), segment=1.5)
    assert rating.value == plain.value
    assert [seconds for seconds, _ in rating.timeline] == [0.0, 1.5]
    assert rating.timeline[0][1] == pytest.approx(by_hand(*ROWS))


def test_a_still_has_neither_timeline_nor_worst_moment(table, still):
    (rating,) = rate(table(*ROWS), still(0), segment=1)
    assert (list(rating.timeline), rating.worst) == ([], None)


def test_clips_of_unequal_length_and_stills_in_one_batch_come_back_in_order(table, clip, still):
    inputs = (clip(0, 1, 2), still(2), clip(1), clip(2, 0))
    for clips in ("frames", "whole"):
        together = rate(table(*ROWS), *inputs, clips=clips)
        alone = [rate(table(*ROWS), each, clips=clips)[0] for each in inputs]
        assert [one.value for one in together] == [one.value for one in alone]


def test_several_questions_are_averaged(table, still):
    backbone = table(*ROWS)
    rating = rate(backbone, still(1), questions=["Is it good?", "Is it a video of note?"])[0]
    assert [question for question, _ in backbone.asked] == [
        "Is it good?",
        "Is it a video of note?",
    ]
    assert rating.value == pytest.approx(by_hand(ROWS[1]), abs=1e-9)
    assert build(backbone, questions="Is it good?").settings() != build(backbone).settings()


def test_one_encoding_serves_every_task(table, still):
    prompts = {"quality": PROMPTS["quality"], "aesthetics": PROMPTS["quality"]}
    backbone = table(*ROWS)
    scorer = align.build(backbone, {"prompts": prompts, "levels": FIVE})
    encoded = [scorer.encode(still(0))]
    for task in scorer.tasks:
        scorer.judge(encoded, task)
    assert backbone.encoded == 1
    assert len(backbone.asked) == 2


def test_seven_levels_and_other_languages_are_words_like_any(table, still):
    seven = ["imperceptible", "slight", "mild", "fair", "annoying", "severe", "unbearable"]
    row = {word: float(-i) for i, word in enumerate(seven)}
    (rating,) = rate(table(row), still(), levels=seven)
    weights = [5 - 4 * i / 6 for i in range(7)]
    expected = expectation(softmax([float(-i) for i in range(7)]), weights)
    assert rating.value == pytest.approx(expected, abs=1e-9)
    assert rating.level in seven
    assert list(rating.probabilities) == seven


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ("ausgezeichnet,gut,dürftig", {"ausgezeichnet": 5, "gut": 3, "dürftig": 1}),
        (["good", "poor"], {"good": 5, "poor": 1}),
        ({"poor": 2, "good": 4.5}, {"good": 4.5, "poor": 2}),
    ],
)
def test_words_are_worth_what_is_said_or_evenly_spaced_best_first(levels, expected):
    assert list(align.worth(levels).items()) == list(expected.items())


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        ({"good": 7, "poor": 1}, "'good' is worth 7"),
        ({"good": "high", "poor": 1}, "'good' is worth 'high'"),
        (["good"], "two or more different words"),
        (["good", "good"], "two or more different words"),
        ("good,,poor", "two or more different words"),
        ([], "two or more different words"),
        (5, "two or more different words"),
    ],
)
def test_levels_that_cannot_be_right_are_refused(levels, said):
    with pytest.raises(UsageError, match=said):
        align.worth(levels)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"clips": "hole"}, "did you mean 'whole'"),
        ({"segment": 0}, "segment is 0"),
        ({"segment": "long"}, "segment is 'long'"),
        ({"questions": []}, r"questions are \[\]"),
        ({"questions": [3]}, r"questions are \[3\]"),
        ({"questions": 3}, "questions are 3"),
        ({"segment": True}, "segment is True"),
        ({"clips": ["whole"]}, "unknown way to judge clips"),
    ],
)
def test_options_that_cannot_be_right_are_refused(table, settings, said):
    with pytest.raises(UsageError, match=said):
        build(table(), **settings)


class Broken(Backbone):
    """Gives rows that are no numbers for some examples."""

    def settings(self):
        return {}

    def encode(self, pictures):
        return int(next(iter(pictures)).pixels[0, 0, 0])

    def logits(self, examples, prompt, candidates):
        bad = {1: math.nan, 2: math.inf, 3: -math.inf}
        return torch.tensor([[bad.get(each, 1.0)] * len(candidates) for each in examples])


def test_an_input_without_numbers_is_an_error_and_leaves_the_others(still, clip):
    ratings = rate(Broken(), still(0), still(1), still(2), still(3), clip(0, 1), clip(0, 0))
    assert [bool(rating.error) for rating in ratings] == [False, True, True, True, True, False]
    assert all("bfloat16" in rating.error for rating in ratings[1:5])
    assert all(math.isnan(rating.value) for rating in ratings[1:5])


def test_a_frame_at_the_edge_of_a_segment_begins_the_next():
    edges = [(number / 10, [0.0]) for number in range(10)]
    assert len(list(segments(edges, 0.1))) == 10


def test_one_unreadable_moment_makes_a_whole_clip_unreadable_and_says_why(table, clip):
    rows = [ROWS[0], {**ROWS[1], "good": math.nan}, ROWS[2]]
    backbone = table(*rows)
    logits = backbone.logits

    def whole_is_fine(examples, *rest):
        found = logits(examples, *rest)
        found[[len(each) > 1 for each in examples]] = 0.0
        return found

    backbone.logits = whole_is_fine
    backbone.why = lambda example: f"no number for {example}"
    (rating,) = rate(backbone, clip(0, 1, 2), clips="whole", segment=0.5)
    assert rating.error == "no number for (1,)"
