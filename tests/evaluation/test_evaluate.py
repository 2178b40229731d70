"""The numbers: those of the metrics, of scipy, and of the recorded cases."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from beholder.datasets.opinions import Opinion, Opinions
from beholder.errors import UsageError
from beholder.evaluation import splitting
from beholder.evaluation.evaluate import Question, evaluate
from beholder.evaluation.measuring import MEASURES, residuals
from beholder.evaluation.scores import Scored, Scores
from beholder.evaluation.splitting import Listed, Plan
from beholder.levels.scale import Scale
from beholder.metrics import correlation, intervals, mapping
from beholder.metrics.intervals import Draws

QUICK = Question(replicates=60)
STATS = Path(__file__).parents[3] / "shared" / "fixtures" / "stats"
RECORDED = STATS / "1_correlations" / "cases.json"


def tables(scores, opinions):
    rows = tuple(Opinion(f"{i}.png", float(mos), row=i) for i, mos in enumerate(opinions))
    given = tuple(
        Scored(f"{i}.png", float(score), error="" if math.isfinite(score) else "torn")
        for i, score in enumerate(scores)
    )
    return Opinions(rows, "mos.csv"), Scores(given, "scores.csv")


def test_the_numbers_are_those_of_scipy(make):
    table, scores = make(scenes=0)
    found = evaluate(table, scores, QUICK).overall
    x = [row.score for row in scores.rows]
    y = [row.mos for row in table.rows]
    assert found.n == 60
    assert found.values["srcc"].value == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-9)
    assert found.values["plcc"].value == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-9)
    assert found.values["krcc"].value == pytest.approx(stats.kendalltau(x, y).statistic, abs=1e-9)


def test_the_numbers_after_a_curve_are_those_of_the_fitted_curve(make):
    table, scores = make(scenes=0)
    found = evaluate(table, scores, QUICK).overall
    x = np.array([row.score for row in scores.rows])
    y = np.array([row.mos for row in table.rows])
    for name, plain in (("plcc_logistic4", "plcc"), ("rmse_logistic4", "rmse")):
        fitted = mapping.fit("logistic4", x, y)(x)
        assert found.values[name].value == correlation.MEASURES[plain](fitted, y)
    fitted = mapping.fit("logistic5", x, y)(x)
    assert found.values["plcc_logistic5"].value == correlation.plcc(fitted, y)


@pytest.mark.parametrize("scenes", [0, 12])
def test_intervals_are_those_of_the_seeded_bootstrap_by_file_or_by_scene(make, scenes):
    table, scores = make(scenes=scenes)
    found = evaluate(table, scores, Question(replicates=60, seed=3)).overall
    x = np.array([row.score for row in scores.rows])
    y = np.array([row.mos for row in table.rows])
    draws = Draws(60, 3, [row.scene for row in table.rows] if scenes else None)
    assert found.values["srcc"] == intervals.estimate("srcc", x, y, draws)
    assert found.scenes == scenes
    assert found.fisher["plcc"] == intervals.fisher(found.values["plcc"].value, 60)


def test_recorded_numbers_are_met():
    if not RECORDED.is_file():
        pytest.skip(f"{RECORDED} is not here: recorded numbers lie beside the repository")
    for case in json.loads(RECORDED.read_text())["cases"]:
        if case["n"] > 500:
            continue
        vectors = ([float(value) for value in case[key]] for key in ("pred", "mos"))
        found = evaluate(*tables(*vectors), Question(replicates=2)).overall
        assert found.n == case["n_used"]
        for ours, theirs in (("srcc", "srcc"), ("plcc", "plcc"), ("krcc", "krcc_tau_b")):
            known = case[theirs] is not None and case["n_used"] >= 3
            expected = float(case[theirs]) if known else math.nan
            assert found.values[ours].value == pytest.approx(expected, abs=1e-9, nan_ok=True)


def test_better_agreement_is_positive_for_dmos_too(make):
    table, scores = make()
    turned, same = make(dmos=True)
    a = evaluate(table, scores, QUICK).overall.values
    b = evaluate(turned, same, QUICK).overall.values
    for name in MEASURES:
        assert b[name].value == pytest.approx(a[name].value, abs=1e-6)
    assert b["srcc"].value > 0.9


def test_failed_rows_are_counted_and_in_no_number(make):
    table, scores = make()
    rows = list(scores.rows)
    rows[7] = replace(rows[7], score=math.nan, error="torn")
    found = evaluate(table, replace(scores, rows=tuple(rows)), QUICK)
    assert (found.overall.n, found.overall.failed) == (59, 1)
    without = evaluate(table.where([i != 7 for i in range(60)]), scores, QUICK)
    assert found.overall.values["srcc"].value == without.overall.values["srcc"].value


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        ([1.0, 2.0], [1.0, 2.0], "2 pairs are too few"),
        ([1.0, 1.0, 1.0, 1.0], [1.0, 2.0, 3.0, 4.0], "all predictions are 1"),
        ([1.0, 2.0, 3.0, 4.0], [2.0, 2.0, 2.0, 2.0], "all opinions are 2"),
        ([math.nan] * 3, [1.0, 2.0, 3.0], "0 pairs are too few"),
    ],
)
def test_what_does_not_exist_is_nan_with_a_reason(x, y, said):
    found = evaluate(*tables(x, y), QUICK)
    for value in found.overall.values.values():
        assert math.isnan(value.value)
        assert said in value.reason


def test_few_pairs_have_correlations_but_no_curve():
    found = evaluate(*tables([1.0, 2.0, 3.0, 4.5], [1.0, 3.0, 2.0, 4.0]), QUICK).overall
    assert found.values["srcc"].value == pytest.approx(0.8)
    assert "4 pairs are too few to fit 4 parameters" in found.values["plcc_logistic4"].reason
    sample = evaluate(*tables([1.0, 2.0, 3.0, 4.5], [1.0, 3.0, 2.0, 4.0]), QUICK).sample
    assert residuals(found, sample).tolist() == pytest.approx([0, 1 / 3, -1 / 3, 0])


def test_a_better_model_is_better_and_the_other_way_round_worse(make):
    table, good = make(200, noise=0.2)
    _, rough = make(200, noise=1.5)
    question = Question(replicates=200)
    found = evaluate(table, good, question, against=rough)
    assert found.overall.verdict == "better"
    assert evaluate(table, rough, question, against=good).overall.verdict == "worse"
    differences = found.overall.differences
    assert set(differences) == set(MEASURES)
    a, b = found.overall.values, found.rival.overall.values
    for name, each in differences.items():
        assert each.value == pytest.approx(a[name].value - b[name].value, abs=1e-12)
        assert each.verdict == "better"
    assert differences["rmse_logistic4"].value < 0
    assert found.rival.overall.differences == {}


def test_models_that_are_alike_are_not_separable_and_the_number_needed_is_told(make):
    table, good = make(noise=0.5)
    rng = np.random.default_rng(5)
    rows = tuple(replace(row, score=row.score + rng.normal(0, 0.05)) for row in good.rows)
    found = evaluate(table, good, Question(replicates=200), against=replace(good, rows=rows))
    assert found.overall.verdict == "not separable"
    assert found.overall.differences["srcc"].needed > 60


def test_differences_are_over_the_files_that_both_scored(make):
    table, good = make()
    _, rough = make(noise=1.0)
    found = evaluate(table, good, QUICK, against=replace(rough, rows=rough.rows[:40]))
    assert found.rival.common == 40
    assert found.overall.n == 60
    assert {each.n for each in found.overall.differences.values()} == {40}
    assert any("40 files that both scored" in note for note in found.notes)


def test_a_rival_that_scored_other_files_cannot_be_compared_and_is_told_so(make):
    table, good = make()
    half = replace(good, rows=good.rows[:30]), replace(good, rows=good.rows[30:])
    found = evaluate(table, half[0], QUICK, against=half[1])
    assert found.overall.verdict == ""
    assert "0 pairs are too few" in found.overall.differences["plcc_logistic4"].reason
    assert found.overall.n == found.rival.overall.n == 30


def test_a_breakdown_is_the_evaluation_of_each_part(make):
    table, scores = make()
    found = evaluate(table, scores, Question(by=("kind",), replicates=60))
    assert list(found.groups) == ["even", "odd"]
    odd = evaluate(table.where([i % 2 == 1 for i in range(60)]), scores, QUICK)
    assert found.groups["odd"] == replace(odd.overall, column="kind")


def test_several_columns_are_broken_down_one_by_one_and_scenes_by_file(make):
    table, scores = make(scenes=3)
    found = evaluate(table, scores, Question(by=("kind", "scene"), replicates=60))
    assert list(found.groups) == ["kind=even", "kind=odd", "scene=s0", "scene=s1", "scene=s2"]
    assert found.groups["scene=s0"].scenes == 0
    assert not math.isnan(found.groups["scene=s0"].values["srcc"].low)
    assert found.groups["kind=odd"].scenes == 3


def test_columns_of_the_score_table_break_down_too(make):
    table, scores = make()
    cells = [{"media": "video" if i < 20 else "image"} for i in range(60)]
    rows = (replace(row, cells=each) for row, each in zip(scores.rows, cells, strict=True))
    found = evaluate(
        table, replace(scores, rows=tuple(rows)), Question(by=("media",), replicates=60)
    )
    assert {name: group.n for name, group in found.groups.items()} == {"image": 40, "video": 20}


def test_an_unknown_column_is_refused_with_those_there_are(make):
    with pytest.raises(UsageError, match=r"'distortion'.*kind"):
        evaluate(*make(), Question(by=("distortion",)))
    with pytest.raises(UsageError, match="300 different values"):
        evaluate(*make(300, scenes=0), Question(by=("path",)))


def test_the_median_over_folds_keeps_scenes_together(make):
    table, scores = make()
    found = evaluate(table, scores, Question(plan=Plan(folds=3), replicates=60)).over_splits
    assert (found.parts, found.by_scene, found.smallest, found.largest) == (3, True, 20, 20)
    value = found.values["srcc"]
    assert value.low <= value.value <= value.high
    both = evaluate(table, scores, Question(plan=Plan(2, 2), replicates=60)).over_splits
    assert both.parts == 4


def test_the_median_over_random_parts_depends_on_the_seed_alone(make):
    table, scores = make(scenes=0)

    def over(seed):
        plan = Plan(times=2, seed=seed)
        return evaluate(table, scores, Question(plan=plan, replicates=60)).over_splits

    first = over(1)
    assert first == over(1)
    assert first != over(2)
    assert (first.parts, first.largest, first.by_scene) == (2, 12, False)


def test_krasula_and_calibration_need_votes(make):
    table, scores = make()
    found = evaluate(table, scores, QUICK)
    assert found.krasula.ours.auc_better > 0.95
    assert found.krasula.ours.pairs == 60 * 59 // 2
    assert [each.expected for each in found.calibration.coverage] == [0.5, 0.68, 0.8, 0.9, 0.95]
    assert found.calibration.ratio.value == pytest.approx(1.0)
    bare = tuple(replace(row, std=None, n=None) for row in table.rows)
    found = evaluate(replace(table, rows=bare), scores, QUICK)
    assert (found.krasula, found.calibration) == (None, None)


def test_calibration_is_the_same_on_every_scale(make):
    table, scores = make()
    wide = tuple(replace(row, mos=25 * (row.mos - 1), std=17.5) for row in table.rows)
    a = evaluate(table, scores, QUICK).calibration
    b = evaluate(replace(table, rows=wide, scale=Scale(0.0, 100.0)), scores, QUICK).calibration
    turned = evaluate(*make(dmos=True), QUICK).calibration
    for other in (b, turned):
        for one, two in zip(a.coverage, other.coverage, strict=True):
            assert two.votes == pytest.approx(one.votes, abs=1e-9)
    unknown = evaluate(replace(table, scale=None), scores, QUICK).calibration
    assert "--range" in unknown.reason


def test_what_a_reader_should_know_is_noted(make):
    table, scores = make(scenes=4)
    notes = " ".join(evaluate(table, scores, QUICK).notes)
    assert "4 scenes only" in notes
    backwards = tuple(replace(row, score=-row.score) for row in scores.rows)
    notes = " ".join(evaluate(table, replace(scores, rows=backwards), QUICK).notes)
    assert "Scores fall where opinions rise" in notes
    notes = " ".join(evaluate(replace(table, scale=Scale(1.0, 3.0)), scores, QUICK).notes)
    assert "outside the stated range 1-3" in notes
    named = replace(table, score_column="DMOS")
    assert "Add --dmos" in " ".join(evaluate(named, scores, QUICK).notes)


def test_pairs_whose_folders_contradict_each_other_are_noted_with_their_count(make):
    table, scores = make()
    theirs = [replace(row, path=f"x/{row.path}") for row in scores.rows]
    ours = tuple(replace(row, path=f"y/{row.path}") for row in table.rows)
    theirs[0] = replace(theirs[0], path="y/000.png")
    given = replace(scores, rows=tuple(theirs))
    (note,) = [
        each
        for each in evaluate(replace(table, rows=ours), given, QUICK).notes
        if "folders differ" in each
    ]
    assert "59 pairs" in note
    assert "y/001.png with x/001.png" in note
    assert not any("folders differ" in each for each in evaluate(table, scores, QUICK).notes)


@pytest.mark.parametrize(("n", "told"), [(12, True), (99, True), (100, False)])
def test_few_files_under_a_fitted_curve_are_cautioned_about(make, n, told):
    found = evaluate(*make(n, noise=1.0), QUICK)
    assert any("too narrow below about 100 files" in note for note in found.notes) is told
    for name in ("rmse_logistic4", "plcc_logistic4", "plcc_logistic5"):
        assert (f"these {n} files" in found.overall.caution(name)) is told
    assert found.overall.caution("srcc") == ""


def test_a_curve_that_the_files_do_not_determine_is_noted(make):
    found = evaluate(*make(300, noise=2.0, seed=1), QUICK)
    poor = [name for name, curve in found.overall.curves.items() if not curve.well_conditioned]
    assert poor
    (note,) = [each for each in found.notes if "badly conditioned" in each]
    assert all(name in note for name in poor)
    assert "do not determine" in found.overall.caution(f"plcc_{poor[0]}")


def test_repeated_folds_differ_from_one_time_to_the_next(make):
    sample = evaluate(*make(scenes=0), QUICK).sample
    parts = [frozenset(sample.take(test).paths) for test in splitting._drawn(sample, Plan(3, 2))]
    assert len(parts) == len(set(parts)) == 6
    again = [frozenset(sample.take(t).paths) for t in splitting._drawn(sample, Plan(3, 2))]
    assert again == parts


def test_the_closed_form_interval_counts_the_files_that_have_a_score(make):
    table, scores = make(scenes=0, noise=1.0)
    rows = [
        replace(row, score=math.nan, error="torn") if number < 20 else row
        for number, row in enumerate(scores.rows)
    ]
    found = evaluate(table, replace(scores, rows=tuple(rows)), QUICK).overall
    assert found.fisher["plcc"] == intervals.fisher(found.values["plcc"].value, 40)
    assert found.fisher["plcc"] != intervals.fisher(found.values["plcc"].value, 60)


def test_published_test_parts_are_measured_part_by_part_and_the_median_told(make):
    opinions, scores = make(60, noise=1.5, scenes=0)
    names = [row.path for row in opinions.rows]
    lists = tuple(
        Listed(f"{start}.txt", tuple(f"pictures/{name}" for name in names[start::3]))
        for start in range(3)
    )
    found = evaluate(opinions, scores, Question(plan=Plan(lists=lists))).over_splits
    mos = np.array([row.mos for row in opinions.rows])
    given = np.array([row.score for row in scores.rows])
    each = [stats.spearmanr(given[s::3], mos[s::3]).statistic for s in range(3)]
    assert found.values["srcc"].value == pytest.approx(np.median(each), abs=1e-12)
    assert (found.parts, found.lists, found.lacking, found.by_scene) == (3, 3, 0, False)


def test_listed_files_without_a_score_are_counted_and_shared_scenes_noticed(make):
    opinions, scores = make(60, scenes=12)
    apart = [row.path for row in opinions.rows if row.scene in ("s1", "s2", "s3")]
    mixed = [*apart[1:], "unknown.png"]
    for names, lacking, by_scene in ((apart, 0, True), (mixed, 1, False)):
        plan = Plan(lists=(Listed("l.txt", tuple(names)),))
        found = evaluate(opinions, scores, Question(plan=plan)).over_splits
        assert (found.lacking, found.by_scene, found.parts) == (lacking, by_scene, 1)


def test_a_list_of_other_files_is_refused_with_an_example_of_each(make):
    opinions, scores = make(60)
    plan = Plan(lists=(Listed("other.txt", ("kadid/I01.png",)),))
    with pytest.raises(UsageError, match=r"other\.txt .* 'kadid/I01\.png', .* '000\.png'"):
        evaluate(opinions, scores, Question(plan=plan))
