"""Methods over CLIP learn from opinions; what learns is their own weights, and nothing of CLIP."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from beholder.backbones.weights import Weights
from beholder.engine.rater import load as rater
from beholder.errors import UsageError
from beholder.levels.attributes import DISTORTIONS, SCENES
from beholder.media.frames import Frames, Picture
from beholder.recipes import recipe as recipes
from beholder.training import adapters
from beholder.training.config import Adapter, Train
from beholder.training.learners import clip as learners
from beholder.training.learners.base import Kept
from beholder.training.lesson import Lesson

NAMES = ("mpiqe", "clip-agiqa-fu", "clip-agiqa-tang")
SMALL = {"side": 64, "count": 2, "crops": 2}
STEPS = 25


@pytest.fixture
def make(tiny_clip):
    """A learner of a recipe over the small CLIP."""

    def learner(name, **options):
        recipe = recipes.load(name)
        told = {**SMALL, "range": [0, 100], **options}
        small = replace(
            recipe,
            prompts={"quality": {"image": {"question": "?", "opening": ""}}},
            options={**recipe.options, **{k: v for k, v in told.items() if v is not None}},
            weights=replace(recipe.weights, base=Weights(folder=str(tiny_clip))),
        )
        return learners.load(small, {"weights": tiny_clip}, "float32", "scoring")

    return learner


def lesson(number, opinion, **details):
    return Lesson(
        path=Path(f"{number}.png"),
        task="quality",
        media="image",
        set=0,
        opinion=float(opinion),
        deviation=float("nan"),
        level=0,
        probabilities=(1.0,),
        details=details,
    )


def picture(seed, brightness=0.5):
    """A picture of random blocks, as bright as it is told to be."""
    rng = np.random.default_rng(seed)
    blocks = brightness * 200 + rng.uniform(0, 55, (12, 12, 3))
    return np.kron(blocks, np.ones((8, 8, 1))).astype(np.uint8)


def still(pixels):
    return Frames("image", 96, 96, None, [Picture(pixels)])


def losses(learner, lessons):
    examples = [learner.encode(still(picture(number))) for number, _ in enumerate(lessons)]
    return learner.losses(examples, lessons, [])


@pytest.mark.parametrize("name", NAMES)
def test_what_is_prepared_to_learn_is_all_of_the_method_and_nothing_of_clip(make, name):
    learner = make(name)
    adapters.prepare(learner, Adapter(), Train(), seed=0)
    learning = {n for n, each in learner.network.named_parameters() if each.requires_grad}
    assert learning == set(learner.network.own())
    grouped = [each for group in adapters.groups(learner, Train()) for each in group["params"]]
    own = list(learner.network.own().values())
    assert len(grouped) == len(own)
    assert {id(each) for each in grouped} == {id(each) for each in own}


def test_following_the_released_code_keeps_what_it_never_taught(make):
    learner = make("mpiqe", follow="released")
    adapters.prepare(learner, Adapter(), Train(), seed=0)
    frozen = learner.network.own().keys() - learner.network.trainable().keys()
    assert frozen == {"deeper", "scenes.vectors", "distortions.vectors"}
    assert set(learner.parts()) == {"prompts", "heads"}


@pytest.mark.parametrize("name", NAMES)
def test_every_usual_loss_is_told_and_reaches_every_weight(make, name):
    learner = make(name)
    learner.network.train()
    torch.manual_seed(0)
    told = losses(
        learner,
        [
            lesson(0, 20.0, scene_class="animal, plant", distortion="blur", alignment="30"),
            lesson(1, 80.0, scene_class="", distortion="noise", alignment=70),
        ],
    )
    usual = learner.usual(soft=False)
    assert usual.keys() <= told.keys()
    assert all(float(told[name].detach()) > 0 for name in usual)
    sum(weight * told[name] for name, weight in usual.items()).backward()
    assert all(each.grad is not None for each in learner.network.own().values())
    assert all(each.grad is None for each in learner.network.clip.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_without_labels_only_opinions_are_learned(make, name):
    learner = make(name)
    told = losses(learner, [lesson(0, 20.0), lesson(1, 80.0)])
    known = {kind: float(told[kind].detach()) for kind in learner.usual(soft=False)}
    assert known.pop("quality") > 0
    assert all(value == 0 for value in known.values())


def test_words_are_those_of_liqe(make):
    from beholder.training.learners import _mpiqe

    assert _mpiqe.place(lesson(0, 1, distortion="blur"), "distortion", DISTORTIONS) == 3
    assert _mpiqe.place(lesson(0, 1, scene_class="plant, human"), "scene_class", SCENES) == 6
    assert _mpiqe.place(lesson(0, 1), "distortion", DISTORTIONS) == -1
    with pytest.raises(UsageError, match=r"0.png: unknown distortion 'bluur': did you mean 'blur'"):
        _mpiqe.place(lesson(0, 1, distortion="bluur"), "distortion", DISTORTIONS)


def test_an_alignment_that_is_no_number_is_refused(make):
    with pytest.raises(UsageError, match=r"0.png has the alignment 'good'; it is a number"):
        losses(make("clip-agiqa-fu"), [lesson(0, 1.0, alignment="good")])


def test_while_learning_windows_are_drawn_anew_by_the_seed_and_otherwise_those_of_scoring(make):
    from beholder.training.learners._over_clip import corners

    seen = make("mpiqe").encode(still(picture(0))).parts[0]
    torch.manual_seed(3)
    first, second = (corners(seen, 2, learning=True) for _ in range(2))
    torch.manual_seed(3)
    assert corners(seen, 2, learning=True) == first != second
    assert len(first) == 2
    assert corners(seen, 2, learning=False) == seen.windows


def test_weights_begin_by_their_own_seed(make):
    first, again, other = (make("mpiqe", start=start) for start in (1, 1, 2))
    assert torch.equal(first.network.prompts, again.network.prompts)
    assert not torch.equal(first.network.prompts, other.network.prompts)


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_that_was_taught_rates_as_the_learner_did_and_can_be_taught_further(
    make, name, tmp_path
):
    learner = make(name)
    learner.network.eval()
    learner.save(tmp_path, Kept(name="mine", licence="mine"))
    scorer = learner.scorer()
    (rating,) = scorer.judge([scorer.encode(still(picture(1)))], "quality")
    opened = rater(str(tmp_path))
    score = opened.score(picture(1))
    assert score.value == pytest.approx(rating.value, abs=1e-5)
    assert (score.model, opened.recipe.options["range"]) == ("mine", [0, 100])
    files = {"weights": tmp_path / "taught.safetensors", "base": opened.recipe.weights.base.path}
    further = learners.load(opened.recipe, files, "float32", "scoring")
    for one, other in zip(
        learner.network.own().values(), further.network.own().values(), strict=True
    ):
        assert torch.equal(one, other)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"range": None}, r"must know their range: --set learner.range=\[1,5\]"),
        ({"crops": 0}, "learner.crops is 0; it is a whole number from 1"),
        ({"start": "x"}, "learner.start is 'x'"),
    ],
)
def test_what_the_learner_is_told_must_be_right(make, options, told):
    with pytest.raises(UsageError, match=told):
        make("mpiqe", **options)


def test_an_opinion_outside_the_range_is_refused(make):
    with pytest.raises(
        UsageError, match=r"0.png has the opinion 120, which is not within 0 to 100"
    ):
        losses(make("mpiqe"), [lesson(0, 120.0)])


def test_a_method_that_learns_nothing_is_refused(tiny_clip):
    with pytest.raises(UsageError, match="clip-iqa-vit rates by clipiqa, which is not taught here"):
        learners.load(recipes.load("clip-iqa-vit"), {"weights": tiny_clip}, "float32", "scoring")


@pytest.mark.parametrize(("name", "rate"), [(NAMES[0], 3e-3), (NAMES[1], 1e-2), (NAMES[2], 1e-2)])
def test_a_planted_signal_is_learned(make, name, rate):
    learner = make(name, guided=False) if name == "clip-agiqa-fu" else make(name)
    wanted = np.linspace(0, 1, 16).tolist()
    shown = [learner.encode(still(picture(seed, each))) for seed, each in enumerate(wanted)]
    lessons = [lesson(seed, 100 * each) for seed, each in enumerate(wanted)]
    adapters.prepare(learner, Adapter(), Train(), seed=0)
    optimiser = torch.optim.Adam(learner.network.trainable().values(), lr=rate)
    rng = np.random.default_rng(0)
    torch.manual_seed(0)
    learner.network.train()
    for _ in range(STEPS):
        rows = rng.choice(len(wanted), 8, replace=False)
        told = learner.losses([shown[i] for i in rows], [lessons[i] for i in rows], [])
        optimiser.zero_grad()
        sum(weight * told[k] for k, weight in learner.usual(soft=False).items()).backward()
        optimiser.step()
    learner.network.eval()
    fresh = [learner.encode(still(picture(100 + i, each))) for i, each in enumerate(wanted)]
    values = [each.value for each in learner.scorer().judge(fresh, "quality")]
    assert spearmanr(values, wanted).statistic > 0.9
