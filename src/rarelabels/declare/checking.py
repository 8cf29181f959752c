"""Check declared trials and studies as a whole: every problem of all their files in one message."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from rarelabels.declare import declarations, find, first_seen, study_files
from rarelabels.errors import UserError


def validate(names: Sequence[str]) -> tuple[int, int]:
    """Check trials and the ``study.yaml`` of their studies, and return how many there are of each.

    Args:
        names: of trials and studies, or paths; if empty, all that are declared.

    Raises:
        UserError: everything that is wrong with them, one problem a line.
    """
    paths = find.find(names) if names else find.all_trials()
    declared = {path.parent for path in paths} if names else set(study_files.EXPERIMENTS.iterdir())
    studies = sorted(folder for folder in declared if (folder / study_files.NAME).exists())
    _check(paths, studies)
    return len(paths), len(studies)


def check_studies(names: Sequence[str]) -> None:
    """Check all trials of studies, and their ``study.yaml``; a name without a folder here is passed over.

    Raises:
        UserError: everything that is wrong with them, one problem a line.
    """
    folders = [folder for name in names if (folder := study_files.EXPERIMENTS / name).is_dir()]
    _check([path for path in (find.all_trials() if folders else []) if path.parent in folders], folders)


def known_study(name: str) -> str:
    """Return the name of a study that has trials here.

    Raises:
        UserError: no study has this name; the message suggests names.
    """
    if not any(path.parent.name == name for path in find.all_trials()):
        find.find([name])
        raise UserError(f"{name!r} is a trial; give the name of a study: {name.split('/')[0]}")
    return name


def _check(paths: Sequence[Path], studies: Sequence[Path]) -> None:
    checks: list[Callable[[], object]] = [partial(find.load_many, [str(path) for path in paths])]
    checks += [partial(check, folder) for folder in studies for check in (declarations.load_study, first_seen.read)]
    problems = []
    for check in checks:
        try:
            check()
        except UserError as error:
            problems.append(str(error))
    if problems:
        lines = "\n".join(problems).splitlines()
        raise UserError("\n".join(dict.fromkeys(lines)))  # a study's problem may come again with its trials
