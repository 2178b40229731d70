"""`beholder show`: what a file looks like to a model."""

import hashlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from beholder.media.frames import Picture
    from beholder.score import Score


@click.command("show", short_help="Show what a file looks like to a model.")
@click.argument("file")
@click.option("--model", default="iris", show_default=True, help="Name of a model: see `models`.")
@click.option("--frames", default="auto", metavar="RULE", help="Frames of a clip: 8, 1/s, 2/s<=64.")
@click.option("--save", type=click.Path(path_type=Path, file_okay=False), help="Keep the frames.")
def command(file: str, model: str, frames: str, save: Path | None) -> int:
    """Show what FILE looks like to a model: size, frames, pixels, score, fingerprint.

    --save DIR writes every frame as PNG, exactly as the model is given it.
    """
    from beholder.engine.rater import load
    from beholder.media.reading import read

    rater = load(model, frames=frames)
    found = read(file, rater.rule)
    click.echo(f"file         {file}")
    duration = "" if found.seconds is None else f", {found.seconds:.2f} s"
    click.echo(f"media        {found.media}, {found.width}×{found.height} upright{duration}")
    for note in found.notes:
        click.echo(f"note         {note}")
    for number, picture in enumerate(found.pictures):
        click.echo(f"frame {number:<6} {_line(picture)}")
        if save:
            _save(picture, save / f"{Path(file).stem}-{number:03d}.png")
    score = rater.score(file)
    for line in _score(score):
        click.echo(line)
    click.echo(f"model        {model}, frames {rater.rule}")
    click.echo(f"fingerprint  {rater.fingerprint}")
    return 0


def _score(score: "Score") -> "Iterator[str]":
    """Say what the score is, and of which answers, where there are any."""
    spread = "" if math.isnan(score.spread) else f" ± {score.spread:.2f}"
    level = f", {score.level}" if score.level else ""
    yield f"score        {score.value:.2f}{spread} on {score.scale}{level}"
    if score.probabilities:
        levels = ", ".join(f"{word} {p:.0%}" for word, p in score.probabilities.items())
        yield f"levels       {levels}"


def _line(picture: "Picture") -> str:
    height, width, _ = picture.pixels.shape
    when = "" if picture.seconds is None else f"at {picture.seconds:.3f} s, "
    digest = hashlib.sha256(picture.pixels.tobytes()).hexdigest()[:16]
    return f"{when}{width}×{height}, pixels {digest}"


def _save(picture: "Picture", path: Path) -> None:
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture.pixels).save(path)
