"""The package in ``examples/own_metric_and_rule``, installed: declared, measured, shown, judged and deployed."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

import my_study
from installed_example import install
from project import Project

pytestmark = pytest.mark.long
TRIAL = """
extends: _base.yaml
question: Which errors cost most?
thread: beyond the threads
model: {kind: linear}
"""
OWN = "own_metrics: [error_cost, one_error]\nthresholds: {own_rules: [match_prevalence]}\n"
STUDY = """
title: Costs
question: Which costs least?
thread: beyond the threads
hypotheses:
  - name: cheaper
    claim: Thresholds that match the prevalence cost less than 0.5.
    source: here
    trial: owned
    against: owned
    metric: test/match_prevalence/error_cost
    against_metric: test/half/error_cost
    direction: less
    margin: 0
"""
BROKEN = """

def thresholds(truth, scores, known):
    raise RuntimeError("no thresholds today")


MATCH_PREVALENCE = OwnRule(name="match_prevalence", words="broken", thresholds=thresholds)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example package, built and installed without the network."""
    return install("own_metric_and_rule", tmp_path_factory.mktemp("own_metric_and_rule"))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, installed: Path) -> Project:
    """A study of two trials that share a training; one declares what the package brings. Both have been run."""
    project = Project(tmp_path_factory.mktemp("own"))
    my_study.declare(project.folder)
    study = project.folder / "experiments" / my_study.STUDY
    for name in my_study.TRIALS:
        (study / f"{name}.yaml").unlink()
    (study / "plain.yaml").write_text(TRIAL, encoding="utf-8")
    (study / "owned.yaml").write_text(TRIAL + OWN, encoding="utf-8")
    (study / "study.yaml").write_text(STUDY, encoding="utf-8")
    paths = [str(installed), *filter(None, [os.environ.get("PYTHONPATH")])]
    project.environment |= {"PYTHONPATH": os.pathsep.join(paths)}
    project.call("run", my_study.STUDY, "--workers", "1")
    return project


def test_they_are_recorded_beside_the_same_numbers_as_ever(project: Project) -> None:
    runs = {(run.data.tags["trial"], run.data.tags["seed"]): run.data for run in project.runs(study=my_study.STUDY)}
    plain, owned = (runs[f"my/{name}", "0"] for name in ("plain", "owned"))
    assert "packages" not in plain.tags
    assert owned.tags["packages"] == "own_metric_and_rule==0.1.0"
    assert plain.tags["training"] == owned.tags["training"]
    of_the_test = {name: value for name, value in plain.metrics.items() if name.startswith(("test/", "crossfit/"))}
    assert of_the_test.items() < owned.metrics.items()
    found = owned.metrics
    for name in ("test/half", "test/match_prevalence", "validation/half", "crossfit/match_prevalence", "floor/ones"):
        assert found[f"{name}/error_cost"] > 0, name
    assert 0 < found["test/ranking/one_error"] < found["floor/prior/one_error"]
    assert 0 < found["test/match_prevalence/macro_f1"] <= 1
    assert found["floor/prior_match_prevalence/macro_f1"] > 0


def test_they_are_shown_judged_and_ranked(project: Project) -> None:
    out, _ = project.call("results", my_study.STUDY, "--metric", "error_cost")
    assert "↓ cost of errors a row on the test part" in out
    assert "match prevalence" in " ".join(out.split())
    assert "match" in project.call("results", my_study.STUDY, "--by", "rule")[0]
    (finding,) = csv.DictReader(project.call("findings", my_study.STUDY, "--format", "csv")[0].splitlines())
    assert finding["reason"] == ""
    assert float(finding["low"]) < float(finding["value"]) < float(finding["high"])
    out, _ = project.call("best", my_study.STUDY, "--metric", "match_prevalence/error_cost")
    assert "crossfit/match_prevalence/error_cost, least first" in out
    summary = project.folder / "summary.py"
    summary.write_text(
        "import rarelabels as rl\n"
        "table = rl.Study('my').summary(['owned']).set_index('metric')\n"
        "print(table['low'].notna()[['test/half/error_cost', 'test/ranking/one_error']].tolist())\n"
    )
    told = subprocess.run(
        [sys.executable, str(summary)], cwd=project.folder, env=project.environment, capture_output=True, text=True
    )
    assert told.stdout == "[True, False]\n", told.stderr  # the second gives no influences


def test_the_rule_predicts_where_the_package_is_not_installed(project: Project) -> None:
    """The rule is stored as thresholds; this process has not got the package."""
    rows = my_study.rows(40, seed=5)
    my_study.write(project.folder / "new.csv", rows)
    project.call("best", my_study.STUDY, "--metric", "match_prevalence/error_cost")
    out, _ = project.do("predict", my_study.STUDY, "new.csv")
    assert len(out.splitlines()) == len(rows) + 1


def test_a_file_can_name_only_what_is_installed(project: Project) -> None:
    assert project.call("validate", my_study.STUDY)[0] == "2 trials and 1 studies are valid\n"
    _, err = project.do("validate", my_study.STUDY, code=2)  # this process has not got it
    assert "own_metrics: no installed package brings 'error_cost' (rarelabels.metrics)" in err
    assert "Traceback" not in err


def test_a_rule_that_fails_ends_its_run_with_a_line_that_names_the_package(project: Project, installed: Path) -> None:
    code = installed / "own_rule.py"
    kept = code.read_text("utf-8")
    code.write_text(kept + BROKEN, encoding="utf-8")
    try:
        _, err = project.call("run", "my/owned", "--set", "thresholds.min_positives=3", "--workers", "1", code=1)
    finally:
        code.write_text(kept, encoding="utf-8")
    assert "own_metric_and_rule 0.1.0: its rule 'match_prevalence' failed: RuntimeError: no thresholds today" in err
    assert "Traceback" not in err
