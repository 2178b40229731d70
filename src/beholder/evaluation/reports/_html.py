"""What every page needs: templates, their files, a policy, a file put in place when whole."""

import base64
import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import TextIO

from jinja2 import Environment, FunctionLoader, StrictUndefined

from beholder.evaluation.reports._text import counted, plain


def environment() -> Environment:
    """Return what fills the templates: everything is escaped, nothing may be missing."""
    made = Environment(
        loader=FunctionLoader(asset),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(plain=plain, counted=counted)
    return made


def asset(name: str) -> str:
    """Return the text of a file beside this one."""
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def policy(style: str, script: str) -> str:
    """Return a content security policy under which only this style and this script count."""

    def digest(text: str) -> str:
        return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")

    return (
        "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src 'sha256-{digest(style)}'; script-src 'sha256-{digest(script)}'"
    )


@contextmanager
def replacing(out: Path) -> Iterator[TextIO]:
    """Open a file beside `out` that takes its place when all went well, and is gone otherwise."""
    beside = out.with_name(f".beholder-{secrets.token_hex(6)}.part")
    try:
        with beside.open("x", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            yield file
        beside.replace(out)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
