"""`beholder models`: what can rate, for which tasks, under which licence, and what is here."""

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from beholder.recipes.recipe import Recipe


@click.command("models", short_help="List the models that can be asked.")
def command() -> int:
    """List the models: tasks, size to download, whether the weights are here, licence, what it is.

    A model that is not here is fetched when it is first used; where it cannot be, the error says
    which file to put where. Those that say "train it" have no weights: `beholder train --model
    NAME` makes some. Besides these, --model takes the folder of any mPLUG-Owl2 or image-text model
    of transformers.

    Through a pipe it is one line a model, with tabs and without a heading.
    """
    from beholder.recipes import recipe

    rows = [_row(name, recipe.load(name)) for name in recipe.names()]
    if sys.stdout.isatty():
        _show(rows)
    else:
        for row in rows:
            click.echo("\t".join(row))
    return 0


def _row(name: str, known: "Recipe") -> tuple[str, ...]:
    size, here = _size_and_place(known)
    place = "yes" if here else "train it" if known.weights and known.weights.teach else "no"
    return (name, ", ".join(known.tasks), size, place, known.licence, known.about)


def _show(rows: list[tuple[str, ...]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in ("model", "tasks", "download", "here", "licence", "about"):
        table.add_column(title, no_wrap=title in ("model", "download"))
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def _size_and_place(known: "Recipe") -> tuple[str, bool]:
    """Return the size to download, and whether the weights are here."""
    from beholder.backbones import weights

    if known.weights is None:
        return "-", True
    return f"{known.weights.total_bytes / 1e9:.1f} GB", weights.is_here(known.weights)
