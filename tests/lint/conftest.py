"""Small data sets with known defects, and how they are examined."""

import json

import pytest

from beholder.datasets.card import load
from beholder.datasets.opinions import Stated, merge
from beholder.datasets.reading import read
from beholder.lint.case import Case
from beholder.lint.files import look_at
from beholder.lint.run import examine


def record(path, score, word="", question="Rate the quality of this image.", **more):
    """A record as Q-Align's lists have them."""
    made = {"id": f"{path}->{score}", "image": path, **more}
    if word:
        made["conversations"] = [
            {"from": "human", "value": f"{question}\n<|image|>"},
            {"from": "gpt", "value": f"The quality of the image is {word}."},
        ]
    return made


@pytest.fixture(name="record")
def record_():
    return record


@pytest.fixture
def lint(tmp_path):
    """Examine tables: name → records or CSV text. Gives what was found: what → finding."""

    def call(card=None, dmos=None, scale=None, bounds=None, root=None, **tables):
        parsed = load(card) if card else None
        read_ones = []
        for name, content in tables.items():
            path = tmp_path / f"{name}.{'csv' if isinstance(content, str) else 'json'}"
            path.write_text(content if isinstance(content, str) else json.dumps(content))
            read_ones.append(read(path, parsed, Stated(dmos=dmos, scale=scale)))
        table = merge(read_ones)
        looks = look_at([row.path for row in table.rows], [root], 2) if root else {}
        bounds = bounds or (parsed.levels if parsed else None)
        return Report(examine(Case(table, parsed, bounds, looks)))

    return call


class Report:
    """Findings, by their check."""

    def __init__(self, findings):
        self.all = findings

    def of(self, check):
        return [finding for finding in self.all if finding.check == check]

    def one(self, check, part=""):
        (finding,) = [each for each in self.of(check) if part in each.what]
        return finding

    def graver_than_a_note(self):
        return {finding.check for finding in self.all if finding.severity != "note"}
