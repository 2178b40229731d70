"""Which row is which: every row is matched once or told."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beholder.evaluation.joining import RULES, join, plain_paths

names = st.lists(st.sampled_from(["a", "b", "c", "1.png", "2.png"]), min_size=1, max_size=3)
paths = st.lists(names.map("/".join), unique=True, max_size=8)


def matched(opinions, scores, root=None):
    found = join(opinions, scores, root)
    return {opinions[match.opinion]: (scores[match.score], match.rule) for match in found.matches}


@given(paths, paths)
def test_every_row_is_matched_once_or_left_over(opinions, scores):
    found = join(opinions, scores)
    left = Counter([*(match.opinion for match in found.matches), *found.opinions_left])
    right = Counter([*(match.score for match in found.matches), *found.scores_left])
    assert left == Counter(range(len(opinions)))
    assert right == Counter(range(len(scores)))
    assert set(found.ambiguous) <= set(found.opinions_left)


@given(paths, paths)
def test_equal_paths_are_always_matched_and_never_with_another(opinions, scores):
    found = matched(opinions, scores)
    for path in set(opinions) & set(scores):
        assert found[path] == (path, "exact")


@given(paths, paths)
def test_both_tables_can_change_places(opinions, scores):
    there = {(m.opinion, m.score, m.rule) for m in join(opinions, scores).matches}
    back = {(m.score, m.opinion, m.rule) for m in join(scores, opinions).matches}
    assert there == back


@given(paths, paths, st.randoms())
def test_the_order_of_the_rows_does_not_matter(opinions, scores, random):
    shuffled = random.sample(scores, len(scores))
    assert matched(opinions, scores) == matched(opinions, shuffled)


@given(paths, paths)
def test_a_match_by_suffix_or_name_is_the_only_one_possible(opinions, scores):
    for opinion, (score, rule) in matched(opinions, scores).items():
        if rule == "suffix":
            fits = [s for s in scores if ends(opinion, s) or ends(s, opinion)]
            assert fits == [score]
        if rule == "name":
            name = opinion.rpartition("/")[2]
            assert [s for s in scores if s.rpartition("/")[2] == name] == [score]
            assert [o for o in opinions if o.rpartition("/")[2] == name] == [opinion]


def ends(long, short):
    return f"/{long}".endswith(f"/{short}")


@pytest.mark.parametrize(
    ("opinion", "score", "rule"),
    [
        ("a/1.png", "./a//1.png", "exact"),
        (r"a\1.png", "a/1.png", "exact"),
        ("1.png", "/data/set/1.png", "root"),
        ("/data/set/b/1.png", "/data/set/b/1.png", "exact"),
        ("images/1.png", "/elsewhere/images/1.png", "suffix"),
        ("train/1.png", "/x/test/1.png", "name"),
    ],
)
def test_each_step_of_the_rule_finds_what_it_is_for(opinion, score, rule):
    assert matched([opinion], [score], Path("/data/set")) == {opinion: (score, rule)}


def test_relative_scores_are_below_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "pictures"
    found = matched(["x/1.png", "y/1.png"], ["pictures/x/1.png", "pictures/y/1.png"], root)
    assert {rule for _, rule in found.values()} == {"root"}


def test_a_name_that_two_files_have_is_matched_to_neither_and_told():
    found = join(["1.png"], ["a/1.png", "b/1.png"])
    assert (found.matches, found.ambiguous, found.scores_left) == ((), (0,), (0, 1))
    found = join(["x/1.png", "y/1.png"], ["z/1.png"])
    assert (found.matches, found.ambiguous) == ((), (0, 1))


def test_a_score_that_is_taken_already_is_not_taken_again():
    found = join(["a/1.png", "1.png"], ["a/1.png"])
    assert [(match.opinion, match.rule) for match in found.matches] == [(0, "exact")]
    assert found.opinions_left == (1,)


def test_an_escaped_name_keeps_its_backslash():
    assert plain_paths([r"caf\xe9.png"]) == [r"caf\xe9.png"]
    assert plain_paths([r"a/caf\xe9.png", r"b/new\nline.png"])[1] == r"b/new\nline.png"
    assert set(RULES) == {"exact", "root", "suffix", "name"}


@pytest.mark.parametrize("part", ["n1", "r2", "train", "x41", "u2021", "b"])
@pytest.mark.parametrize("start", ["", "C:\\data\\", "C:\\\\data\\\\", "C:\\data/mixed/"])
def test_windows_paths_are_joined_whatever_their_parts_begin_with(part, start):
    theirs = [f"{start}{part}\\{n}.png" for n in (1, 2)]
    theirs.append(f"{start}set\\{part}.png")
    ours = [f"{part}/1.png", f"{part}/2.png", f"set/{part}.png"]
    rule = "suffix" if start else "exact"
    assert matched(ours, theirs) == {
        mine: (other, rule) for mine, other in zip(ours, theirs, strict=True)
    }


def test_one_backslash_that_is_no_escape_makes_all_of_its_table_separators():
    theirs = [r"set\n1/1.png", r"set\good/1.png"]
    assert set(matched(["set/n1/1.png", "set/good/1.png"], theirs)) == {
        "set/n1/1.png",
        "set/good/1.png",
    }


def test_doubled_backslashes_are_one_slash():
    assert plain_paths(["set\\\\n1\\\\a.png"]) == ["set/n1/a.png"]


def test_names_that_beholder_escaped_match_in_tables_with_folders():
    ours, theirs = [r"a/caf\xe9.jpg", "a/2.jpg"], [r"x/a/caf\xe9.jpg", "x/a/2.jpg"]
    assert {rule for _, rule in matched(ours, theirs).values()} == {"suffix"}
    assert matched([r"caf\xe9.jpg"], [r"x/caf\xe9.jpg"])[r"caf\xe9.jpg"][1] == "suffix"
