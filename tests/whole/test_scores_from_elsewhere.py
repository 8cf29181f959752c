"""Scores that another program made, as a trial of a study: judged, compared and ranked like any other."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest

import my_study
from project import Project
from rarelabels.record import connection, run_files

pytestmark = pytest.mark.long
TRIAL = """
extends: _base.yaml
question: How good is what another program makes?
thread: beyond the threads
model: {kind: scores, validation: "../../{seed}/validation.parquet", test: "../../{seed}/test.csv"}
thresholds: {calibration: platt}
"""
CLAIM = """
baselines: [linear]
hypotheses:
  - name: same
    claim: The other program does as the linear model does.
    source: beyond the threads
    trial: elsewhere
    against: linear
    metric: test/ranking/macro_average_precision
    direction: equal
    margin: 0.01
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The linear trial has run. A trial of scores from elsewhere is declared, and its files are not there yet."""
    project = Project(tmp_path_factory.mktemp("elsewhere"))
    my_study.declare(project.folder)
    study = project.folder / "experiments" / my_study.STUDY
    for name in ("bce", "platt", "floor"):
        (study / f"{name}.yaml").unlink()
    (study / "linear.yaml").write_text(
        (study / "linear.yaml").read_text("utf-8") + "thresholds: {calibration: platt}\n"
    )
    (study / "elsewhere.yaml").write_text(TRIAL, encoding="utf-8")
    with (study / "study.yaml").open("a", encoding="utf-8") as file:
        file.write(CLAIM)
    return project


def test_a_study_runs_without_scores_that_are_not_made_yet(project: Project) -> None:
    out, err = project.do("run", my_study.STUDY)
    assert "linear" in out
    assert "my/elsewhere" in out + err
    assert "0/validation.parquet: there is no such file of scores" in out + err


def test_scores_of_another_program_are_judged_like_any_other(project: Project) -> None:
    """The other program makes the scores that the linear model made: all that is measured must be the same."""
    out, _ = project.do("export-split", f"{my_study.STUDY}/elsewhere")
    split = pd.read_csv(io.StringIO(out), dtype={"id": str})
    client = connection.connect(project.record)
    for run in project.runs(study=my_study.STUDY):
        seed = run.data.tags["seed"]
        (project.folder / seed).mkdir()
        run_files.fetch(client, run.info.run_id, ["scores"], project.folder / seed)
        for name in ("validation", "test"):
            frame = pd.read_parquet(project.folder / seed / "scores" / f"{name}.parquet")
            ids = split.loc[(split["part"] == name) & (split["seed"] == int(seed)), "id"]
            assert set(ids) == set(frame["id"])
            scores = frame.set_index("id").filter(regex="^score/").loc[ids[::-1]].reset_index()
            if name == "validation":
                scores.to_parquet(project.folder / seed / "validation.parquet")
            else:
                scores.to_csv(project.folder / seed / "test.csv", index=False)
    _, err = project.do("run", my_study.STUDY)
    assert "not there" not in err
    parents = {run.info.run_name: run.data.metrics for run in project.runs("trial", my_study.STUDY)}
    measured = {name for name in parents["linear"] if name.startswith(("test/", "validation/", "crossfit/", "floor/"))}
    assert len(measured) > 100
    assert {name: parents["elsewhere"][name] for name in measured} == {
        name: parents["linear"][name] for name in measured
    }
    assert not any(name.startswith("training/gap") for name in parents["elsewhere"])


def test_hypotheses_name_it_and_best_ranks_it_and_says_why_it_is_not_registered(project: Project) -> None:
    found, _ = project.do("findings", my_study.STUDY)
    assert "upheld" in found
    assert "identical" in found
    out, err = project.do("best", my_study.STUDY)
    said = "elsewhere: its model is not registered: its scores were made by another program, and there is no model here"
    assert said in out + err
    assert "registered: " in out
    assert "elsewhere" in project.do("results", my_study.STUDY)[0]
    project.do("report", my_study.STUDY)
    assert "how it was trained, and on which rows" in (project.folder / "runs/report.html").read_text("utf-8")


def test_a_changed_file_is_another_run(project: Project) -> None:
    path = project.folder / "1" / "test.csv"
    changed = pd.read_csv(path, dtype={"id": str}).iloc[1:]
    before = len(project.runs(study=my_study.STUDY))
    kept = path.read_bytes()
    changed.to_csv(path, index=False)
    _, err = project.do("run", f"{my_study.STUDY}/elsewhere", code=2)
    assert "1/test.csv: has no scores for 1 of the" in err
    assert len(project.runs(study=my_study.STUDY)) == before
    path.write_bytes(kept + b"\n")
    project.do("run", f"{my_study.STUDY}/elsewhere")
    assert len(project.runs(study=my_study.STUDY)) == before + 2  # the trial is another one, in both its seeds


def test_one_pair_of_files_serves_one_seed_only(project: Project) -> None:
    study = project.folder / "experiments" / my_study.STUDY
    one = study / "alone.yaml"
    one.write_text(TRIAL.replace("{seed}", "0"), encoding="utf-8")
    try:
        _, err = project.do("validate", f"{my_study.STUDY}/alone", code=2)
        assert "each seed has other training and validation rows" in err
        one.write_text(TRIAL.replace("{seed}", "0") + "seeds: [0]\n", encoding="utf-8")
        project.do("validate", f"{my_study.STUDY}/alone")
        one.write_text(TRIAL.replace("{seed}", "0") + "dataset: {validation: last_rows}\n", encoding="utf-8")
        project.do("validate", f"{my_study.STUDY}/alone")
    finally:
        one.unlink()


def test_a_split_is_written_to_a_file(project: Project, tmp_path: Path) -> None:
    out, _ = project.do("export-split", my_study.STUDY, "--seeds", "1", "--output", str(tmp_path / "parts.parquet"))
    assert out == ""
    written = pd.read_parquet(tmp_path / "parts.parquet")
    assert written["seed"].unique().tolist() == [1]
    assert len(written) == 600
