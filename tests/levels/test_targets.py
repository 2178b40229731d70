"""Hard levels and soft labels against their definitions and the recorded reference."""

import json
import math
from pathlib import Path

import pytest

from beholder.levels.scale import WEIGHTS
from beholder.levels.targets import hard_level, soft_label

STATS = Path(__file__).parents[3] / "shared" / "fixtures" / "stats"


@pytest.mark.parametrize(
    ("opinion", "low", "high", "level"),
    [
        (37.6, 0.0, 94.0, 2),
        (56.4, 0.0, 94.0, 2),
        (75.2, 0.0, 94.0, 4),
        (1.83, 1.07, 4.87, 1),
        (3.35, 1.07, 4.87, 2),
    ],
)
def test_an_opinion_on_an_edge_gets_the_level_that_was_published(opinion, low, high, level):
    assert hard_level(opinion, low, high) == level


def test_every_published_level_of_q_align_is_reproduced():
    path = STATS / "third_party" / "mos_to_level_qalign.json"
    if not path.exists():
        pytest.skip("the recorded Q-Align labels are not here")
    record = json.loads(path.read_text())
    words = ["bad", "poor", "fair", "good", "excellent"]
    wrong = checked = 0
    for part in record["datasets"].values():
        low, high = part["lo"], part["hi"]
        for pair in part["pairs"]:
            score, word = pair["score"], pair["level"]
            checked += 1
            wrong += words[hard_level(score, low, high)] != word
    assert checked >= 900
    assert wrong == 0


@pytest.mark.parametrize("density", ["pdf", "cdf"])
@pytest.mark.parametrize("mean", [1.0, 1.2, 2.5, 3.0, 4.4, 5.0])
@pytest.mark.parametrize("deviation", [0.0, 0.3, 0.7, 1.2])
def test_a_soft_label_is_a_distribution_near_its_mean(mean, deviation, density):
    label = soft_label(mean, deviation, density)
    assert math.isclose(sum(label), 1.0, abs_tol=1e-9)
    assert min(label) >= 0
    assert abs(sum(p * w for p, w in zip(label, WEIGHTS, strict=True)) - mean) < 0.3


def test_soft_labels_are_those_of_deqa_score_normalised():
    path = STATS / "2_levels" / "deqa_soft_labels.json"
    if not path.exists():
        pytest.skip("the recorded DeQA-Score labels are not here")
    rows = json.loads(path.read_text())["rows"]
    rows = [row for row in rows if abs(row["mos_norm"] - 3) > 1e-6]  # there it divides by zero
    assert len(rows) > 20
    for row in rows:
        ours = soft_label(row["mos_norm"], row["std_norm"], row["density"])
        theirs = [p / row["sum"] for p in row["level_probs"]]
        assert ours == pytest.approx(theirs, abs=1e-7), row
