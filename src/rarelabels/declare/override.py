"""Values from the command line, ``--set training.epochs=3``, laid over what files declare."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from rarelabels.declare.problems import OVERRIDE, PROSE, InputError, keys, show
from rarelabels.declare.safe_yaml import parse, plain
from rarelabels.declare.trial import Trial
from rarelabels.declare.yaml_files import Declared

NO_OVERRIDES: Mapping[str, object] = MappingProxyType({})


def parse_override(text: str) -> tuple[str, object]:
    """Return the dotted key and the value of ``training.epochs=3``; the value is read as YAML.

    Raises:
        UserError: no ``=``, no key, no value, or a value that is not YAML.
    """
    key, equals, value = text.partition("=")
    if not equals or not re.fullmatch(r"\w+(\.\w+)*", key) or not value.strip():
        raise InputError.of(OVERRIDE, "", f"allowed <dotted.key>=<value> (null for no value); given {show(text)}")
    return key, parse(value, OVERRIDE, key)


def not_overridable(key: str) -> str:
    """Return why a key cannot be overridden; empty for one that can."""
    top = key.split(".")[0]
    if top in PROSE:
        return f"cannot be overridden: {top} tells what the trial is, and not what it does; edit the file"
    if top == "extends":
        return "cannot be overridden: the files are merged before overrides are applied; edit the file"
    return ""


def apply_override(declared: Declared, overrides: Mapping[str, object]) -> tuple[Declared, set[str]]:
    """Return ``declared`` with the overrides that it has keys for, and these keys."""
    used = set()
    # Kinds first: a kind decides which keys its block has, and would drop values set in the block before.
    for key in sorted(overrides, key=lambda key: (key.count("."), not key.endswith(".kind"))):
        if key in keys(Trial, declared.data) or key.startswith("vary."):
            declared = declared.under(as_nested(key, overrides[key]), OVERRIDE)
            used.add(key)
    return declared, used


def as_nested(key: str, value: object) -> dict[str, Any]:
    """Return ``{"training": {"epochs": 3}}`` for ``training.epochs`` and 3."""
    first, *rest = key.split(".", 1 if key.startswith("vary.") else -1)
    nested = plain(value, OVERRIDE)
    for part in reversed(rest):
        nested = {part: nested}
    return {first: nested}
