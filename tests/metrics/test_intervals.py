"""Intervals: recorded ones, coverage of the truth, scenes, and bad input."""

import math
import time

import numpy as np
import pytest
from scipy import stats

from beholder.metrics.correlation import MEASURES, pairs
from beholder.metrics.intervals import (
    Draws,
    bonett_wright,
    estimate,
    fieller,
    fieller_kendall,
    fisher,
    percentiles,
    replicate,
)

ANALYTIC = [
    ("plcc_fisher", fisher, "plcc"),
    ("srcc_fisher", fisher, "srcc"),
    ("srcc_bonett_wright", bonett_wright, "srcc"),
    ("srcc_fieller", fieller, "srcc"),
    ("krcc_fieller", fieller_kendall, "krcc_tau_b"),
]


@pytest.mark.parametrize(("name", "interval", "of"), ANALYTIC)
def test_recorded_analytic_intervals_come_out(name, interval, of, golden):
    for case in golden("1_correlations/cases.json")["cases"]:
        found = interval(float(case[of]), case["n_used"])
        expected = case["ci95_analytic"][name] or [math.nan, math.nan]
        assert [found.low, found.high] == pytest.approx(expected, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("name", ["plcc", "srcc", "krcc_tau_b"])
def test_recorded_bootstraps_come_out_replicate_by_replicate(name, golden, vector):
    for case in golden("1_correlations/cases.json")["cases"]:
        recorded = (case.get("bootstrap") or {}).get(name)
        if not recorded:
            continue
        both = pairs(vector(case["pred"]), vector(case["mos"]))
        draws = Draws(case["bootstrap"]["B"], case["bootstrap"]["seed"])
        found = replicate(name[:4], both.predicted, both.opinions, draws)
        assert int(np.isfinite(found).sum()) == recorded["n_finite"]
        first = vector(recorded["first5"])
        assert found[:5] == pytest.approx(first, abs=1e-9, nan_ok=True)
        assert float(np.nanmean(found)) == pytest.approx(recorded["mean"], abs=1e-9)
        interval = percentiles(found)
        assert [interval.low, interval.high] == pytest.approx(recorded["ci95"], abs=1e-9)


@pytest.mark.parametrize("measure", MEASURES)
def test_counting_draws_gives_what_copying_them_gives(measure):
    random = np.random.default_rng(3)
    x = random.integers(1, 6, 40).astype(float)
    y = x + random.integers(0, 4, 40)
    index = np.random.Generator(np.random.PCG64(9)).integers(0, 40, size=(50, 40))
    copied = [MEASURES[measure](x[row], y[row]) for row in index]
    assert replicate(measure, x, y, Draws(50, 9)) == pytest.approx(copied, abs=1e-12)


def test_fisher_agrees_with_scipy():
    random = np.random.default_rng(4)
    x = random.normal(size=50)
    y = x + random.normal(size=50)
    theirs = stats.pearsonr(x, y).confidence_interval(0.9)
    ours = fisher(float(stats.pearsonr(x, y).statistic), 50, 0.9)
    assert [ours.low, ours.high] == pytest.approx([theirs.low, theirs.high], abs=1e-12)


def test_a_bootstrap_interval_holds_the_truth_about_as_often_as_it_says():
    random = np.random.default_rng(6)
    held = 0
    for trial in range(80):
        x = random.normal(size=120)
        y = 0.8 * x + 0.6 * random.normal(size=120)
        value = estimate("plcc", x, y, Draws(200, trial))
        held += value.low <= 0.8 <= value.high
    assert 0.88 <= held / 80 <= 0.99


def test_scenes_are_drawn_whole_and_widen_the_interval():
    random = np.random.default_rng(7)
    effect = np.repeat(random.normal(size=12), 20)
    x = effect + 0.1 * random.normal(size=240)
    y = np.repeat(random.normal(size=12), 20) + effect + 0.1 * random.normal(size=240)
    scenes = [f"scene-{number // 20}" for number in range(240)]
    for counts in Draws(5, 0, scenes).counts(240):
        assert all(len(set(counts[start : start + 20])) == 1 for start in range(0, 240, 20))
    by_item = estimate("srcc", x, y, Draws(500))
    by_scene = estimate("srcc", x, y, Draws(500, scenes=scenes))
    assert by_scene.high - by_scene.low > 2 * (by_item.high - by_item.low)


def test_every_item_its_own_scene_is_the_bootstrap_by_item():
    random = np.random.default_rng(8)
    x, y = random.normal(size=(2, 30))
    names = [f"{number:02d}" for number in range(30)]
    assert estimate("srcc", x, y, Draws(100)) == estimate("srcc", x, y, Draws(100, scenes=names))


def test_items_without_a_scene_are_scenes_of_their_own():
    draws = Draws(200, 1, ["a", "a", "", "", ""])
    counts = np.array(list(draws.counts(5)))
    assert draws.units(5) == 4
    assert np.array_equal(counts[:, 0], counts[:, 1])
    assert not np.array_equal(counts[:, 2], counts[:, 3])


@pytest.mark.parametrize("scenes", [None, [str(number % 90) for number in range(420)]])
def test_kendalls_correlation_of_many_and_of_few_items_is_that_of_scipy(scenes):
    random = np.random.default_rng(11)
    x = random.integers(1, 30, 420).astype(float)
    y = x + random.integers(0, 12, 420)
    for n in (120, 420):
        draws = Draws(20, 3, scenes and scenes[:n])
        copied = [
            stats.kendalltau(np.repeat(x[:n], times), np.repeat(y[:n], times)).statistic
            for times in draws.counts(n)
        ]
        assert replicate("krcc", x[:n], y[:n], draws) == pytest.approx(copied, abs=1e-12)


def test_the_seed_is_the_whole_of_the_chance():
    random = np.random.default_rng(9)
    x, y = random.normal(size=(2, 30))
    assert estimate("srcc", x, y, Draws(99, 1)) == estimate("srcc", x, y, Draws(99, 1))
    assert estimate("srcc", x, y, Draws(99, 1)) != estimate("srcc", x, y, Draws(99, 2))


def test_two_thousand_replicates_of_ten_thousand_pairs_take_seconds():
    random = np.random.default_rng(10)
    x = random.normal(size=10_000)
    y = x + random.normal(size=10_000)
    started = time.monotonic()
    for measure in ("srcc", "plcc"):
        assert estimate(measure, x, y).low > 0.6
    assert time.monotonic() - started < 30


@pytest.mark.parametrize(
    ("x", "y", "part"),
    [
        ([1.0, 2.0], [1.0, 2.0], "2 pairs"),
        ([1.0, 1.0, 1.0], [1.0, 2.0, 3.0], "all predictions are 1"),
        ([1.0, 2.0, math.nan], [1.0, 2.0, 3.0], "1 of 3 pairs"),
    ],
)
def test_what_has_no_value_has_no_interval_and_says_why(x, y, part):
    x, y = np.array(x), np.array(y)
    value = estimate("srcc", x, y)
    assert part in value.reason
    assert all(math.isnan(each) for each in (value.value, value.low, value.high))
    assert np.all(np.isnan(replicate("srcc", x, y, Draws(7))))


def test_one_scene_alone_has_a_value_and_no_interval():
    x = np.arange(5.0)
    value = estimate("plcc", x, x, Draws(50, scenes=["a"] * 5))
    assert value.value == pytest.approx(1.0)
    assert math.isnan(value.low)
    assert "one scene" in value.reason


def test_vectors_that_are_constant_in_most_replicates_have_no_interval():
    x = np.array([0.0, 0.0, 0.0, 0.0, 1.0])
    found = percentiles(np.array([math.nan] * 6 + [1.0] * 4))
    assert math.isnan(found.low)
    assert estimate("srcc", x, x, Draws(400)).value == pytest.approx(1.0)
