"""No row is dropped in silence."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beholder.datasets.card import load
from beholder.datasets.opinions import Opinion, Opinions
from beholder.errors import UsageError
from beholder.evaluation.pairing import align, of_the_set, pair
from beholder.evaluation.scores import Scored, Scores


def opinions_of(*rows, **stated):
    made = (Opinion(path, mos, row=number) for number, (path, mos) in enumerate(rows, 1))
    return Opinions(tuple(made), "mos.csv", **stated)


def scores_of(*rows):
    made = (
        Scored(path, score, error="" if math.isfinite(score) else "it is damaged")
        for path, score in rows
    )
    return Scores(tuple(made), "scores.csv")


def counts(paired):
    return {key: found.count for key, found in paired.joined.odd.items() if found.count}


def test_failed_unmatched_and_empty_rows_are_counted_with_examples():
    said = opinions_of(("a", 1.0), ("b", 2.0), ("c", math.nan), ("d", 4.0), ("", 3.0))
    given_scores = scores_of(("a", 1.5), ("b", math.nan), ("c", 2.5), ("e", 5.0))
    paired = pair(said, given_scores, None)
    assert counts(paired) == {
        "failed": 1,
        "unmatched_opinions": 1,
        "unmatched_scores": 1,
        "without_opinion": 1,
        "without_path": 1,
    }
    assert paired.joined.odd["failed"].examples == ("b: it is damaged",)
    assert paired.sample.paths == ("a", "b")
    assert np.isnan(paired.sample.scores).tolist() == [False, True]


def test_a_row_said_twice_counts_once_and_rows_that_differ_count_not_at_all():
    said = opinions_of(("a", 1.0), ("./a", 1.0), ("b", 2.0), ("b", 3.0), ("c", 3.0))
    given_scores = scores_of(("a", 1.0), ("b", 2.0), ("c", 3.0), ("c", 3.5), ("d", 1.0))
    paired = pair(said, given_scores, None)
    assert paired.sample.paths == ("a",)
    assert counts(paired) == {
        "repeated_opinions": 1,
        "conflicting_opinions": 1,
        "conflicting_scores": 1,
        "unmatched_opinions": 1,
        "unmatched_scores": 2,
    }


def test_a_file_that_failed_once_and_was_scored_once_is_scored():
    paired = pair(opinions_of(("a", 1.0)), scores_of(("a", math.nan), ("a", 2.0)), None)
    assert paired.sample.scores.tolist() == [2.0]
    assert counts(paired) == {"repeated_scores": 1}


def test_dmos_is_negated():
    said = opinions_of(("a", 10.0), ("b", 20.0), higher_is_better=False)
    paired = pair(said, scores_of(("a", 1.0), ("b", 2.0)), None)
    assert paired.sample.opinions.tolist() == [-10.0, -20.0]


def test_tables_without_a_common_path_are_refused_with_a_path_of_each():
    with pytest.raises(UsageError, match=r"'x/1\.png'.*'y/2\.jpg'.*--root"):
        pair(opinions_of(("y/2.jpg", 1.0)), scores_of(("x/1.png", 1.0)), None)


def test_files_that_are_no_part_of_a_benchmark_are_left_out_and_noted():
    said = opinions_of(("x/t1.bmp", 1.0), ("x/1.bmp", 2.0), ("t2.bmp", 3.0))
    kept = of_the_set(said, load("live-c"))
    assert [row.path for row in kept.rows] == ["x/1.bmp"]
    (problem,) = kept.problems
    assert (problem.count, problem.examples) == (2, ("x/t1.bmp", "t2.bmp"))
    assert of_the_set(said, load("koniq")) is said


def test_the_other_model_is_put_beside_by_opinion():
    said = opinions_of(("a", 1.0), ("b", 2.0), ("c", 3.0))
    ours = pair(said, scores_of(("a", 1.0), ("c", 3.0), ("b", 2.0)), None)
    theirs = pair(said, scores_of(("c", 30.0), ("a", 10.0)), None)
    sample = align(ours, theirs)
    assert sample.rivals[[0, 2]].tolist() == [10.0, 30.0]
    assert math.isnan(sample.rivals[1])
    assert sample.common().paths == ("a", "c")


values = st.sampled_from([1.0, 2.0, math.nan])
tables = st.lists(st.tuples(st.sampled_from(["", "a", "b", "x/a", "c"]), values), max_size=7)


@given(tables, tables)
def test_every_row_of_both_tables_is_accounted_for(said, scored):
    try:
        paired = pair(opinions_of(*said), scores_of(*scored), None)
    except UsageError:
        return
    odd = {key: found.count for key, found in paired.joined.odd.items()}
    nameless = sum(not path for path, _ in [*said, *scored])
    assert odd["without_path"] == nameless
    pairs = sum(paired.joined.rules.values())
    several = {path for path, _ in said if path and len(finite(said, path)) > 1}
    rows = sum(path in several for path, _ in said)
    named = sum(bool(path) for path, _ in said)
    assert named == pairs + odd["unmatched_opinions"] + odd["repeated_opinions"] + rows
    assert odd["conflicting_opinions"] == len(several)


def finite(rows, path):
    return {value for name, value in rows if name == path and math.isfinite(value)}


def test_a_windows_table_with_repeated_rows_is_decided_on_as_a_whole():
    said = opinions_of((r"set\n1.png", 1.0), (r"set\n1.png", 1.0), (r"set\t2.png", 2.0))
    paired = pair(said, scores_of(("set/n1.png", 1.0), ("set/t2.png", 2.0)), None)
    assert paired.joined.rules["exact"] == 2
    assert counts(paired) == {"repeated_opinions": 1}
