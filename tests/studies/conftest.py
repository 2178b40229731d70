"""The recorded studies, where they are there, and small ones made on the spot."""

import json
from pathlib import Path

import numpy as np
import pytest

from beholder.levels.scale import Scale
from beholder.studies.votes import About, Vote, gather

STATS = Path(__file__).parents[3] / "shared" / "fixtures" / "stats"


@pytest.fixture(scope="session")
def studies(golden):
    """Every recorded study: the case, its votes, and its items and raters in recorded order."""
    cases = golden("4_subjective/synthetic.json")["cases"]
    third = STATS / "third_party" / "sureal_datasets.json"
    if third.is_file():
        cases = cases + json.loads(third.read_text())["cases"]
    return [(case, recorded_votes(case)) for case in cases]


def recorded_votes(case):
    """Gather a recorded study so that items and raters stand in the recorded order."""
    found = [
        Vote(f"r{rater:03d}", f"i{item:03d}", float(value), f"s{session}", "recorded")
        for item, row in enumerate(case["votes"])
        for rater, cell in enumerate(row)
        for session, value in enumerate(cell if isinstance(cell, list) else [cell])
        if value is not None
    ]
    scale = Scale(1.0, 5.0) if case["ref_score"] in (5.0, None) else Scale(0.0, 100.0)
    content = [str(each) for each in case.get("content_id") or []]
    references = {}
    for item, is_reference in enumerate(case.get("is_reference") or []):
        if is_reference:
            references[content[item]] = f"i{item:03d}"
    about = {
        f"i{item:03d}": About(scene=each, reference=references.get(each, ""))
        for item, each in enumerate(content)
    }
    votes = gather(found, scale, about)
    return in_order(votes)


def in_order(votes):
    """Put items and raters in the order of their names."""
    from dataclasses import replace

    items, raters = np.argsort(votes.items), np.argsort(votes.raters)
    return replace(
        votes,
        items=tuple(votes.items[number] for number in items),
        raters=tuple(votes.raters[number] for number in raters),
        item=np.argsort(items)[votes.item],
        rater=np.argsort(raters)[votes.rater],
    )


@pytest.fixture
def panel():
    """A study of 40 items and 12 raters on 1-5, with bad raters planted on request."""

    def make(seed=0, **bad):
        random = np.random.default_rng(seed)
        quality = random.uniform(1.6, 4.4, 40)
        found = []
        for rater in range(12):
            bias = random.normal(0, 0.15)
            for item in range(40):
                value = quality[item] + bias + random.normal(0, 0.5)
                kind = bad.get(f"r{rater:02d}")
                if kind == "careless":
                    value = random.uniform(0.5, 5.5)
                elif kind == "upside down":
                    value = 6 - value
                elif kind == "biased":
                    value -= 1.3
                elif kind == "constant":
                    value = 3.0
                whole = float(np.clip(np.round(value), 1, 5))
                found.append(Vote(f"r{rater:02d}", f"{item:02d}.png", whole, where="made"))
        return gather(found, Scale(1.0, 5.0)), quality

    return make
