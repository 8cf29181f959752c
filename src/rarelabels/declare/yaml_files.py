"""Read a YAML file safely, follow ``extends``, lay child over parent, and remember which file wrote which key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rarelabels.declare.problems import InputError, Key, Origins, show
from rarelabels.declare.safe_yaml import MAX_BYTES, parsed
from rarelabels.errors import nearest

MAX_FILES = 4  # conf/base → conf/datasets/x → experiments/<study>/_base → trial


@dataclass(frozen=True)
class Declared:
    """What a file and its parents say, merged."""

    data: dict[str, Any]
    origins: Origins

    def under(self, layer: Mapping[str, Any], where: str) -> Declared:
        """Return these values with those of a child laid over them; ``where`` is the file that wrote the child."""
        written = dict(self.origins.written)
        return Declared(_merge(self.data, layer, where, written), Origins(self.origins.files, written))


def read_with_parents(path: Path) -> Declared:
    """Return what a file says, laid over the files that it extends.

    Raises:
        InputError: the first file of the chain that cannot be read, or a chain that is a cycle or too long.
    """
    chain: dict[Path, dict[str, Any]] = {}
    file: Path | None = path.resolve()
    while file:
        data = chain[file] = read_file(file)
        parent = _parent(file, data.pop("extends")) if "extends" in data else None
        if parent in chain:
            raise InputError.of(shown(path), "extends", f"a cycle: {_arrows([*chain, parent])}")
        file = parent
    if len(chain) > MAX_FILES:
        trouble = f"a chain of {len(chain)} files; allowed {MAX_FILES}; given {_arrows(chain)}"
        raise InputError.of(shown(path), "extends", trouble)
    declared = Declared({}, Origins(tuple(shown(one) for one in chain), {}))
    for one, data in reversed(chain.items()):
        declared = declared.under(data, shown(one))
    return declared


def read_file(path: Path, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """Return the mapping that one file, of at most so many bytes, holds.

    Raises:
        InputError: the file cannot be read, or is not one mapping in YAML.
    """
    where = shown(path)
    try:
        if not path.is_file():
            raise InputError.of(where, "", "is not a file" if path.exists() else "there is no such file")
        if path.stat().st_size > max_bytes:
            raise InputError.of(where, "", f"is too long for a declaration; allowed {max_bytes} bytes")
        data = deepcopy(parsed(path.read_bytes().decode("utf-8-sig"), where))
    except UnicodeDecodeError as error:
        raise InputError.of(where, "", f"is not UTF-8 text (byte {error.start + 1})") from None
    except OSError as error:
        raise InputError.of(where, "", f"cannot be read: {error.strerror}") from None
    if not isinstance(data, dict):
        given = "is empty" if data is None else f"given {show(data)}"
        raise InputError.of(where, "", f"{given}; allowed a mapping of keys to values")
    return data


def is_file(path: Path) -> bool:
    """Return whether there is such a file; False too for a name that the file system cannot have."""
    try:
        return path.is_file()
    except OSError:
        return False


def shown(path: Path) -> str:
    """Return a file's name in messages: its path below the current folder, else its full path."""
    path = path.resolve()
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _parent(child: Path, extends: object) -> Path:
    trouble = f"wrong type; allowed the relative path of one YAML file; given {show(extends)}"
    if isinstance(extends, str):
        parent = child.parent / extends.replace("\0", "")
        if Path(extends).is_absolute():
            trouble = f"an absolute path; allowed a path relative to this file; given {show(extends)}"
        elif parent.suffix not in (".yaml", ".yml"):
            trouble = f"not a YAML file; allowed a path that ends in .yaml; given {show(extends)}"
        elif is_file(parent):
            return parent.resolve()
        else:
            near = nearest(parent.name, [one.name for one in parent.parent.glob("*.y*ml")])
            trouble = f"there is no file {shown(parent)}{near}"
    raise InputError.of(shown(child), "extends", trouble)


def _arrows(files: Iterable[Path]) -> str:
    return " → ".join(shown(one) for one in files)


def _merge(
    parent: Mapping[str, Any], child: Mapping[str, Any], where: str, written: dict[Key, str], above: Key = ()
) -> dict[str, Any]:
    merged = dict(parent)
    for name, value in child.items():
        old, key = parent.get(name), (*above, name)
        if isinstance(old, Mapping) and isinstance(value, Mapping) and not _changes_kind(old, value):
            merged[name] = _merge(old, value, where, written, key)
        else:  # a changed kind replaces its block: no label smoothing of one loss may leak into another
            for stale in [one for one in written if one[: len(key)] == key]:
                del written[stale]
            written[key] = where
            merged[name] = value
    return merged


def _changes_kind(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    return "kind" in old and "kind" in new and old["kind"] != new["kind"]
