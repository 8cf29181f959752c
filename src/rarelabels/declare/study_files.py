"""The files of studies: what a ``study.yaml`` declares, and which trials a study has: its own, or another study's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rarelabels.declare.problems import InputError, Origins, Problem, validate
from rarelabels.declare.study import StudySpec
from rarelabels.declare.yaml_files import is_file, read_file, read_with_parents, shown
from rarelabels.errors import UserError, nearest

EXPERIMENTS = Path("experiments")
NAME = "study.yaml"


def trial_name(path: Path) -> str:
    """Return ``<study>/<trial>`` for the file of a trial."""
    return f"{path.resolve().parent.name}/{path.stem}"


def read(folder: Path) -> tuple[StudySpec | None, set[Problem]]:
    """Return the study that a folder's ``study.yaml`` declares, None if there is none, and what is wrong with it.

    Whether its trials exist is not checked here.
    """
    path = folder / NAME
    return validate(StudySpec, read_file(path), Origins((shown(path),), {})) if path.exists() else (None, set())


def read_each_tuned(folder: Path) -> tuple[StudySpec | None, set[Problem]]:
    """Return the study of a folder if each of its networks is tuned, and what is wrong with its file.

    The file of a study with the same settings for all is not parsed: a long one takes longer than its trials.
    """
    path = folder / NAME
    if not is_file(path) or b"each_tuned" not in path.read_bytes():
        return None, set()
    study, problems = read(folder)
    return study if study and study.shared_search else None, problems


def studies(root: Path) -> list[Path]:
    """Return the folders of all studies.

    Raises:
        UserError: there is no such folder.
    """
    if not root.is_dir():
        raise UserError(
            f"there is no folder {root}/ in {Path.cwd()}; change to the folder that holds it, "
            "or name the path of a YAML file"
        )
    return [folder for folder in root.iterdir() if folder.is_dir() and not folder.name.startswith(("_", "."))]


def trials(folder: Path) -> list[Path]:
    """Return the trials' files of a study. For trials taken from another study: where such files would be."""
    return _files(folder) or [folder / f"{name}.yaml" for name in _taken(folder)]


def is_trial(path: Path) -> bool:
    """Return whether there is such a file, or its study takes a trial of this name from another study."""
    return is_file(path) or path.stem in _taken(path.parent)


def file_of(path: Path) -> Path:
    """Return the file that declares a trial: ``path``, or the file in the study that the trial is taken from."""
    study = None if is_file(path) else _study_if_valid(path.parent)
    return path.parent.parent / study.trials_of / path.name if study and study.trials_of else path


def wrong_trials(study: StudySpec, path: Path) -> Iterator[Problem]:
    """Yield what is wrong with the trials that a study takes from another; ``path`` is that of its ``study.yaml``."""
    if study.trials_of is None:
        return
    if files := _files(path.parent):
        trouble = (
            f"takes the trials of another study, but the folder has a trial of its own, {files[0].name}; leave "
            "one of them out"
        )
        yield Problem(shown(path), "trials_of", trouble)
    root = path.parent.parent
    available = [one.stem for one in _files(root / study.trials_of)]
    if not available:
        near = nearest(study.trials_of, [one.name for one in studies(root) if _files(one)])
        yield Problem(shown(path), "trials_of", f"no study {study.trials_of!r} with trials of its own{near}")
        return
    for name in study.trials:
        if name not in available:
            near = nearest(name, available) or f"; there are: {', '.join(available)}"
            yield Problem(shown(path), "trials", f"no trial {name!r} in {study.trials_of}{near}")


def _files(folder: Path) -> list[Path]:
    """Return the files of a study's own trials, sorted."""
    return sorted(path for path in folder.glob("*.yaml") if path.name != NAME and not path.name.startswith(("_", ".")))


def _taken(folder: Path) -> list[str]:
    """Return the short names of the trials that a study takes from another, in the order of their files.

    Without ``trials`` all are taken; where each network is tuned, all without ``tuning`` and ``picked_by``.
    """
    study = _study_if_valid(folder)
    if study is None or study.trials_of is None:
        return []
    files = _files(folder.parent / study.trials_of)
    if study.trials:
        return [one.stem for one in files if one.stem in study.trials]
    return [one.stem for one in files if study.shared_search is None or _can_be_searched(one)]


def _study_if_valid(folder: Path) -> StudySpec | None:
    """Return the study of a folder; None if there is none or it is wrong (``declarations.load_study`` says why)."""
    try:
        return read(folder)[0]
    except InputError:
        return None


def _can_be_searched(path: Path) -> bool:
    try:
        data = read_with_parents(path).data
    except InputError:  # reported where the trial is loaded
        return True
    return not (data.get("tuning") or data.get("picked_by"))
