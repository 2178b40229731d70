"""How tests call the command: in this process, standard output and errors as text."""

from dataclasses import dataclass

import pytest

from beholder.cli import main


@dataclass
class Done:
    code: int
    out: str
    err: str


@pytest.fixture
def beholder(capfd):
    """Run the command with arguments; gives exit code, standard output and standard error."""

    def call(*arguments: object) -> Done:
        code = main.run([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Done(code, out, err)

    return call
