"""`beholder models`: what can rate, for which tasks, under which licence."""

import click


@click.command("models", short_help="List the models that can be asked.")
def command() -> int:
    """List the models: tasks, licence, what each is."""
    from rich.console import Console
    from rich.table import Table

    from beholder.recipes import recipe

    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in ("model", "tasks", "licence", "about"):
        table.add_column(title)
    for name in recipe.names():
        known = recipe.load(name)
        table.add_row(name, ", ".join(known.prompts), known.licence, known.about)
    Console().print(table)
    return 0
