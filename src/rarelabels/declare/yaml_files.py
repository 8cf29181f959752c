"""Read one YAML file safely, follow ``extends``, lay the files over each other, and remember who wrote which key."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, DocumentStartEvent, NodeEvent

from rarelabels.declare.problems import InputError, Key, Origins, show
from rarelabels.errors import nearest

MAX_FILES = 4  # conf/base → conf/datasets/x → experiments/<study>/_base → trial
MAX_BYTES = 50_000
MAX_NESTING = 20


@dataclass(frozen=True)
class Declared:
    """What a file and its parents say, merged."""

    data: dict[str, Any]
    origins: Origins

    def under(self, layer: Mapping[str, Any], where: str) -> Declared:
        """Return this with a child, which ``where`` wrote, laid over it."""
        written = dict(self.origins.written)
        return Declared(_merge(self.data, layer, where, written), Origins(self.origins.files, written))


def read_with_parents(path: Path) -> Declared:
    """Return what a file says, with the files it extends below it.

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


def read_file(path: Path) -> dict[str, Any]:
    """Return the mapping that one file holds.

    Raises:
        InputError: it cannot be read, or is not one mapping in YAML.
    """
    where = shown(path)
    try:
        if not path.is_file():
            raise InputError.of(where, "", "is not a file" if path.exists() else "there is no such file")
        if path.stat().st_size > MAX_BYTES:
            raise InputError.of(where, "", f"is too long for a declaration; allowed {MAX_BYTES} bytes")
        data = deepcopy(_parsed(path.read_bytes().decode("utf-8-sig"), where))
    except UnicodeDecodeError as error:
        raise InputError.of(where, "", f"is not UTF-8 text (byte {error.start + 1})") from None
    except OSError as error:
        raise InputError.of(where, "", f"cannot be read: {error.strerror}") from None
    if not isinstance(data, dict):
        given = "is empty" if data is None else f"given {show(data)}"
        raise InputError.of(where, "", f"{given}; allowed a mapping of keys to values")
    return data


@lru_cache(maxsize=1024)
def _parsed(text: str, where: str) -> Any:
    """Parents are read for each of their children, and a study more than once."""
    return parse(text, where)


def parse(text: str, where: str, key: str = "") -> Any:
    """Return the value of a YAML 1.2 text, lists as tuples; nothing in it is executed.

    Raises:
        InputError: not YAML, or YAML with tags, anchors, merge keys, several documents or keys that are not text.
    """
    try:
        if trick := next(_tricks(text), ""):
            raise InputError.of(where, key, trick)
        return plain(_yaml().load(text), where)
    except MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        twice = re.match(r'found duplicate key "(.*?)" with', error.problem or "", re.DOTALL)
        reason = f"key {twice[1]!r} is given twice" if twice else f"not YAML: {error.problem or error.context}"
        raise InputError.of(where, key, line + reason) from None
    except (YAMLError, ValueError, TypeError) as error:  # control characters, numbers too long for Python, odd keys
        raise InputError.of(where, key, f"not YAML: {str(error).splitlines()[0]}") from None


def plain(value: Any, where: str) -> Any:
    """Return ``value`` with tuples for lists, as the frozen models hold them, and whole numbers as keys made text.

    Raises:
        InputError: a key that is neither.
    """
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, (str, int)) or isinstance(key, bool):
                raise InputError.of(where, "", f"a key must be text; given {show(key)}")
        return {str(key): plain(item, where) for key, item in value.items()}
    return tuple(plain(item, where) for item in value) if isinstance(value, (list, tuple)) else value


def is_file(path: Path) -> bool:
    """Return whether there is such a file; False too for a name that the file system cannot have."""
    try:
        return path.is_file()
    except OSError:
        return False


def shown(path: Path) -> str:
    """Return how messages call a file: its path below the current folder, else its full path."""
    path = path.resolve()
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


# Safe YAML


class _PlainConstructor(SafeConstructor):
    """ruamel.yaml's safe constructor without dates and '=' values, which YAML 1.2 does not have."""


for _tag in ("timestamp", "value"):
    _PlainConstructor.add_constructor(f"tag:yaml.org,2002:{_tag}", SafeConstructor.construct_yaml_str)


def _yaml() -> YAML:
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _PlainConstructor
    return yaml


def _tricks(text: str) -> Iterator[str]:
    """Yield what YAML knows and a declaration does not need, before anything is built from it."""
    documents, nesting = 0, 0
    for event in _yaml().parse(text):
        line = f"line {event.start_mark.line + 1}"
        documents += isinstance(event, DocumentStartEvent)
        nesting += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if isinstance(event, DocumentStartEvent) and event.version not in (None, (1, 2)):
            yield f"{line}: a %YAML directive is not allowed: files are YAML 1.2"
        if documents > 1:
            yield f"{line}: a second document starts; allowed one document in a file"
        if isinstance(event, AliasEvent) or (isinstance(event, NodeEvent) and event.anchor):
            yield f"{line}: anchors and aliases (&{event.anchor}, *{event.anchor}) are not allowed; use extends"
        elif getattr(event, "tag", None):
            yield f"{line}: tags are not allowed; given {event.tag}"
        elif getattr(event, "value", None) == "<<":
            yield f"{line}: merge keys (<<) are not allowed; use extends"
        if nesting > MAX_NESTING:
            yield f"{line}: nested too deeply; allowed {MAX_NESTING} levels"


# Parents


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
