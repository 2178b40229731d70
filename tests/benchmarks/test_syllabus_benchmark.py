"""The benchmark of the syllabus changes the form of the label, nothing else, and reads it back."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "syllabus.py"
VERSIONS = 7


@pytest.fixture(scope="module")
def bench():
    """The script as a module; its name is also that of a package that it imports."""
    spec = importlib.util.spec_from_file_location("syllabus_benchmark", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    before = list(sys.path)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    sys.path[:] = before
    return module


@pytest.fixture(scope="module")
def planted(bench):
    """Splits in which the statistics of a cell rise with the opinion, under noise."""
    return {name: split(bench, 24, seed) for seed, name in enumerate(("train", *bench.SPLITS))}


def split(bench, contents, seed):
    rng = np.random.default_rng(seed)
    count = contents * VERSIONS
    opinion = rng.uniform(1, 5, count)
    known = bench.build.Labels(
        opinion,
        np.full(count, 0.5),
        np.array([bench.build.labels.soft_label(m, 0.5) for m in opinion], np.float32),
        opinion,
        opinion,
    )
    lean = np.random.default_rng(99).normal(size=bench.stem.CELL)

    def cells(windows):
        noise = rng.normal(size=(count, windows * 4, len(lean)))
        return torch.tensor(noise + 0.4 * opinion[:, None, None] * lean, dtype=torch.float16)

    whole = torch.tensor(rng.normal(size=(2, count, bench.stem.OVERALL)), dtype=torch.float32)
    told = (torch.tensor(x).float() for x in (known.soft, opinion, known.deviation))
    done = (torch.ones(count, dtype=torch.long), torch.full((count,), 0.5))
    lesson = bench.Lesson(cells(4), whole[0], cells(2), whole[1], *told, *done)
    rows = [
        bench.dataset.Row(k // VERSIONS, f"{k // VERSIONS // 2}.jpg", 1.0, "blur", "blur", 0.5,
                          *(0.0,) * 5)
        for k in range(count)
    ]  # fmt: skip
    return bench.build.Split(rows, lesson, known)


@pytest.fixture
def told(bench):
    opinion = torch.tensor([1.0, 1.79, 1.81, 3.349, 4.96, 5.0])
    return bench.Told(opinion, torch.full((6, 5), 0.2))


@pytest.fixture
def rater(bench):
    torch.manual_seed(3)
    return bench.Rater(24).eval()


def test_a_number_is_said_in_tenths(bench, told):
    say = bench.SAY
    words = bench.Number().answer(told)
    first = int(bench.DIGITS[0])
    assert words[:, 1].tolist() == say.closing[:1].tolist() * 6
    digits = (words[:, [0, 2]] - first).tolist()
    assert digits == [[1, 0], [1, 8], [1, 8], [3, 3], [5, 0], [5, 0]]


def test_a_hard_level_is_that_of_equal_bins_best_first(bench, told):
    shares = bench.Levels(soft=False).shares(told)
    assert shares.argmax(1).tolist() == [4, 4, 3, 2, 0, 0]
    assert shares.sum(1).tolist() == [1.0] * 6
    answer = bench.Levels(soft=False).answer(told)
    levels = bench.SAY.levels.tolist()
    assert [levels.index(word) for word in answer[:, 0].tolist()] == [4, 4, 3, 2, 0, 0]


def test_the_two_errors_of_a_head_are_those_of_torch(bench, told, rater):
    states = torch.randn(6, 1, 24)
    said = rater.score(states[:, 0])
    losses = [bench.Score(power).loss(rater, states, told) for power in (2, 1)]
    torch.testing.assert_close(losses[0], torch.nn.functional.mse_loss(said, told.opinion))
    torch.testing.assert_close(losses[1], torch.nn.functional.l1_loss(said, told.opinion))


def test_reading_a_number_equals_weighing_all_fifty_numbers(bench, planted, rater):
    lesson, say = planted["test"].lesson, bench.SAY
    bench.training.normalise(rater.network, lesson)
    with torch.no_grad():
        rater.network.words.weight.mul_(20)
        rater.network.abstractor.project.weight.mul_(20)
    rows, network = torch.arange(len(lesson.opinion)), rater.network
    logs = torch.empty(len(rows), 50)
    with torch.inference_mode():
        question = say.questions[bench.QUESTION].expand(len(rows), -1)
        seen = network.see(lesson.sights(rows))
        for tenths in range(10, 60):
            told = bench.Told(torch.full((len(rows),), tenths / 10), None)
            answer = bench.Number().answer(told)
            spoken = torch.cat([say.opening.expand(len(rows), -1), answer], 1)
            whole = torch.cat([network.words(question), seen, network.words(spoken[:, :-1])], 1)
            states = network.read(whole)[0]
            first = network.say(states[:, -3], bench.DIGITS[1:6]).log_softmax(1)
            second = network.say(states[:, -1], bench.DIGITS).log_softmax(1)
            logs[:, tenths - 10] = first[:, tenths // 10 - 1] + second[:, tenths % 10]
    found = bench.read(bench.Number(), rater, lesson)
    shares = logs.exp()
    assert shares.sum(1).sub(1).abs().max() < 1e-4
    assert len(set(found[:, 0])) > 1
    np.testing.assert_allclose(found[:, 1], shares @ (torch.arange(10.0, 60) / 10), atol=1e-4)
    first = shares.view(-1, 5, 10).sum(2).argmax(1)
    second = shares.view(-1, 5, 10)[torch.arange(len(rows)), first].argmax(1)
    np.testing.assert_allclose(found[:, 0], first + 1 + second / 10, atol=1e-5)


def test_all_arms_see_the_same_and_begin_with_the_same_weights(bench, planted, monkeypatch):
    lesson, course = planted["train"].lesson, bench.Course(8, seed=5)
    seen = {}
    for arm, form in bench.FORMS.items():
        torch.manual_seed(course.seed)
        rater = bench.Rater(24)
        see = rater.network.see
        monkeypatch.setattr(
            rater.network, "see", lambda sights, arm=arm, see=see: keep(seen, arm, see(sights))
        )
        for step in range(3):
            assert bench.step_loss(form, rater, lesson, course, step).isfinite()
    for arm in bench.FORMS:
        assert len(seen[arm]) == 3
        assert all(map(torch.equal, seen[arm], seen["levels"]))
    assert not torch.equal(seen["levels"][0], seen["levels"][1])


def keep(seen, arm, tokens):
    seen.setdefault(arm, []).append(tokens.detach())
    return tokens


def test_a_level_that_is_certain_costs_the_same_hard_and_soft(bench, planted, rater):
    lesson, course = planted["train"].lesson, bench.Course(8)
    hard = bench.Levels(soft=False).shares(bench.Told(lesson.opinion, lesson.soft))
    certain = bench.replace(lesson, soft=hard)
    forms = [bench.Levels(soft=soft) for soft in (False, True)]
    losses = [bench.step_loss(form, rater, certain, course, 0) for form in forms]
    assert torch.equal(*losses)
    spread = bench.step_loss(forms[1], rater, lesson, course, 0)
    assert not torch.equal(losses[0], spread)


def test_windows_that_are_kept_are_whole_and_spread_out(bench, planted):
    lesson = planted["train"].lesson
    thin = bench.thinned(lesson, 2)
    assert torch.equal(thin.cells, lesson.cells[:, [0, 1, 2, 3, 12, 13, 14, 15]])
    assert thin.half.shape[1] == 4
    assert torch.equal(bench.thinned(lesson, 99).half, lesson.half)


@pytest.fixture
def command(bench, planted, tmp_path, monkeypatch, capsys):
    """Run the command on the planted splits; return the lines that it prints."""

    def run(*words, splits=planted):
        monkeypatch.setattr(bench.build, "read", lambda *_: dict(splits))
        usual = ["--out", str(tmp_path), "--seeds", "1", "--steps", "40", "--width", "24"]
        monkeypatch.setattr(sys, "argv", ["syllabus.py", *usual, *words])
        bench.main()
        return capsys.readouterr().out.splitlines()

    return run


def test_every_arm_learns_a_planted_signal_and_is_not_trained_twice(bench, command, monkeypatch):
    lines = command("--rate", "5e-3")
    rows = [line.split("|") for line in lines if line.startswith("| ")]
    assert len(rows) == 1 + 6 + 1 + 5
    for row in rows[1:7]:
        assert float(row[2].split()[0]) > 0.8, row
    monkeypatch.setattr(bench, "train", None)
    assert command("--rate", "5e-3") == [line for line in lines if not line.endswith(": done")]


def test_results_of_other_data_are_refused_by_name(bench, planted, command):
    command("--steps", "2", "--only", "score")
    other = {**planted, "foreign": split(bench, 24, 77)}
    with pytest.raises(SystemExit, match=r"levels-seed0.json was measured on other data"):
        command("--steps", "2", "--only", "score", splits=other)


def test_a_difference_is_paired_by_seed_and_by_resample(bench, planted):
    test = planted["test"]
    rng = np.random.default_rng(0)
    first = [test.labels.opinion + rng.normal(size=len(test.rows)) for _ in range(2)]
    worse = [each + 0.3 * rng.normal(size=len(test.rows)) for each in first]
    a, b = (bench.Found.of("srcc", each, test, "content") for each in (first, worse))
    assert a.minus(a).text("+.3f") == "+0.000 [+0.000, +0.000] (+0.000 to +0.000)"
    apart = b.minus(a)
    assert np.ptp(np.percentile(apart.drawn, [5, 95])) < np.ptp(np.percentile(a.drawn, [5, 95]))
    assert apart.values.tolist() == (b.values - a.values).tolist()
    by_source = bench.Found.of("srcc", first, test, "source")
    assert by_source.values.tolist() == a.values.tolist()
    assert not np.array_equal(by_source.drawn, a.drawn)
