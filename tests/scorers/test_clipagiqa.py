"""Both CLIP-AGIQA score with weights that were taught, and are told apart."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from beholder.backbones.clip import load, taught
from beholder.engine.rater import load as rater
from beholder.errors import ModelError, UsageError
from beholder.media.frames import Frames, Picture
from beholder.scorers import clipagiqa

VIEWS = {"views": "dense", "side": 64, "stride": 32}
WAYS = [{"paper": "fu"}, {"paper": "fu", "guided": False}, {"paper": "tang"}]


@pytest.fixture
def made(tiny_clip, tmp_path):
    """Taught weights of each way over the small CLIP: the backbone that holds them."""

    def make(way):
        clip = load(tiny_clip)
        torch.manual_seed(0)
        taught.save(tmp_path, clipagiqa.new(clip, way))
        return load(tmp_path, base=tiny_clip, **VIEWS)

    return make


def pixels():
    return np.random.default_rng(1).integers(0, 256, (96, 128, 3), dtype=np.uint8)


def rate(scorer):
    given = scorer.encode(Frames("image", 128, 96, None, [Picture(pixels())]))
    return scorer.judge([given], "quality")[0]


@pytest.mark.parametrize("way", WAYS)
def test_the_score_is_the_mean_over_windows(made, way):
    clip = made(way)
    rating = rate(clipagiqa.build(clip, {**way, "range": [0, 5]}))
    network = clipagiqa.new(clip, way).eval()
    taught.fill(network, clip.rest, "it")
    with torch.no_grad():
        said = [network(each) for _, each in clip.pixels([clip.encode([Picture(pixels())])])]
    if way["paper"] == "tang":
        share = float(torch.cat(said).mean()) / 5
    else:
        share = float(torch.cat([each.quality for each in said]).mean())
    assert rating.value == pytest.approx(1 + 4 * share, abs=1e-5)
    assert len(said[0] if way["paper"] == "tang" else said[0].quality) == 6


def test_how_well_a_picture_fits_its_text_stands_in_the_details_where_it_was_taught(made):
    guided = rate(clipagiqa.build(made(WAYS[0]), WAYS[0]))
    assert 0 < guided.details["alignment"] < 1
    assert rate(clipagiqa.build(made(WAYS[1]), WAYS[1])).details == {}


def test_ways_differ_in_their_settings(made):
    found = [clipagiqa.build(made(way), way).settings() for way in WAYS]
    assert all(one != other for one, other in pairwise(found))


def test_weights_of_the_other_paper_are_refused(made):
    with pytest.raises(ModelError, match=r"missing \(levels.vectors"):
        clipagiqa.build(made({"paper": "fu"}), {"paper": "tang"})


@pytest.mark.parametrize("name", ["clip-agiqa-fu", "clip-agiqa-tang"])
def test_without_weights_the_way_to_them_is_told(name):
    with pytest.raises(ModelError, match=f"nobody published weights of {name}.*--model {name}"):
        rater(name)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"paper": "foo"}, r"unknown CLIP-AGIQA.*known: fu, tang"),
        ({"guided": "no"}, "guided is 'no'; it is true or false"),
    ],
)
def test_options_that_cannot_be_right_are_refused(made, options, told):
    with pytest.raises(UsageError, match=told):
        clipagiqa.build(made({"paper": "fu"}), options)
