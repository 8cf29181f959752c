"""A study's record as frames: which runs count, and numbers computed again with scikit-learn from the scores."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, confusion_matrix, f1_score

from old_record import unpack
from project import REPOSITORY, Project
from rarelabels.errors import UserError
from rarelabels.judging.rules.table import RULES
from rarelabels.judging.scores import Scores
from rarelabels.record import reading
from rarelabels.record.reading import KEYS
from rarelabels.study import recorded_study

CALIBRATED = """
extends: _base.yaml
question: Are calibrated scores what is given?
thread: none
model: {kind: linear}
vary:
  thresholds.calibration: [platt]
"""
PLATT = "thresholds.calibration=platt"
NAMES = [("bce", ""), ("calibrated", PLATT), ("linear", "")]
COUNTED = [("bce", "", 0), ("calibrated", PLATT, 1), ("linear", "", 0), ("linear", "", 1)]
BY_THRESHOLD = sorted({*RULES, "oracle"} - {"argmax", "at_least_one", "top_k"})  # alone: those look at the row too


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    """A net, and logistic regression with two seeds, and calibrated.

    Then the calibrated one was declared anew and run with another seed, beside the same run of the plain one again, and
    that was run with an override.
    """
    project = Project(tmp_path_factory.mktemp("project"), plain=True)
    (project.folder / "docs").mkdir()
    shutil.copy(REPOSITORY / "docs" / "your_table.csv", project.folder / "docs")
    folder = project.folder / "experiments" / "your_table"
    replace(folder / "_base.yaml", "epochs: 20", "epochs: 2")
    replace(folder / "_base.yaml", "min_rows: 40", "min_rows: 150")
    (folder / "_base.yaml").open("a", encoding="utf-8").write("seeds: [0]\n")
    (folder / "linear.yaml").open("a", encoding="utf-8").write("seeds: [0, 1]\n")
    (folder / "calibrated.yaml").write_text(CALIBRATED, encoding="utf-8")
    for name in ("floor_prior", "pos_weight_sqrt", "study"):
        (folder / f"{name}.yaml").unlink()
    project.do("run", "your_table", "--workers", "1")
    replace(folder / "calibrated.yaml", "[platt]", "[platt]\nthresholds: {min_positives: 9}")
    again = ["your_table/calibrated", "your_table/linear"]
    project.do("run", *again, "--seeds", "1", "--force", "--workers", "1")
    project.do("run", "your_table/linear", "--seeds", "0", "--set", "thresholds.min_positives=7", "--workers", "1")
    return project


@pytest.fixture(scope="module")
def table(project) -> recorded_study.Study:
    return recorded_study.Study("your_table", project.record)


def keys(frame: pd.DataFrame) -> list[tuple[str, str, int]]:
    rows = frame[["trial", "variant", "seed"]].drop_duplicates()
    return [(str(row.trial), str(row.variant), int(row.seed)) for row in rows.itertuples()]


def test_of_what_is_recorded_the_runs_that_count_are_given(table, project):
    everything = project.runs(study="your_table")
    assert len(everything) == 7
    runs = table.runs()
    assert keys(runs) == COUNTED
    assert len(runs) == len(COUNTED)
    assert repr(table) == "Study('your_table'): 3 trials, 4 runs"
    twice = [one for one in everything if (one.data.tags["trial"], one.data.tags["seed"]) == ("your_table/linear", "1")]
    first, _ = sorted(twice, key=lambda run: run.info.end_time)
    assert list(runs.loc[(runs["trial"] == "linear") & (runs["seed"] == 1), "run_id"]) == [first.info.run_id]


def test_overridden_runs_are_given_where_they_are_asked_for(project):
    runs = recorded_study.Study("your_table", project.record, overridden=True).runs()
    assert keys(runs) == sorted([*COUNTED, ("linear (thresholds.min_positives=7)", "", 0)])
    overridden = runs[runs["overrides"] != ""]
    assert list(overridden["trial"]) == ["linear (thresholds.min_positives=7)"]
    assert list(overridden["overrides"]) == ["thresholds.min_positives=7"]


def test_trials_say_what_was_declared(table):
    trials = table.trials().set_index(["trial", "variant"])
    assert list(trials.index) == NAMES
    assert trials.loc[("calibrated", PLATT), "question"] == "Are calibrated scores what is given?"
    assert list(trials["runs"]) == [1, 1, 2]
    assert trials.loc[("bce", ""), "training.epochs"] == "2"
    assert trials["model.pooling"].notna().sum() == 1  # the net's alone
    assert list(trials["thresholds.min_positives"]) == ["5", "9", "5"]  # as it was declared last


def test_scores_give_the_numbers_of_runs_and_labels(table):
    runs, labels = table.runs().set_index(KEYS), table.per_label()
    assert keys(labels) == COUNTED
    assert set(labels["rule"]) == {*RULES, "oracle"}
    for (name, variant, seed), of in labels.groupby(KEYS):
        scores = table.scores(name, seed, variant=variant)
        assert list(scores.columns) == ["id", "label", "true", "score"]
        rows = scores.set_index(["id", "label"])
        assert rows.index.is_unique
        true, score = (rows[column].unstack()[of["label"].unique()] for column in ("true", "score"))
        for label, rules in of.groupby("label"):
            expected = average_precision_score(true[label], score[label])
            assert rules["average_precision"].to_numpy() == pytest.approx(expected)
            assert set(rules["positives"]) == {true[label].sum()}
            for rule in rules[rules["rule"].isin(BY_THRESHOLD)].itertuples():
                assigned = score[label] >= rule.threshold
                cells = confusion_matrix(true[label], assigned, labels=[0, 1]).ravel()
                assert (rule.tn, rule.fp, rule.fn, rule.tp) == tuple(cells)
                assert rule.f1 == pytest.approx(f1_score(true[label], assigned, zero_division=0))
        for rule, chosen in of[of["rule"].isin(BY_THRESHOLD)].groupby("rule"):
            assigned = score >= chosen.set_index("label")["threshold"][true.columns]
            for average in ("macro", "micro"):
                expected = f1_score(true, assigned, average=average, zero_division=0)
                assert runs.loc[(name, variant, seed), f"test/{rule}/{average}_f1"] == pytest.approx(expected)


def test_what_is_not_known_is_counted_in_labels_and_missing_in_scores(table, monkeypatch):
    per_label, scores = reading.per_label, reading.scores

    def partly_known(*run) -> Scores:
        part = scores(*run)
        known = np.arange(part.y.size).reshape(part.y.shape) % 3 > 0
        return dataclasses.replace(part, y=part.y * known, known=known)

    monkeypatch.setattr(reading, "per_label", lambda *run: per_label(*run).copy().assign(known=7))
    monkeypatch.setattr(reading, "scores", partly_known)
    assert set(table.per_label()["known"]) == {7}
    missing = table.scores("linear", 1)["true"].isna()
    assert missing.tolist() == [cell % 3 == 0 for cell in range(len(missing))]


def test_scores_are_those_that_rules_are_about(table):
    """Calibrated ones, of the part that is asked for."""
    plain = table.scores("linear", 1, "validation")
    calibrated = table.scores("calibrated", 1, "validation", PLATT)
    pd.testing.assert_frame_equal(plain.drop(columns="score"), calibrated.drop(columns="score"))
    assert not np.allclose(plain["score"], calibrated["score"])
    assert not set(plain["id"]) & set(table.scores("linear", 1, "test")["id"])


def test_a_summary_is_the_mean_of_the_runs_with_an_interval_around_it(table):
    summary, runs = table.summary(), table.runs()
    for name, variant in NAMES:
        of = summary[(summary["trial"] == name) & (summary["variant"] == variant)].set_index("metric")
        of_trial = runs[(runs["trial"] == name) & (runs["variant"] == variant)].drop(
            columns=["trial", "variant", "seed"]
        )
        expected = of_trial.drop(columns=["run_id", "overrides"]).mean().dropna()
        assert set(of.index) == set(expected.index)
        np.testing.assert_allclose(of["mean"], expected[of.index], rtol=1e-9)
        measured = of.loc["test/per_label/macro_f1"]
        assert measured["low"] < measured["mean"] < measured["high"]
    assert set(table.summary(["linear"])["trial"]) == {"linear"}


def test_a_trial_that_is_not_summed_up_yet_has_means_without_intervals(table, monkeypatch):
    monkeypatch.setattr(reading, "summary", lambda client, parent: pd.DataFrame())
    summary = table.summary(["linear"]).set_index("metric")
    assert summary[["low", "high"]].isna().all().all()
    runs = table.runs()
    expected = runs.loc[runs["trial"] == "linear", "test/half/macro_f1"].mean()
    assert summary.loc["test/half/macro_f1", "mean"] == pytest.approx(expected)


def test_curves_have_a_row_for_each_run_and_epoch(table):
    curves = table.curves()
    assert keys(curves) == [("bce", "", 0)]
    assert {"curve/loss", "curve/val_loss", "curve/binary_accuracy"} <= set(curves["curve"])
    for _, one in curves.groupby("curve"):
        assert list(one["epoch"]) == [1, 2]
    assert table.curves(["linear"]).columns.tolist() == curves.columns.tolist()
    assert table.curves(["linear"]).empty


def test_what_is_not_run_is_said(table, capsys):
    assert table.finished("bce", "linear") == ["bce", "linear"]
    assert capsys.readouterr().out == ""
    assert table.finished("focal", "bce") == ["bce"]
    assert capsys.readouterr().out == "not run yet: focal (`make your_table/focal` runs it)\n"
    assert table.per_label(["focal"]).empty


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (("linear", 5), "no finished run of linear with seed 5; there are: seed 0, seed 1"),
        (("liner", 0), "no finished run of liner with seed 0; there are: bce, calibrated, linear"),
        (("calibrated", 1), f"no finished run of calibrated with seed 1; there are: seed 1 of {PLATT}"),
        (("bce", 0, "train"), "part must be validation or test; given 'train'"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(table, wanted, message):
    with pytest.raises(UserError) as error:
        table.scores(*wanted)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_study_without_a_record(project, tmp_path):
    with pytest.raises(
        UserError, match="nothing is recorded of 'movie' yet: `make movie` runs it; there are: your_tab"
    ):
        recorded_study.Study("movie", project.record)
    with pytest.raises(UserError, match=r"nothing is recorded of 'movies' yet: `make movies` runs it$"):
        recorded_study.Study("movies", f"sqlite:///{tmp_path}/runs/mlflow.db")
    assert not (tmp_path / "runs").exists()  # reading makes nothing


STATED = """
title: Your own table
question: Is 0.5 a good threshold?
thread: none
hypotheses:
  - name: half_is_worse
    claim: 0.5 is a worse threshold than one for each label.
    source: here
    trial: linear
    against: linear
    metric: test/half/macro_f1
    against_metric: test/per_label/macro_f1
    direction: less
    margin: 0.01
"""


READ = """
import sys
import rarelabels as rl
table = rl.Study("your_table")
for read in (table.trials, table.runs, table.summary, table.curves, table.per_label):
    assert len(read())
assert len(table.scores("bce"))
print(table.verdicts().to_csv(index=False), end="")
assert not {"tensorflow", "keras"} & set(sys.modules)
"""


def test_what_is_read_in_a_subfolder_is_what_the_command_prints_and_imports_no_tensorflow(project):
    (project.folder / "experiments" / "your_table" / "study.yaml").write_text(STATED, encoding="utf-8")
    out, _ = project.do("findings", "your_table", "--format", "csv")
    (project.folder / "notebooks").mkdir()
    command = [sys.executable, "-c", READ]
    where = {"cwd": project.folder / "notebooks", "env": project.environment}
    ended = subprocess.run(command, **where, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == out
    assert "upheld,-0." in out


BOUND = """bounds:
  - {name: loss_of_0_003, source: a thread, loss: 0.003, binary_accuracy: 0.98}
"""


@pytest.fixture(scope="module")
def old(tmp_path_factory) -> Project:
    return unpack(tmp_path_factory.mktemp("old"))


@pytest.fixture
def films(old, monkeypatch) -> recorded_study.Study:
    """As a notebook in a folder of the project has it."""
    folder = old.folder / "notebooks"
    folder.mkdir(exist_ok=True)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return recorded_study.Study("films")


def test_the_comparison_is_the_table_that_the_command_prints(films, old):
    compared = films.comparison()
    assert set(compared["data"]) == {"movies"}
    assert set(compared["trial"]) == {"bce", "focal", "floor_prior", "floor: zeros", "floor: ones", "floor: prior"}
    printed, _ = old.do("results", "films")
    for row in compared[compared["trial"].isin(["bce", "focal"])].itertuples():
        star = "*" if row.tied else " "
        assert f"{row.mean:.3f}{star}" in printed
        assert f"{row.low:.3f}–{row.high:.3f}" in printed
        assert row.seeds == 2
    floors = compared[compared["seeds"] == 0]
    assert floors[["low", "high"]].isna().all().all()
    zeros = floors[(floors["trial"] == "floor: zeros") & (floors["metric"] == "test/half/macro_f1")]
    assert zeros["mean"].item() == 0


def test_the_verdicts_are_those_that_the_command_prints(films, old):
    out, _ = old.do("findings", "films", "--format", "csv")
    assert films.verdicts().to_csv(index=False) == out


def test_the_best_trial_comes_first_as_in_the_command_and_nothing_is_registered(films, old):
    ranked = films.best()
    assert list(ranked["trial"]) == ["focal", "bce"]
    assert ranked["validation"].is_monotonic_decreasing
    printed, _ = old.do("best", "films")  # registers
    for row in ranked.itertuples():
        assert f"{row.validation:.4f}" in printed
        assert f"{row.test:.4f}" in printed
    by_loss = films.best("ranking/log_loss")
    assert by_loss["validation"].is_monotonic_increasing
    with pytest.raises(UserError, match="per_lable/macro_f1"):
        films.best("per_lable/macro_f1")


def test_a_notebook_shows_title_runs_and_headline_numbers(films):
    page = films._repr_html_()
    assert "<b>films: Five genres of the films</b>" in page
    assert "3 trials, 6 finished runs, seeds 0, 1." in page
    summary = films.summary().set_index(["trial", "metric"]).loc[("bce", "test/half/macro_f1")]
    expected = f"{summary['mean']:.3f}<br>({summary['low']:.3f}–{summary['high']:.3f})"
    assert f">{expected}</td>" in page.partition("<th>bce</th>")[2].partition("</tr>")[0]
    assert "<th>macro-F1 at 0.5</th>" in page
    assert films.where not in page, "where the record lies is of no use to a reader"


def test_bounds_are_sentences(films, old):
    assert films.bounds() == []
    study = old.folder / "experiments" / "films" / "study.yaml"
    text = study.read_text("utf-8")
    study.write_text(text + BOUND, "utf-8")
    try:
        (sentence,) = films.bounds()
        assert "0.98" in sentence
    finally:
        study.write_text(text, "utf-8")
