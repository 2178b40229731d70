"""Expectation, spread and nearest word, by hand and at the edges."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beholder.errors import UsageError
from beholder.levels.scale import LEVELS, WEIGHTS, Scale
from beholder.levels.statistics import expectation, nearest, softmax, spread

logits = st.lists(st.floats(-1e4, 1e4), min_size=5, max_size=5)


@given(logits)
def test_softmax_is_a_distribution_for_any_finite_logits(values):
    probabilities = softmax(values)
    assert math.isclose(math.fsum(probabilities), 1.0, rel_tol=1e-12)
    assert 1.0 <= expectation(probabilities, WEIGHTS) + 1e-12
    assert 0.0 <= spread(probabilities, WEIGHTS) <= 2.0 + 1e-12


def test_the_q_boost_vectors_come_out():
    tones = (1.0, 0.5, 0.0)
    for values, expected in [
        ((11.14, 8.68, 7.96), 0.9252),
        ((10.02, 10.71, 9.07), 0.5907),
        ((8.92, 10.75, 9.59), 0.4481),
        ((6.46, 8.62, 10.70), 0.0675),
    ]:
        assert expectation(softmax(values), tones) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize(
    ("value", "word"),
    [(5.0, "excellent"), (4.5, "excellent"), (4.49, "good"), (1.5, "poor"), (1.0, "bad")],
)
def test_the_nearest_word_is_found_and_halfway_goes_up(value, word):
    assert nearest(value, LEVELS, WEIGHTS) == word


@pytest.mark.parametrize("text", ["5-1", "1", "", "a-b", "1-1", "0-inf", "nan-1", "1--"])
def test_a_scale_that_is_no_range_is_refused_by_name(text):
    with pytest.raises(UsageError) as caught:
        Scale.parse(text)
    assert repr(text) in str(caught.value)


@given(st.floats(1, 5))
def test_scales_keep_the_ends_and_the_order(value):
    percent = Scale.parse("0-100")
    assert percent.of(1.0) == 0.0
    assert percent.of(5.0) == 100.0
    assert percent.of(value) == pytest.approx((value - 1) * 25)
    assert Scale.parse("1-5").of(value) == pytest.approx(value)
