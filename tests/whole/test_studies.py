"""Whole studies on a real record: shared trainings, failures, Ctrl-C, resuming; one of them in real processes."""

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from project import REPOSITORY, Project, wait_for
from rarelabels.declare.declarations import load_study
from rarelabels.judging.rules.table import RULES
from rarelabels.record import connection, reading


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path, plain=True, genres=5)


# What `rarelabels` is, and a word at its end.
WITHOUT_TENSORFLOW = """
import sys
from rarelabels import cli
if __name__ == "__main__":
    try:
        cli.main()
    finally:
        print("tensorflow" in sys.modules)
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One epoch of both focal trials, which differ only in what they watch, in real processes."""
    project = Project(tmp_path_factory.mktemp("shared"), plain=True, genres=5)
    script = project.folder / "script.py"
    script.write_text(WITHOUT_TENSORFLOW, encoding="utf-8")
    command = [sys.executable, str(script), "run", "movies/focal_accuracy", "movies/focal_auc"]
    command += ["--seeds", "3", "--set", "training.epochs=1", "--workers", "1"]
    ended = subprocess.run(
        command, cwd=project.folder, env=project.environment, capture_output=True, text=True, timeout=900
    )
    assert ended.returncode == 0, ended.stderr
    project.out, project.err = ended.stdout, ended.stderr
    return project


def test_the_parent_process_never_imports_tensorflow(shared):
    assert shared.out.splitlines()[-1] == "False"


def test_trials_that_differ_only_in_what_they_watch_share_one_training(shared):
    assert "2 runs to do (1 training:" in shared.err
    assert "WARNING" not in shared.err
    first, second = shared.runs()
    assert {first.data.tags["trial"], second.data.tags["trial"]} == {"movies/focal_accuracy", "movies/focal_auc"}
    assert second.data.tags["trained_by"] == first.info.run_id
    assert first.data.metrics == second.data.metrics
    assert first.data.tags["fingerprint"] == second.data.tags["fingerprint"]
    client = connection.connect(shared.record)
    one, other = (reading.scores(client, run.info.run_id, "test") for run in (first, second))
    np.testing.assert_array_equal(one.scores, other.scores)
    assert "watch:" in Path(client.download_artifacts(second.info.run_id, "trial.yaml")).read_text(encoding="utf-8")


def test_runs_carry_a_hash_of_every_hypothesis_declared_when_they_started(shared):
    declared = {f"hypothesis.{h.name}" for h in load_study(REPOSITORY / "experiments" / "movies").hypotheses}
    for run in shared.runs():
        hashes = {key: value for key, value in run.data.tags.items() if key.startswith("hypothesis.")}
        assert hashes.keys() == declared
        assert len(set(hashes.values())) == len(declared)


def test_every_training_has_the_curves_of_all_metrics_watched_in_its_study(shared):
    for run in shared.runs():
        for metric in ("binary_accuracy", "categorical_accuracy", "auc"):
            assert {f"curve/{metric}", f"curve/val_{metric}"} <= run.data.metrics.keys()
        assert "curve/f1_none/Drama" not in run.data.metrics  # a vector only where it is watched


@pytest.mark.long
def test_f1_without_averaging_is_a_curve_for_each_label_and_micro_shares_its_training(project):
    names = ["movies/bce_f1_none", "movies/bce_f1_micro"]
    _, err = project.do("run", *names, "--seeds", "0", "--set", "training.epochs=1", "--workers", "1")
    assert "2 runs to do (1 training:" in err
    for run in project.runs():
        assert {"curve/f1_none/Drama", "curve/val_f1_none/Crime", "curve/f1_micro"} <= run.data.metrics.keys()


@pytest.mark.long
def test_a_result_says_what_keras_did_and_how_few_rows_count(tmp_path):
    project = Project(tmp_path, plain=True)  # of five genres more rows would count
    names = ["movies/class_weight_dict", "movies/sample_weights", "movies/bce_unshuffled"]
    out, _ = project.do("run", *names, "--seeds", "0", "--set", "training.epochs=1", "--workers", "1")
    by_trial = {run.data.tags["trial"]: run for run in [*project.runs("trial"), *project.runs()]}
    for name, says in zip(
        names, ("argmax of each row", "effective sample size", "in the order of the source"), strict=True
    ):
        tags = by_trial[name].data.tags  # of the run, which comes after its parent
        assert says in tags["notes"]
        assert tags["notes"].split("\n")[0] in tags["mlflow.note.content"]
        assert f"{name.split('/')[1]}: (seed 0) {tags['notes'].splitlines()[0]}" in out
    rows = by_trial["movies/sample_weights"].data.metrics
    assert 1 <= rows["training/effective_sample_size"] < 0.1 * 10_735
    assert rows["training/gap_macro_average_precision"] > -0.1
    assert rows["training/compressed_bytes"] > 100_000


@pytest.mark.long
def test_seeds_may_be_added_to_a_trial_that_was_summed_up(project):
    """`make quick` runs one seed, `make movies` then all: the parent's numbers are those of both."""
    for seeds in ("0", "0,1"):
        project.do("run", "movies/linear_bce", "--seeds", seeds, "--workers", "1")
    (parent,) = project.runs("trial")
    assert parent.data.tags["seeds"] == "0 1"
    name = "test/half/macro_f1"
    values = [run.data.metrics[name] for run in project.runs()]
    assert len(values) == 2
    assert parent.data.metrics[name] == pytest.approx(np.mean(values))
    assert parent.data.metrics[f"interval/{name}_low"] < np.mean(values) < parent.data.metrics[f"interval/{name}_high"]


def test_results_are_read_where_the_data_are_not(project):
    shutil.copytree(REPOSITORY / "docs", project.folder / "docs")
    _, err = project.do("run", "your_table/floor_prior", "--seeds", "0", "--workers", "1")
    assert "your_table.csv: 1,500 rows (" in err.splitlines()[0]
    (project.folder / "docs" / "your_table.csv").unlink()
    out, _ = project.do("results", "your_table")
    assert "floor_prior" in out.split("not run")[0].split("skipped")[0]
    assert "skipped: your_table/bce, your_table/linear, " in out, "which are not run yet; of the floor nothing is asked"
    assert "there is no such file" in out


def test_trials_without_their_data_are_skipped_and_say_how_to_get_them(project):
    project.environment["RARELABELS_DATA"] = str(project.folder / "nothing")
    arguments = ["--seeds", "0", "--workers", "1"]
    out, err = project.do("run", "movies/plot_masked", "movies/floor_zeros", *arguments)
    assert "skipped: movies/plot_masked: " in err
    assert "run `rarelabels fetch wikipedia_movies`" in err
    assert "skipped: movies/plot_unmasked: " in out, "of the other it is told once, on stderr"
    assert "plot_masked" not in out.partition("skipped")[2]
    assert [run.data.tags["trial"] for run in project.runs()] == ["movies/floor_zeros"]
    out, err = project.do("run", "movies/plot_masked", *arguments, code=2)
    assert err.startswith("rarelabels: ")
    assert "rarelabels fetch wikipedia_movies" in err
    assert len(err.splitlines()) == 1


@pytest.mark.long
def test_another_data_set_in_a_study_is_compared_apart(project):
    """The trial on the table has another test part: nothing of it is paired with the films."""
    example = (REPOSITORY / "experiments" / "your_table" / "_base.yaml").read_text(encoding="utf-8")
    example = (
        example.replace("../../docs/", f"{REPOSITORY}/docs/") + "question: How far does a floor get?\nthread: none\n"
    )
    (project.folder / "experiments" / "movies" / "own.yaml").write_text(example, encoding="utf-8")
    command = ["run", "movies/own", "movies/floor_zeros", "movies/floor_prior", "--seeds", "0", "--workers", "1"]
    out, _ = project.do(*command, "--set", "training.epochs=1")
    films, _, table = out.partition("movies on table: ")
    assert "movies on movies: " in films
    assert "floor_zeros" in films.split("not run")[0]
    assert "own (overridden" in table
    assert "floor_zeros" not in table.split("not run")[0]


def test_the_run_holds_every_artifact_that_the_design_names(shared):
    client = connection.connect(shared.record)
    for run in shared.runs():
        names = {file.path for file in client.list_artifacts(run.info.run_id)}
        names |= {
            file.path for folder in ("scores", "model") for file in client.list_artifacts(run.info.run_id, folder)
        }
        expected = {"trial.yaml", "thresholds.json", "per_label.csv", "data.json"}
        expected |= {
            "scores/validation.parquet",
            "scores/test.parquet",
            "model/weights.npz",
            "model/preprocessing.json",
        }
        assert expected <= names
        inputs = client.get_run(run.info.run_id).inputs.dataset_inputs
        assert [entry.dataset.name for entry in inputs] == ["movies"]
        stored = json.loads(Path(client.download_artifacts(run.info.run_id, "thresholds.json")).read_text("utf-8"))
        assert list(stored) == [*RULES, "oracle"]
        assert all(len(rule["thresholds"]) == 5 for rule in stored.values())
        table = pd.read_parquet(client.download_artifacts(run.info.run_id, "scores/test.parquet"))
        assert list(table)[:2] == ["id", "true/Drama"]
        assert "score/Crime" in table


def test_recorded_metrics_follow_from_recorded_scores_and_thresholds(shared):
    """Anyone can take the files of a run and come to its numbers, here with scikit-learn."""
    from sklearn.metrics import average_precision_score, f1_score

    client = connection.connect(shared.record)
    run = shared.runs()[0]
    part = reading.scores(client, run.info.run_id, "test")
    rules = reading.rules(client, run.info.run_id)
    for name, rule in rules.items():
        expected = f1_score(part.y, rule.assign(part.scores), average="macro", zero_division=0)
        assert run.data.metrics[f"test/{name}/macro_f1"] == pytest.approx(expected, abs=1e-9)
    expected = average_precision_score(part.y, part.scores, average="macro")
    assert run.data.metrics["test/ranking/macro_average_precision"] == pytest.approx(expected, abs=1e-9)


def test_the_parent_carries_means_curves_intervals_and_figures(shared):
    client = connection.connect(shared.record)
    parents, child = shared.runs("trial"), shared.runs()[0]
    assert sorted(parent.info.run_name for parent in parents) == [
        "focal_accuracy (overridden)",
        "focal_auc (overridden)",
    ]
    for parent in parents:
        assert parent.info.status == "FINISHED"
        metrics = parent.data.metrics
        name = "test/per_label/macro_f1"
        assert metrics[name] == child.data.metrics[name]
        assert metrics[f"interval/{name}_low"] < metrics[name] < metrics[f"interval/{name}_high"]
        assert metrics["curve/val_auc"] == child.data.metrics["curve/val_auc"]
        figures = {file.path for file in client.list_artifacts(parent.info.run_id, "figures")}
        assert figures == {
            *("figures/learning_curves.png", "figures/precision_recall.png", "figures/confusion.png"),
            *("figures/reliability.png", "figures/f1_theory.png", "figures/winners_curse.png"),
        }


def test_a_finished_trial_called_again_trains_nothing(shared):
    before = len(shared.runs())
    names = ["movies/focal_accuracy", "movies/focal_auc"]
    _, err = shared.do("run", *names, "--seeds", "3", "--set", "training.epochs=1")
    assert "0 runs to do, 2 finished before" in err
    assert len(shared.runs()) == before


@pytest.mark.long
def test_a_trial_added_later_takes_the_training_that_exists(project):
    project.do("run", "movies/focal_accuracy", "--seeds", "0", "--set", "training.epochs=1", "--workers", "1")
    _, err = project.do("run", "movies/focal_auc", "--seeds", "0", "--set", "training.epochs=1", "--workers", "1")
    assert "1 run to do (0 trainings:" in err
    first, second = project.runs()
    assert second.data.tags["trained_by"] == first.info.run_id


@pytest.mark.long
def test_other_rules_are_computed_from_the_scores_of_a_finished_run(project):
    project.do("run", "movies/linear_bce", "--seeds", "0", "--workers", "1")
    recall = ["--set", "thresholds.objective.beta=2.0"]
    out, err = project.do("run", "movies/linear_bce", "--seeds", "0", "--workers", "1", *recall)
    assert "1 run to do (0 trainings:" in err
    first, second = project.runs()
    assert second.data.tags["trained_by"] == first.info.run_id
    assert second.data.metrics["test/half/macro_f1"] == first.data.metrics["test/half/macro_f1"]
    assert second.data.metrics["test/per_label/macro_recall"] > first.data.metrics["test/per_label/macro_recall"]
    assert "linear_bce (overridden: thresholds.objective.beta=2.0)" in out


@pytest.mark.long
def test_a_run_that_fails_leaves_the_others_alone_and_says_which_weight(project):
    arguments = ["run", "movies/bce_accuracy", "movies/floor_prior", "--seeds", "0", "--workers", "1"]
    arguments += ["--set", "training.learning_rate=1.0e+38"]
    out, err = project.do(*arguments, code=1)
    assert "floor_prior" in out
    (line,) = [line for line in err.splitlines() if line.startswith("FAILED")]
    assert "movies/bce_accuracy seed 0: NotFiniteError: epoch 1" in line
    statuses = {run.data.tags["trial"]: run.info.status for run in project.runs()}
    assert statuses == {"movies/bce_accuracy": "FAILED", "movies/floor_prior": "FINISHED"}
    _, err = project.do(*arguments, code=1)
    assert "1 run to do, 1 finished before" in err


@pytest.mark.long
def test_ctrl_c_ends_cleanly_and_the_next_call_goes_on(project):
    arguments = ["run", "movies/floor_prior", "movies/bce_accuracy", "--seeds", "0", "--workers", "1"]
    arguments += ["--set", "training.epochs=60"]
    process = project.start(*arguments)
    wait_for(lambda: _is_halfway(project))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert err.splitlines()[-1] == "rarelabels: stopped; the same command goes on where this one stopped"
    arguments[-1] = "training.epochs=1"
    project.do(*arguments)
    assert {run.info.status for run in project.runs()} == {"FINISHED", "KILLED"}


def _query(project: Project, question: str) -> set[str]:
    """Ask the record's file without touching it: MLflow would make tables that the study is about to make."""
    place = f"file:{project.folder / 'runs' / 'mlflow.db'}?mode=ro"
    with closing(sqlite3.connect(place, uri=True)) as record:
        return {row[0] for row in record.execute(question)}


def _is_halfway(project: Project) -> bool:
    """A run has finished and another is in the middle of its epochs."""
    seeds = "join tags on tags.run_uuid = runs.run_uuid and tags.key = 'seed'"
    running = f"select runs.run_uuid from runs {seeds} where status = 'RUNNING'"
    finished = f"select runs.run_uuid from runs {seeds} where status = 'FINISHED'"
    begun = "select run_uuid from metrics where key = 'curve/loss'"
    return bool(_query(project, finished)) and bool(_query(project, running) & _query(project, begun))
