"""The name of a proposed study, and whether a Makefile makes it a target."""

from __future__ import annotations

import os
import re
from pathlib import Path

from rarelabels.errors import UserError


def study_name(path: Path, given: str | None, folder: Path) -> str:
    """Return the name of the study, its folder and its make target: the given name, or one from the file's name.

    Raises:
        UserError: the name cannot be a folder or a target, or its files are there already.
    """
    targets = re.findall(r"^([\w-]+):", _makefile(folder), re.MULTILINE)  # targets that a study must not hide
    if given is None:
        stem = path.name
        while (suffix := Path(stem).suffix.lower()) in (".csv", ".tsv", ".jsonl", ".parquet", ".svm", ".arff", ".gz"):
            stem = stem[: -len(suffix)]
        name = re.sub(r"[^\w-]+", "_", stem).strip("_-")[:60]
        name += "_table" if name in targets else ""
        if not name:
            raise UserError(
                f"{path}: no name for the study can be made from the name of the file; give one with --name"
            )
    else:
        name = given
        if not re.fullmatch(r"[^\W_][\w-]{0,99}", name):
            raise UserError(
                "--name: allowed letters, digits, _ and -, with a letter or digit first, for it names a folder; "
                f"given {name!r}"
            )
        if name in targets:
            raise UserError(f"--name: `make {name}` is a target of the Makefile already; choose another name")
    for target in (Path("experiments", name), dataset_file(name)):
        if os.path.lexists(folder / target):
            raise UserError(
                f"{target}: exists already, and no file is overwritten; choose another --name, or remove it"
            )
    return name


def has_makefile(folder: Path) -> bool:
    """Return whether a study in ``folder`` is a make target, as with the Makefile of Rarelabels."""
    return "rarelabels" in _makefile(folder).lower()


def _makefile(folder: Path) -> str:
    path = folder / "Makefile"
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def dataset_file(name: str) -> Path:
    """Return the path of the file that declares the proposed data set."""
    return Path("conf/datasets", f"{name}.yaml")
