"""Whatever the numbers, what is drawn lies in the drawing."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beholder.datasets.opinions import Opinion, Opinions
from beholder.evaluation.evaluate import Question, evaluate
from beholder.evaluation.reports import _figures
from beholder.evaluation.scores import Scored, Scores

sizes = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))


@given(st.lists(sizes, min_size=1, max_size=20))
def test_every_value_and_tick_is_within_its_axis(values):
    span = _figures.Span.of(np.array(values))
    for value in values:
        assert 0 <= span.at(value) <= 100
        assert span.at(value) + span.down(value) == pytest.approx(100)
    ticks = span.ticks()
    assert 2 <= len(ticks) <= 8
    assert all(-0.01 <= tick.at <= 100.01 for tick in ticks)
    assert [tick.at for tick in ticks] == sorted(tick.at for tick in ticks)


def evaluation_of(scores, opinions):
    rows = tuple(Opinion(f"{i}.png", float(mos), row=i) for i, mos in enumerate(opinions))
    given_scores = tuple(Scored(f"{i}.png", float(score)) for i, score in enumerate(scores))
    return evaluate(Opinions(rows, "m.csv"), Scores(given_scores, "s.csv"), Question(replicates=2))


def test_the_largest_disagreements_are_those_far_from_the_curve():
    x = np.linspace(1, 5, 40)
    y = x.copy()
    y[[5, 20]] += [2.5, -3.0]
    made = evaluation_of(x, y)
    shown = _figures.disagreements(made)
    assert shown[0].path == "5.png"
    assert "better" in shown[0].residual
    below = next(each for each in shown if "worse" in each.residual)
    assert below.path == "20.png"
    assert [each.rank for each in shown] == list(range(1, len(shown) + 1))


def test_without_a_curve_disagreements_are_told_in_ranks():
    made = evaluation_of([1, 2, 3, 4], [4, 2, 3, 1])
    assert _figures.disagreements(made)[0].residual == "100 % of the ranks better"
    assert _figures.residual_plane(made) is None
    assert _figures.scatter(made).path == ""


def test_bars_of_a_histogram_count_every_file():
    made = evaluation_of([1.0, 1.0, 2.0, 9.0], [1, 2, 3, 4])
    titles = [bar.title for bar in _figures.histograms(made)[0].bars]
    assert sum(int(title.split(": ")[1].split()[0]) for title in titles) == 4


def test_tracks_of_numbers_that_do_not_exist_have_no_bar():
    made = evaluation_of([1, 1, 1], [1, 2, 3])
    for track in _figures.tiles(made):
        assert (track.at, track.low, track.text) == (None, None, "–")
        assert not math.isnan(track.width)


def test_the_difference_of_the_rmse_is_drawn_on_its_own_axis(make):
    table, good = make(noise=0.2)
    _, rough = make(noise=1.5)
    made = evaluate(table, good, Question(replicates=60), against=rough)
    tracks = {each.key: each for each in _figures.differences(made)}
    error = tracks["rmse_logistic4"]
    found = made.overall.differences["rmse_logistic4"]
    reach = 1.08 * max(abs(found.low), abs(found.high))
    assert error.start == 50.0
    assert error.at == pytest.approx(50 + 50 * found.value / reach, abs=0.01)
    assert tracks["srcc"].at > 50 > error.at
    assert {each.key: each.at for each in _figures.tiles(made)}["rmse_logistic4"] is None
