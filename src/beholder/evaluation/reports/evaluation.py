"""An evaluation as one page of HTML that needs nothing else: no network, no script, no other file.

What is drawn is decided in `_figures`; how it looks, in `evaluation.html` and `evaluation.css`, on
the palette and type of the page of a score table (`page.css`).
"""

import base64
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from markupsafe import Markup

from beholder import __version__
from beholder.errors import TableError
from beholder.evaluation.evaluate import Evaluation
from beholder.evaluation.reports import _figures, _html, _told, markdown
from beholder.evaluation.reports._text import plain, pretty

STYLES: Final = ("page.css", "evaluation.css")


def write(out: Path, made: Evaluation, preview: Callable[[str], bytes | None]) -> None:
    """Write the page of an evaluation; one that was there stays whole until this one is done.

    `preview` gives a small JPEG of a path of the opinion table, or None; it is asked for the
    largest disagreements only.

    Raises:
        TableError: when the file cannot be written.
    """
    text = render(made, preview)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with _html.replacing(out) as file:
            file.write(text)
    except OSError as error:
        raise TableError(f"the report {out} cannot be written: {error.strerror or error}") from None


def render(made: Evaluation, preview: Callable[[str], bytes | None]) -> str:
    """Return the page of an evaluation."""
    style = Markup("\n".join(_html.asset(name) for name in STYLES))  # noqa: S704 (ours)
    environment = _html.environment()
    environment.filters.update(plain=plain)
    environment.globals.update(told=_told, figures=_figures)
    names = _told.model_names(made)
    shown = [replace(each, image=_uri(preview(each.path))) for each in _figures.disagreements(made)]
    rivals = made.rival.overall.values if made.rival else {}
    return environment.get_template("evaluation.html").render(
        made=made,
        ours=names[0],
        theirs=names[1],
        title=markdown.title(made),
        verdict=_told.verdict(made.overall, *names),
        rivals={name: _told.number(value.value) for name, value in rivals.items()},
        disagreements=shown,
        recipe=pretty(made.scores.recipe) if made.scores.recipe else "",
        version=__version__,
        date=time.strftime("%Y-%m-%d %H:%M"),
        style=style,
        policy=_html.policy(style, ""),
    )


def _uri(preview: bytes | None) -> str:
    if not preview:
        return ""
    return "data:image/jpeg;base64," + base64.b64encode(preview).decode("ascii")
