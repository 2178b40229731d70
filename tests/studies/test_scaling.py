"""Comparisons to a scale: recorded fits, cases by hand, errors that are right, refusals."""

import math

import numpy as np
import pytest

from beholder.errors import TableError
from beholder.studies.scaling import LINKS, scale

FILES = ["4_subjective/pairwise.json", "third_party/pairwise_sureal.json"]
RECORDED = {"bradley-terry": ("bt", "score_log_mean0"), "thurstone": ("thurstone_v", "score_mean0")}


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("method", LINKS)
def test_recorded_scales_and_errors_come_out(method, file, golden, vector):
    name, score = RECORDED[method]
    for case in golden(file)["cases"]:
        wins = np.array(case["wins"], dtype=float)
        if not case["mle_exists"]:
            with pytest.raises(TableError):
                scale(method, wins)
            continue
        recorded = case[name]
        found = scale(method, wins)
        assert found.score == pytest.approx(vector(recorded[score]), abs=1e-6)
        assert found.error == pytest.approx(vector(recorded["std_mean0"]), rel=1e-5)
        assert found.covariance == pytest.approx(np.array(recorded["cov_mean0"]), abs=1e-9)
        assert found.log_likelihood == pytest.approx(recorded["loglik"], abs=1e-8)
        half = [found.interval(n).high - found.score[n] for n in range(len(wins))]
        assert half == pytest.approx(vector(recorded["ci95_halfwidth_mean0"]), rel=1e-5)
        to_first = [found.difference_error(n, 0) for n in range(len(wins))]
        assert to_first == pytest.approx(
            vector(recorded["std_of_difference_to_item0"]), rel=1e-5, abs=1e-8
        )


def test_two_items_by_hand_come_out():
    wins = np.array([[0.0, 30.0], [10.0, 0.0]])
    found = scale("bradley-terry", wins)
    assert found.score == pytest.approx([math.log(3) / 2, -math.log(3) / 2])
    assert found.difference_error(0, 1) == pytest.approx(math.sqrt(1 / 30 + 1 / 10))
    normal = scale("thurstone", wins)
    assert normal.score[0] - normal.score[1] == pytest.approx(0.6744897501960817)


@pytest.mark.parametrize("method", LINKS)
def test_intervals_hold_the_truth_about_as_often_as_they_say(method):
    random = np.random.default_rng(2)
    truth = np.array([-0.8, -0.3, 0.1, 0.4, 0.6])
    difference = truth[:, None] - truth[None, :]
    p = np.exp(LINKS[method](difference).value)
    held = []
    for _ in range(120):
        wins = np.zeros((5, 5))
        for i in range(5):
            for j in range(i):
                wins[i, j] = random.binomial(40, p[i, j])
                wins[j, i] = 40 - wins[i, j]
        found = scale(method, wins)
        for item in range(5):
            interval = found.interval(item)
            held.append(interval.low <= truth[item] <= interval.high)
    assert 0.92 <= np.mean(held) <= 0.98


def test_items_never_compared_are_refused_by_name():
    wins = np.zeros((4, 4))
    wins[0, 1] = wins[1, 0] = wins[2, 3] = wins[3, 2] = 2
    with pytest.raises(TableError, match=r"2 groups .*'a\.png' \| 'c\.png'"):
        scale("bradley-terry", wins, ["a.png", "b.png", "c.png", "d.png"])


@pytest.mark.parametrize(("turned", "word"), [(False, "won"), (True, "lost")])
def test_an_item_that_always_wins_or_loses_is_refused_by_name(turned, word):
    wins = np.array([[0.0, 5.0, 5.0], [0.0, 0.0, 3.0], [0.0, 2.0, 0.0]])
    with pytest.raises(TableError, match=f"'best' {word} every comparison"):
        scale("thurstone", wins.T.copy() if turned else wins, ["best", "x", "y"])


def test_far_apart_items_converge_all_the_same():
    wins = np.array([[0.0, 999.0, 1000.0], [1.0, 0.0, 999.0], [0.5, 1.0, 0.0]])
    for method in LINKS:
        found = scale(method, wins)
        assert np.all(np.diff(found.score) < 0)
        assert np.all(np.isfinite(found.error))
