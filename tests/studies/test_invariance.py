"""What must not matter does not: order of rows, names, unit and zero of the scale, direction."""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beholder.errors import BeholderError
from beholder.levels.scale import Scale
from beholder.metrics.intervals import Draws
from beholder.studies.agreement import LEVELS, krippendorff_of
from beholder.studies.reading import read
from beholder.studies.recovery import maximum_likelihood, mean_opinion, z_scores
from beholder.studies.scaling import LINKS, scale
from beholder.studies.study import rate

METHODS = ["mos", "zscore", "bt500", "p913", "mle"]


def shuffled(votes, seed):
    """The same votes in another order."""
    order = np.random.default_rng(seed).permutation(len(votes))
    return replace(
        votes,
        item=votes.item[order],
        rater=votes.rater[order],
        session=votes.session[order],
        value=votes.value[order],
    )


@pytest.mark.parametrize("method", METHODS)
def test_the_order_of_the_rows_does_not_matter(method, panel):
    votes, _ = panel(1, r02="careless")
    one, other = rate(votes, method), rate(shuffled(votes, 4), method)
    for name in ("mos", "std", "low", "high"):
        found = [getattr(row, name) for row in other.opinions]
        assert found == pytest.approx([getattr(row, name) for row in one.opinions], abs=1e-9)
    assert [row.rejected for row in one.raters] == [row.rejected for row in other.raters]


@pytest.mark.parametrize(("factor", "zero"), [(25.0, -25.0), (0.1, 3.0)])
def test_opinions_move_with_the_unit_and_the_zero_of_the_scale(factor, zero, panel):
    votes, _ = panel(2)
    moved = votes.with_values(factor * votes.value + zero)
    for recover in (mean_opinion, maximum_likelihood):
        one, other = recover(votes), recover(moved)
        assert other.mean == pytest.approx(factor * one.mean + zero, abs=1e-5 * factor)
        assert other.error == pytest.approx(factor * one.error, rel=1e-4)
        expected = factor * one.raters.inconsistency
        assert other.raters.inconsistency == pytest.approx(expected, rel=1e-4)
    assert z_scores(moved).value == pytest.approx(z_scores(votes).value, abs=1e-9)


@pytest.mark.parametrize("level", LEVELS)
def test_alpha_does_not_hang_on_unit_zero_or_direction(level, panel):
    votes, _ = panel(3)
    few = Draws(replicates=10)
    one = krippendorff_of(votes, level, few)
    other = krippendorff_of(votes.with_values(7 - 2 * votes.value), level, few)
    assert other.value == pytest.approx(one.value, abs=1e-12)
    assert (other.low, other.high) == pytest.approx((one.low, one.high), abs=1e-12)


@pytest.mark.parametrize("method", LINKS)
@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_turning_every_choice_round_turns_the_scale_round(method, seed):
    wins = np.random.default_rng(seed).integers(1, 9, (5, 5)).astype(float)
    np.fill_diagonal(wins, 0)
    one, other = scale(method, wins), scale(method, wins.T.copy())
    assert other.score == pytest.approx(-one.score, abs=1e-8)
    assert other.error == pytest.approx(one.error, rel=1e-8)
    order = np.random.default_rng(seed).permutation(5)
    renamed = scale(method, wins[np.ix_(order, order)])
    assert renamed.score == pytest.approx(one.score[order], abs=1e-8)
    assert one.score.sum() == pytest.approx(0.0, abs=1e-9)


cells = st.sampled_from(["", "1", "5", "3.5", "6", "x", "nan", "good", "a", "b", "tie", '"', "é"])
headers = st.lists(
    st.sampled_from(["rater", "item", "vote", "session", "a", "b", "choice", "ann", "scene", "7"]),
    min_size=1,
    max_size=5,
)


@given(headers, st.lists(st.lists(cells, min_size=1, max_size=6), max_size=6), st.integers(0, 6))
@settings(max_examples=150, deadline=None)
def test_any_table_is_a_study_or_one_clear_error(header, rows, number):
    text = "\n".join(",".join(row) for row in [header, *rows])
    method = [*METHODS, "bradley-terry", "thurstone"][number]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "votes.csv"
        path.write_text(text, encoding="utf-8")
        try:
            votes = read(path, Scale(1.0, 5.0))
            study = rate(votes, method) if hasattr(votes, "item") else None
        except BeholderError:
            return
    for row in study.opinions if study else ():
        if method != "zscore" and row.n:
            assert 1 - 4 <= row.mos <= 5 + 4
