"""A classifier of scikit-learn in a study: searched, run, compared, and not deployed."""

from __future__ import annotations

from pathlib import Path

import pytest

import my_study
from project import Project

pytestmark = pytest.mark.long
FOREST = """
extends: _base.yaml
question: Does a forest rank better than the linear model?
thread: beyond the threads
model: {kind: sklearn, estimator: RandomForestClassifier, parameters: {n_estimators: 20, max_depth: 5}}
tuning:
  kind: parameters
  space: {model.parameters.max_depth: {low: 2, high: 9}}
  metric: validation/ranking/macro_average_precision
  direction: maximize
  n_trials: 3
  seeds: [0]
  sampler: {kind: random, seed: 0}
  pruner: {kind: none}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(tmp_path_factory.mktemp("forest"))
    my_study.declare(project.folder)
    study = project.folder / "experiments" / my_study.STUDY
    for name in ("bce", "platt"):
        (study / f"{name}.yaml").unlink()
    (study / "forest.yaml").write_text(FOREST, encoding="utf-8")
    project.do("run", my_study.STUDY, f"{my_study.STUDY}/forest")
    return project


def test_it_is_searched_in_whole_numbers_and_run_with_the_best(project: Project) -> None:
    searched = project.runs("search trial", my_study.STUDY + "/tuning") or project.runs("trial", my_study.STUDY)
    assert searched
    depths = {run.data.params.get("model.parameters.max_depth") for run in project.runs(study=my_study.STUDY)}
    (depth,) = depths - {None}
    assert 2 <= int(depth) <= 9
    assert "forest" in project.do("results", my_study.STUDY)[0]


def test_nothing_is_pickled_and_no_size_of_a_model_is_said(project: Project) -> None:
    files = [path for path in (project.folder / "runs").rglob("*") if path.is_file()]
    assert not [path for path in files if path.suffix in (".pkl", ".pickle", ".joblib", ".skops")]
    by_name = {run.info.run_name: run.data.metrics for run in project.runs("trial", my_study.STUDY)}
    assert "training/compressed_bytes" in by_name["linear"]
    assert "training/compressed_bytes" not in by_name["forest"]
    assert "training/gap_macro_average_precision" in by_name["forest"]


def test_best_says_why_it_is_not_registered(project: Project) -> None:
    study = project.folder / "experiments" / my_study.STUDY
    (study / "linear.yaml").rename(project.folder / "linear.yaml")
    _, err = project.do("best", my_study.STUDY, code=2)
    assert (
        "forest: its model is not registered: of a RandomForestClassifier of scikit-learn only the scores are stored"
        in err
    )
    Path(project.folder / "linear.yaml").rename(study / "linear.yaml")
    out, _ = project.do("best", my_study.STUDY)
    assert "registered: " in out


def test_a_wrong_parameter_is_refused_before_a_run(project: Project) -> None:
    before = len(project.runs(study=my_study.STUDY))
    _, err = project.do(
        "run", f"{my_study.STUDY}/forest", "--set", "tuning=null", "--set", "model.parameters={max_dept: 3}", code=2
    )
    assert "my/forest: model.parameters.max_dept: RandomForestClassifier has no such parameter; did you mean" in err
    assert len(project.runs(study=my_study.STUDY)) == before
