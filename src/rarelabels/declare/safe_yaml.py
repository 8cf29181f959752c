"""YAML by a safe loader and dumper: plain values; nothing is executed, and surprising features are refused."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, DocumentStartEvent, NodeEvent

from rarelabels.declare.problems import InputError, show
from rarelabels.errors import first_line

MAX_BYTES = 50_000
MAX_NESTING = 20


@lru_cache(maxsize=1024)
def parsed(text: str, where: str) -> Any:
    """Return what :func:`parse` does, from memory: parents are read for each child, and a study more than once."""
    return parse(text, where)


def parse(text: str, where: str, key: str = "") -> Any:
    """Return the value of a YAML 1.2 text, with tuples for lists; nothing in the text is executed.

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
        raise InputError.of(where, key, f"not YAML: {first_line(error)}") from None


def plain(value: Any, where: str) -> Any:
    """Return ``value`` with tuples for lists, as the frozen models hold them, and with text for whole numbers as keys.

    Raises:
        InputError: a key is neither text nor a whole number.
    """
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, (str, int)) or isinstance(key, bool):
                raise InputError.of(where, "", f"a key must be text; given {show(key)}")
        return {str(key): plain(item, where) for key, item in value.items()}
    return tuple(plain(item, where) for item in value) if isinstance(value, (list, tuple)) else value


def dump(value: Mapping[str, Any]) -> str:
    """Return a mapping of plain values as YAML with a line for each key, in their order; :func:`parse` reads it back.

    >>> dump({"seeds": [0, 1], "digest": "012"})
    "seeds:\\n- 0\\n- 1\\ndigest: '012'\\n"
    """
    yaml, text = YAML(typ="safe", pure=True), io.StringIO()
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # ruamel.yaml types its None only
    yaml.width = 1_000
    yaml.dump(value, text)
    return text.getvalue()


class PlainConstructor(SafeConstructor):
    """ruamel.yaml's safe constructor without dates and '=' values, which YAML 1.2 does not have."""


for _tag in ("timestamp", "value"):
    PlainConstructor.add_constructor(f"tag:yaml.org,2002:{_tag}", SafeConstructor.construct_yaml_str)


def _yaml() -> YAML:
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = PlainConstructor
    return yaml


def _tricks(text: str) -> Iterator[str]:
    """Yield a message for each YAML feature that is not allowed, before any value is built."""
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
