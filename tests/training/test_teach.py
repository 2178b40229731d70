"""What a run is told reaches the loop: rows, rates, validation, the best step, and going on."""

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

pytest.importorskip("accelerate", reason="needs pip install 'beholder[train]'")

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from planted import lessons  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

from beholder.errors import UsageError  # noqa: E402
from beholder.training import batches, judging, opening, teach  # noqa: E402
from beholder.training.config import Config, Data, Keep, Train  # noqa: E402
from beholder.training.lecture import Lecture  # noqa: E402
from beholder.training.questions import Questions  # noqa: E402

TINY = HERE.parent / "fixtures" / "owl2" / "tiny_mha"
CONFIG = Config(
    str(TINY),
    (Data("planted"),),
    seed=3,
    train=Train(batch=2, steps=6, workers=0, device="cpu", rate=1e-3, cache="off"),
    keep=Keep(steps=2, log=1, checkpoints=1),
)
SHOWN, APART = range(6), range(900, 904)


class KilledError(Exception):
    pass


class Run:
    """One call of `fit`, and what was seen of it."""

    def __init__(self, tmp_path, config=CONFIG):
        self.config = config
        self.folder = tmp_path / "run"
        self.pictures = tmp_path / "pictures"
        self.learner = opening.load(config, ("quality",))
        self.asked, self.batches = [], []
        plain = self.learner.losses

        def losses(examples, shown, prompts):
            self.batches.append([each.name or each.path.name for each in shown])
            return plain(examples, shown, prompts)

        self.learner.losses = losses

    def fit(self, tell=lambda _: None, train=None):
        ask = Questions(self.learner.recipe, self.config.seed)

        def asked(lesson, epoch, row):
            self.asked.append((lesson.path.name, epoch, row))
            return ask(lesson, epoch, row)

        return teach.fit(
            self.learner,
            lessons(self.pictures, SHOWN) if train is None else train,
            lessons(self.pictures, APART),
            self.config,
            self.folder,
            asked,
            tell,
        )

    @property
    def weights(self):
        return {n: w.clone() for n, w in self.learner.network.state_dict().items()}


def names(rows):
    return [f"blur-{row}.png" for row in rows]


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def killed(line):
    if line.get("step") == 5 and "steps" in line:
        raise KilledError


def test_every_epoch_has_its_own_rows_and_a_run_that_goes_on_has_those_that_were_due(tmp_path):
    whole = Run(tmp_path / "whole")
    taught = whole.fit()
    shown = lessons(whole.pictures, SHOWN)
    due = batches.Order(shown, [1.0], seed=3, batch=2)
    assert whole.batches == [
        names(due.rows(epoch)[at : at + 2]) for epoch in (0, 1) for at in (0, 2, 4)
    ]
    assert due.rows(0) != due.rows(1)
    learned = [each for each in whole.asked if each[0] in names(SHOWN)]
    assert learned == [(names([r])[0], epoch, r) for epoch in (0, 1) for r in due.rows(epoch)]
    with pytest.raises(KilledError):
        Run(tmp_path / "killed").fit(killed)
    later = Run(tmp_path / "killed")
    again = later.fit()
    assert later.batches == whole.batches[4:]
    assert (again.steps, again.best) == (taught.steps, taught.best)
    assert same(later.weights, whole.weights)
    rates = [[x["rate"] for x in each.history if "rate" in x] for each in (taught, again)]
    assert rates[0] == rates[1]


@pytest.mark.parametrize(("measure", "best"), [("srcc", 2), ("plcc", 4), ("loss", 6)])
def test_the_best_step_is_that_of_the_measure_on_the_validation_part_and_is_what_comes_out(
    tmp_path, monkeypatch, measure, best
):
    config = replace(CONFIG, keep=replace(CONFIG.keep, measure=measure))
    run, seen, dropping = Run(tmp_path, config), [], []
    planned = iter([(0.9, 0.1), (0.2, 0.8), (0.4, 0.3)])

    def follows(shown, scores, seed):
        assert seed == CONFIG.seed
        seen.append([each.path.name for each in shown])
        assert len(scores) == len(shown)
        return dict(zip(("srcc", "plcc"), next(planned), strict=True))

    def values(*given):
        dropping.append(run.learner.network.training)
        return plain(*given)

    plain = judging.values
    monkeypatch.setattr(judging, "values", values)
    monkeypatch.setattr(judging, "follows", follows)
    taught = run.fit()
    assert taught.best == best
    assert seen == [names(APART)] * 3
    assert dropping == [False] * 3
    kept = load_file(run.folder / "checkpoints" / f"checkpoint-{best}" / "model.safetensors")
    now = Lecture(run.learner, {}).state_dict()
    assert same(kept, now)
    last = run.folder / "checkpoints" / "checkpoint-6" / "model.safetensors"
    assert same(load_file(last), now) == (best == 6)


def test_the_log_has_means_of_losses_and_the_loss_of_validation_is_a_mean_over_lessons(tmp_path):
    keep = replace(CONFIG.keep, measure="loss", log=2)
    config = replace(CONFIG, keep=keep, train=replace(CONFIG.train, steps=2, batch=3, accumulate=2))
    run = Run(tmp_path, replace(config, losses={"next_token": 2.0, "in_level": 0.5}))
    taught = run.fit()
    (line,) = [each for each in taught.history if "loss" in each]
    parts = 2.0 * line["loss/next_token"] + 0.5 * line["loss/in_level"]
    assert line["loss"] == pytest.approx(parts, rel=1e-3)
    (told,) = [each["validation_loss"] for each in taught.history if "validation_loss" in each]
    one_by_one, ask = [], Questions(run.learner.recipe, run.config.seed)
    for each in lessons(run.pictures, APART):
        opener = batches.Opener(run.learner.encode, teach.FrameRule.parse("1"), ask)
        lecture = Lecture(run.learner, run.config.losses).eval()
        with torch.no_grad():
            one_by_one.append(float(lecture(samples=[opener.open(each, 0, 0)])["loss"]))
    assert told == pytest.approx(sum(one_by_one) / len(one_by_one), rel=0.05)


@pytest.fixture
def prepared(tmp_path, monkeypatch):
    """What would be run, of a config that differs."""
    found = []

    def kept(teacher, plan):
        found.append(teacher)
        return teach.Taught((), 0, 0, done=True)

    monkeypatch.setattr(teach, "_run", kept)

    def prepare(train=None, keep=None, **rest):
        told = replace(
            CONFIG,
            train=replace(CONFIG.train, **(train or {})),
            keep=replace(CONFIG.keep, **(keep or {})),
            **rest,
        )
        run = Run(tmp_path, told)
        run.fit()
        return found[-1]

    return prepare


@pytest.mark.parametrize(
    ("train", "keep", "name", "value"),
    [
        ({"accumulate": 4}, {}, "gradient_accumulation_steps", 4),
        ({"batch": 5}, {}, "per_device_train_batch_size", 5),
        ({"epochs": 2.5, "steps": None}, {}, "num_train_epochs", 2.5),
        ({"steps": 9}, {}, "max_steps", 9),
        ({"clip": 0.3}, {}, "max_grad_norm", 0.3),
        ({"warmup": 0.2}, {}, "warmup_steps", 0.2),
        ({"schedule": "linear"}, {}, "lr_scheduler_type", "linear"),
        ({"dtype": "bfloat16"}, {}, "bf16", True),
        ({}, {}, "bf16", False),
        ({}, {}, "seed", 3),
        ({"workers": 1}, {}, "dataloader_num_workers", 1),
        ({"options": {"adam_beta2": 0.95}}, {}, "adam_beta2", 0.95),
        ({}, {"steps": 4}, "save_steps", 4),
        ({"steps": None}, {"steps": None, "every": 2.0}, "eval_steps", 6),
        ({}, {"log": 7}, "logging_steps", 7),
    ],
)
def test_a_setting_reaches_the_loop(prepared, train, keep, name, value):
    assert getattr(prepared(train, keep).args, name) == value


def test_the_optimiser_has_the_rates_of_the_parts(prepared):
    teacher = prepared({"rates": {"vision": 7e-6}, "freeze": ("abstractor",), "decay": 0.1})
    groups = teacher.create_optimizer().param_groups
    assert {(each["lr"], each["weight_decay"]) for each in groups} == {
        (rate, decay) for rate in (7e-6, 1e-3) for decay in (0.0, 0.1)
    }


def test_weights_of_sets_and_pairs_reach_the_order(prepared):
    order = prepared(data=(Data("planted", weight=2.0),)).plan.order
    assert (list(order.weights), order.seed, order.in_pairs) == ([2.0], 3, False)
    assert prepared(losses={"fidelity": 1.0}).plan.order.in_pairs
    assert not prepared(losses={"fidelity": 0.0, "next_token": 1.0}).plan.order.in_pairs


def test_other_lessons_are_another_run(tmp_path):
    run = Run(tmp_path, replace(CONFIG, train=replace(CONFIG.train, steps=2)))
    run.fit()
    shown = lessons(run.pictures, SHOWN)
    with pytest.raises(UsageError, match="holds checkpoints of another run: lessons was"):
        Run(tmp_path, run.config).fit(train=[replace(shown[0], opinion=1.5), *shown[1:]])


def test_a_folder_with_other_weights_in_it_is_another_run(tmp_path):
    model = tmp_path / "model"
    shutil.copytree(TINY, model)
    config = replace(CONFIG, model=str(model), train=replace(CONFIG.train, steps=2))
    Run(tmp_path, config).fit()
    assert Run(tmp_path, config).fit().done
    for path in model.glob("*.safetensors"):
        tensors = load_file(path)
        save_file({name: each + 0.5 for name, each in tensors.items()}, path, {"format": "pt"})
    with pytest.raises(UsageError, match="another run: digest of the weights was"):
        Run(tmp_path, config).fit()


@pytest.mark.parametrize("model", [str(TINY), "iris"])
def test_the_level_of_a_lesson_is_the_word_that_is_learned(tmp_path, model):
    learner = opening.load(replace(CONFIG, model=model), ("quality",))
    said = []
    plain = learner.say
    learner.say = lambda turns: (said.extend(found := plain(turns)), found)[1]
    shown = lessons(tmp_path, range(6))
    opener = batches.Opener(
        learner.encode, teach.FrameRule.parse("1"), Questions(learner.recipe, 0)
    )
    samples = [opener.open(each, 0, row) for row, each in enumerate(shown)]
    Lecture(learner, {"next_token": 1.0})(samples=samples)
    words = [int(each.labels[each.level]) for each in said]
    assert words == [int(learner.levels()[each.level]) for each in shown]
    assert len(set(words)) > 2
