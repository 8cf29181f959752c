"""Paths of tables in YAML: relative to the file that names them, made absolute when it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rarelabels.declare.problems import OVERRIDE, InputError, Key, Origins, show
from rarelabels.declare.yaml_files import Declared


def with_absolute_paths(declared: Declared) -> Declared:
    """Return ``declared`` with absolute paths in ``dataset``, and in the values that ``vary`` lists for it."""
    data = dict(declared.data)
    if isinstance(dataset := data.get("dataset"), Mapping):
        data["dataset"] = _with_absolute_path(dataset, ("dataset",), declared.origins)
    if isinstance(vary := data.get("vary"), Mapping):
        data["vary"] = {key: _varied(key, values, declared.origins) for key, values in vary.items()}
    return replace(declared, data=data)


def _varied(key: str, values: object, origins: Origins) -> object:
    where = ("vary", key)
    if key in ("dataset.path", "dataset.backbone.file") and isinstance(values, tuple):
        return tuple(_absolute(value, where, origins) for value in values)
    if key == "dataset.vectors" and isinstance(values, tuple):
        return tuple(_with_absolute_files(value, where, origins) for value in values)
    if key == "dataset" and isinstance(values, tuple):
        return tuple(_with_absolute_path(one, where, origins) if isinstance(one, Mapping) else one for one in values)
    return values


def _with_absolute_path(dataset: Mapping[str, Any], key: Key, origins: Origins) -> Mapping[str, Any]:
    if dataset.get("kind") == "table":
        path = {"path": _absolute(dataset["path"], (*key, "path"), origins)} if "path" in dataset else {}
        vectors = dataset.get("vectors", ())
        files = {"vectors": _with_absolute_files(vectors, (*key, "vectors"), origins)} if vectors else {}
        return {**dataset, **path, **files}
    if isinstance(backbone := dataset.get("backbone"), Mapping) and "file" in backbone:
        return {
            **dataset,
            "backbone": {**backbone, "file": _absolute(backbone["file"], (*key, "backbone", "file"), origins)},
        }
    return dataset


def _with_absolute_files(vectors: object, key: Key, origins: Origins) -> object:
    if not isinstance(vectors, tuple):
        return vectors  # the schema says what is wrong with it
    return tuple(
        {**one, "file": _absolute(one["file"], (*key, place, "file"), origins)}
        if isinstance(one, Mapping) and "file" in one
        else one
        for place, one in enumerate(vectors)
    )


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
