"""Trials of scores that another program makes, in a proposed study."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from rarelabels.declare.models import OF_SEED
from rarelabels.errors import UserError
from rarelabels.init.column import check_text
from rarelabels.init.template_files import text

FORM = "NAME=VALIDATION,TEST (bert=bert_{seed}_validation.parquet,bert_{seed}_test.parquet)"
ONE_SEED = "seeds: [0]  # one pair of files is of one seed; for all of them, write {seed} in both paths\n"


@dataclass(frozen=True)
class ScoresTrial:
    """A trial of scores from elsewhere: its short name, and the paths of its files from the current folder."""

    name: str
    validation: str
    test: str

    @property
    def is_by_seed(self) -> bool:
        """Whether each seed has files of its own."""
        return OF_SEED in self.validation

    @classmethod
    def parse(cls, given: str) -> ScoresTrial:
        """Return what ``bert=validation.parquet,test.parquet`` stands for.

        Raises:
            UserError: it has another form, or the name cannot be that of a file, or one path alone has {seed}.

        >>> ScoresTrial.parse("bert=v.csv,t.csv")
        ScoresTrial(name='bert', validation='v.csv', test='t.csv')
        """
        check_text("--scores", given)
        name, _, paths = given.partition("=")
        validation, _, test = (part.strip() for part in paths.partition(","))
        if not re.fullmatch(r"[^\W_][\w-]{0,99}", name) or name == "study" or not (validation and test) or "," in test:
            raise UserError(f"--scores: allowed {FORM}; the name has letters, digits, _ and -; given {given!r}")
        if (OF_SEED in validation) != (OF_SEED in test):
            raise UserError(f"--scores: {name}: both paths must have {{seed}} in them, or neither; given {given!r}")
        return cls(name, validation, test)


def parse(given: Sequence[str], proposed: Collection[str]) -> list[ScoresTrial]:
    """Return the trials that ``--scores`` asks for.

    Args:
        given: the option's values.
        proposed: the short names of the other trials of the study.

    Raises:
        UserError: see :meth:`ScoresTrial.parse`; or two trials would have one name.
    """
    found = [ScoresTrial.parse(one) for one in given]
    names = [*proposed, *(one.name for one in found)]
    if twice := [one.name for one in found if names.count(one.name) > 1]:
        raise UserError(f"--scores: the study has a trial {twice[0]!r} already; choose another name")
    return found


def declarations(
    trials: Sequence[ScoresTrial], head: str, study: Path, folder: Path, *, has_split: bool
) -> dict[Path, str]:
    """Return the text of each trial's file, by its path below ``folder``.

    Args:
        trials: of the study.
        head: the first lines of each file.
        study: the folder of the study, relative to ``folder``.
        folder: the current folder.
        has_split: whether the table declares its parts, so that one pair of files serves all seeds.
    """
    files = {}
    for one in trials:
        paths = {"validation": _from(study, folder, one.validation), "test": _from(study, folder, one.test)}
        seeds = "" if one.is_by_seed or has_split else ONE_SEED
        files[study / f"{one.name}.yaml"] = head + text("trials/scores", trial=one.name, **paths) + seeds
    return files


def next_steps(trials: Sequence[ScoresTrial], study: str) -> str:
    """Return a line on how the scores are made."""
    names = ", ".join(one.name for one in trials)
    return (
        f"\n`rarelabels export-split {study} --output parts.csv` names the rows that {names} must score. A trial is "
        "skipped until its files are there."
    )


def _from(study: Path, folder: Path, path: str) -> str:
    """Return a path as YAML in a file of the study."""
    whole = (folder / Path(path).expanduser()).absolute()
    place = os.path.relpath(whole.parent.resolve() / whole.name, (folder / study).resolve())
    return json.dumps(Path(place).as_posix(), ensure_ascii=False)
