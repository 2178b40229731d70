"""Finding things by name."""

import pytest

from beholder import _names, _optional
from beholder.errors import MissingExtraError, UsageError


def test_a_table_format_is_found_by_its_file_name():
    assert _names.find("tables", "csv").__name__ == "beholder.tables.csv"
    assert {"csv", "jsonl", "parquet"} <= set(_names.names("tables"))


def test_an_unknown_name_says_what_was_meant():
    with pytest.raises(UsageError) as caught:
        _names.find("scorers", "aling")
    assert "'aling': did you mean 'align'?" in str(caught.value)


def test_a_missing_extra_gives_the_line_that_installs_it():
    with pytest.raises(MissingExtraError) as caught:
        _optional.require("no_such_module.part", extra="parquet")
    assert "no_such_module" in str(caught.value)
    assert "pip install 'beholder[parquet]'" in str(caught.value)
