"""Frame rules: arithmetic on seconds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beholder.errors import UsageError
from beholder.media.sampling import CAP, FrameRule


def test_a_count_gives_the_centres_of_equal_spans():
    assert FrameRule.parse("8").times(16.0) == [1.0, 3.0, 5.0, 7.0, 9.0, 11.0, 13.0, 15.0]


def test_a_rate_gives_one_frame_a_period_from_the_first_on():
    assert FrameRule.parse("2/s").times(1.6) == [0.0, 0.5, 1.0, 1.5]
    assert FrameRule.parse("0.5/s").times(5.0) == [0.0, 2.0, 4.0]


def test_a_rate_never_asks_for_the_moment_at_which_the_clip_ends():
    assert FrameRule.parse("1/s").times(3.0) == [0.0, 1.0, 2.0]
    assert FrameRule.parse("10/s").times(0.3) == pytest.approx([0.0, 0.1, 0.2])


def test_a_rate_over_its_cap_spreads_the_cap_evenly():
    times = FrameRule.parse("1/s<=32").times(3200.0)
    assert len(times) == 32
    assert times[:2] == [50.0, 150.0]
    assert len(FrameRule.parse("1/s").times(3600.0)) == CAP == 128


def test_an_empty_clip_has_one_moment():
    assert FrameRule.parse("1/s").times(0.0) == [0.0]


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("8", "8"),
        (" 08 ", "8"),
        ("1/s", "1/s<=128"),
        ("1.0/s", "1/s<=128"),
        (".5/s", "0.5/s<=128"),
        ("1/s<=32", "1/s<=32"),
        ("1/s<=128", "1/s<=128"),
    ],
)
def test_every_spelling_of_a_rule_has_one_canonical_text(text, canonical):
    rule = FrameRule.parse(text)
    assert str(rule) == canonical
    assert FrameRule.parse(str(rule)) == rule


@pytest.mark.parametrize(
    "text", ["", "0", "-3", "8.5", "/s", "./s", "1/m", "0/s", "1/s<=0", "1/s<32", "x", "9999999/s"]
)
def test_what_is_no_rule_is_refused(text):
    with pytest.raises(UsageError):
        FrameRule.parse(text)


def test_the_refusal_names_what_was_written_and_what_is_allowed():
    with pytest.raises(UsageError, match=r"'often'.*1/s<=32"):
        FrameRule.parse("often")


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
def test_an_impossible_duration_is_our_own_fault(seconds):
    with pytest.raises(ValueError, match="not possible"):
        FrameRule.parse("8").times(seconds)


@given(
    st.one_of(
        st.integers(1, 500).map(str),
        st.tuples(st.integers(1, 100), st.integers(1, 300)).map(lambda p: f"{p[0] / 4}/s<={p[1]}"),
    ),
    st.floats(0, 1e6),
)
def test_moments_are_many_enough_increasing_and_inside(text, seconds):
    rule = FrameRule.parse(text)
    times = rule.times(seconds)
    assert 1 <= len(times) <= rule.count
    assert times == sorted(times)
    assert times[0] >= 0
    assert times[-1] < seconds or times == [0.0] * len(times)


@given(st.integers(1, 40), st.integers(1, 60))
def test_pages_are_picked_once_each_and_exist(count, total):
    pages = FrameRule(count).pick(total)
    assert pages == sorted(set(pages))
    assert len(pages) <= min(count, total)
    assert 0 <= pages[0] <= pages[-1] < total
