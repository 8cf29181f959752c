"""How seconds and memory of a study grow with rows, labels and runs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from commands import Project, new_project

STUDY = "grows"
COLUMNS = 16
SEEDS = 10
HEAD = "question: How does it grow?\nthread: beyond the threads\n"
TABLE = """extends: ../../conf/base.yaml
dataset:
  kind: table
  path: ../../rows.parquet
  labels: {{prefix: is_}}
  numeric: [{numeric}]
{training}
seeds: [0]
"""
TRAINING = "training: {epochs: 5, batch_size: 512, learning_rate: 3.0e-3}"
NETWORK, FLOOR = "{kind: mlp, hidden: [64]}", "{kind: floor, predicts: prior}"
SIMULATED = "{kind: simulated, rows: 1000, labels: 17, features: 4, prevalence: 0.1, train_fraction: %s}"


@dataclass(frozen=True)
class Grown:
    """What was measured at one size.

    Attributes:
        size: how much there is of what grows.
        seconds: by what took them.
        peak_bytes: of the largest process.
    """

    size: int
    seconds: Mapping[str, float]
    peak_bytes: int


def by_rows(sizes: Sequence[int], labels: int) -> list[Grown]:
    """Measure a floor and a network on tables with these numbers of rows."""
    return [_on_table(rows, labels, size=rows) for rows in sizes]


def by_labels(sizes: Sequence[int], rows: int) -> list[Grown]:
    """Measure a floor and a network on tables with these numbers of labels."""
    return [_on_table(rows, labels, size=labels) for labels in sizes]


def by_runs(sizes: Sequence[int]) -> list[Grown]:
    """Measure studies of so many floors, and the command that finds all of them done."""
    return [_of_floors(runs) for runs in sizes]


def exponents(grown: Sequence[Grown], name: str) -> list[float]:
    """Return, for each size but the first, p of seconds ~ size ** p since the size before it: 1 grows as the work."""
    return [
        math.log(b.seconds[name] / a.seconds[name]) / math.log(b.size / a.size) for a, b in itertools.pairwise(grown)
    ]


def declare_floors(project: Project, runs: int, *, share_training: bool) -> None:
    """Write a study of that many runs of floors, ten to a trial.

    Args:
        project: where to.
        runs: a multiple of ten.
        share_training: trials differ in their thresholds alone and have one data set, as those of most studies;
            otherwise each run is a training, and a task, of its own.
    """
    folder = _new_study(project)
    seeds = ", ".join(map(str, range(SEEDS)))
    for number in range(runs // SEEDS):
        data = SIMULATED % (1.0 if share_training else 1 - number / 1000)
        own = f"thresholds: {{min_positives: {number + 1}}}\n" if share_training else ""
        (folder / f"floor_{number:03}.yaml").write_text(
            f"extends: ../../conf/base.yaml\n{HEAD}dataset: {data}\nmodel: {FLOOR}\n{TRAINING}\n{own}seeds: [{seeds}]\n"
        )


def _new_study(project: Project) -> Path:
    folder = project.folder / "experiments" / STUDY
    folder.mkdir()
    (folder / "study.yaml").write_text(f"title: Growth\n{HEAD}")
    return folder


def _on_table(rows: int, labels: int, size: int) -> Grown:
    with new_project() as project:
        _table(rows, labels).to_parquet(project.folder / "rows.parquet", index=False)
        folder = _new_study(project)
        names = ", ".join(f"x{column}" for column in range(COLUMNS))
        (folder / "_base.yaml").write_text(TABLE.format(numeric=names, training=TRAINING))
        for name, model in (("floor", FLOOR), ("network", NETWORK)):
            (folder / f"{name}.yaml").write_text(f"extends: _base.yaml\n{HEAD}model: {model}\n")
        ended = project.run(STUDY, "--workers", "1")
        phases = project.phases(ended, STUDY)
        took = {
            run.data.tags["trial"].split("/")[1]: (run.info.end_time - run.info.start_time) / 1000
            for run in project.runs(STUDY)
        }
        seconds = {"reading": phases.before, **took, "summing up": phases.after, "command": ended.seconds}
        return Grown(size, seconds, ended.peak_bytes)


def _of_floors(runs: int) -> Grown:
    with new_project() as project:
        declare_floors(project, runs, share_training=False)
        ended = project.run(STUDY)
        phases, again = project.phases(ended, STUDY), project.run(STUDY)
        seconds = {
            "planning": phases.before,
            "runs": phases.runs,
            "summing up": phases.after,
            "command": ended.seconds,
            "again": again.seconds,
        }
        return Grown(runs, seconds, ended.peak_bytes)


def _table(rows: int, labels: int) -> pd.DataFrame:
    """Numbers, and labels of falling frequency (a third to a hundredth of the rows) that depend on them."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((rows, COLUMNS))
    columns = {f"x{column}": x[:, column] for column in range(COLUMNS)}
    for label, share in enumerate(np.geomspace(1 / 3, 0.01, labels)):
        scores = x @ rng.standard_normal(COLUMNS) + 4 * rng.standard_normal(rows)
        columns[f"is_{label}"] = (scores > np.quantile(scores, 1 - share)).astype(np.uint8)
    return pd.DataFrame(columns)
