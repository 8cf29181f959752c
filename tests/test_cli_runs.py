"""Runs by the command line, and what their record tells: comparisons, tables and verdicts."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from pathlib import Path

import pytest

from project import Answer, Project
from user_commands import MINE, python, rarelabels

FLOORS = ["movies/floor_zeros", "movies/floor_prior"]


@dataclass(frozen=True)
class Session:
    """Two floors run, the same asked for again, then one of them with an override."""

    house: Path
    first: Answer
    second: Answer
    overridden: Answer
    rows: list[dict[str, str]]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """Return the record of three calls; all tests below look at it."""
    house = Project(tmp_path_factory.mktemp("house"), genres=5).folder
    both = ["run", *FLOORS, "--seeds", "0,1", "--workers", "1"]
    first, second = python(house, "-m", "rarelabels", *both), rarelabels(house, *both)
    change = ["--set", "thresholds.min_positives=3"]
    overridden = rarelabels(house, "run", FLOORS[0], "--seeds", "0", "--workers", "1", *change)
    record = rarelabels(house, "results", "movies", "--format", "csv")
    assert record.out.startswith("trial,variant,seed,overrides,status,run_id,")
    return Session(house, first, second, overridden, list(csv.DictReader(io.StringIO(record.out))))


def row_of(answer: Answer, name: str) -> list[str]:
    """Return the cells of the row that begins with ``name`` in the printed table."""
    (line,) = [line for line in answer.out.splitlines() if line.startswith(f"│ {name} ")]
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_runs_are_recorded_and_compared(session: Session):
    assert session.first.code == 0, session.first.err
    assert "4 runs to do, 0 finished before" in session.first.err
    zeros, prior = row_of(session.first, "floor_zeros"), row_of(session.first, "floor_prior")
    assert zeros[1] == prior[1] == "2"
    # All zeros never finds a label, and the zeros floor below the table is the same predictor.
    assert zeros[5] == "0.000"
    floor = row_of(session.first, "floor: zeros")
    values = [(own.rstrip("*"), other) for own, other in zip(zeros[2:], floor[2:], strict=True) if other]
    assert values
    assert all(own == other for own, other in values)
    (missing,) = [line for line in session.first.out.splitlines() if line.startswith("not run: ")]
    assert {"focal_auc", "bce_pruned training.pruning.sparsity=0.5"} < set(
        missing.removeprefix("not run: ").split(", ")
    )
    assert "Traceback" not in session.first.err


def test_what_is_finished_is_not_run_again(session: Session):
    assert session.second.code == 0
    assert "0 runs to do, 4 finished before" in session.second.err
    assert session.second.out == session.first.out


def test_an_override_is_kept_apart(session: Session):
    assert session.overridden.code == 0
    assert session.overridden.err.splitlines()[1].startswith("movies: 1 run")
    assert row_of(session.overridden, "floor_zeros (overridden: thresholds.min_positives=3)")[1] == "1"
    assert row_of(session.overridden, "floor_prior")[1] == "2"


def test_the_record_as_csv_has_a_row_for_each_run(session: Session):
    runs = [(row["trial"], row["seed"], row["status"]) for row in session.rows]
    declared = [(name, seed, "FINISHED") for name in FLOORS for seed in ("0", "1")]
    assert runs == [*declared, (FLOORS[0], "0", "FINISHED")]
    assert len({row["run_id"] for row in session.rows}) == 5
    metrics = [key for key in session.rows[0] if "/" in key]
    assert {"test/half/macro_f1", "floor/zeros/binary_accuracy"} <= set(metrics)
    assert not [key for key in metrics if key.startswith("curve/")]
    assert all(math.isfinite(float(row[key])) for row in session.rows for key in metrics)


def test_everything_recorded_is_in_the_folder_of_runs(session: Session):
    assert sorted(path.name for path in session.house.iterdir()) == ["conf", "experiments", "runs"]


@pytest.mark.long
def test_a_trial_runs_from_anywhere(house: Path):
    elsewhere = house / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine.yaml").write_text(MINE.format(parent="../experiments/movies/_base.yaml"))
    answer = rarelabels(house, "run", "elsewhere/mine.yaml", "--seeds", "0", "--workers", "1")
    assert answer.code == 0, answer.err
    assert answer.out.startswith("elsewhere on movies: test part")
    assert row_of(answer, "mine")[1] == "1"


MINI = """
title: Two floors
question: Are base rates better than nothing?
thread: beyond the threads
hypotheses:
  - {name: accuracy, claim: Base rates are as accurate as nothing., source: here, trial: prior, against: zeros,
     metric: test/half/binary_accuracy, direction: equal, margin: 0.01}
  - {name: ranking, claim: Base rates rank labels by far better., source: here, trial: prior, against: zeros,
     metric: test/ranking/lrap, direction: greater, margin: 0.1}
  - {name: areas, claim: Base rates rank the films of a label., source: here, trial: prior, against: zeros,
     metric: test/ranking/macro_roc_auc, direction: greater, margin: 0.1}
"""


def test_hypotheses_are_judged_by_what_is_recorded(house: Path):
    folder = house / "experiments" / "mini"
    folder.mkdir()
    (folder / "study.yaml").write_text(MINI, encoding="utf-8")
    for name in ("zeros", "prior"):
        floor = f"dataset: {{labels: 17}}\nmodel: {{kind: floor, predicts: {name}}}\nseeds: [3]"
        text = f"extends: ../movies/_base.yaml\nquestion: What do {name} score?\nthread: none\n{floor}\n"
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    assert rarelabels(house, "findings", "mini").out == "nothing is recorded of mini yet; run `rarelabels run mini`\n"
    assert rarelabels(house, "run", "mini", "--workers", "1").code == 0
    record = rarelabels(house, "findings", "mini", "--format", "csv")
    assert record.code == 0  # whatever became of them
    by_name = {row["name"]: row for row in csv.DictReader(io.StringIO(record.out))}
    verdicts = {name: (row["verdict"], row["identical"], row["late"]) for name, row in by_name.items()}
    assert verdicts == {
        "accuracy": ("upheld", "False", "False"),
        "ranking": ("upheld", "False", "False"),
        "areas": ("refuted", "True", "False"),  # scores that are the same for every film rank none before another
    }
    runs = list(csv.DictReader(io.StringIO(rarelabels(house, "results", "mini", "--format", "csv").out)))
    lrap = {row["trial"]: float(row["test/ranking/lrap"]) for row in runs}
    assert float(by_name["ranking"]["value"]) == pytest.approx(lrap["mini/prior"] - lrap["mini/zeros"])

    (folder / "study.yaml").write_text(MINI.replace("0.01", "0.02"), encoding="utf-8")
    shown = rarelabels(house, "findings", "mini").out
    assert "upheld (late)" in shown
    assert "2 upheld, 1 refuted, 0 undecided" in shown
