"""``test: repeated``: each seed has another test part, and trials are still paired by seed and row."""

from __future__ import annotations

import json

import numpy as np
import pytest

import my_study
from project import Project
from rarelabels.record import connection, estimates

pytestmark = pytest.mark.long
RIDGE = "model: {kind: sklearn, estimator: LogisticRegression, parameters: {C: 0.1}}"
HYPOTHESIS = """
hypotheses:
  - name: differs
    claim: A stronger penalty ranks worse.
    source: beyond the threads
    trial: ridge
    against: linear
    metric: test/ranking/macro_average_precision
    direction: less
    margin: 0.01
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(tmp_path_factory.mktemp("repeated"))
    my_study.declare(project.folder)
    study = project.folder / "experiments" / my_study.STUDY
    for name in ("bce", "platt"):
        (study / f"{name}.yaml").unlink()
    base = study / "_base.yaml"
    base.write_text(base.read_text("utf-8").replace("kind: table", "kind: table\n  test: repeated"), encoding="utf-8")
    base.write_text(base.read_text("utf-8").replace("seeds: [0, 1]", "seeds: [0, 1, 2]"), encoding="utf-8")
    head = "extends: _base.yaml\nquestion: How far does a strong penalty get?\nthread: beyond the threads\n"
    (study / "ridge.yaml").write_text(head + RIDGE + "\n", encoding="utf-8")
    with (study / "study.yaml").open("a", encoding="utf-8") as file:
        file.write(HYPOTHESIS)
    project.do("run", my_study.STUDY)
    return project


def test_each_seed_tests_other_rows_and_trials_share_them(project: Project) -> None:
    tested = {(run.data.tags["trial"], run.data.tags["seed"]): run.data.tags["test_part"] for run in _runs(project)}
    assert len(set(tested.values())) == 3
    assert tested["my/linear", "1"] == tested["my/ridge", "1"] == tested["my/floor", "1"]


def test_influences_are_of_all_rows_that_any_seed_tests(project: Project) -> None:
    client = connection.connect(project.record)
    runs = sorted(
        (run for run in _runs(project) if run.data.tags["trial"] == "my/linear"), key=lambda run: run.data.tags["seed"]
    )
    (found,) = estimates.of_runs(client, runs, ["test/ranking/brier"]).values()
    assert 240 < found.n_groups < 360  # of 600 rows, as many as three fifths at most
    assert abs(found.influence.sum()) < 1e-12
    assert found.n_seeds == 3


def test_verdicts_pair_trials_by_seed(project: Project) -> None:
    out, _ = project.do("findings", my_study.STUDY, "--format", "csv")
    assert "differs" in out
    assert "other test rows" not in out
    assert "not measured" not in out
    table = project.do("results", my_study.STUDY)[0]
    assert "Each seed has another test part" in table
    project.do("report", my_study.STUDY)


def test_a_search_of_settings_is_refused(project: Project) -> None:
    tuning = {
        "kind": "parameters",
        "space": {"model.c": {"low": 0.1, "high": 9.0}},
        "metric": "validation/ranking/lrap",
        "direction": "maximize",
        "n_trials": 1,
        "seeds": [0],
        "sampler": {"kind": "random", "seed": 0},
        "pruner": {"kind": "none"},
    }
    _, err = project.do("run", f"{my_study.STUDY}/linear", "--set", f"tuning={json.dumps(tuning)}", code=2)
    assert "the search would train and choose on rows that are test rows of other seeds" in err


def _runs(project: Project) -> list:
    runs = project.runs(study=my_study.STUDY)
    assert all(np.isfinite(run.data.metrics["test/ranking/brier"]) for run in runs)
    return runs
