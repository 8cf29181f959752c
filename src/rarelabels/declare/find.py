"""Names and paths to the files of trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rarelabels.declare import study_files
from rarelabels.declare.declarations import load, load_study
from rarelabels.declare.override import NO_OVERRIDES
from rarelabels.declare.problems import InputError, Problem
from rarelabels.declare.study_files import EXPERIMENTS, trial_name
from rarelabels.declare.trial import Trial
from rarelabels.errors import UserError, nearest


def load_many(
    names: Sequence[str], overrides: Mapping[str, object] = NO_OVERRIDES, root: Path = EXPERIMENTS
) -> list[Trial]:
    """Return all named trials; each override is applied to every trial that has its key.

    Raises:
        UserError: an unknown name, an override that no trial has a key for, or the problems of all files.
    """
    return load(find(names, root), overrides)


def all_trials(root: Path = EXPERIMENTS) -> list[Path]:
    """Return every ``<root>/<study>/<trial>.yaml``, sorted; also one for each trial that a study takes from another.

    Raises:
        UserError: there is no such folder.
    """
    return sorted(path for folder in study_files.studies(root) for path in study_files.trials(folder))


def find(names: Sequence[str], root: Path = EXPERIMENTS) -> list[Path]:
    """Return the files of the named trials, of all trials of the named studies, and the named YAML files, each once.

    Raises:
        UserError: names that are neither trial nor study; the message suggests the nearest that are.
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
    return {trial_name(path) for path in [*find(single, root), *of_studies]}


def _by_name(name: str, root: Path) -> list[Path]:
    trials = {f"{path.parent.name}/{path.stem}": path for path in all_trials(root)}
    studies = {folder.name for folder in study_files.studies(root)}
    name = name.rstrip("/")
    if name in trials:
        return [trials[name]]
    if name in studies:
        if paths := study_files.trials(root / name):
            return paths
        load_study(root / name)  # says why, if the study takes its trials from another
        raise UserError(f"study {name!r} has no trials yet: no {root}/{name}/<trial>.yaml")
    study, _, stem = name.partition("/")
    if study in studies and (stem.startswith("_") or stem == "study"):
        return [_trial_file(root / f"{name}.yaml")]
    near = nearest(name, [*trials, *studies]) or f"; there are: {', '.join(sorted(studies)) or 'none yet'}"
    raise UserError(f"no trial or study {name!r} under {root}/{near}")


def _trial_file(path: Path) -> Path:
    if path.name.startswith("_"):
        raise UserError(
            f"{path}: is not a trial: a file whose name begins with '_' is extended by trials; name one of these trials"
        )
    if path.name == study_files.NAME:
        raise UserError(f"{path}: is not a trial: it describes the study; for all trials of the study, give its name")
    if not study_files.is_trial(path):
        raise UserError(f"{path}: there is no such file")
    return path
