"""Write proposed declarations, all or none, after the loader has checked them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from rarelabels.declare import find
from rarelabels.declare.declarations import load_study
from rarelabels.errors import UserError
from rarelabels.init.propose import BASE_FILE, SCHEMA_FILE


def write(files: Mapping[Path, str], name: str, folder: Path) -> list[Path]:
    """Write the declarations of a study below ``folder``, all or none; return the written paths in order.

    The files are first written to a temporary folder and loaded there as a run would load them. If all are right, they
    are moved. Files that all studies share are left as they are where they exist.

    Raises:
        UserError: a file of the study exists, cannot be written, or does not load, for example with the folder's base.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=".rarelabels-init-", dir=folder) as stage:
            _lay_out(files, Path(stage), folder)
            _check(Path(stage), name, folder)
            return _move(files, Path(stage), name, folder)
    except OSError as error:
        raise UserError(f"{error.filename}: cannot be written: {error.strerror}; no file was written") from None


def _lay_out(files: Mapping[Path, str], stage: Path, folder: Path) -> None:
    for path, text in files.items():
        (stage / path).parent.mkdir(parents=True, exist_ok=True)
        if path == BASE_FILE and (folder / path).exists():
            shutil.copyfile(folder / path, stage / path)
        else:
            (stage / path).write_text(text, encoding="utf-8")


def _check(stage: Path, name: str, folder: Path) -> None:
    """Load every trial and the study, as a run would."""
    study = stage / "experiments" / name
    try:
        find.load_many([str(path) for path in sorted(study.glob("[!_]*.yaml")) if path.name != "study.yaml"])
        load_study(study)
    except UserError as error:
        below = f"{stage.resolve().relative_to(folder.resolve())}/"
        reason = str(error).replace(f"{stage.resolve()}/", "").replace(below, "").splitlines()[0]
        hint = "; for columns that begin alike, give their prefix: --labels 'is_*'" if "too long" in reason else ""
        raise UserError(f"the proposed study is not valid, so no file was written: {reason}{hint}") from None


def _move(files: Mapping[Path, str], stage: Path, name: str, folder: Path) -> list[Path]:
    """Move the files to their places. The folder of the trials is moved last: with it the study exists."""
    study = Path("experiments", name)
    single = [path for path in files if not path.is_relative_to(study)]
    made: list[Path] = []
    try:
        for path in single:
            if path in (BASE_FILE, SCHEMA_FILE) and (folder / path).exists():
                continue
            made += _make_folders((folder / path).parent)
            with (folder / path).open("x", encoding="utf-8") as file:
                made.append(folder / path)
                file.write((stage / path).read_text(encoding="utf-8"))
        made += _make_folders((folder / study).parent)
        if os.path.lexists(folder / study):
            raise FileExistsError(0, "it exists already", str(study))
        (stage / study).rename(folder / study)
    except BaseException:
        _undo(made)
        raise
    return [one.relative_to(folder) for one in made if one.is_file()] + [path for path in files if path not in single]


def _make_folders(folder: Path) -> list[Path]:
    """Make a folder and those above it; return the new ones, the outermost first."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing[::-1]


def _undo(made: Iterable[Path]) -> None:
    for path in reversed(list(made)):
        with suppress(OSError):  # a folder stays if something else has been put into it
            path.rmdir() if path.is_dir() else path.unlink()
