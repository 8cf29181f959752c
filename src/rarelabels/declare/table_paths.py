"""Paths of files in YAML: relative to the file that names them, made absolute when it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rarelabels.declare.problems import OVERRIDE, InputError, Key, Origins, show
from rarelabels.declare.yaml_files import Declared

EACH = "*"  # each entry of a list
PATHS: tuple[tuple[str, ...], ...] = (
    ("dataset", "path"),
    ("dataset", "vectors", EACH, "file"),
    ("dataset", "images", "folder"),
    ("dataset", "backbone", "file"),
    ("model", "validation"),
    ("model", "test"),
)


def with_absolute_paths(declared: Declared) -> Declared:
    """Return ``declared`` with absolute paths in its blocks, and in the values that ``vary`` lists for them."""
    data: Any = declared.data
    for path in PATHS:
        data = _with_absolute(data, path, (), declared.origins)
    if isinstance(vary := data.get("vary"), Mapping):
        data = {**data, "vary": {key: _varied(key, values, declared.origins) for key, values in vary.items()}}
    return replace(declared, data=data)


def _varied(key: str, values: object, origins: Origins) -> object:
    """Return the values that are varied under a dotted key, with absolute paths in them."""
    above, where = tuple(key.split(".")), ("vary", key)
    if not isinstance(values, tuple):
        return values
    for path in PATHS:
        if path[: len(above)] == above:
            values = tuple(_with_absolute(value, path[len(above) :], where, origins) for value in values)
    return values


def _with_absolute(value: Any, path: tuple[str, ...], where: Key, origins: Origins) -> Any:
    """Return a block with the path at the keys ``path`` made absolute; ``where`` is the key of the block itself."""
    if not path:
        return _absolute(value, where, origins)
    if path[0] == EACH and isinstance(value, tuple):
        return tuple(_with_absolute(one, path[1:], (*where, place), origins) for place, one in enumerate(value))
    if not isinstance(value, Mapping) or path[0] not in value:
        return value  # the schema says what is wrong with it
    return {**value, path[0]: _with_absolute(value[path[0]], path[1:], (*where, path[0]), origins)}


def _absolute(path: object, key: Key, origins: Origins) -> object:
    if not isinstance(path, str) or not path:
        return path  # the schema says what is wrong with it
    where = origins.of(key)
    try:
        full = (Path() if where == OVERRIDE else Path(where).parent) / Path(path).expanduser()
        # Only the folder is resolved: a link may have another ending than the file it leads to.
        return str(full.parent.resolve() / full.name)
    except (OSError, RuntimeError, ValueError) as error:
        raise InputError.of(where, ".".join(map(str, key)), f"cannot be a path: {error}; given {show(path)}") from None
