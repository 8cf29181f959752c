"""A recorded study, faults that its files may have, and whether it is whole again."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

import my_study
from project import Project
from rarelabels.record import entities, run_files

STUDY = my_study.STUDY
CLAIM = """hypotheses:
  - name: linear
    claim: Words tell something.
    source: here
    trial: linear
    against: floor
    metric: test/ranking/macro_average_precision
    direction: greater
    margin: 0.01
"""
READING = ("results", "findings", "report", "best")


def declare(folder: Path) -> Project:
    """Make a project with a study of a linear model and a floor."""
    project = Project(folder)
    my_study.declare(folder)
    my_study.write(folder / "my.csv", my_study.rows(200))
    for name in ("bce", "platt"):
        (folder / "experiments" / STUDY / f"{name}.yaml").unlink()
    with (folder / "experiments" / STUDY / "study.yaml").open("a", encoding="utf-8") as declared:
        declared.write(CLAIM)
    return project


@dataclass(frozen=True)
class Shown:
    """All that is shown of the study, and the numbers of its runs that count."""

    results: str
    findings: str
    runs: pd.DataFrame

    @classmethod
    def of(cls, project: Project) -> Shown:
        frame = pd.DataFrame(
            {**run.data.metrics, "trial": run.data.tags["trial"], "seed": run.data.tags["seed"]}
            for run in project.runs("run", STUDY)
            if run.info.status == "FINISHED"
        )
        frame = frame.drop(columns=[name for name in frame if name.startswith("training/")])
        frame = frame.sort_values(["trial", "seed"], ignore_index=True)
        return cls(project.do("results", STUDY)[0], project.do("findings", STUDY)[0], frame)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def change(file: Path) -> None:
    """Change a digit, so that it is as large as before, and can be read."""
    text = file.read_text("utf-8")
    digit = re.search(r"\.\d*([1-8])", text)
    assert digit
    file.write_text(text[: digit.start(1)] + str(int(digit[1]) + 1) + text[digit.end(1) :], "utf-8")


@dataclass(frozen=True)
class Fault:
    """What is done to a file of which run, and which reading commands cannot do without it."""

    kind: str
    path: str
    damage: Callable[[Path], object]
    refused: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{getattr(self.damage, '__name__', '')} {self.path}"

    def do(self, project: Project) -> None:
        self.damage(file_of(project, self.kind, self.path))


FAULTS = (
    Fault("trial", "summary.csv", Path.unlink, READING),
    Fault("trial", "influence.parquet", cut, READING),
    Fault("trial", "figures/confusion.png", cut),
    Fault("study", "figures/report_1.json", cut, ("report",)),
    Fault("run", "scores/test.parquet", Path.unlink),
    Fault("run", "model/weights.npz", cut, ("best",)),
    Fault("run", "thresholds.json", change, ("best",)),
    Fault("run", "per_label.csv", Path.unlink, ("findings", "report")),
)


def run_of(project: Project, kind: str, trial: str = f"{STUDY}/linear") -> entities.Run:
    """Return the oldest finished run of a kind, of the trial."""
    found = [run for run in project.runs(kind, trial.partition("/")[0]) if run.info.status == "FINISHED"]
    of_trial = [run for run in found if run.data.tags.get("trial", trial) == trial]
    return min(of_trial, key=lambda run: run.data.tags.get("seed", ""))


def file_of(project: Project, kind: str, path: str, trial: str = f"{STUDY}/linear") -> Path:
    folder = run_files.local_folder(run_of(project, kind, trial))
    assert folder
    return folder / path


def check_whole(project: Project, before: Shown) -> None:
    assert project.do("check")[0].splitlines()[-1].startswith("all is well: ")
    after = Shown.of(project)
    assert (after.results, after.findings) == (before.results, before.findings)
    pd.testing.assert_frame_equal(after.runs, before.runs, check_exact=True)


def read(project: Project, command: str, fault: Fault) -> None:
    """Call a command that reads; where it cannot do without the damaged file it is one line that names it."""
    arguments = [command, STUDY]
    if command == "best" and fault.kind == "run":
        arguments += ["--metric", "global/macro_f1"]  # of a version that is registered already no file is read
    if command not in fault.refused:
        project.do(*arguments)
        return
    _, err = project.do(*arguments, code=2)
    (line,) = [line for line in err.splitlines() if line != f"rarelabels: reading {STUDY}"]
    assert line.startswith(f"rarelabels: {STUDY}")
    assert run_of(project, fault.kind).info.run_id in line
    assert fault.path in line
    assert re.search(r"`rarelabels run my(/linear)?` makes it anew", line)
