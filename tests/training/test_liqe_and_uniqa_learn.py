"""LIQE and UniQA learn what was planted, move what they should, and come back as they were."""

import math

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter
from scipy import stats

from beholder.errors import UsageError
from beholder.media.reading import read
from beholder.media.sampling import FrameRule
from beholder.recipes import recipe as recipes

pytest.importorskip("beholder.training.learners.base", reason="training is merged later")

from beholder.training import adapters
from beholder.training.config import Adapter, Train
from beholder.training.learners import _liqe, _uniqa
from beholder.training.learners._liqe import Balance, classes
from beholder.training.learners.base import Kept
from beholder.training.lesson import Lesson

LIQE = """
format = 1
name = "tiny"
about = "x"
licence = "x"
backbone = "clip"
scorer = "liqe"
[options]
views = "even"
side = 64
count = 3
stride = 16
scenes = ["day", "night"]
distortions = ["blur", "none"]
crops = 1
period = 10
[levels]
good = 5.0
fair = 3.0
bad = 1.0
"""
UNIQA = """
format = 1
name = "tiny"
about = "x"
licence = "x"
backbone = "clip"
scorer = "uniqa"
[options]
views = "five"
side = 64
range = [0, 100]
"""


@pytest.fixture(scope="module")
def lessons(tmp_path_factory):
    """Noise by day and by night, blurred or not; the more blurred, the worse."""
    folder = tmp_path_factory.mktemp("planted")
    made = []
    for seed in range(40):
        random = np.random.default_rng(seed)
        harm = float(random.uniform())
        scene = "night" if seed % 2 else "day"
        pixels = random.integers(0, 256, (80, 96, 3), dtype=np.uint8)
        pixels = pixels // 4 if scene == "night" else pixels
        path = folder / f"{seed}.png"
        Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(3 * harm)).save(path)
        details = {"scene_class": scene, "distortion": "blur" if harm > 0.3 else "none"}
        opinion = 100 * (1 - harm)
        made.append(
            Lesson(path, "quality", "image", seed % 3, opinion, math.nan, 0, (), details=details)
        )
    return made


def follows(learner, lessons):
    """SRCC of the scores with the opinions."""
    learner.network.eval()
    scorer = learner.scorer()
    ratings = scorer.judge([opened(scorer, each) for each in lessons], "quality")
    values = [each.value for each in ratings]
    return stats.spearmanr(values, [each.opinion for each in lessons]).statistic, ratings


def opened(scorer, lesson):
    return scorer.encode(read(lesson.path, FrameRule.parse("1/s")))


def teach(learner, lessons, steps, rate):
    adapters.prepare(learner, Adapter(), Train(), 0)
    learning = [each for each in learner.network.parameters() if each.requires_grad]
    step = torch.optim.Adam(learning, lr=rate)
    examples = [learner.encode(read(each.path, FrameRule.parse("1/s"))) for each in lessons]
    learner.network.train()
    torch.manual_seed(0)
    random = np.random.default_rng(0)
    for _ in range(steps):
        rows = random.permutation(len(lessons))[:12]
        found = learner.losses([examples[r] for r in rows], [lessons[r] for r in rows], [])
        step.zero_grad()
        sum(found.values()).backward()
        step.step()
    return learner


@pytest.fixture(scope="module")
def liqe(lessons, tiny_clip):
    made = _liqe.load(recipes.parse(LIQE, "x"), {"weights": tiny_clip}, "float32")
    before = {name: each.detach().clone() for name, each in made.network.named_parameters()}
    return teach(made, lessons[:28], 40, 3e-4), before


def test_liqe_learns_quality_and_scene_of_pictures_it_has_not_seen(liqe, lessons):
    srcc, ratings = follows(liqe[0], lessons[28:])
    assert srcc > 0.4
    pairs = zip(ratings, lessons[28:], strict=True)
    assert sum(a.details["scene"] == b.details["scene_class"] for a, b in pairs) >= 10


def test_both_towers_of_liqe_learn_and_the_scale_of_the_logits_stays(liqe):
    learner, before = liqe
    same = [
        name for name, each in learner.network.named_parameters() if torch.equal(each, before[name])
    ]
    assert same == ["clip.logit_scale"]


def test_liqe_comes_back_from_its_folder_as_it_was(liqe, lessons, tmp_path, tiny_clip):
    learner, _ = liqe
    learner.save(tmp_path, Kept("mine"))
    _, here = follows(learner, lessons[28:])
    again = _liqe.load(recipes.parse(LIQE, "x"), {"weights": tmp_path}, "float32")
    _, there = follows(again, lessons[28:])
    assert [each.value for each in there] == [each.value for each in here]
    assert (tmp_path / "recipe.toml").is_file()


def test_losses_are_weighed_anew_after_each_period_and_runs_can_go_on():
    balance = Balance(["fidelity", "scene"], period=2).train()
    given = [{"fidelity": 1.0, "scene": 1.0}] * 2 + [{"fidelity": 1.0, "scene": 0.2}] * 3
    weights = []
    for each in given:
        found = balance.weigh({name: torch.tensor(value) for name, value in each.items()})
        weights.append(float(found["fidelity"]) / each["fidelity"])
    assert weights[:4] == [1, 1, 1, 1]
    high, low = math.exp(0.5), math.exp(0.1)
    assert weights[4] == pytest.approx(2 * high / (high + low))
    other = Balance(["fidelity", "scene"], period=2).train()
    other.load_state_dict(balance.state_dict())
    told = {"fidelity": torch.tensor(1.0), "scene": torch.tensor(1.0)}
    assert other.weigh(told) == balance.weigh(told)


def test_a_picture_without_classes_teaches_quality_alone(liqe, lessons):
    learner, _ = liqe
    learner.network.eval()
    bare = [Lesson(e.path, e.task, e.media, 0, e.opinion, math.nan, 0, ()) for e in lessons[:3]]
    examples = [learner.encode(read(each.path, FrameRule.parse("1/s"))) for each in bare]
    found = learner.losses(examples, bare, [])
    assert found["fidelity"] > 0
    assert found["scene"] == found["distortion"] == 0


def test_a_class_that_nobody_knows_is_refused_with_the_nearest(lessons):
    odd = Lesson(
        lessons[0].path, "quality", "image", 0, 1.0, 0.0, 0, (), details={"c": "day, nigt"}
    )
    with pytest.raises(UsageError, match="did you mean 'night'"):
        classes(odd, "c", ("day", "night"))


def test_uniqas_head_learns_and_the_clip_below_it_stays(lessons, tiny_clip):
    learner = _uniqa.load(recipes.parse(UNIQA, "x"), {"weights": tiny_clip}, "float32")
    before = {name: each.clone() for name, each in learner.clip.network.named_parameters()}
    untaught, _ = follows(learner, lessons[28:])
    teach(learner, lessons[:28], 80, 3e-2)
    taught, _ = follows(learner, lessons[28:])
    assert taught > max(0.4, untaught + 0.3)
    assert all(torch.equal(before[n], e) for n, e in learner.clip.network.named_parameters())
