"""The public face: names, and what importing costs."""

import subprocess
import sys

import pytest

import beholder

HEAVY = ("torch", "numpy", "PIL", "av", "rich", "jinja2")


def loaded_by(code: str) -> set[str]:
    """Names of heavy modules that are loaded in a fresh interpreter after the code."""
    tell = f"import sys; print(*[m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{tell}"], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split("\n")[-2].split())


def test_importing_beholder_loads_nothing_heavy():
    assert loaded_by("import beholder") == set()


@pytest.mark.parametrize("arguments", [["--help"], ["score", "--help"], ["--version"], []])
def test_help_is_instant_because_it_loads_nothing_heavy(arguments):
    code = f"from beholder.cli.main import main\ntry: main({arguments})\nexcept SystemExit: pass"
    assert loaded_by(code) == set()


def test_every_public_name_is_there_and_there_are_few():
    assert len(beholder.__all__) <= 15
    for name in beholder.__all__:
        assert getattr(beholder, name)
    assert set(beholder.__all__) <= set(dir(beholder))


def test_a_name_that_is_not_public_is_refused_by_name():
    with pytest.raises(AttributeError, match="'laod'"):
        beholder.laod  # noqa: B018
