"""What a run is told: files, `--set`, and what is refused."""

import json
import re
from pathlib import Path

import pytest

from beholder.errors import UsageError
from beholder.recipes import recipe as recipes
from beholder.training import settings
from beholder.training.config import Config, Data

OVER_CLIP = ("clip-agiqa-fu", "clip-agiqa-tang", "liqe", "mpiqe", "uniqa")
LEAST = {"model": "iris", "data": [{"table": "mos.csv"}]}


def told_so(place, value):
    values = json.loads(json.dumps(LEAST)) | {"train": {"rate": 1e-5}}
    settings.put(values, place, value)
    return settings.build(values)


def test_least_that_is_told_is_a_model_and_a_table():
    made = settings.build(LEAST)
    assert made == Config("iris", (Data("mos.csv"),))


def test_yaml_and_toml_say_the_same(tmp_path):
    yaml, toml = tmp_path / "a.yaml", tmp_path / "a.toml"
    yaml.write_text(
        "format: 1\nmodel: iris\ndata:\n  - {table: mos.csv, range: [0, 100]}\n"
        "train: {rate: 2e-5, freeze: [vision]}\n"
    )
    toml.write_text(
        'model = "iris"\n[[data]]\ntable = "mos.csv"\nrange = [0, 100]\n'
        '[train]\nrate = 2e-5\nfreeze = ["vision"]\n'
    )
    first, second = (settings.build(settings.read(str(path))) for path in (yaml, toml))
    assert first == second
    assert first.train.rate == 2e-5


def test_set_reaches_every_depth_and_sets_by_name_or_number():
    values = {"model": "iris", "data": [{"table": "koniq.json"}, {"table": "x.csv", "name": "my"}]}
    settings.put(values, "train.rates.vision", 1e-6)
    settings.put(values, "data.koniq.weight", 2)
    settings.put(values, "data.1.weight", 0.5)
    made = settings.build(values)
    assert made.train.rates == {"vision": 1e-6}
    assert [each.weight for each in made.data] == [2.0, 0.5]


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        ("train.bach", 3, "did you mean 'batch'"),
        ("trian", {}, "did you mean 'train'"),
        ("data.0.lables", "soft", "did you mean 'labels'"),
        ("data.0.labels", "sfot", "did you mean 'soft'"),
        ("data.other.weight", 1, "unknown data set 'other'"),
        ("train.epochs", "many", "train.epochs is 'many'; it is a number"),
        ("train.epochs", 0, "train.epochs is 0"),
        ("train.epochs", float("nan"), "it is a number"),
        ("train.batch", 1.5, "it is a whole number"),
        ("train.batch", True, "it is a whole number"),
        ("train.checkpointing", "yes", "it is true or false"),
        ("train.options", 3, "a table of names and values"),
        ("split.test", 1.0, "from 0 to 0.9"),
        ("data.0.range", [1, 2, 3], "it is 2 values"),
        ("train.rate.vision", 1, "has no parts"),
        ("model", "", "no model is named"),
        ("data", [], "no data are named"),
        ("data", [{"table": "a.csv"}, {"table": "b/a.csv"}], "two data sets are called 'a'"),
        ("data", [{"root": "x"}], "data.0 lacks table"),
    ],
)
def test_what_cannot_be_right_is_refused_by_place_and_value(place, value, told):
    with pytest.raises(UsageError, match=re.escape(told)):
        told_so(place, value)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.yaml", "model: [", "is no YAML"),
        ("a.toml", "model = ", "is no TOML"),
        ("a.yaml", "iris", "holds no settings"),
        ("a.yaml", "format: 2\nmodel: iris", "has format 2"),
        ("a.json", "{}", "must end in .yaml or .toml"),
    ],
)
def test_files_that_are_no_config_are_refused(tmp_path, name, text, told):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(UsageError, match=told):
        settings.read(str(path))


def test_a_file_or_mixture_that_is_not_there_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        settings.read("nowhere.yaml")
    with pytest.raises(UsageError, match="did you mean 'one-align'"):
        settings.read("one-algin")


@pytest.mark.parametrize("name", OVER_CLIP)
def test_every_mixture_of_a_method_over_clip_is_a_config_that_teaches_it(name):
    made = settings.build({"data": [{"table": "mine.csv"}], **settings.read(name)})
    assert made.model == name
    assert name in recipes.names()


@pytest.mark.parametrize("name", sorted({*settings.mixtures()} - {*OVER_CLIP}))
def test_every_mixture_of_a_chat_model_is_a_config(name):
    values = {"model": "one-align", "data": [{"table": "mine.csv"}], **settings.read(name)}
    made = settings.build(values)
    if not name.startswith(("one-align", "q-align", "deqa")):
        return
    assert made.train.rate in (2e-5, 2e-4)
    assert made.train.warmup == 0.03
    assert made.prompts.form == "training"


def test_one_align_is_all_five_sets_for_two_epochs_of_thirty_two():
    made = settings.build(settings.read("one-align") | {"model": "x"})
    assert [each.card for each in made.data] == ["koniq", "spaq", "kadid", "ava", "lsvq"]
    assert {each.weight for each in made.data} == {1.0}
    assert (made.train.epochs, made.train.batch, made.train.rate) == (2.0, 32, 2e-5)


def test_deqa_teaches_soft_labels_with_the_density_of_each_set():
    made = settings.build(settings.read("deqa-score") | {"model": "x"})
    assert [(each.labels, each.density) for each in made.data] == [
        ("soft", "pdf"),
        ("soft", "cdf"),
        ("soft", "pdf"),
    ]
    assert made.losses == {"fidelity": 1.0, "level_kl": 0.1, "wording": 0.1}


def test_differences_leave_out_what_no_weight_depends_on():
    before = settings.plain(settings.build(LEAST))
    values = {"model": "iris", "data": [{"table": "elsewhere/mos.csv", "root": "there"}]}
    for place, value in {"train.workers": 3, "keep.log": 1, "licence": "MIT", "ignore": "spread",
                         "keep.report_to": ["wandb"]}.items():  # fmt: skip
        settings.put(values, place, value)
    assert settings.differences(before, settings.plain(settings.build(values))) == []
    settings.put(values, "train.epochs", 4)
    settings.put(values, "losses.fidelity", 1)
    assert settings.differences(before, settings.plain(settings.build(values))) == [
        "train.epochs was 3.0 and is 4.0",
        "losses.fidelity was not there and is 1.0",
    ]


def test_the_config_of_the_docs_is_one(tmp_path):
    page = Path(__file__).parents[2] / "docs" / "train.md"
    (text,) = re.findall(r"^```yaml\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)
    path = tmp_path / "train.yaml"
    path.write_text(text)
    made = settings.build(settings.read(str(path)))
    assert [settings.called(vars(each)) for each in made.data] == ["mos", "koniq"]


def test_every_mixture_is_in_the_docs():
    page = (Path(__file__).parents[2] / "docs" / "train.md").read_text()
    assert {name for name in settings.mixtures() if f"`{name}`" not in page} == set()
