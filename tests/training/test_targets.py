"""From opinions to levels: the rules of the originals, against what they recorded."""

import json
from pathlib import Path

import pytest

from beholder.datasets.opinions import Opinion
from beholder.errors import TableError
from beholder.levels.scale import LEVELS
from beholder.training.targets import Rule, lower_level, of_votes, one_hot, trimmed

DEQA = Path(__file__).parents[3] / "shared" / "fixtures" / "owl2" / "deqa"


def recorded(name):
    path = DEQA / name
    if not path.is_file():
        pytest.skip(f"{path} is not here: recorded numbers lie beside the repository")
    return json.loads(path.read_text())["rows"]


@pytest.mark.parametrize(
    ("low", "high", "opinion", "word"),
    [
        (0.0, 94.0, 37.6, "fair"),
        (0.0, 94.0, 56.4, "fair"),
        (0.0, 94.0, 75.2, "excellent"),
        (1.07, 4.87, 1.83, "poor"),
        (1.07, 4.87, 3.35, "fair"),
        (1.07, 4.87, 3.37, "good"),
    ],
)
def test_hard_levels_are_those_of_q_align_at_its_edges(low, high, opinion, word):
    target = Rule("hard", low, high).target(opinion, Opinion("a.png", opinion))
    assert LEVELS[target.level] == word
    assert target.probabilities[target.level] == 1.0 == sum(target.probabilities)


def test_outside_the_bounds_rows_are_dropped_or_clipped():
    row = Opinion("a.png", 0.0)
    drop, clip = Rule("hard", 1.0, 5.0, "drop"), Rule("hard", 1.0, 5.0, "clip")
    assert [drop.target(x, row) for x in (0.9, 5.0, 5.1)] == [None, None, None]
    assert drop.target(1.0, row) == one_hot(4)
    assert [clip.target(x, row) for x in (0.9, 5.1)] == [one_hot(4), one_hot(0)]


def test_the_words_of_deqa_are_its_own_at_every_edge():
    for mos, low, high, level in recorded("levels.json"):
        assert LEVELS[4 - lower_level(float(mos), float(low), float(high))] == level, (mos, low)


def test_soft_labels_are_those_of_deqa_in_both_densities():
    """But for a mean of exactly 3, where the original divides 0 by 0 and gives 0.2 to each."""
    for case in recorded("soft_labels.json"):
        if case["mos_norm"] == 3 and case["alpha"] == 0:
            continue
        rule = Rule("soft", float(case["min"]), float(case["max"]), density=case["density"])
        row = Opinion("a.png", float(case["mos"]), std=float(case["std"]))
        target = rule.target(float(case["mos"]), row)
        theirs = case["level_probs_excellent_to_bad"]
        total = sum(theirs)
        expected = [each / total for each in theirs]
        assert target.probabilities == pytest.approx(expected, abs=1e-6), case
        assert LEVELS[target.level] == case["level"]


@pytest.mark.parametrize("std", [None, -1.0])
def test_soft_labels_without_a_deviation_are_refused_by_row(std):
    with pytest.raises(TableError, match=r"row 7, a\.png, has .*column `std`"):
        Rule("soft", 0.0, 100.0).target(50.0, Opinion("a.png", 50.0, std=std, row=7))


def test_votes_teach_their_shares_and_the_word_most_voted_for():
    shares = dict(zip(LEVELS, (0.1, 0.4, 0.4, 0.1, 0.01), strict=True))
    target = of_votes(Opinion("a.png", 3.5, probabilities=shares))
    assert LEVELS[target.level] == "good"
    assert sum(target.probabilities) == pytest.approx(1.0)
    assert target.probabilities[1] == pytest.approx(0.4 / 1.01)


@pytest.mark.parametrize("shares", [(), (0.5, 0.6, 0.0, 0.0, 0.0), (1.2, -0.2, 0.0, 0.0, 0.0)])
def test_shares_that_are_none_are_refused_by_row(shares):
    held = dict(zip(LEVELS, shares, strict=False))
    with pytest.raises(TableError, match=r"row 3, a\.png: labels = votes needs"):
        of_votes(Opinion("a.png", 3.5, probabilities=held, row=3))


def test_bounds_leave_a_thousandth_out_at_either_end():
    assert trimmed([float(n) for n in range(10125)]) == (10.0, 10115.0)
    assert trimmed([3.0, 1.0, 2.0]) == (1.0, 3.0)
