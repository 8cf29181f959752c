"""YAML with ``extends`` and ``--set`` → ``Trial``: explains every problem at once, each with the file it came from."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, DocumentStartEvent, NodeEvent

from rarelabels.schema import ContradictionError, Spec, Study, Trial, UserError

EXPERIMENTS = Path("experiments")
MAX_FILES = 4  # conf/base → conf/datasets/x → experiments/<study>/_base → trial
MAX_BYTES = 50_000
MAX_NESTING = 20
MAX_LINE = 1_000
OVERRIDE = "--set"
NO_OVERRIDES: Mapping[str, object] = MappingProxyType({})
PROSE = ("name", "question", "thread")  # what a trial is; the rest is what it does
VARIED = ("dataset", "model", "loss", "weighting", "training", "thresholds")

Key = tuple[str | int, ...]
Model = TypeVar("Model", bound=Spec)


@dataclass(frozen=True, order=True)
class _Problem:
    """One line of an error message."""

    where: str
    key: str
    text: str

    def __str__(self) -> str:
        line = ": ".join(part for part in (self.where, self.key, self.text) if part)
        line = line if len(line) <= MAX_LINE else line[:MAX_LINE] + "..."
        return "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)


class _InputError(UserError):
    """All problems found so far, one a line, sorted."""

    def __init__(self, problems: Iterable[_Problem]) -> None:
        self.problems = set(problems)
        super().__init__("\n".join(str(problem) for problem in sorted(self.problems)))

    @classmethod
    def of(cls, where: str, key: str, text: str) -> _InputError:
        """Return the error of one problem."""
        return cls([_Problem(where, key, text)])


@dataclass(frozen=True)
class _Declared:
    """What a trial and its parents say, merged; ``origins`` tells which file wrote the value of a key."""

    data: dict[str, Any]
    origins: dict[Key, str]
    files: tuple[str, ...]  # the trial first

    def origin(self, key: Key) -> str:
        """Return the file that wrote ``key``, or the block around it."""
        return next((self.origins[key[:n]] for n in range(len(key), 0, -1) if key[:n] in self.origins), self.files[0])

    def under(self, layer: Mapping[str, Any], where: str) -> _Declared:
        """Return this with a child laid over it."""
        origins = dict(self.origins)
        return _Declared(_merge(self.data, layer, where, origins), origins, self.files)


# Finding and loading


def load_trial(path: Path, overrides: Mapping[str, object] = NO_OVERRIDES) -> Trial:
    """Return the trial a file declares, with its parents merged in and the dotted ``overrides`` on top.

    Raises:
        UserError: everything that is wrong with it, one problem a line.
    """
    return _load([path], overrides)[0]


def load_many(
    names: Sequence[str], overrides: Mapping[str, object] = NO_OVERRIDES, root: Path = EXPERIMENTS
) -> list[Trial]:
    """Return all named trials; each override is applied to every trial that has its key.

    Raises:
        UserError: an unknown name, an override that no trial has a key for, or the problems of all files.
    """
    return _load(find(names, root), overrides)


def load_study(folder: Path) -> Study | None:
    """Return what ``study.yaml`` in ``folder`` declares, None where there is none.

    Raises:
        UserError: everything that is wrong with it, one problem a line.
    """
    path = folder / "study.yaml"
    if not path.exists():
        return None
    study, problems = _validate(Study, _Declared(_read(path), {}, (_label(path),)))
    if study is None:
        raise _InputError(problems)
    return study


def all_trials(root: Path = EXPERIMENTS) -> list[Path]:
    """Return every ``<root>/<study>/<trial>.yaml``, sorted.

    Raises:
        UserError: there is no such folder.
    """
    if not root.is_dir():
        raise UserError(
            f"there is no folder {root}/ in {Path.cwd()}; change to the folder that holds it, "
            "or name the path of a YAML file"
        )
    hidden = ("_", ".")
    paths = (p for p in root.glob("*/*.yaml") if p.name != "study.yaml" and not p.parent.name.startswith(hidden))
    return sorted(p for p in paths if not p.name.startswith(hidden))


def find(names: Sequence[str], root: Path = EXPERIMENTS) -> list[Path]:
    """Return the file of each named trial, of all trials of each named study, and each path to a YAML file, once.

    Raises:
        UserError: names that are no trial, with the nearest that are.
    """
    found: dict[Path, Path] = {}
    problems = set()
    for name in names:
        try:
            paths = [_trial_file(Path(name))] if name.endswith((".yaml", ".yml")) else _by_name(name, root)
            found |= {path.resolve(): path for path in paths if path.resolve() not in found}
        except UserError as error:
            problems.add(_Problem("", "", str(error)))
    if problems:
        raise _InputError(problems)
    return list(found.values())


def _by_name(name: str, root: Path) -> list[Path]:
    trials = {f"{path.parent.name}/{path.stem}": path for path in all_trials(root)}
    studies = {folder.name for folder in root.iterdir() if folder.is_dir() and not folder.name.startswith(("_", "."))}
    name = name.rstrip("/")
    if name in trials:
        return [trials[name]]
    if name in studies:
        if paths := [path for path in trials.values() if path.parent.name == name]:
            return paths
        raise UserError(f"study {name!r} has no trials yet: no {root}/{name}/<trial>.yaml")
    study, _, stem = name.partition("/")
    if study in studies and (stem.startswith("_") or stem == "study"):
        return [_trial_file(root / f"{name}.yaml")]
    near = _nearest(name, [*trials, *studies]) or f"; there are: {', '.join(sorted(studies)) or 'none yet'}"
    raise UserError(f"no trial or study {name!r} under {root}/{near}")


def _trial_file(path: Path) -> Path:
    if path.name.startswith("_"):
        raise UserError(
            f"{path}: is not a trial: files that begin with '_' are there to be extended; name one that does"
        )
    if path.name == "study.yaml":
        raise UserError(f"{path}: is not a trial: it describes the study; name the study to have all its trials")
    if not _is_file(path):
        raise UserError(f"{path}: there is no such file")
    return path


def _load(paths: Sequence[Path], overrides: Mapping[str, object]) -> list[Trial]:
    problems = {_Problem(OVERRIDE, key, text) for key in overrides if (text := _not_overridable(key))}
    wanted = {key: value for key, value in overrides.items() if not _not_overridable(key)}
    trials, unused, keys, unread = [], set(wanted), set(), False
    for path in paths:
        try:
            declared, used = _override(_declared(path), wanted)
        except _InputError as error:
            problems |= error.problems
            unread = True
            continue
        unused -= used
        keys |= set(_keys(Trial, declared.data))
        trial, wrong = _check(declared)
        problems |= wrong
        trials += [trial] if trial else []
    if not unread:  # the file that could not be read may have had the key
        trouble = "no trial that is named has this key"
        problems |= {_Problem(OVERRIDE, key, trouble + _nearest(key, sorted(keys))) for key in unused}
    if problems:
        raise _InputError(problems)
    return trials


# Reading YAML


class _PlainConstructor(SafeConstructor):
    """ruamel.yaml's safe constructor without dates and '=' values, which YAML 1.2 does not have."""


for _tag in ("timestamp", "value"):
    _PlainConstructor.add_constructor(f"tag:yaml.org,2002:{_tag}", SafeConstructor.construct_yaml_str)


def _yaml() -> YAML:
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _PlainConstructor
    return yaml


def _parse(text: str, where: str, key: str = "") -> Any:
    try:
        if trick := next(_tricks(text), ""):
            raise _InputError.of(where, key, trick)
        return _plain(_yaml().load(text), where)
    except MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        twice = re.match(r'found duplicate key "(.*?)" with', error.problem or "", re.DOTALL)
        reason = f"key {twice[1]!r} is given twice" if twice else f"not YAML: {error.problem or error.context}"
        raise _InputError.of(where, key, line + reason) from None
    except (YAMLError, ValueError, TypeError) as error:  # control characters, numbers too long for Python, odd keys
        raise _InputError.of(where, key, f"not YAML: {str(error).splitlines()[0]}") from None


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


def _plain(value: Any, where: str) -> Any:
    """Return ``value`` with tuples for lists, as the frozen models hold them; keys must be text."""
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise _InputError.of(where, "", f"a key must be text; given {_show(key)}")
        return {key: _plain(item, where) for key, item in value.items()}
    return tuple(_plain(item, where) for item in value) if isinstance(value, (list, tuple)) else value


def _read(path: Path) -> dict[str, Any]:
    where = _label(path)
    try:
        if not path.is_file():
            raise _InputError.of(where, "", "is not a file" if path.exists() else "there is no such file")
        if path.stat().st_size > MAX_BYTES:
            raise _InputError.of(where, "", f"is too long for a declaration; allowed {MAX_BYTES} bytes")
        data = _parse(path.read_bytes().decode("utf-8-sig"), where)
    except UnicodeDecodeError as error:
        raise _InputError.of(where, "", f"is not UTF-8 text (byte {error.start + 1})") from None
    except OSError as error:
        raise _InputError.of(where, "", f"cannot be read: {error.strerror}") from None
    if not isinstance(data, dict):
        given = "is empty" if data is None else f"given {_show(data)}"
        raise _InputError.of(where, "", f"{given}; allowed a mapping of keys to values")
    return data


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long for the file system
        return False


def _label(path: Path) -> str:
    path = path.resolve()
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


# Merging


def _declared(path: Path) -> _Declared:
    chain: dict[Path, dict[str, Any]] = {}
    file: Path | None = path.resolve()
    while file:
        data = chain[file] = _read(file)
        parent = _parent(file, data.pop("extends")) if "extends" in data else None
        names = " → ".join(_label(one) for one in (*chain, *([parent] if parent else [])))
        if parent in chain:
            raise _InputError.of(_label(path), "extends", f"a cycle: {names}")
        file = parent
    if len(chain) > MAX_FILES:
        trouble = f"a chain of {len(chain)} files; allowed {MAX_FILES}; given {names}"
        raise _InputError.of(_label(path), "extends", trouble)
    declared = _Declared({}, {}, tuple(_label(one) for one in chain))
    for one, data in reversed(chain.items()):
        declared = declared.under(data, _label(one))
    return replace(declared, data={**declared.data, "name": f"{path.resolve().parent.name}/{path.stem}"})


def _parent(child: Path, extends: object) -> Path:
    trouble = f"wrong type; allowed the relative path of one YAML file; given {_show(extends)}"
    if isinstance(extends, str):
        parent = child.parent / extends.replace("\0", "")
        if Path(extends).is_absolute():
            trouble = f"an absolute path; allowed a path relative to this file; given {_show(extends)}"
        elif parent.suffix not in (".yaml", ".yml"):
            trouble = f"not a YAML file; allowed a path that ends in .yaml; given {_show(extends)}"
        elif _is_file(parent):
            return parent.resolve()
        else:
            near = _nearest(parent.name, [one.name for one in parent.parent.glob("*.y*ml")])
            trouble = f"there is no file {_label(parent)}{near}"
    raise _InputError.of(_label(child), "extends", trouble)


def _merge(
    parent: Mapping[str, Any], child: Mapping[str, Any], where: str, origins: dict[Key, str], above: Key = ()
) -> dict[str, Any]:
    merged = dict(parent)
    for name, value in child.items():
        old, key = parent.get(name), (*above, name)
        if isinstance(old, Mapping) and isinstance(value, Mapping) and not _changes_kind(old, value):
            merged[name] = _merge(old, value, where, origins, key)
        else:  # a changed kind replaces its block: no label smoothing of one loss may leak into another
            for stale in [one for one in origins if one[: len(key)] == key]:
                del origins[stale]
            origins[key] = where
            merged[name] = value
    return merged


def _changes_kind(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    return "kind" in old and "kind" in new and old["kind"] != new["kind"]


# Overrides


def parse_override(text: str) -> tuple[str, object]:
    """Return the dotted key and the value of ``training.epochs=3``; the value is read as YAML.

    Raises:
        UserError: no ``=``, no key, no value, or a value that is not YAML.
    """
    key, equals, value = text.partition("=")
    if not equals or not re.fullmatch(r"\w+(\.\w+)*", key) or not value.strip():
        raise _InputError.of(OVERRIDE, "", f"allowed <dotted.key>=<value> (null for no value); given {_show(text)}")
    return key, _parse(value, OVERRIDE, key)


def _not_overridable(key: str) -> str:
    top = key.split(".")[0]
    if top in PROSE:
        return f"cannot be overridden: {top} says what the trial is, and its runs are filed under it; edit the file"
    return "cannot be overridden: files are merged before; edit the file" if top == "extends" else ""


def _override(declared: _Declared, overrides: Mapping[str, object]) -> tuple[_Declared, set[str]]:
    """Return ``declared`` with the overrides it has keys for, and which those are."""
    used = set()
    # Kinds first: they decide which keys a block has, and would drop what was set in it before.
    for key in sorted(overrides, key=lambda key: (key.count("."), not key.endswith(".kind"))):
        if key in _keys(Trial, declared.data) or key.startswith("vary."):
            declared = declared.under(_nested(key, overrides[key]), OVERRIDE)
            used.add(key)
    return declared, used


def _nested(key: str, value: object) -> dict[str, Any]:
    first, *rest = key.split(".", 1 if key.startswith("vary.") else -1)
    nested = _plain(value, OVERRIDE)
    for part in reversed(rest):
        nested = {part: nested}
    return {first: nested}


# Explaining


def _check(declared: _Declared) -> tuple[Trial | None, set[_Problem]]:
    trial, problems = _validate(Trial, declared)
    if ("name",) in declared.origins:
        trouble = "cannot be written: the name of a trial is the path of its file; leave it out"
        problems.add(_Problem(declared.origin(("name",)), "name", trouble))
    vary = declared.data.get("vary")
    for key, values in vary.items() if isinstance(vary, Mapping) else ():
        problems |= _check_vary(declared, key, values, problems)
    return trial, problems


def _check_vary(declared: _Declared, key: str, values: object, known: set[_Problem]) -> set[_Problem]:
    where, path = declared.origin(("vary", key)), f"vary.{key}"
    allowed = [one for one in _keys(Trial, declared.data) if one.split(".")[0] in VARIED]
    if key not in allowed:
        near = _nearest(key, allowed) or f"; allowed a key in {', '.join(VARIED)}"
        return {_Problem(where, path, "unknown key" + near)}
    if OVERRIDE == declared.origin(tuple(key.split("."))) != where:
        trouble = f"is what {declared.files[0]} varies, so this would have no effect; add --set vary=null"
        return {_Problem(OVERRIDE, key, trouble)}
    problems, seen = set(), set()
    for label, variant in _variants(declared, key, values if isinstance(values, tuple) else ()):
        trial, wrong = _validate(Trial, variant)
        problems |= {_Problem(where, path, f"{label}: {one.text}") for one in wrong - known}
        content = trial.model_dump_json() if trial else label
        if content in seen:
            problems.add(_Problem(where, path, f"{label}: lists the same value twice"))
        seen.add(content)
    return problems


def _validate(model: type[Model], declared: _Declared) -> tuple[Model | None, set[_Problem]]:
    try:
        return model.model_validate(declared.data, strict=True), set()
    except ValidationError as error:
        errors = error.errors(include_url=False)
    problems = {problem for one in errors for problem in _explain(one, model, declared)}
    # A list whose items are wrong is also reported as too short.
    wrong_items = {one.key.rpartition("[")[0] for one in problems}
    problems = {one for one in problems if not (one.key in wrong_items and one.text.startswith("too short"))}
    if unknown := {_locate(one["loc"], model)[0] for one in errors if one["type"] == "extra_forbidden"}:
        # An unknown key must not hide a contradiction between the known ones.
        problems |= _validate(model, replace(declared, data=_without(declared.data, unknown)))[1]
    return None, problems


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


def _explain(error: ErrorDetails, model: type[Spec], declared: _Declared) -> Iterator[_Problem]:
    path, block = _locate(error["loc"], model)
    kind, context = error["type"], error.get("ctx", {})
    if kind.startswith("union_tag"):
        path = (*path, "kind")
    where, key, given = declared.origin(path), _dotted(path), _at(declared.data, path)
    if isinstance(trouble := context.get("error"), ContradictionError):
        for one in trouble.found:
            origins = ", ".join(f"{key} from {declared.origin(tuple(key.split('.')))}" for key in one.keys)
            yield _Problem(declared.files[0], "", f"{one.reason} ({origins})")
    elif kind == "extra_forbidden":
        yield _Problem(where, key, _unknown_key(str(path[-1]), block))
    elif kind in ("missing", "union_tag_not_found"):
        if where == OVERRIDE:
            yield _Problem(where, key, f"is missing; add --set {key}=<value>")
        else:
            yield _Problem(declared.files[0], key, "is missing; write it in " + " or ".join(declared.files))
    elif kind in WRONG_TYPE:
        yield _Problem(where, key, f"wrong type; allowed {WRONG_TYPE[kind]}; given {_show(given)}")
    elif kind in WRONG_VALUE:
        trouble, allowed = (text.format(**context) for text in WRONG_VALUE[kind])
        near = _nearest(str(given), re.findall("'(.*?)'", allowed))
        yield _Problem(where, key, f"{trouble}{near}; allowed {allowed}; given {_show(given)}")
    else:
        yield _Problem(where, key, f"{trouble or error['msg']}; given {_show(given)}")


def _unknown_key(name: str, block: type[Spec]) -> str:
    allowed = [*(["extends"] if block is Trial else []), *(one for one in block.model_fields if one != "name")]
    top, _, rest = name.partition(".")
    if rest and top in allowed:
        return f"unknown key; dots are for --set; write {top}: {{{rest}: ...}}"
    of_kind = f" with kind {_kind(block)}" if _kind(block) else ""
    return "unknown key" + (_nearest(name, allowed) or f"; allowed{of_kind}: {', '.join(allowed)}")


def _nearest(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _show(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


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


# Walking the models


def _blocks(annotation: object) -> list[type[Spec]]:
    """Return the models a field may hold: one, or one for each kind."""
    if isinstance(annotation, type) and issubclass(annotation, Spec):
        return [annotation]
    return [block for part in get_args(annotation) for block in _blocks(part)]


def _kind(block: type[Spec]) -> str:
    return str(get_args(block.model_fields["kind"].annotation)[0]) if "kind" in block.model_fields else ""


def _locate(loc: Key, model: type[Spec]) -> tuple[Key, type[Spec]]:
    """Return the keys of a pydantic location, without the kinds it puts between them, and the block of the last."""
    path: Key = ()
    blocks, holder = [model], model
    for part in loc:
        if len(blocks) > 1:
            blocks = [block for block in blocks if _kind(block) == part]
            continue
        path = (*path, part)
        if isinstance(part, str):
            holder = blocks[0] if blocks else Spec
            blocks = _blocks(holder.model_fields[part].annotation) if part in holder.model_fields else []
    return path, holder


def _keys(model: type[Spec], data: object, above: str = "") -> Iterator[str]:
    """Yield the dotted keys that a model with the kinds of ``data`` has."""
    for name, field in model.model_fields.items():
        if above or name not in PROSE:
            yield above + name
        value = data.get(name) if isinstance(data, Mapping) else None
        blocks = _blocks(field.annotation)
        if len(blocks) > 1:
            kind = value.get("kind") if isinstance(value, Mapping) else None
            blocks = [block for block in blocks if _kind(block) == kind]
        for block in blocks:
            yield from _keys(block, value, f"{above}{name}.")


# Variants and output


def variants(trial: Trial) -> list[tuple[str, Trial]]:
    """Return each variant that ``vary`` declares with its label, ``dataset.labels=3``; without one, the trial itself.

    A variant has no ``vary`` of its own.

    Raises:
        UserError: a key that does not exist or a value that is not allowed; never for a trial that was loaded.
    """
    if trial.vary is None:
        return [("", trial)]
    declared = _Declared(trial.model_dump(), {}, (trial.name,))
    _, problems = _check(declared)
    if problems:
        raise _InputError(problems)
    ((key, values),) = trial.vary.items()
    return [(label, Trial.model_validate(one.data, strict=True)) for label, one in _variants(declared, key, values)]


def _variants(declared: _Declared, key: str, values: Iterable[object]) -> Iterator[tuple[str, _Declared]]:
    plain = replace(declared, data={**declared.data, "vary": None})
    for value in values:
        label = f"{key}={value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        yield label, plain.under(_nested(key, value), declared.origin(("vary", key)))


def dump(trial: Trial) -> str:
    """Return the whole trial as YAML; ``load_trial`` reads it back equal from a file of the same folder and name."""
    yaml, text = YAML(typ="safe", pure=True), io.StringIO()
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # ruamel.yaml types its None only
    yaml.width = 1_000
    yaml.dump(_written(trial), text)
    return text.getvalue()


def flat(trial: Trial) -> dict[str, object]:
    """Return every key ``--set`` takes with its value: numbers, text, booleans, None; a list as its JSON text."""
    return dict(_flat({key: value for key, value in _written(trial).items() if key not in PROSE}))


def _written(trial: Trial) -> dict[str, Any]:
    return trial.model_dump(mode="json", exclude={"name"} | ({"vary"} if trial.vary is None else set()))


def _flat(data: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, object]]:
    for name, value in data.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield above + name, json.dumps(value) if isinstance(value, list) else value


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of a trial's file, for editors: nothing is required, as any key may come from a parent."""
    schema = Trial.model_json_schema()
    for block in (schema, *schema["$defs"].values()):
        block.pop("required", None)
        for field in block["properties"].values():
            if "oneOf" in field:  # without a kind, which a parent may give, several blocks fit
                field["anyOf"] = field.pop("oneOf")
                field.pop("discriminator", None)
    del schema["properties"]["name"]
    parent = {"type": "string", "description": "relative path of the one YAML file this one builds on"}
    schema["properties"] = {"extends": parent, **schema["properties"]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
