"""Rating the files that people rated: stopped, gone on with, changed."""

from pathlib import Path

import pytest

from beholder.datasets.opinions import Opinion, Opinions
from beholder.engine.rater import load
from beholder.errors import UsageError
from beholder.evaluation.rating import Order, rate


@pytest.fixture(scope="module")
def rater():
    return load("iris", device="cpu")


@pytest.fixture
def table(photos):
    names = ["0.png", "./2.png", "4.png", "sub/1.jpg", "0.png", "gone.png", ""]
    rows = (Opinion(name, 3.0, row=row) for row, name in enumerate(names, 1))
    return Opinions(tuple(rows), str(photos / "mos.csv"))


def test_each_file_is_rated_once_in_the_order_of_the_opinions(rater, table, photos):
    scores = rate(rater, table, [photos], Order())
    assert [row.path for row in scores.rows] == ["0.png", "2.png", "4.png", "sub/1.jpg", "gone.png"]
    assert [bool(row.error) for row in scores.rows] == [False, False, False, False, True]
    assert scores.model == "iris"
    assert scores.fingerprint == rater.fingerprint
    assert scores.scale == "1-5"


def test_files_are_found_in_every_folder_of_a_card(rater, table, photos):
    one = table.where([row.path == "sub/1.jpg" for row in table.rows])
    bare = Opinions((Opinion("1.jpg", 3.0),), one.origin)
    (there,) = rate(rater, one, [photos], Order()).rows
    (found,) = rate(rater, bare, [photos, photos / "sub"], Order()).rows
    assert found.score == pytest.approx(there.score, abs=1e-6)


def test_a_run_that_was_stopped_goes_on_where_it_was(rater, table, photos, tmp_path):
    order = Order(out=tmp_path / "r.csv", batch_size=1, workers=1)
    met = []

    def stop(due):
        met.append(due.fresh)
        if len(met) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rate(rater, table, [photos], order, stop)
    fresh = []
    scores = rate(rater, table, [photos], order, lambda due: fresh.append(due.fresh))
    assert fresh == [False, False, False, True, True]
    whole = Order(out=tmp_path / "whole.csv", batch_size=1, workers=1)
    assert rate(rater, table, [photos], whole).rows == scores.rows
    assert (tmp_path / "r.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_a_table_of_another_run_is_not_gone_on_with(rater, table, photos, tmp_path):
    out = tmp_path / "r.csv"
    Path(table.origin).touch()
    rate(rater, table, [photos], Order(out=out))
    other = Opinions(table.rows, "other.csv")
    with pytest.raises(UsageError, match="other inputs"):
        rate(rater, other, [photos], Order(out=out))
    assert len(rate(rater, other, [photos], Order(out=out, restart=True)).rows) == 5


def test_files_that_are_all_missing_are_one_error(rater, table, tmp_path):
    with pytest.raises(UsageError, match=r"none of the 5 files .* --root"):
        rate(rater, table, [tmp_path / "nowhere"], Order())


def test_the_paths_of_windows_are_found(rater, photos):
    (photos / "n1").mkdir()
    (photos / "n1" / "a.png").write_bytes((photos / "0.png").read_bytes())
    table = Opinions((Opinion(r"n1\a.png", 3.0),), str(photos / "mos.csv"))
    (row,) = rate(rater, table, [photos], Order()).rows
    assert (row.path, row.error) == ("n1/a.png", "")
