"""The README and the docs are true: commands, examples, links."""

import re
import shlex
from pathlib import Path

import pytest

import beholder
from beholder import _names
from beholder.cli.score import command
from beholder.tables.columns import COLUMNS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted(ROOT.glob("docs/*.md"))


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def test_the_first_two_bash_blocks_are_the_two_set_up_commands():
    first, second = blocks("bash")[:2]
    assert first.count("\n") == second.count("\n") == 1
    assert "pip install -c constraints.txt ." in first
    assert "beholder score examples" in first
    assert "pip install -c constraints.txt -e '.[dev]'" in second
    assert second.rstrip().endswith("-m pytest")


def test_options_that_the_readme_and_the_docs_use_exist():
    known = {name for option in command.params for name in option.opts}
    used = set()
    for text in [README, *(page.read_text(encoding="utf-8") for page in PAGES)]:
        for line in re.findall(r"beholder score (.*)", text):
            used |= set(re.findall(r"--[a-z-]+", line.split("|")[0].split("`")[0]))
    assert used
    assert used <= known


def test_what_the_first_command_writes_is_ignored_by_git():
    words = shlex.split(blocks("bash")[0])
    ignored = (ROOT / ".gitignore").read_text().split()
    for option in ("--out", "--report"):
        assert f"/{Path(words[words.index(option) + 1]).parts[0]}/" in ignored


def test_the_python_example_of_the_readme_prints_what_it_says(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    (code,) = blocks("python")
    exec(compile(code, "README.md", "exec"), {})
    said = re.findall(r"print\(.*\) +# (.*)", code)
    printed = capsys.readouterr().out.splitlines()
    assert len(said) == len(printed) == 2
    assert printed[0] == said[0]
    numbers = re.findall(r"'\w+': 0\.\d\d", said[1])
    assert numbers
    for shown in numbers:
        word, value = re.fullmatch(r"'(\w+)': (0\.\d\d)", shown).groups()
        real = float(re.search(rf"'{word}': ([\d.e-]+)", printed[1])[1])
        assert abs(real - float(value)) <= 0.01


def test_every_column_of_a_score_table_is_explained():
    text = (ROOT / "docs" / "tables.md").read_text(encoding="utf-8")
    for column in COLUMNS:
        assert f"`{column}`" in text or column in ("p_good", "p_fair", "p_poor")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_every_page_is_in_the_site():
    navigation = (ROOT / "mkdocs.yml").read_text()
    for page in PAGES:
        assert f": {page.name}" in navigation


def test_the_public_names_are_told():
    assert {"load", "Score", "MediaError"} <= set(beholder.__all__)
    assert "score" in _names.names("cli")


def test_no_file_names_a_path_of_somebodys_machine():
    private = re.compile(r"/(work|home|root|Users)/\w")
    for path in [
        *ROOT.glob("src/**/*.py"),
        *PAGES,
        *ROOT.glob("scripts/**/*.py"),
        ROOT / "README.md",
    ]:
        assert not private.search(path.read_text(encoding="utf-8")), path
