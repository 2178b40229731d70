"""A whole study: every method to rows, references, histograms, comparisons, refusals."""

import math

import numpy as np
import pytest

from beholder.errors import TableError, UsageError
from beholder.levels.scale import Scale
from beholder.studies import comparisons
from beholder.studies.comparisons import Comparison
from beholder.studies.study import METHODS, compare, rate
from beholder.studies.votes import About, Vote, gather


def votes_of(rows, scale=None, about=None):
    found = [
        Vote(f"r{rater}", f"i{item}", float(value), where="made")
        for item, row in enumerate(rows)
        for rater, value in enumerate(row)
        if value is not None
    ]
    return gather(found, scale or Scale(1.0, 5.0), about)


def test_five_whole_steps_become_shares_of_the_levels():
    study = rate(votes_of([[5, 5, 4, 1], [2, 3, None, 2]]))
    assert study.opinions[0].shares == (0.5, 0.25, 0.0, 0.0, 0.25)
    assert study.opinions[1].shares == (0.0, 0.0, 1 / 3, 2 / 3, 0.0)
    for row in study.opinions:
        mean = sum(
            share * weight for share, weight in zip(row.shares, (5, 4, 3, 2, 1), strict=True)
        )
        assert mean == pytest.approx(row.mos)
        assert row.details == {}


def test_five_steps_from_nought_are_levels_too():
    study = rate(votes_of([[4, 0]], Scale(0.0, 4.0)))
    assert study.opinions[0].shares == (0.5, 0.0, 0.0, 0.0, 0.5)


def test_other_votes_are_counted_in_the_details():
    study = rate(votes_of([[70, 70, 12.5]], Scale(0.0, 100.0)))
    assert study.opinions[0].shares == ()
    assert study.opinions[0].details == {"votes": {"12.5": 1, "70": 2}}
    halves = rate(votes_of([[2.5, 3, 3]]))
    assert halves.opinions[0].details == {"votes": {"2.5": 1, "3": 2}}


@pytest.mark.parametrize("method", ["mos", "zscore", "bt500", "p913", "mle"])
def test_every_method_orders_the_items_as_they_are(method, panel):
    votes, quality = panel(2, r03="careless")
    study = rate(votes, method)
    mos = [row.mos for row in study.opinions]
    assert np.corrcoef(mos, quality)[0, 1] > 0.94
    for row in study.opinions:
        assert row.low < row.mos < row.high
        assert row.n == (12 - sum(each.rejected for each in study.raters))
        assert sum(row.shares) == pytest.approx(1.0)


def test_votes_of_the_rejected_are_left_out_and_counted(panel):
    votes, _ = panel(2, r03="careless")
    study = rate(votes, "bt500")
    assert [row.rater for row in study.raters if row.rejected] == ["r03"]
    assert study.notes == ("40 votes of 1 rejected rater left out",)


def test_screening_can_be_chosen_for_every_method_but_bt500(panel):
    votes, _ = panel(2, r03="upside down")
    study = rate(votes, "mle", "correlation")
    assert [row.rater for row in study.raters if row.rejected] == ["r03"]
    assert study.raters[3].inconsistency > 2 * study.raters[0].inconsistency
    with pytest.raises(UsageError, match=r"screens after BT\.500, not 'correlation'"):
        rate(votes, "bt500", "correlation")
    with pytest.raises(UsageError, match="unknown screening 'magic'"):
        rate(votes, "mos", "magic")
    with pytest.raises(UsageError, match="method 'median' does not take votes"):
        rate(votes, "median")


def test_when_every_rater_is_rejected_it_is_said():
    votes = votes_of([[3, 3], [3, 3], [3, 3]])
    with pytest.raises(TableError, match=r"every rater is rejected \(2 of 2\)"):
        rate(votes, "mos", "correlation")


def test_an_item_that_only_the_rejected_saw_keeps_its_row_without_a_number(panel):
    votes, _ = panel(2, r03="upside down")
    kept = (votes.item != 7) | (votes.rater == 3)
    for method in ("mos", "mle"):
        study = rate(votes.where(kept), method, "correlation")
        assert len(study.opinions) == 40
        assert math.isnan(study.opinions[7].mos)
        assert study.opinions[7].n == 0
        assert study.opinions[7].shares == ()
        assert "1 item has no vote left (07.png): no opinion" in study.notes


def test_recorded_differential_opinions_come_out(studies, vector):
    for case, votes in studies:
        if not (recorded := case["results"].get("DMOS")):
            continue
        study = rate(votes, "mos", dmos=True)
        mos = [row.mos for row in study.opinions]
        assert mos == pytest.approx(vector(recorded["quality_scores"]), abs=1e-9)
        half = [row.high - row.mos for row in study.opinions]
        expected = vector(recorded["quality_scores_ci95_halfwidth"])
        assert half == pytest.approx(expected, rel=3e-6)


def test_recorded_differential_z_scores_of_live_come_out(studies, vector):
    for case, votes in studies:
        if not (recorded := case["results"].get("LIVE_DMOS")):
            continue
        study = rate(votes, "zscore", dmos=True)
        mos = [row.mos for row in study.opinions]
        assert mos == pytest.approx(vector(recorded["quality_scores"]), abs=1e-9)


def test_a_reference_is_the_best_of_the_scale_and_a_better_item_lies_above():
    about = {f"i{n}": About(scene="lake", reference="i0") for n in range(3)}
    study = rate(votes_of([[4, 4], [3, 2], [5, 4]], about=about), dmos=True)
    assert [row.mos for row in study.opinions] == [5.0, 3.5, 5.5]
    assert study.opinions[1].scene == "lake"
    assert "higher one is better" in study.notes[-1]


def test_references_that_are_missing_are_named():
    with pytest.raises(TableError, match=r"2 items have no reference \(i0, i1\)"):
        rate(votes_of([[4], [3]]), dmos=True)
    about = {name: About(reference="pristine") for name in ("i0", "i1")}
    with pytest.raises(TableError, match=r"1 reference has no votes \(pristine\)"):
        rate(votes_of([[4], [3]], about=about), dmos=True)


def pairs(*choices):
    return comparisons.gather([Comparison(*each) for each in choices])


def test_comparisons_become_a_scale_with_mean_nought():
    found = pairs(
        ("ann", "x", "y", 1.0),
        ("ann", "x", "y", 1.0),
        ("bob", "y", "x", 1.0),
        ("bob", "x", "y", 1.0),
    )
    study = compare(found)
    assert [row.path for row in study.opinions] == ["x", "y"]
    assert study.opinions[0].mos == pytest.approx(math.log(3) / 2)
    assert study.opinions[0].details == {"wins": 3.0, "losses": 1.0}
    assert study.opinions[0].n == 4
    assert math.isnan(study.opinions[0].std)
    assert study.raters[1].inconsistency == 0.5
    assert study.raters[1].bias == 0.5


def test_a_rater_who_chooses_against_the_scale_is_noted():
    random = np.random.default_rng(1)
    choices = []
    for rater in range(6):
        for _ in range(60):
            a, b = random.choice(5, 2, replace=False)
            right = random.random() < 1 / (1 + np.exp(1.5 * (b - a)))
            choice = float(right != (rater == 4))
            choices.append((f"r{rater}", f"i{a}", f"i{b}", choice))
    study = compare(pairs(*choices), "thurstone")
    assert [row.rater for row in study.raters if row.reason] == ["r4"]
    assert "go against the scale" in study.raters[4].reason


def test_votes_methods_do_not_take_comparisons():
    with pytest.raises(UsageError, match="method 'mos' takes votes"):
        compare(pairs(("ann", "x", "y", 1.0)), "mos")


def test_the_methods_are_those_of_the_command():
    from beholder.cli.study import PAIR_METHODS, VOTE_METHODS

    assert (*VOTE_METHODS, *PAIR_METHODS) == METHODS
