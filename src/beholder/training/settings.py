"""Files and `--set a.b=c` → Config: nothing unknown, nothing of the wrong kind gets through."""

import dataclasses
import json
import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from beholder._names import unknown
from beholder._optional import require
from beholder.errors import UsageError
from beholder.training.config import FORMAT, Config

Values = dict[str, Any]
"""A config as a file has it."""

HARMLESS: Final = re.compile(
    r"name|licence|ignore|train\.(workers|cache|cache_bytes)"
    r"|keep\.(checkpoints|log|report_to|before)(\..*)?|data\.\d+\.(table|root|validation|test)"
)
"""Settings that may change when a run goes on: no weight depends on them, or, of tables, what they
hold is compared instead."""


def mixtures() -> list[str]:
    """Return the names of the mixtures of the originals, sorted."""
    folder = resources.files("beholder.training").joinpath("mixtures")
    return sorted(
        path.name.removesuffix(".toml") for path in folder.iterdir() if path.name.endswith(".toml")
    )


def read(name: str) -> Values:
    """Read a file, YAML (`.yaml`, `.yml`) or TOML (`.toml`), or a mixture by its name.

    Raises:
        UsageError: when there is no such file or mixture, or it cannot be read.
        MissingExtraError: for YAML without PyYAML.
    """
    suffix = Path(name).suffix.lower()
    if not suffix and not Path(name).is_file():
        if name not in mixtures():
            raise UsageError(f"{unknown('mixture', name, mixtures())}; or give a file of your own")
        path = resources.files("beholder.training").joinpath("mixtures", f"{name}.toml")
        return _parsed(path.read_text(encoding="utf-8"), ".toml", name)
    if suffix not in (".yaml", ".yml", ".toml"):
        raise UsageError(f"{name} is no config file: it must end in .yaml or .toml")
    try:
        text = Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"the config {name} cannot be read: {reason}") from error
    return _parsed(text, suffix, name)


def _parsed(text: str, suffix: str, name: str) -> Values:
    if suffix == ".toml":
        try:
            values: Any = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise UsageError(f"{name} is no TOML: {error}") from error
    else:
        yaml = require("yaml", extra="train")
        try:
            values = yaml.safe_load(text)
        except yaml.YAMLError as error:
            told = " ".join(str(error).split())
            raise UsageError(f"{name} is no YAML: {told}") from error
    if not isinstance(values, dict):
        raise UsageError(f"{name} holds no settings: it should have at least `model` and `data`")
    version = values.pop("format", FORMAT)
    if version != FORMAT:
        raise UsageError(f"config {name} has format {version!r}; this Beholder reads {FORMAT}")
    values.pop("about", None)
    return values


def put(values: Values, place: str, value: Any) -> None:
    """Set `values[a][b]` for the place `a.b`; an element of `data` by its number or its name.

    Raises:
        UsageError: when the place leads through something that has no parts.

    >>> values = {"data": [{"table": "koniq.json"}]}
    >>> put(values, "data.koniq.weight", 2.0)
    >>> values
    {'data': [{'table': 'koniq.json', 'weight': 2.0}]}
    """
    *way, last = place.split(".")
    at: Any = values
    for key in way:
        at = _element(at, key, place) if isinstance(at, list) else at.setdefault(key, {})
        if not isinstance(at, dict | list):
            raise UsageError(f"--set {place}: {key} is {at!r} and has no parts")
    if isinstance(at, list):
        raise UsageError(f"--set {place}: name a setting of it, e.g. {place}.weight")
    at[last] = value


def _element(rows: list[Any], key: str, place: str) -> Any:
    names = [called(row) if isinstance(row, dict) else "" for row in rows]
    if key in names:
        return rows[names.index(key)]
    if key.isdigit() and int(key) < len(rows):
        return rows[int(key)]
    raise UsageError(f"--set {place}: {unknown('data set', key, names)}")


def called(data: Mapping[str, Any]) -> str:
    """Return the name of a data set: the stated one, its card's, or that of its table."""
    named = data.get("name") or data.get("card") or Path(str(data.get("table", ""))).stem
    return str(named)


def build(values: Mapping[str, Any]) -> Config:
    """Make the Config of what was read.

    Raises:
        UsageError: for an unknown setting, with the nearest known one, and for a value of the
            wrong kind or outside its range.
    """
    if not values.get("model"):
        raise UsageError("no model is named: say --model, e.g. --model iris")
    if not values.get("data"):
        raise UsageError("no data are named: say --data TABLE, or give `data` in the config")
    made: Config = _record(Config, values, "")
    names = [called(vars(each)) for each in made.data]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"two data sets are called {twice[0]!r}: give each a `name` of its own")
    return made


def _record(kind: type, values: Any, place: str) -> Any:
    if not isinstance(values, Mapping):
        raise UsageError(f"{place} is {values!r}; it has settings of its own")
    known = {each.name: each for each in dataclasses.fields(kind)}
    hints = get_type_hints(kind)
    made = {}
    for name, value in values.items():
        where = f"{place}.{name}" if place else str(name)
        if name not in known:
            inside = f" in {place}" if place else ""
            raise UsageError(f"{unknown('setting', str(name), known)}{inside}")
        made[name] = _value(hints[name], value, where)
        _hold(made[name], known[name].metadata, where)
    lacking = [
        each.name
        for each in known.values()
        if each.default is each.default_factory is dataclasses.MISSING and each.name not in made
    ]
    if lacking:
        raise UsageError(f"{place or 'the config'} lacks {', '.join(lacking)}")
    return kind(**made)


def _value(kind: Any, value: Any, place: str) -> Any:
    """Turn a value of a file into one of the kind that a field states."""
    origin, inner = get_origin(kind), get_args(kind)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _record(kind, value, place)
    if origin in (Union, UnionType):
        return _either(inner, value, place)
    if origin is tuple:
        return _row(inner, value, place)
    if origin is Mapping:
        if not isinstance(value, Mapping):
            raise UsageError(f"{place} is {value!r}; it is a table of names and values")
        return {str(key): _value(inner[1], each, f"{place}.{key}") for key, each in value.items()}
    return value if kind is Any else _plain(kind, value, place)


def _either(kinds: Sequence[Any], value: Any, place: str) -> Any:
    if value is None and NoneType in kinds:
        return None
    if str in kinds:
        rows = [kind for kind in kinds if get_origin(kind) is tuple]
        return _row(get_args(rows[0]), value, place) if isinstance(value, list | tuple) else value
    return _value(next(kind for kind in kinds if kind is not NoneType), value, place)


def _row(kinds: Sequence[Any], value: Any, place: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        value = [value]
    many = kinds[-1] is Ellipsis
    if not many and len(value) != len(kinds):
        raise UsageError(f"{place} is {value!r}; it is {len(kinds)} values")
    return tuple(
        _value(kinds[0] if many else kinds[number], each, f"{place}.{number}")
        for number, each in enumerate(value)
    )


_KINDS: Final = {str: "a text", float: "a number", int: "a whole number", bool: "true or false"}


def _plain(kind: type, value: Any, place: str) -> Any:
    """Take a plain value; `2e-5` is a number, although YAML reads it as text."""
    if kind in (int, float) and isinstance(value, str | int | float) and value is not True:
        try:
            number = float(value)
        except (ValueError, OverflowError):
            number = math.nan
        if math.isfinite(number) and (kind is float or number.is_integer()):
            return kind(number)
    elif type(value) is kind:
        return value
    raise UsageError(f"{place} is {value!r}; it is {_KINDS[kind]}")


def _hold(value: Any, limits: Mapping[str, Any], place: str) -> None:
    choices = limits.get("choices")
    if choices and value not in choices:
        raise UsageError(unknown(place, str(value), [each for each in choices if each]))
    if value is not None and "low" in limits and not limits["low"] <= value <= limits["high"]:
        low, high = limits["low"], limits["high"]
        allowed = f"{low:g} and above" if high == math.inf else f"from {low:g} to {high:g}"
        allowed = allowed.replace("1e-09", "just over 0")
        raise UsageError(f"{place} is {value:g}; it is {allowed}")


def plain(config: Config) -> Values:
    """Return a config as JSON has it."""
    found: Values = json.loads(json.dumps(dataclasses.asdict(config)))
    return found


def differences(before: Values, now: Values) -> list[str]:
    """Say what differs between two plain configs, but for what is harmless.

    >>> differences({"seed": 0, "train": {"batch": 8}}, {"seed": 0, "train": {"batch": 4}})
    ['train.batch was 8 and is 4']
    """
    old, new = _flat(before, ""), _flat(now, "")
    return [
        f"{place} was {_told(old, place)} and is {_told(new, place)}"
        for place in dict.fromkeys([*old, *new])
        if old.get(place) != new.get(place) and not HARMLESS.fullmatch(place)
    ]


def _told(flat: Values, place: str) -> str:
    return json.dumps(flat[place], ensure_ascii=False) if place in flat else "not there"


def _flat(value: Any, place: str) -> Values:
    """Return place → value of everything that has no parts."""
    if isinstance(value, dict):
        parts = {f"{place}.{key}" if place else key: each for key, each in value.items()}
    elif isinstance(value, list) and any(isinstance(each, dict) for each in value):
        parts = {f"{place}.{number}": each for number, each in enumerate(value)}
    else:
        return {place: value}
    return {at: each for key, part in parts.items() for at, each in _flat(part, key).items()}
