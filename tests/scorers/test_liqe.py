"""Quality, scene and distortion from the texts of every combination, by hand."""

import json

import numpy as np
import pytest

from beholder.errors import UsageError
from beholder.levels.joint import texts
from beholder.scorers import liqe

LEVELS = {"perfect": 5.0, "good": 4.0, "fair": 3.0, "poor": 2.0, "bad": 1.0}
SMALL = {
    "template": "a {quality} photo of a {scene} with {distortion}",
    "scenes": ["cat", "dog"],
    "distortions": "noise, blur, none",
}


def build(backbone, **settings):
    return liqe.build(backbone, {"prompts": {}, "levels": LEVELS, "clips": "frames", **settings})


def rate(backbone, *inputs, **settings):
    scorer = build(backbone, **settings)
    return scorer.judge([scorer.encode(each) for each in inputs], "quality")


def rows(scorer, seed, count=1):
    """Random logits of all texts of a scorer, as a cube, and as what a table says."""
    asked = texts(scorer.template, scorer.words)
    shape = [len(words) for words in scorer.words.values()]
    cubes = np.random.default_rng(seed).normal(0, 2, (count, *shape))
    return cubes, [dict(zip(asked, cube.ravel().tolist(), strict=True)) for cube in cubes]


def by_hand(cube):
    masses = np.exp(cube - cube.max())
    masses /= masses.sum()
    quality = masses.sum(axis=(1, 2))
    return masses, quality @ np.array([5.0, 4.0, 3.0, 2.0, 1.0])


def test_the_score_is_the_expected_quality_over_the_sums_of_one_softmax(table, still):
    cubes, said = rows(build(table(), **SMALL), 0)
    (rating,) = rate(table(*said), still(), **SMALL)
    masses, value = by_hand(cubes[0])
    assert rating.value == pytest.approx(value, abs=1e-9)
    assert list(rating.probabilities) == list(LEVELS)
    assert list(rating.probabilities.values()) == pytest.approx(masses.sum(axis=(1, 2)).tolist())
    assert rating.level in LEVELS


def test_the_likely_scene_and_distortion_stand_in_the_details(table, still):
    cubes, said = rows(build(table(), **SMALL), 1)
    (rating,) = rate(table(*said), still(), **SMALL)
    masses, _ = by_hand(cubes[0])
    assert rating.details["scene"] == SMALL["scenes"][masses.sum(axis=(0, 2)).argmax()]
    assert list(rating.details["distortions"]) == ["noise", "blur", "none"]
    distortions = masses.sum(axis=(0, 1))
    assert list(rating.details["distortions"].values()) == pytest.approx(distortions.tolist())
    assert rating.details["distortion"] == ["noise", "blur", "none"][distortions.argmax()]
    assert sum(rating.details["scenes"].values()) == pytest.approx(1)


def test_a_clip_averages_the_logits_of_its_frames_and_keeps_a_timeline(table, clip):
    cubes, said = rows(build(table(), **SMALL), 2, count=3)
    (rating,) = rate(table(*said), clip(0, 1, 2), **SMALL)
    assert rating.value == pytest.approx(by_hand(cubes.mean(axis=0))[1], abs=1e-9)
    assert [value for _, value in rating.timeline] == pytest.approx([by_hand(c)[1] for c in cubes])
    (parted,) = rate(table(*said), clip(0, 1, 2), segment=1, **SMALL)
    assert parted.worst == min(parted.timeline, key=lambda moment: moment[1])


def test_the_texts_are_the_495_of_the_authors(table, clip_file):
    known = json.loads(clip_file("liqe/texts.json").read_text())
    worst_first = dict(reversed(LEVELS.items()))
    scorer = build(table())
    assert sorted(texts(scorer.template, scorer.words)) == sorted(known["texts"])
    words = {**scorer.words, "quality": tuple(worst_first)}
    assert texts(scorer.template, words) == tuple(known["texts"])


@pytest.mark.parametrize(
    ("template", "kind"),
    [
        ("a photo of a {scene}, which is of {quality} quality", "scene_quality_texts"),
        (
            "a photo with {distortion} artifacts, which is of {quality} quality",
            "distortion_quality_texts",
        ),
        ("a photo with {quality} quality", "quality_texts"),
    ],
)
def test_templates_that_name_less_are_the_smaller_tasks_of_the_authors(
    table, clip_file, template, kind
):
    known = json.loads(clip_file("liqe/texts.json").read_text())[kind]
    scorer = build(table(), template=template)
    assert sorted(texts(scorer.template, scorer.words)) == sorted(known)


def test_a_template_of_quality_alone_is_plain_levels_without_details(table, still):
    row = {f"a {word} one": float(number) for number, word in enumerate(LEVELS)}
    (rating,) = rate(table(row), still(), template="a {quality} one")
    masses = np.exp(np.arange(5.0))
    assert rating.value == pytest.approx((masses / masses.sum()) @ np.arange(5.0, 0.0, -1))
    assert rating.details == {}


def test_every_choice_changes_the_settings(table):
    plain = build(table()).settings()
    for change in (SMALL, {"scenes": ["cat"]}, {"levels": ["good", "bad"]}, {"segment": 2}):
        assert build(table(), **change).settings() != plain


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"template": "a photo"}, "names nothing in braces"),
        ({"template": "{scene} {colour}"}, "names colour, scene in braces"),
        ({"template": "a {quality"}, "cannot be read"),
        ({"template": "a {quality:d} photo"}, "names quality:d in braces"),
        ({"template": "a {quality!r} photo"}, "names quality:r in braces"),
        ({"scenes": []}, r"scenes \[\] are not one or more"),
        ({"distortions": "noise,,blur"}, "distortions 'noise,,blur' are not"),
        ({"scenes": ["cat", "cat"]}, r"scenes \['cat', 'cat'\]"),
        ({"scenes": 3}, "scenes are 3"),
        ({"levels": {}}, "levels {} are not two or more"),
    ],
)
def test_words_and_templates_that_cannot_be_right_are_refused(table, settings, said):
    with pytest.raises(UsageError, match=said):
        build(table(), **settings)


def test_a_picture_without_numbers_is_an_error_and_leaves_the_others(table, still):
    _, said = rows(build(table(), **SMALL), 3, count=2)
    said[1] = dict.fromkeys(said[1], float("nan"))
    first, second = rate(table(*said), still(0), still(1), **SMALL)
    assert not first.error
    assert "bfloat16" in second.error
