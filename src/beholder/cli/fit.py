"""`beholder fit`: pictures without damage in, the statistics that a model rates by out."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from beholder.errors import UsageError

if TYPE_CHECKING:
    from beholder.media.items import Item


@click.command("fit", short_help="Fit a model's statistics to undamaged pictures.")
@click.argument("inputs", nargs=-1, metavar="INPUT...")
@click.option("--model", required=True, help="A model that measures distances: mdfs, grepq.")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Statistics: .safetensors."
)
@click.option("--device", default="auto", show_default=True, help="cpu, cuda or mps.")
@click.option("--set", "sets", multiple=True, metavar="NAME=VALUE", help="An option of the model.")
def command(
    inputs: tuple[str, ...], model: str, out: Path, device: str, sets: tuple[str, ...]
) -> int:
    """Fit the statistics by which a model tells damage to pictures that have none.

    INPUT is as in `beholder score`: files, folders, globs, lists. Give hundreds of sharp, clean
    pictures of many kinds; the model then measures how far others are from them:

    \b
    beholder fit pristine/ --model mdfs --out mine.safetensors
    beholder score photos/ --model mdfs --set statistics=mine.safetensors
    """
    from rich.console import Console

    from beholder.cli._places import check
    from beholder.engine import fit
    from beholder.engine.options import parse
    from beholder.media.sources import find

    if out.suffix != ".safetensors":
        raise UsageError(f"--out {out} must end in .safetensors")
    check({"--out": out})
    items = find(inputs)
    fitter, rule = fit.load(model, device=device, options=parse(sets))
    with Console(stderr=True).status("fitting") as status:
        done = 0

        def step(item: "Item", error: str) -> None:
            nonlocal done
            done += 1
            status.update(f"fitting: {done} looked at")
            if error:
                click.echo(f"left out {item.path}: {error}", err=True)

        fitted = fit.fit(fitter, rule, items, out, step)
    click.echo(f"Fitted to {fitted.about}: {out}", err=True)
    click.echo(f"Use it with --model {model} --set statistics={out}", err=True)
    return 1 if fitted.failures else 0
