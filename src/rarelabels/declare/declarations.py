"""From YAML with ``extends`` and ``--set`` to ``Trial`` and ``StudySpec``; all problems are reported at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from rarelabels.declare import each_tuned, own_measures, study_files
from rarelabels.declare.override import NO_OVERRIDES, apply_override, not_overridable
from rarelabels.declare.problems import OVERRIDE, InputError, Problem, keys
from rarelabels.declare.study import Hypothesis, StudySpec
from rarelabels.declare.study_files import trial_name
from rarelabels.declare.table_paths import with_absolute_paths
from rarelabels.declare.trial import Trial
from rarelabels.declare.tuning import FOR_HALF, SEARCHED_FOR_HALF
from rarelabels.declare.variants import check_sweep, variants
from rarelabels.declare.yaml_files import Declared, read_with_parents, shown
from rarelabels.errors import UserError, nearest


def load_trial(path: Path, overrides: Mapping[str, object] = NO_OVERRIDES) -> Trial:
    """Return the trial a file declares, with its parents merged in and the dotted ``overrides`` on top.

    A relative ``dataset.path`` becomes absolute. It counts from the folder of the file that wrote it, and from the
    current folder if it is in ``overrides``.

    Raises:
        UserError: everything that is wrong with the trial, one problem a line.
    """
    return load([path], overrides)[0]


def load_study(folder: Path) -> StudySpec | None:
    """Return what ``study.yaml`` in ``folder`` declares, None where there is none.

    Where each network is tuned, a side of a hypothesis about decisions at 0.5 is the variant searched for 0.5.

    Raises:
        UserError: everything that is wrong with the study, one problem a line.
    """
    path = folder / study_files.NAME
    study, problems = study_files.read(folder)
    if study:
        known = {name: trial for one in study_files.trials(folder) for name, trial in _compared_as(one).items()}
        problems |= set(_unknown_trials(study, path, sorted(known))) | set(study_files.wrong_trials(study, path))
        problems |= set(_unmeasured(study, path, known))
        study = study.model_copy(update={"hypotheses": tuple(_with_searches(one, known) for one in study.hypotheses)})
    if problems:
        raise InputError(problems)
    return study


def _unknown_trials(study: StudySpec, path: Path, trials: Sequence[str]) -> Iterator[Problem]:
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


def _unmeasured(study: StudySpec, path: Path, trials: Mapping[str, Trial | None]) -> Iterator[Problem]:
    for one in study.hypotheses:
        against = ("against_metric", one.against_metric) if one.against_metric else ("metric", one.metric)
        for name, (key, metric) in ((one.trial, ("metric", one.metric)), (one.against, against)):
            trial = trials.get(name)
            if trial and (why := own_measures.unmeasured(trial, metric)):
                yield Problem(shown(path), f"hypotheses.{one.name}.{key}", why)


def _with_searches(hypothesis: Hypothesis, known: Collection[str]) -> Hypothesis:
    """Return a hypothesis whose sides at 0.5 are the variants searched for 0.5, where there are such variants."""
    sides = {side: f"{getattr(hypothesis, side)} {SEARCHED_FOR_HALF}" for side in hypothesis.at_half}
    return hypothesis.model_copy(update={side: name for side, name in sides.items() if name in known})


def _compared_as(path: Path) -> dict[str, Trial | None]:
    """Return what a comparison calls the trial of a file: its short name; for a sweep, a name for each variant.

    A file that declares no trial has None.
    """
    trials: dict[str, Trial | None] = {"": None}
    with suppress(UserError):  # reported where the trial is loaded to be run
        trials = dict(variants(load_trial(path)))
    return {" ".join(filter(None, [path.stem, label])): trial for label, trial in trials.items()}


def load(paths: Sequence[Path], overrides: Mapping[str, object]) -> list[Trial]:
    """Return the trials of files, each with the overrides that it has keys for.

    Raises:
        UserError: everything that is wrong with the trials.
    """
    refused = {key: reason for key in overrides if (reason := not_overridable(key))}
    problems = {Problem(OVERRIDE, key, reason) for key, reason in refused.items()}
    wanted = {key: value for key, value in overrides.items() if key not in refused}
    trials, unused, known, unread = [], set(wanted), set(), False
    for path in paths:
        try:
            declared, used = apply_override(_declared(path), wanted)
            declared = with_absolute_paths(declared)
        except InputError as error:
            problems |= error.problems
            unread = True
            continue
        unused -= used
        known |= set(keys(Trial, declared.data))
        trial, wrong = check_sweep(declared)
        if trial and not wrong:
            wrong = _unusable(declared, trial)
        if trial and not wrong:
            trial, wrong = _with_shared_search(declared, trial, path.parent)
        problems |= wrong
        trials += [trial] if trial else []
    if not unread:  # the file that could not be read may have had the key
        trouble = "no named trial has this key"
        problems |= {Problem(OVERRIDE, key, trouble + nearest(key, sorted(known))) for key in unused}
    if problems:
        raise InputError(problems)
    return trials


def _declared(path: Path) -> Declared:
    declared = read_with_parents(study_files.file_of(path))
    return replace(declared, data={**declared.data, "name": trial_name(path)})


def _unusable(declared: Declared, trial: Trial) -> set[Problem]:
    """Return what is wrong with the metrics and rules of other packages that a trial, or a variant of it, declares."""
    found = {problem for _, one in [("", trial), *variants(trial)] for problem in own_measures.problems(one)}
    return {Problem(declared.origins.of(tuple(key.split("."))), key, text) for key, text in found}


def _with_shared_search(declared: Declared, trial: Trial, folder: Path) -> tuple[Trial | None, set[Problem]]:
    """Return the trial with the search of its study, if each network there is tuned; and what is wrong.

    ``--set tuning=null`` runs the trial as it is declared.
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
    return check_sweep(declared.under({"tuning": tuning.model_dump()}, where))


def _judged_at_half(study: StudySpec) -> set[str]:
    """Return the short names of the trials that a hypothesis about 0.5 compares."""
    return {getattr(one, side).split()[0] for one in study.hypotheses for side in one.at_half}


def _refused_sweep(trial: Trial) -> str:
    """Say why the variants of a trial cannot be searched alike; empty where they can."""
    spaces = [each_tuned.space(variant) for _, variant in variants(trial)]
    varied = next(iter(trial.vary or {}), "")
    if varied in spaces[0] or any(one != spaces[0] for one in spaces):
        return (
            f"varies {varied}, which is a searched key or decides which keys are searched; declare a trial for "
            "each of its values"
        )
    return ""
