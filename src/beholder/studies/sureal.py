"""sureal's data set files: a Python file of assignments, or JSON with the same names.

The Python file is never run. Its assignments are read as literals; the only expressions understood
are names assigned before and sums of texts, as in `ref_dir + '/a.yuv'`.
"""

import ast
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from beholder.errors import TableError, UsageError
from beholder.studies.votes import About, Missing, Vote

_ITEMS: Final = "dis_videos"


@dataclass(frozen=True)
class Dataset:
    """The votes of a data set file and what it says of its items."""

    cells: list[Vote | Missing]
    about: Mapping[str, About]


def fits(path: Path) -> bool:
    """Tell whether a file is such a data set: Python, or JSON with `dis_videos`."""
    if path.suffix.lower() == ".py":
        return True
    if path.suffix.lower() != ".json":
        return False
    return f'"{_ITEMS}"' in _text(path)


def read(path: Path) -> Dataset:
    """Read a data set file.

    A vote list is by rater, a vote that is itself a list holds repetitions, an object is by the
    rater's name; `None` is a missing vote. The content id is the scene; the item with the path of a
    reference video is the reference of its content.

    Raises:
        UsageError: when it is not there.
        TableError: when it is no such file or holds more than literals.
    """
    names = _json(path) if path.suffix.lower() == ".json" else _assignments(path)
    if not isinstance(names.get(_ITEMS), list):
        raise TableError(f"{path} is no sureal data set: it has no list {_ITEMS!r}")
    reference_paths = {
        str(video.get("content_id")): str(video.get("path"))
        for video in names.get("ref_videos", [])
    }
    cells: list[Vote | Missing] = []
    about = {}
    for number, video in enumerate(names[_ITEMS], 1):
        where = f"{path.name}, {_ITEMS} {number}"
        if not isinstance(video, dict) or "os" not in video:
            raise TableError(f"{where} has no votes: it needs a key 'os'")
        item = str(video.get("path") or video.get("asset_id") or number)
        content = str(video.get("content_id", ""))
        about[item] = About(scene=content, reference=reference_paths.get(content, ""))
        for rater, session, value in _cells(video["os"], where):
            if value is None or math.isnan(value):
                cells.append(Missing(rater, item))
            else:
                cells.append(Vote(rater, item, value, session, where))
    return Dataset(cells, about)


def _cells(os: Any, where: str) -> Iterator[tuple[str, str, float | None]]:
    """Yield rater, session and vote of one item."""
    if isinstance(os, dict):
        by_rater = [(str(name), given) for name, given in os.items()]
    elif isinstance(os, list | tuple):
        by_rater = [(f"{number:03d}", given) for number, given in enumerate(os, 1)]
    else:
        raise TableError(f"{where}: 'os' is neither a list nor an object of votes: {os!r}")
    for rater, given in by_rater:
        repeated = isinstance(given, list | tuple)
        for session, value in enumerate(given if repeated else [given], 1):
            if value is not None and (
                isinstance(value, bool) or not isinstance(value, int | float)
            ):
                raise TableError(f"{where}: {value!r} of rater {rater!r} is no vote")
            yield rater, str(session) if repeated else "", None if value is None else float(value)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise TableError(f"{path} is no UTF-8 text") from error


def _json(path: Path) -> dict[str, Any]:
    try:
        names = json.loads(_text(path))
    except ValueError as error:
        raise TableError(f"{path} is no JSON: {error}") from error
    return names if isinstance(names, dict) else {}


def _assignments(path: Path) -> dict[str, Any]:
    """Return what the file's top level assigns; anything else on it is left alone."""
    try:
        tree = ast.parse(_text(path), filename=path.name)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        # Too deep a nesting is a MemoryError of the parser.
        raise TableError(f"{path} is no Python file: {error or 'nested too deeply'}") from error
    try:
        return _assigned(tree, path)
    except RecursionError as error:
        raise TableError(f"{path} is nested too deeply for a data set file") from error


def _assigned(tree: ast.Module, path: Path) -> dict[str, Any]:
    names: dict[str, Any] = {}
    for statement in tree.body:
        if not isinstance(statement, ast.Assign):
            continue
        for target in statement.targets:
            if isinstance(target, ast.Name):
                names[target.id] = _literal(statement.value, names, path)
    return names


def _literal(node: ast.expr, names: Mapping[str, Any], path: Path) -> Any:
    """Read an expression of literals, known names and sums of texts; run nothing."""
    if isinstance(node, ast.List | ast.Tuple):
        return [_literal(each, names, path) for each in node.elts]
    if isinstance(node, ast.Dict) and None not in node.keys:
        keys = [_literal(key, names, path) for key in node.keys if key is not None]
        values = [_literal(value, names, path) for value in node.values]
        return {str(key): value for key, value in zip(keys, values, strict=True)}
    if isinstance(node, ast.Name) and node.id in names:
        return names[node.id]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = (_literal(side, names, path) for side in (node.left, node.right))
        if isinstance(left, str) and isinstance(right, str):
            return left + right
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError):
        raise TableError(
            f"{path.name}, line {node.lineno}: {ast.unparse(node)[:60]!r} is more than a literal;"
            " data set files are read, never run"
        ) from None
