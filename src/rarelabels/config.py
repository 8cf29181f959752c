"""YAML with ``extends`` and ``--set`` → ``Trial``: finds what is named and tells every problem of it at once."""

from __future__ import annotations

import io
import itertools
import json
import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ruamel.yaml import YAML

from rarelabels import each_tuned, study_files
from rarelabels.declared import Declared, parse, plain, read_with_parents, shown
from rarelabels.problems import OVERRIDE, PROSE, InputError, Key, Origins, Problem, keys, nearest, show, validate
from rarelabels.schema import (
    FOR_HALF,
    SEARCHED_FOR_HALF,
    Hypothesis,
    ParameterSearch,
    Range,
    Study,
    Trial,
    UserError,
)

EXPERIMENTS = Path("experiments")
NO_OVERRIDES: Mapping[str, object] = MappingProxyType({})
VARIED = ("dataset", "model", "loss", "weighting", "training", "thresholds")
MOST_CORNERS = 256  # of a search space, that are tried together
SEARCHED = ("model", "loss", "weighting", "training")  # what a trial is measured by stays the same in a search


# Loading


def load_trial(path: Path, overrides: Mapping[str, object] = NO_OVERRIDES) -> Trial:
    """Return the trial a file declares, with its parents merged in and the dotted ``overrides`` on top.

    A relative ``dataset.path`` counts from the folder of the file that wrote it, in ``overrides`` from the current
    folder, and becomes absolute.

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

    Where each network is tuned, the sides of a hypothesis about 0.5 are the variants that were searched for that.

    Raises:
        UserError: everything that is wrong with it, one problem a line.
    """
    path = folder / study_files.NAME
    study, problems = study_files.read(folder)
    if study:
        known = {name for one in study_files.trials(folder) for name in _compared_as(one)}
        problems |= set(_unknown_trials(study, path, sorted(known))) | set(study_files.wrong_trials(study, path))
        study = study.model_copy(update={"hypotheses": tuple(_with_searches(one, known) for one in study.hypotheses)})
    if problems:
        raise InputError(problems)
    return study


def _unknown_trials(study: Study, path: Path, trials: Sequence[str]) -> Iterator[Problem]:
    for one in study.hypotheses:
        for key, name in (("trial", one.trial), ("against", one.against)):
            if name not in trials:
                near = nearest(name, trials) or f"; there are: {', '.join(trials) or 'none yet'}"
                yield Problem(shown(path), f"hypotheses.{one.name}.{key}", f"no trial {name!r} in this folder{near}")
    stems = [one.stem for one in study_files.trials(path.parent)]
    for name in study.baselines:
        if name not in stems:
            near = nearest(name, stems) or f"; there are: {', '.join(stems) or 'none yet'}"
            yield Problem(shown(path), "baselines", f"no trial {name!r} in this folder{near}")


def _with_searches(hypothesis: Hypothesis, known: Collection[str]) -> Hypothesis:
    """Return a hypothesis whose sides at 0.5 are the variants searched for that, where there are such."""
    sides = {side: f"{getattr(hypothesis, side)} {SEARCHED_FOR_HALF}" for side in hypothesis.at_half}
    return hypothesis.model_copy(update={side: name for side, name in sides.items() if name in known})


def _compared_as(path: Path) -> list[str]:
    """What a comparison calls the trial of a file: its short name, of a sweep with each variant."""
    try:
        labels = [label for label, _ in variants(load_trial(path))]
    except UserError:  # what is wrong with it is told where it is loaded to be run
        labels = [""]
    return [" ".join(filter(None, [path.stem, label])) for label in labels]


def _load(paths: Sequence[Path], overrides: Mapping[str, object]) -> list[Trial]:
    refused = {key: reason for key in overrides if (reason := _not_overridable(key))}
    problems = {Problem(OVERRIDE, key, reason) for key, reason in refused.items()}
    wanted = {key: value for key, value in overrides.items() if key not in refused}
    trials, unused, known, unread = [], set(wanted), set(), False
    for path in paths:
        try:
            declared, used = _override(_declared(path), wanted)
            declared = _with_absolute_paths(declared)
        except InputError as error:
            problems |= error.problems
            unread = True
            continue
        unused -= used
        known |= set(keys(Trial, declared.data))
        trial, wrong = _check(declared)
        if trial and not wrong:
            trial, wrong = _with_shared_search(declared, trial, path.parent)
        problems |= wrong
        trials += [trial] if trial else []
    if not unread:  # the file that could not be read may have had the key
        trouble = "no trial that is named has this key"
        problems |= {Problem(OVERRIDE, key, trouble + nearest(key, sorted(known))) for key in unused}
    if problems:
        raise InputError(problems)
    return trials


def _declared(path: Path) -> Declared:
    declared = read_with_parents(study_files.file_of(path))
    return replace(declared, data={**declared.data, "name": _name(path)})


def _check(declared: Declared) -> tuple[Trial | None, set[Problem]]:
    trial, problems = validate(Trial, declared.data, declared.origins)
    if where := declared.origins.written.get(("name",)):
        trouble = "cannot be written: the name of a trial is the path of its file; leave it out"
        problems.add(Problem(where, "name", trouble))
    vary = declared.data.get("vary")
    for key, values in vary.items() if isinstance(vary, Mapping) else ():
        problems |= _check_vary(declared, key, values, problems)
    if trial and not problems and isinstance(trial.tuning, ParameterSearch):
        problems |= _check_space(declared, trial, trial.tuning)
    return trial, problems


def _with_shared_search(declared: Declared, trial: Trial, folder: Path) -> tuple[Trial | None, set[Problem]]:
    """Return the trial with the search that every network of its study gets, if each is tuned; and what is wrong.

    ``--set tuning=null`` runs it as it is declared.
    """
    study, problems = study_files.read_each_tuned(folder)
    shared = study.shared_search if study else None
    if study is None or shared is None or not trial.is_network or declared.origins.of(("tuning",)) == OVERRIDE:
        return trial, problems
    where, at_half = shown(folder / study_files.NAME), trial.short_name in _judged_at_half(study)
    also_for_half = at_half and shared.metric != FOR_HALF
    why = each_tuned.refusal(trial, also_for_half=also_for_half) or _refused_sweep(trial)
    if why:
        return None, {Problem(where, "protocol", f"each_tuned: {trial.name} {why}")}
    tuning = each_tuned.search(trial, shared, also_for_half=also_for_half)
    return _check(declared.under({"tuning": tuning.model_dump()}, where))


def _judged_at_half(study: Study) -> set[str]:
    """Return the short names of the trials that a hypothesis about 0.5 compares."""
    return {getattr(one, side).split()[0] for one in study.hypotheses for side in one.at_half}


def _refused_sweep(trial: Trial) -> str:
    """Say why the variants of a trial cannot be searched alike; empty where they can."""
    spaces = [each_tuned.space(variant) for _, variant in variants(trial)]
    varied = next(iter(trial.vary or {}), "")
    if varied in spaces[0] or any(one != spaces[0] for one in spaces):
        return f"varies {varied}, which is searched or decides what is; declare a trial for each of its values"
    return ""


# Finding


def all_trials(root: Path = EXPERIMENTS) -> list[Path]:
    """Return every ``<root>/<study>/<trial>.yaml``, sorted; a trial taken from another study is where it would be.

    Raises:
        UserError: there is no such folder.
    """
    return sorted(path for folder in study_files.studies(root) for path in study_files.trials(folder))


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
            problems.add(Problem("", "", str(error)))
    if problems:
        raise InputError(problems)
    return list(found.values())


def to_search(names: Sequence[str], root: Path = EXPERIMENTS) -> set[str]:
    """Return the names of the trials that are tuned before they are run.

    Those are the trials that are named one by one, and all of a study where each is tuned.

    Raises:
        UserError: a name that is no trial and no study, or a ``study.yaml`` that cannot be read.
    """
    single = [name for name in names if name.endswith((".yaml", ".yml")) or "/" in name.rstrip("/")]
    of_studies = [path for path in find(names, root) if study_files.read_each_tuned(path.parent)[0]]
    return {_name(path) for path in [*find(single, root), *of_studies]}


def _name(path: Path) -> str:
    return f"{path.resolve().parent.name}/{path.stem}"


def _by_name(name: str, root: Path) -> list[Path]:
    trials = {f"{path.parent.name}/{path.stem}": path for path in all_trials(root)}
    studies = {folder.name for folder in study_files.studies(root)}
    name = name.rstrip("/")
    if name in trials:
        return [trials[name]]
    if name in studies:
        if paths := study_files.trials(root / name):
            return paths
        load_study(root / name)  # says why, if it would take them from another
        raise UserError(f"study {name!r} has no trials yet: no {root}/{name}/<trial>.yaml")
    study, _, stem = name.partition("/")
    if study in studies and (stem.startswith("_") or stem == "study"):
        return [_trial_file(root / f"{name}.yaml")]
    near = nearest(name, [*trials, *studies]) or f"; there are: {', '.join(sorted(studies)) or 'none yet'}"
    raise UserError(f"no trial or study {name!r} under {root}/{near}")


def _trial_file(path: Path) -> Path:
    if path.name.startswith("_"):
        raise UserError(
            f"{path}: is not a trial: files that begin with '_' are there to be extended; name one that does"
        )
    if path.name == study_files.NAME:
        raise UserError(f"{path}: is not a trial: it describes the study; name the study to have all its trials")
    if not study_files.is_trial(path):
        raise UserError(f"{path}: there is no such file")
    return path


# Overrides


def parse_override(text: str) -> tuple[str, object]:
    """Return the dotted key and the value of ``training.epochs=3``; the value is read as YAML.

    Raises:
        UserError: no ``=``, no key, no value, or a value that is not YAML.
    """
    key, equals, value = text.partition("=")
    if not equals or not re.fullmatch(r"\w+(\.\w+)*", key) or not value.strip():
        raise InputError.of(OVERRIDE, "", f"allowed <dotted.key>=<value> (null for no value); given {show(text)}")
    return key, parse(value, OVERRIDE, key)


def _not_overridable(key: str) -> str:
    top = key.split(".")[0]
    if top in PROSE:
        return f"cannot be overridden: {top} says what the trial is, and its runs are filed under it; edit the file"
    return "cannot be overridden: files are merged before; edit the file" if top == "extends" else ""


def _override(declared: Declared, overrides: Mapping[str, object]) -> tuple[Declared, set[str]]:
    """Return ``declared`` with the overrides it has keys for, and which those are."""
    used = set()
    # Kinds first: they decide which keys a block has, and would drop what was set in it before.
    for key in sorted(overrides, key=lambda key: (key.count("."), not key.endswith(".kind"))):
        if key in keys(Trial, declared.data) or key.startswith("vary."):
            declared = declared.under(_nested(key, overrides[key]), OVERRIDE)
            used.add(key)
    return declared, used


def _nested(key: str, value: object) -> dict[str, Any]:
    first, *rest = key.split(".", 1 if key.startswith("vary.") else -1)
    nested = plain(value, OVERRIDE)
    for part in reversed(rest):
        nested = {part: nested}
    return {first: nested}


# Paths of tables


def _with_absolute_paths(declared: Declared) -> Declared:
    """Return ``declared`` with the paths in ``dataset``, and in what ``vary`` puts there, made absolute."""
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
    if key == "dataset" and isinstance(values, tuple):
        return tuple(_with_absolute_path(one, where, origins) if isinstance(one, Mapping) else one for one in values)
    return values


def _with_absolute_path(dataset: Mapping[str, Any], key: Key, origins: Origins) -> Mapping[str, Any]:
    if dataset.get("kind") == "table" and "path" in dataset:
        return {**dataset, "path": _absolute(dataset["path"], (*key, "path"), origins)}
    if isinstance(backbone := dataset.get("backbone"), Mapping) and "file" in backbone:
        return {
            **dataset,
            "backbone": {**backbone, "file": _absolute(backbone["file"], (*key, "backbone", "file"), origins)},
        }
    return dataset


def _absolute(path: object, key: Key, origins: Origins) -> object:
    if not isinstance(path, str) or not path:
        return path  # the schema says what is wrong with it
    where = origins.of(key)
    try:
        full = (Path() if where == OVERRIDE else Path(where).parent) / Path(path).expanduser()
        # The folder alone is resolved: a link may have another ending than what it leads to.
        return str(full.parent.resolve() / full.name)
    except (OSError, RuntimeError, ValueError) as error:
        raise InputError.of(where, ".".join(map(str, key)), f"cannot be a path: {error}; given {show(path)}") from None


# Sweeps


def variants(trial: Trial) -> list[tuple[str, Trial]]:
    """Return each variant of a trial with its label, ``dataset.labels=3``; without any, the trial itself.

    They are what ``vary`` declares. A trial that is also searched for macro-F1 at 0.5 has one more variant beside each,
    with that search. A variant has no ``vary`` and at most one search.

    Raises:
        UserError: a key that does not exist or a value that is not allowed; never for a trial that was loaded.
    """
    return [pair for label, variant in _swept(trial) for pair in _by_search(label, variant)]


def _swept(trial: Trial) -> list[tuple[str, Trial]]:
    if trial.vary is None:
        return [("", trial)]
    declared = Declared(trial.model_dump(), Origins((trial.name,), {}))
    ((key, values),) = trial.vary.items()
    if problems := _check_vary(declared, key, values, set()):
        raise InputError(problems)
    return [(label, Trial.model_validate(one.data, strict=True)) for label, one in _variants(declared, key, values)]


def _by_search(label: str, trial: Trial) -> Iterator[tuple[str, Trial]]:
    tuning = trial.tuning
    if not isinstance(tuning, ParameterSearch) or not tuning.also_for_half:
        yield label, trial
        return
    searches: dict[str, dict[str, object]] = {
        label: {"also_for_half": False},
        f"{label} {SEARCHED_FOR_HALF}".strip(): {"also_for_half": False, "metric": FOR_HALF, "direction": "maximize"},
    }
    for name, changes in searches.items():
        yield name, trial.model_copy(update={"tuning": tuning.model_copy(update=changes)})


def _variants(declared: Declared, key: str, values: Iterable[object]) -> Iterator[tuple[str, Declared]]:
    without = replace(declared, data={**declared.data, "vary": None})
    for value in values:
        label = f"{key}={value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        yield label, without.under(_nested(key, value), declared.origins.of(("vary", key)))


def _check_vary(declared: Declared, key: str, values: object, known: set[Problem]) -> set[Problem]:
    where, path = declared.origins.of(("vary", key)), f"vary.{key}"
    allowed = [one for one in keys(Trial, declared.data) if one.split(".")[0] in VARIED]
    if key not in allowed:
        near = nearest(key, allowed) or f"; allowed a key in {', '.join(VARIED)}"
        return {Problem(where, path, "unknown key" + near)}
    if OVERRIDE == declared.origins.of(tuple(key.split("."))) != where:
        trouble = f"is what {declared.origins.files[0]} varies, so this would have no effect; add --set vary=null"
        return {Problem(OVERRIDE, key, trouble)}
    problems, seen = set(), set()
    for label, variant in _variants(declared, key, values if isinstance(values, tuple) else ()):
        trial, wrong = validate(Trial, variant.data, variant.origins)
        problems |= {Problem(where, path, f"{label}: {one.text}") for one in wrong - known}
        content = trial.model_dump_json() if trial else label
        if content in seen:
            problems.add(Problem(where, path, f"{label}: lists the same value twice"))
        seen.add(content)
    return problems


# Searches


def with_values(trial: Trial, values: Mapping[str, object]) -> Trial:
    """Return the trial with the values of dotted keys replaced.

    Raises:
        UserError: a key that does not exist or a value that is not allowed; never for values of a checked search.
    """
    declared = Declared(trial.model_dump(), Origins((trial.name,), {}))
    for key, value in values.items():
        declared = declared.under(_nested(key, value), trial.name)
    changed, problems = validate(Trial, declared.data, declared.origins)
    if changed is None:
        raise InputError(problems)
    return changed


def is_whole(trial: Trial, key: str) -> bool:
    """Return whether a searched key takes whole numbers alone."""
    assert isinstance(trial.tuning, ParameterSearch)
    values = trial.tuning.space[key]
    low, high = values.low or 0.0, values.high or 0.0
    return bool(_refused(trial, {key: low + (high - low) / math.pi}))  # never a whole number


def is_per_label(trial: Trial, key: str) -> bool:
    """Return whether a searched key holds one number for each label."""
    return isinstance(_value(trial.model_dump(), key), Mapping)


def _value(data: Any, key: str) -> Any:
    for part in key.split("."):
        data = data.get(part) if isinstance(data, Mapping) else None
    return data


def _refused(trial: Trial, values: Mapping[str, object]) -> set[Problem]:
    given = {key: {"a label": value} if is_per_label(trial, key) else value for key, value in values.items()}
    try:
        with_values(trial, given)
    except InputError as error:
        return error.problems
    return set()


def _check_space(declared: Declared, trial: Trial, tuning: ParameterSearch) -> set[Problem]:
    """Return what is wrong with a search: with a key, or with the ends of the ranges, alone and together."""
    problems = {one for key in tuning.space for one in _check_key(declared, trial, key)}
    if problems:
        return problems
    for label, variant in _swept(trial):
        of = f"{label}: " if label else ""
        ends = {key: _ends(variant, key, values) for key, values in tuning.space.items()}
        for key, values in ends.items():
            problems |= {
                _in_space(declared, key, f"{of}{show(end)}: {one.text}")
                for end in values
                for one in _refused(variant, {key: end})
            }
        corners = itertools.islice(itertools.product(*ends.values()), MOST_CORNERS)
        together = (dict(zip(ends, corner, strict=True)) for corner in corners)
        wrong = next(((one, found) for one in together if (found := _refused(variant, one))), None)
        if wrong and not problems:
            told = "; ".join(sorted(one.text for one in wrong[1]))
            problems.add(_in_space(declared, next(iter(ends)), f"{of}together {show(wrong[0])}: {told}"))
    return problems


def _check_key(declared: Declared, trial: Trial, key: str) -> Iterator[Problem]:
    block = key.split(".")[0]
    allowed = [one for one in keys(Trial, declared.data) if one.split(".")[0] in SEARCHED and one.count(".")]
    if key not in allowed:
        near = nearest(key, allowed) or f"; allowed a key of the trial in {', '.join(SEARCHED)}"
        yield _in_space(declared, key, "unknown key" + near)
    elif key.endswith(".kind"):
        yield _in_space(declared, key, "a kind decides which keys there are; declare a trial for each kind")
    elif block not in trial.training_definition():
        yield _in_space(declared, key, f"has no effect on model.kind {trial.model.kind!r}")
    elif key == "model.field_weights":
        yield _in_space(declared, key, "holds a number for each field, not one; declare a trial for each choice")
    elif key == "model.c" and isinstance(getattr(trial.model, "c", None), tuple):
        yield _in_space(declared, key, "is a grid, of which validation chooses already; declare one number to search")
    elif trial.vary and key in trial.vary:
        yield _in_space(declared, key, "is what vary varies, so that the search would overwrite it")
    elif OVERRIDE == declared.origins.of(tuple(key.split("."))) != declared.origins.of(("tuning", "space", key)):
        trouble = f"is what {declared.origins.files[0]} searches, so this would have no effect; add --set tuning=null"
        yield Problem(OVERRIDE, key, trouble)


def _in_space(declared: Declared, key: str, text: str) -> Problem:
    return Problem(declared.origins.of(("tuning", "space", key)), f"tuning.space.{key}", text)


def _ends(trial: Trial, key: str, values: Range) -> tuple[object, ...]:
    if values.choices is not None:
        return values.choices
    ends = (values.low or 0.0, values.high or 0.0)
    return tuple(int(end) if end % 1 == 0 else end for end in ends) if is_whole(trial, key) else ends


# Writing


def dump(trial: Trial) -> str:
    """Return the whole trial as YAML; ``load_trial`` reads it back equal from a file of the same folder and name."""
    yaml, text = YAML(typ="safe", pure=True), io.StringIO()
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # ruamel.yaml types its None only
    yaml.width = 1_000
    yaml.dump(_written(trial), text)
    return text.getvalue()


def flat(trial: Trial) -> dict[str, object]:
    """Return every key ``--set`` takes with its value: numbers, text, booleans, None; lists and mappings as JSON."""
    data = {key: value for key, value in _written(trial).items() if key not in PROSE}
    return dict(_flat(data, list(keys(Trial, data))))


def _written(trial: Trial) -> dict[str, Any]:
    return trial.model_dump(mode="json", exclude={"name"} | ({"vary"} if trial.vary is None else set()))


def _flat(data: Mapping[str, Any], known: Collection[str], above: str = "") -> Iterator[tuple[str, object]]:
    for name, value in data.items():
        if isinstance(value, Mapping) and any(key.startswith(f"{above}{name}.") for key in known):
            yield from _flat(value, known, f"{above}{name}.")
        else:  # a mapping from labels or columns is one value, as it is for --set
            yield above + name, json.dumps(value, ensure_ascii=False) if isinstance(value, (list, Mapping)) else value


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of a trial's file, for editors: nothing is required, as any key may come from a parent."""
    schema: dict[str, Any] = _without_kinds(Trial.model_json_schema())
    for block in (schema, *schema["$defs"].values()):
        block.pop("required", None)
    del schema["properties"]["name"]
    parent = {"type": "string", "description": "relative path of the one YAML file this one builds on"}
    schema["properties"] = {"extends": parent, **schema["properties"]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _without_kinds(schema: Any) -> Any:
    """Let several blocks fit where one is told by its kind, for a parent may give that."""
    if isinstance(schema, Mapping):
        kept = {key: _without_kinds(value) for key, value in schema.items() if key != "discriminator"}
        return {("anyOf" if key == "oneOf" else key): value for key, value in kept.items()}
    return [_without_kinds(one) for one in schema] if isinstance(schema, list) else schema
