"""Variants of a trial: one for each value that ``vary`` lists, and those that a search may try."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from rarelabels.declare.override import as_nested
from rarelabels.declare.problems import OVERRIDE, InputError, Origins, Problem, keys, show, validate
from rarelabels.declare.trial import Trial
from rarelabels.declare.tuning import FOR_HALF, SEARCHED_FOR_HALF, ParameterSearch, Range
from rarelabels.declare.yaml_files import Declared
from rarelabels.errors import nearest

VARIED = ("dataset", "model", "loss", "weighting", "training", "thresholds")
PARAMETERS = "model.parameters."  # of scikit-learn's estimators
MOST_CORNERS = 256  # combinations of range ends that are checked
SEARCHED = ("model", "loss", "weighting", "training")  # a search leaves alone what a trial is measured by


def check_sweep(declared: Declared) -> tuple[Trial | None, set[Problem]]:
    """Return the declared trial, or None, and the problems of the trial, its variants and its search."""
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


def variants(trial: Trial) -> list[tuple[str, Trial]]:
    """Return the variants of a trial, each after its label, such as ``dataset.labels=3``; without ``vary``, the trial.

    ``vary`` declares the variants. If the trial is also searched for macro-F1 at 0.5, each has a second variant beside
    it, with that search. A variant has no ``vary`` and at most one search.

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
        yield label, without.under(as_nested(key, value), declared.origins.of(("vary", key)))


def _check_vary(declared: Declared, key: str, values: object, known: set[Problem]) -> set[Problem]:
    where, path = declared.origins.of(("vary", key)), f"vary.{key}"
    allowed = [one for one in keys(Trial, declared.data) if one.split(".")[0] in VARIED]
    if key not in allowed:
        near = nearest(key, allowed) or f"; allowed a key in {', '.join(VARIED)}"
        return {Problem(where, path, "unknown key" + near)}
    if OVERRIDE == declared.origins.of(tuple(key.split("."))) != where:
        trouble = f"is varied in {declared.origins.files[0]}, so this override has no effect; add --set vary=null"
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


def with_values(trial: Trial, values: Mapping[str, object]) -> Trial:
    """Return the trial with the values of dotted keys replaced.

    Raises:
        UserError: a key that does not exist or a value that is not allowed; never for values of a checked search.
    """
    declared = Declared(trial.model_dump(), Origins((trial.name,), {}))
    for key, value in values.items():
        declared = declared.under(as_nested(key, value), trial.name)
    changed, problems = validate(Trial, declared.data, declared.origins)
    if changed is None:
        raise InputError(problems)
    return changed


def is_whole(trial: Trial, key: str) -> bool:
    """Return whether a searched key takes whole numbers only."""
    assert isinstance(trial.tuning, ParameterSearch)
    if key.startswith(PARAMETERS):  # these may be anything: the value that is declared tells
        declared = _value(trial.model_dump(), key)
        return isinstance(declared, int) and not isinstance(declared, bool)
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
    """Return what is wrong with a search: a key, or the ends of the ranges, each by itself or combined."""
    problems = {one for key in tuning.space for one in _check_key(declared, trial, key)}
    if problems:
        return problems
    for label, variant in _swept(trial):
        prefix = f"{label}: " if label else ""
        ends = {key: _ends(variant, key, values) for key, values in tuning.space.items()}
        for key, values in ends.items():
            problems |= {
                _in_space(declared, key, f"{prefix}{show(end)}: {one.text}")
                for end in values
                for one in _refused(variant, {key: end})
            }
        corners = itertools.islice(itertools.product(*ends.values()), MOST_CORNERS)
        together = (dict(zip(ends, corner, strict=True)) for corner in corners)
        wrong = next(((one, found) for one in together if (found := _refused(variant, one))), None)
        if wrong and not problems:
            reasons = "; ".join(sorted(one.text for one in wrong[1]))
            problems.add(
                _in_space(declared, next(iter(ends)), f"{prefix}the values {show(wrong[0])} together: {reasons}")
            )
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
        yield _in_space(
            declared, key, "is a number for each field, which cannot be searched; declare a trial for each choice"
        )
    elif key == "model.c" and isinstance(getattr(trial.model, "c", None), tuple):
        yield _in_space(declared, key, "is a list, from which validation chooses already; declare one number to search")
    elif trial.vary and key in trial.vary:
        yield _in_space(declared, key, "is varied by vary, so the search would overwrite it; leave one of them out")
    elif OVERRIDE == declared.origins.of(tuple(key.split("."))) != declared.origins.of(("tuning", "space", key)):
        trouble = f"is searched in {declared.origins.files[0]}, so this override has no effect; add --set tuning=null"
        yield Problem(OVERRIDE, key, trouble)


def _in_space(declared: Declared, key: str, text: str) -> Problem:
    return Problem(declared.origins.of(("tuning", "space", key)), f"tuning.space.{key}", text)


def _ends(trial: Trial, key: str, values: Range) -> tuple[object, ...]:
    if values.choices is not None:
        return values.choices
    ends = (values.low or 0.0, values.high or 0.0)
    return tuple(int(end) if end % 1 == 0 else end for end in ends) if is_whole(trial, key) else ends
