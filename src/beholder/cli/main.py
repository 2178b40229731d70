"""The command `beholder`. A command is a file in this folder, imported when it is asked for."""

import io
import os
import sys
from typing import Any

import click

from beholder import _names
from beholder.errors import BeholderError, TableError

FAILED = 1
MISUSE = 2
INTERRUPTED = 130
PIPE_CLOSED = 141


class Commands(click.Group):
    """Finds commands by file name, so that help for one loads nothing of the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the files in this folder."""
        return [name for name in _names.names("cli") if name != "main"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in self.list_commands(ctx):
            raise click.UsageError(_names.unknown("command", cmd_name, self.list_commands(ctx)))
        command: click.Command = _names.find("cli", cmd_name).command
        return command


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(message="%(prog)s %(version)s", package_name="beholder", prog_name="beholder")
def beholder() -> None:
    """Score pictures and videos the way people rate them."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command and exit with its code."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run the command: 0 all well, 1 some inputs failed, 2 misuse, 130 interrupted."""
    _mend_streams()
    try:
        result: Any = beholder.main(arguments, standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except TableError as error:
        click.echo(f"Error: {error}", err=True)
        return FAILED
    except BeholderError as error:
        click.echo(f"Error: {error}", err=True)
        return MISUSE
    return int(result or 0)


def _mend_streams() -> None:
    """Make closed standard streams lead nowhere, and let none fail over a letter."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
