"""Problems of declared values: lines that say which file, which key, what is allowed and what was given."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from rarelabels.declare.contradictions import ContradictionError
from rarelabels.declare.trial import Trial
from rarelabels.errors import UserError, nearest
from rarelabels.spec import OPEN, Spec

OVERRIDE = "--set"
PROSE = ("name", "question", "thread")  # these say what a trial is; all other keys say what it does
MAX_LINE = 1_000
OF_KEY = "[key]"  # pydantic ends a location with it if a key of a mapping is wrong, and not its value
Key = tuple[str | int, ...]
Model = TypeVar("Model", bound=Spec)


@dataclass(frozen=True, order=True)
class Problem:
    """One line of an error message."""

    where: str
    key: str
    text: str

    def __str__(self) -> str:
        line = ": ".join(part for part in (self.where, self.key, self.text) if part)
        line = line if len(line) <= MAX_LINE else line[:MAX_LINE] + "..."
        return "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)


class InputError(UserError):
    """All problems found so far, one a line, sorted."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = set(problems)
        super().__init__("\n".join(str(problem) for problem in sorted(self.problems)))

    @classmethod
    def of(cls, where: str, key: str, text: str) -> InputError:
        """Return the error of one problem."""
        return cls([Problem(where, key, text)])


@dataclass(frozen=True)
class Origins:
    """Where declared values come from: all files of the chain, the trial's first, and which file wrote which key."""

    files: tuple[str, ...]
    written: Mapping[Key, str]

    def of(self, key: Key) -> str:
        """Return the file that wrote ``key`` or the block around it; else the first file."""
        return next((self.written[key[:n]] for n in range(len(key), 0, -1) if key[:n] in self.written), self.files[0])


def validate(model: type[Model], data: Mapping[str, Any], origins: Origins) -> tuple[Model | None, set[Problem]]:
    """Return the model that ``data`` declares, or None, and the problems."""
    try:
        return model.model_validate(data, strict=True), set()
    except ValidationError as error:
        errors = error.errors(include_url=False)
    problems = {problem for one in _of_one_type(errors, model) for problem in _explain(one, model, data, origins)}
    # A list whose items are wrong is also reported as too short.
    wrong_items = {one.key.rpartition("[")[0] for one in problems}
    problems = {one for one in problems if not (one.key in wrong_items and one.text.startswith("too short"))}
    if unknown := {_locate(one["loc"], model).key for one in errors if one["type"] == "extra_forbidden"}:
        # An unknown key must not hide a contradiction between the known ones.
        problems |= validate(model, _without(data, unknown), origins)[1]
    return None, problems


def show(value: object) -> str:
    """Return a value as JSON, at most 60 characters."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def keys(model: type[Spec], data: object, above: str = "") -> Iterator[str]:
    """Yield the dotted keys of a model whose blocks have the kinds in ``data``, without the keys of ``PROSE``."""
    for name, field in model.model_fields.items():
        if above or name not in PROSE:
            yield above + name
        value = data.get(name) if isinstance(data, Mapping) else None
        if OPEN in field.metadata and isinstance(value, Mapping):
            yield from (f"{above}{name}.{key}" for key in value)
        blocks = [] if get_origin(field.annotation) is dict else _blocks(field.annotation)
        if len(blocks) > 1:
            kind = value.get("kind") if isinstance(value, Mapping) else getattr(field.default, "kind", None)
            blocks = [block for block in blocks if _kind(block) == kind]
        for block in blocks:
            yield from keys(block, value, f"{above}{name}.")


WRONG_TYPE = {
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "tuple_type": "a list",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
}
WRONG_VALUE = {
    "finite_number": ("out of range", "a finite number"),
    "greater_than": ("out of range", "more than {gt:g}"),
    "greater_than_equal": ("out of range", "at least {ge:g}"),
    "less_than": ("out of range", "less than {lt:g}"),
    "less_than_equal": ("out of range", "at most {le:g}"),
    "too_short": ("too short", "a list of at least {min_length}"),
    "string_too_short": ("too short", "text of at least {min_length} characters"),
    "string_pattern_mismatch": ("wrong form", "text that matches {pattern}"),
    "literal_error": ("unknown value", "{expected}"),
    "union_tag_invalid": ("unknown kind", "{expected_tags}"),
}


def _of_one_type(errors: Iterable[ErrorDetails], model: type[Spec]) -> Iterator[ErrorDetails]:
    """Yield the errors, but of a union only those of the type that the value has.

    A value that has none of the union's types gives one error, which names all types.
    """
    of_union: dict[Key, list[ErrorDetails]] = {}
    for error in errors:
        union = _locate(error["loc"], model).union
        if union is None:
            yield error
        else:
            of_union.setdefault(union, []).append(error)
    for union, found in of_union.items():
        of_given = [one for one in found if not (one["type"] in WRONG_TYPE and _locate(one["loc"], model).key == union)]
        if of_given:
            yield from of_given
        else:
            *rest, last = (WRONG_TYPE[one["type"]] for one in found)
            yield {**found[0], "ctx": {"allowed": f"{', '.join(rest)} or {last}"}}


def _explain(error: ErrorDetails, model: type[Spec], data: Mapping[str, Any], origins: Origins) -> Iterator[Problem]:
    place = _locate(error["loc"], model)
    path, block = place.key, place.block
    kind, context = error["type"], error.get("ctx", {})
    if kind.startswith("union_tag"):
        path = (*path, "kind")
    given = _at(data, path)
    if path[-1:] == (OF_KEY,) and given is None:
        path, given = path[:-1], path[-2]
    where, key = origins.of(path), _dotted(path)
    if isinstance(trouble := context.get("error"), ContradictionError):
        for one in trouble.contradictions:
            sides = ", ".join(f"{key} from {origins.of(tuple(key.split('.')))}" for key in one.keys)
            yield Problem(origins.files[0], "", f"{one.reason} ({sides})")
    elif kind == "extra_forbidden":
        yield Problem(where, key, _unknown_key(str(path[-1]), block))
    elif kind in ("missing", "union_tag_not_found"):
        if where == OVERRIDE:
            yield Problem(where, key, f"is missing; add --set {key}=<value>")
        else:
            yield Problem(origins.files[0], key, "is missing; write it in " + " or ".join(origins.files))
    elif kind in WRONG_TYPE:
        yield Problem(
            where, key, f"wrong type; allowed {context.get('allowed', WRONG_TYPE[kind])}; given {show(given)}"
        )
    elif kind in WRONG_VALUE:
        trouble, allowed = (text.format(**context) for text in WRONG_VALUE[kind])
        near = nearest(str(given), re.findall("'(.*?)'", allowed))
        yield Problem(where, key, f"{trouble}{near}; allowed {allowed}; given {show(given)}")
    else:
        yield Problem(where, key, f"{trouble or error['msg']}; given {show(given)}")


def _unknown_key(name: str, block: type[Spec]) -> str:
    allowed = [*(["extends"] if block is Trial else []), *(one for one in block.model_fields if one != "name")]
    top, _, rest = name.partition(".")
    if rest and top in allowed:
        return f"unknown key; dotted keys are for --set only; write {top}: {{{rest}: ...}}"
    of_kind = f" with kind {_kind(block)}" if _kind(block) else ""
    return "unknown key" + (nearest(name, allowed) or f"; allowed{of_kind}: {', '.join(allowed)}")


def _dotted(path: Key) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def _at(data: Any, path: Key) -> Any:
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _without(data: Any, unknown: set[Key], above: Key = ()) -> Any:
    if isinstance(data, Mapping):
        here = {name: (*above, name) for name in data}
        return {name: _without(data[name], unknown, key) for name, key in here.items() if key not in unknown}
    if isinstance(data, tuple):
        return tuple(_without(item, unknown, (*above, n)) for n, item in enumerate(data))
    return data


def _blocks(annotation: object) -> list[type[Spec]]:
    """Return the models that a field may hold: a single one, or one for each kind."""
    if isinstance(annotation, type) and issubclass(annotation, Spec):
        return [annotation]
    return [block for part in get_args(annotation) for block in _blocks(part)]


def _kind(block: type[Spec]) -> str:
    return str(get_args(block.model_fields["kind"].annotation)[0]) if "kind" in block.model_fields else ""


@dataclass(frozen=True)
class _Place:
    """Where in the declared data a pydantic location is.

    Attributes:
        key: the keys that lead there, without what pydantic puts between them: kinds, and types of a union.
        block: the innermost model on the way, which has the last key or lacks it.
        union: the key whose value may have one of several types, if the location is at or below it; else None.
    """

    key: Key
    block: type[Spec]
    union: Key | None


def _locate(loc: Key, model: type[Spec]) -> _Place:
    key: Key = ()
    block, union = model, None
    types: list[Any] = [model]
    for part in loc:
        if len(types) > 1:
            union = union if _blocks(types[0]) else key
            types = [one for one in types if _called(one, str(part))]
            continue
        key = (*key, part)
        holder = types[0] if types else None
        block = holder if isinstance(holder, type) and issubclass(holder, Spec) else block
        types = _inside(holder, part)
    return _Place(key, block, union)


def _inside(holder: Any, part: str | int) -> list[Any]:
    """Return the types of one entry of a model, a list or a mapping."""
    if isinstance(holder, type) and issubclass(holder, Spec):
        return _types(holder.model_fields[str(part)].annotation) if part in holder.model_fields else []
    arguments = get_args(holder)
    if get_origin(holder) is tuple:
        return _types(arguments[0])
    return _types(arguments[1]) if get_origin(holder) is dict else []


def _types(annotation: Any) -> list[Any]:
    """Return the types of a union, without null; any other annotation alone."""
    if get_origin(annotation) is Annotated:
        return _types(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [one for part in get_args(annotation) for one in _types(part)]
    return [] if annotation is NoneType else [annotation]


def _called(one: Any, name: str) -> bool:
    """Return whether pydantic calls a union's type by this name: its kind, or as in ``tuple[constrained-str, ...]``."""
    if _blocks(one):
        return _kind(one) == name
    return bool(re.match(rf"(constrained-)?{(get_origin(one) or one).__name__}\b", name))
