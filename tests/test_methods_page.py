"""The page about methods names every recipe of its kind, and the figures that recipes state."""

import re
from pathlib import Path

import pytest

from beholder.recipes import recipe

PAGE = (Path(__file__).parents[1] / "docs" / "methods.md").read_text(encoding="utf-8")
SPOKEN = ("iris", "owl2", "chat")
"""Backbones that answer in words: docs/models.md is about them."""
KNOWN = [recipe.load(name) for name in recipe.names()]
METHODS = [each for each in KNOWN if each.backbone not in SPOKEN]


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading, its head first."""
    table = re.search(rf"^## {heading}$.*?((?:^\|[^\n]*\n)+)", PAGE, re.DOTALL | re.MULTILINE)[1]
    lines = [line for line in table.splitlines() if not line.startswith("| ---")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_method_has_a_row_and_every_model_of_a_row_is_a_recipe():
    named = [
        name
        for row in rows("What was reproduced, and how")[1:]
        for name in re.findall("`(.*?)`", row[1])
    ]
    assert sorted(named) == sorted(each.name for each in METHODS)


@pytest.mark.parametrize("method", METHODS, ids=lambda each: each.name)
def test_figures_of_a_recipe_stand_in_the_table(method):
    head, *body = rows("Published figures")
    for benchmark, figures in method.published.items():
        if benchmark not in head:
            continue
        wanted = [f"{figures[name]:.3f}".lstrip("0") for name in ("srcc", "plcc")]
        column = head.index(benchmark)
        assert any(" / ".join(wanted) == row[column] for row in body), (benchmark, wanted)


def test_every_row_fills_every_column():
    for heading in ("What was reproduced, and how", "Published figures"):
        head, *body = rows(heading)
        assert all(len(row) == len(head) and all(row) for row in body)
