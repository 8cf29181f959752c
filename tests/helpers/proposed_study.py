"""The study that is proposed for a table, as it is written and loaded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rarelabels.declare import declarations
from rarelabels.declare.table import TableSpec
from rarelabels.declare.trial import Trial
from rarelabels.init import propose, writing
from rarelabels.init.look import Look

REPOSITORY = Path(__file__).parents[2]
FILMS = REPOSITORY / "docs" / "your_table.csv"


def write(found: Look, name: str, folder: Path) -> list[Path]:
    return writing.write(propose.declarations(found, name, folder), name, folder)


def everything(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


def with_spec(found: Look, **values: object) -> Look:
    spec = TableSpec.model_validate(found.spec.model_dump() | values)
    return replace(found, spec=spec)


def loaded(folder: Path, name: str, trial: str = "bce") -> Trial:
    return declarations.load_trial(folder / "experiments" / name / f"{trial}.yaml")
