"""The page about evaluation is true."""

import re
from pathlib import Path

from beholder.cli.evaluate import command
from beholder.evaluation.joining import RULES
from beholder.evaluation.measuring import MEASURES
from beholder.evaluation.pairing import ODD

PAGE = (Path(__file__).parents[2] / "docs" / "evaluate.md").read_text(encoding="utf-8")


def test_every_option_that_the_page_names_exists():
    known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
    calls = re.findall(r"beholder evaluate ((?:.*\\\n)*.*)", PAGE)
    used = {name for call in calls for name in re.findall(r"--[a-z-]+", call)}
    table = set(re.findall(r"^\| (`--.*?) \|", PAGE, re.MULTILINE))
    named = {name for cell in table for name in re.findall(r"--[a-z-]+", cell)}
    assert used
    assert used | named <= known


def test_every_measure_rule_and_odd_row_is_explained():
    for name in (*MEASURES, *RULES, *ODD):
        assert f"`{name}`" in PAGE
