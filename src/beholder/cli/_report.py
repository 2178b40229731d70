"""The page of a run: rows from the journal, previews from the files."""

import io
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from beholder import __version__
from beholder.evaluation.reports import page
from beholder.media.reading import thumbnail

if TYPE_CHECKING:
    from beholder.cli.score import Options
    from beholder.engine.journal import Journal
    from beholder.engine.rater import Rater

JPEG_QUALITY = 82


def write_report(
    options: "Options", rater: "Rater", journal: "Journal", count: int, skipped: int
) -> None:
    """Write the page that `--report` asks for.

    Raises:
        TableError: when the disk does not take it.
    """
    assert options.report is not None
    preview = partial(jpeg, longest=page.preview_size(count))
    rows = (row | {"file": file} for file, row in journal.rows())
    about = page.About(
        title=_title(options.inputs),
        model=rater.recipe.name,
        fingerprint=rater.fingerprint,
        recipe=rater.settings,
        version=__version__,
        date=time.strftime("%Y-%m-%d %H:%M"),
        counts={"skipped": skipped},
    )
    with Console(stderr=True).status("writing the page"):
        page.write(options.report, rows, about, preview)


def _title(inputs: tuple[str, ...]) -> str:
    """Name what was scored: the folder or file, and how many more."""
    first = "a list" if inputs[0] == "-" else Path(inputs[0]).resolve().name
    return first if len(inputs) == 1 else f"{first} and {len(inputs) - 1} more"


def jpeg(file: str, longest: int) -> bytes | None:
    """Return a small JPEG of a picture or clip; None where it has no preview."""
    try:
        image = thumbnail(file, longest)
    except Exception:  # noqa: BLE001 - a picture without a preview is better than no page
        return None
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return buffer.getvalue()
