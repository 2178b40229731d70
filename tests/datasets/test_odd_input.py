"""Whatever a file holds, reading it gives a table or one sentence; so does examining it."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from beholder.datasets.reading import read
from beholder.errors import TableError
from beholder.lint.case import Case
from beholder.lint.run import examine

KEYS = [
    *("path", "image", "img_path", "mos", "gt_score", "score", "id", "conversations", "std", "n"),
    *("split", "scene", "level_probs", "gt_score_norm", "dist_name", "c1", "c2", "c3", "c4", "c5"),
    *("p_excellent", "p_good", "p_fair", "p_poor", "p_bad", "score_in_id", "other"),
]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from(["a.png", "b/I01_02_3.png", "x->3.5", "3.5 ", "inf", "nan", "", "->", "1e999"]),
    st.text(max_size=5),
    st.just(10**400),
)
VALUES = st.one_of(
    SCALARS,
    st.lists(SCALARS, max_size=5),
    st.just([{"from": "human", "value": 3}, {"from": "gpt"}, "x", None]),
    st.just([{"from": "gpt", "value": "The quality is is good."}]),
    st.dictionaries(st.sampled_from(["mos", "a"]), SCALARS, max_size=2),
)
RECORDS = st.lists(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6), max_size=6)
QUIET = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def survives(path):
    try:
        table = read(path)
    except TableError:
        return
    for finding in examine(Case(table)):
        assert finding.examples


@QUIET
@given(records=RECORDS)
def test_json_of_any_kind_is_a_table_or_a_sentence(tmp_path, records):
    path = tmp_path / "t.json"
    path.write_text(json.dumps(records), encoding="utf-8")
    survives(path)


@QUIET
@given(
    lines=st.lists(
        st.lists(
            st.sampled_from(["path", "mos", "a.png", "3", "", "x y", '"', "1e5", "-1"]), max_size=4
        ),
        max_size=5,
    ),
    mark=st.sampled_from([",", "\t", " ", ";"]),
)
def test_text_of_any_kind_is_a_table_or_a_sentence(tmp_path, lines, mark):
    path = tmp_path / "t.csv"
    path.write_text("\n".join(mark.join(line) for line in lines))
    survives(path)


@pytest.mark.parametrize("data", [b"[" * 100_000, b"{" * 10, b"\x00\x01", b"path,mos\n\x00,3\n"])
def test_damage_is_one_sentence(tmp_path, data):
    path = tmp_path / "t.json"
    path.write_bytes(data)
    survives(path)
