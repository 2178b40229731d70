"""A recipe as text, for the folder of a model that was taught here."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from beholder.recipes.recipe import Recipe


def text(recipe: Recipe) -> str:
    """Return a recipe as TOML that `recipe.parse` reads; where its weights are is left out.

    Raises:
        TypeError: when an option is neither text, number, truth nor a list or table of them.
    """
    fields = {name: value for name, value in asdict(recipe).items() if name != "weights" and value}
    plain = {name: value for name, value in fields.items() if not isinstance(value, Mapping)}
    lines = ["format = 1", *(f"{_key(name)} = {_value(each)}" for name, each in plain.items())]
    for name, table in fields.items():
        if isinstance(table, Mapping):
            lines += _table((name,), table)
    return "\n".join(lines) + "\n"


def _table(path: tuple[str, ...], table: Mapping[str, Any]) -> list[str]:
    plain = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
    lines = ["", f"[{'.'.join(map(_key, path))}]"] if plain else []
    lines += [f"{_key(key)} = {_value(value)}" for key, value in plain.items()]
    for key, value in table.items():
        if isinstance(value, Mapping):
            lines += _table((*path, key), value)
    return lines


def _key(name: str) -> str:
    return name if name.isascii() and name.replace("_", "a").isalnum() else _value(name)


def _value(value: Any) -> str:
    """Return a value; TOML's texts, numbers, truths and lists are written as JSON's."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if not isinstance(value, str | int | float):
        raise TypeError(f"{value!r} cannot stand in a recipe")
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
