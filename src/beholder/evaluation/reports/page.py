"""One score table as one page of HTML that needs nothing else: no network, no other file.

What is drawn is decided in `_summary`, `_cards` and `_strips`; how it looks, in the templates
beside this file (`page.html`, `card.html`, `page.css`, `page.js`; `head.html` and `brand.html` are
those of every page). The page works without JavaScript; scripts only sort, filter and enlarge.
"""

import math
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from markupsafe import Markup

from beholder.errors import TableError
from beholder.evaluation.reports import _html
from beholder.evaluation.reports._cards import Card, card
from beholder.evaluation.reports._summary import MOST_CARDS, Summary
from beholder.evaluation.reports._text import pretty

SMALLEST: Final = 128
"""Longest side in pixels of a preview on a page of 5,000."""
LARGEST: Final = 960
"""Longest side in pixels of a preview on a page of up to four."""


@dataclass(frozen=True)
class About:
    """What a page says about the run as a whole."""

    title: str
    """What was scored, e.g. the name of the folder."""
    model: str = ""
    fingerprint: str = ""
    recipe: Mapping[str, Any] = field(default_factory=dict)
    """Everything that can change a score."""
    version: str = ""
    """Of Beholder."""
    date: str = ""
    """As it is to be printed."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Other counts by what they count, e.g. `{"skipped": 3}`; zeros are not shown."""


def preview_size(count: int) -> int:
    """Return the longest side in pixels of the previews on a page of `count` files.

    Falls smoothly, so that a page stays under about 40 MB: 360 px at 200 files, 128 px at 5,000.

    >>> [preview_size(count) for count in (1, 12, 200, 1000, 5000, 100_000)]
    [957, 727, 360, 215, 128, 128]
    """
    if count <= 200:
        return round(min(LARGEST, 360 * math.pow(200 / max(count, 4), 0.25)))
    return round(max(SMALLEST, 360 * math.pow(200 / count, 0.3213)))


def write(
    out: Path,
    rows: Iterable[Mapping[str, Any]],
    about: About,
    preview: Callable[[str], bytes | None],
) -> None:
    """Write the page of a score table; a page that was there stays whole until this one is done.

    `rows` are read once, with the columns of a score table as Python values and None for empty,
    and `file` where the file is not found under its `path`. `preview` gives a small JPEG of a file,
    or None; it is asked once for each card, best first, by a few threads.

    Raises:
        TableError: when the file cannot be written.
    """
    summary = Summary()
    for row in rows:
        summary.add(row)
    kept = summary.kept()
    files = (str(row.get("file", row.get("path"))) for _, row in kept)
    previews = zip(kept, _ahead(preview, files), strict=True)
    cards = (card(index, row, picture) for (index, row), picture in previews)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with _html.replacing(out) as file:
            file.writelines(_pieces(summary, cards, about))
    except OSError as error:
        raise TableError(f"the report {out} cannot be written: {error.strerror or error}") from None


def _ahead(preview: Callable[[str], bytes | None], files: Iterable[str]) -> Iterator[bytes | None]:
    """Make previews in a few threads, a little ahead of the page that takes them."""
    threads = min(8, os.cpu_count() or 1)
    waiting: deque[Future[bytes | None]] = deque()
    with ThreadPoolExecutor(threads, "preview") as pool:
        for file in files:
            waiting.append(pool.submit(preview, file))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        for each in waiting:
            yield each.result()


def _pieces(summary: Summary, cards: Iterator[Card], about: About) -> Iterator[str]:
    style, script = Markup(_html.asset("page.css")), Markup(_html.asset("page.js"))  # noqa: S704 (ours)
    return (
        _html.environment()
        .get_template("page.html")
        .generate(
            about=about,
            title=about.title,
            version=about.version,
            recipe=pretty(about.recipe) if about.recipe else "",
            cards=cards,
            histograms=summary.histograms(),
            summary=summary,
            most=MOST_CARDS,
            style=style,
            script=script,
            policy=_html.policy(style, script),
        )
    )
