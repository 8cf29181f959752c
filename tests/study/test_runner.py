"""One run, recorded in a real MLflow: what is trained, copied, picked afterwards and cross-validated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rarelabels import errors
from rarelabels.compare import comparison
from rarelabels.data import loading, splits
from rarelabels.declare.trial import Trial
from rarelabels.judging import metrics
from rarelabels.record import connection, opening, queries, reading, run_files
from rarelabels.record.entities import Run
from rarelabels.record.identities import Identity, parent_key
from rarelabels.show.figures import which
from rarelabels.study import runner, running, selection, summary
from rarelabels.study.plan import Plan, make_plan
from rarelabels.study.progress_display import Progress
from rarelabels.study.runner import Task
from rarelabels.study.summary import SummaryTask

SIMULATED = {"kind": "simulated", "rows": 300, "labels": 3, "features": 4}
TRIAL: dict[str, Any] = {
    "question": "Does it come out as declared?",
    "thread": "none of them",
    "dataset": SIMULATED,
    "model": {"kind": "mlp", "hidden": []},
    "loss": {"kind": "bce"},
    "weighting": {"kind": "none"},
    "training": {"epochs": 4, "batch_size": 50, "learning_rate": 0.05},
    "thresholds": {"min_positives": 5},
    "seeds": [0],
}


class Record:
    """A record of its own, and the runs of tasks in it."""

    def __init__(self, folder: Path) -> None:
        self.where = f"sqlite:///{folder / 'mlflow.db'}"
        self.client = connection.connect(self.where)
        self.experiment = opening.open_experiment(self.client, "tests")

    def run(self, *trials: Trial, source: str = "") -> list[Run]:
        """Do one task: the trials share its training."""
        return self.task([self.identity(trial) for trial in trials], source)

    def do(self, identities: list[Identity]) -> None:
        """Do a task for each training."""
        for training in dict.fromkeys(one.training for one in identities):
            self.task([one for one in identities if one.training == training])

    def task(self, identities: list[Identity], source: str = "") -> list[Run]:
        parents = [opening.open_parent(self.client, self.experiment, one).run_id for one in identities]
        task = Task(self.experiment, tuple(zip(identities, parents, strict=True)), (), {}, source)
        assert runner.run(task, self.where, lambda _: None) == runner.Ended()
        found = queries.all_runs(self.client, self.experiment, "run")
        by_print = {run.data.tags["fingerprint"]: run for run in found}
        return [by_print[one.fingerprint] for one in identities]

    def family(self, one: Identity) -> tuple[str, tuple[str, ...]]:
        """The parent of a trial, and its runs."""
        runs = queries.all_runs(self.client, self.experiment)
        parent = reading.parents(runs)[one.parent_key]
        children = [run.info.run_id for run in runs if run.data.tags.get(opening.PARENT) == parent]
        return parent, tuple(children)

    @staticmethod
    def identity(trial: Trial) -> Identity:
        return selection.identity(trial, "", 0, loading.digest(trial.dataset), "")

    def files(self, run: Run, folder: str) -> set[str]:
        return {Path(file.path).name for file in self.client.list_artifacts(run.info.run_id, folder)}


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    return Record(tmp_path_factory.mktemp("record"))


def trial(name: str, **blocks: Any) -> Trial:
    changed = {key: TRIAL[key] | value if isinstance(value, dict) else value for key, value in blocks.items()}
    return Trial.model_validate({"name": f"tests/{name}", **TRIAL, **changed})


def test_epochs_are_picked_from_one_training(record: Record) -> None:
    every = {"every_epoch": True}
    kept, last, loss = record.run(
        trial("kept", training=every),
        trial("last", training=every, picked_by="last"),
        trial("loss", training=every, picked_by="val_loss"),
    )
    assert {run.data.tags["training"] for run in (kept, last, loss)} == {kept.data.tags["training"]}
    epochs = reading.epochs(record.client, kept.info.run_id)
    assert epochs.validation.shape[0] == epochs.test.shape[0] == 4
    assert record.files(kept, "scores") == {"validation.parquet", "test.parquet", "epochs.npz"}
    for run, epoch in ((last, 4), (loss, int(epochs.val_loss.argmin()) + 1)):
        assert record.files(run, "scores") == {"validation.parquet", "test.parquet"}
        assert run.data.metrics["picked/epoch"] == epoch
        scores = reading.scores(record.client, run.info.run_id, "test").scores
        np.testing.assert_array_equal(scores, epochs.test[epoch - 1])
        measured = metrics.decision_metrics(reading.scores(record.client, run.info.run_id, "test").y, scores >= 0.5)
        assert run.data.metrics["test/half/macro_f1"] == measured["macro_f1"]
    curve = record.client.get_metric_history(loss.info.run_id, "curve/val_loss")
    np.testing.assert_allclose([point.value for point in curve], epochs.val_loss)

    # A copy of a copy reads the epochs where they were made, and takes nothing that was picked for its own.
    (again,) = record.run(trial("again", training=every), source=loss.info.run_id)
    assert again.data.tags["trained_by"] == kept.info.run_id
    scores = [reading.scores(record.client, run.info.run_id, "test").scores for run in (kept, again)]
    np.testing.assert_array_equal(*scores)


def test_who_has_lost_the_scores_of_every_epoch_is_no_source_of_who_picks_one(tmp_path: Path) -> None:
    """The copies of a training are whole, and lead to epochs that are gone."""
    record, every = Record(tmp_path), {"every_epoch": True}
    kept, last, loss = (
        record.identity(trial(name, training=every, picked_by=by))
        for name, by in (("kept", None), ("last", "last"), ("loss", "val_loss"))
    )
    made = record.task([kept, last])

    def sources() -> list[str]:
        return [task.source for task in make_plan(record.client, "tests", [kept, last, loss], False).tasks]

    assert sources() == [made[0].info.run_id]
    folder = run_files.local_folder(made[0])
    assert folder
    (folder / opening.EPOCHS).unlink()
    assert sources() == [""]  # of the one that was lost, and of the one that picks
    lost = record.client.get_run(made[0].info.run_id)
    assert (lost.info.status, lost.data.tags["reason"]) == ("FAILED", "damaged: scores/epochs.npz is missing")


def test_heads_are_the_runs_without_their_metrics(tmp_path: Path) -> None:
    record = Record(tmp_path)
    record.run(trial("one"), trial("two", thresholds={"min_positives": 7}))
    deleted = record.run(trial("three", training={"epochs": 1}))[0]
    record.client.delete_run(deleted.info.run_id)
    for kind in ("", "run", "trial", "nothing"):
        whole = queries.all_runs(record.client, record.experiment, kind)
        heads = queries.heads(record.client, record.experiment, kind)
        assert [run.info for run in heads] == [run.info for run in whole]
        assert [(run.data.tags, run.data.params) for run in heads] == [
            (run.data.tags, run.data.params) for run in whole
        ]
        assert not any(run.data.metrics for run in heads)
        assert all(run.data.metrics for run in whole if run.data.tags["kind"] == "run")
    assert len(queries.heads(record.client, record.experiment, "run")) == 2


def test_cross_validated_scores_are_of_all_rows_outside_the_test_part(record: Record) -> None:
    declared = trial("folds", dataset={"validation": "cross_validated"})
    (run,) = record.run(declared)
    data = loading.load(declared.dataset, 0)
    validation, test = (reading.scores(record.client, run.info.run_id, part) for part in ("validation", "test"))
    assert list(validation.ids) == list(data.train.ids)
    assert not set(validation.ids) & set(test.ids)
    assert np.isfinite(validation.scores).all()
    assert data.folds is not None
    assert len(set(data.folds.tolist())) == splits.FOLDS
    # they are of other models than the one that is kept, which has seen these rows
    assert run.data.metrics["validation/ranking/macro_average_precision"] > 0.6
    curve = record.client.get_metric_history(run.info.run_id, "curve/val_macro_average_precision")
    assert [point.step for point in curve] == [1, 2, 3, 4]


def test_the_most_likely_label_set_stays_with_a_copy(record: Record) -> None:
    sets = {"model": {"head": "powerset"}, "loss": {"kind": "categorical_ce"}}
    first, second = record.run(trial("sets", **sets), trial("sets_2", **sets, thresholds={"min_positives": 7}))
    for part in ("validation", "test"):
        one, other = (reading.scores(record.client, run.info.run_id, part).label_sets for run in (first, second))
        assert one is not None
        np.testing.assert_array_equal(one, other)
    for name in ("test/most_likely_set/subset_accuracy", "test/half/subset_accuracy"):
        assert first.data.metrics[name] == second.data.metrics[name]
    assert second.data.tags["trained_by"] == first.info.run_id
    assert first.data.metrics["training/output_parameters"] == (4 + 1) * 8


@pytest.mark.long
def test_figures_across_trials_are_of_what_is_recorded(tmp_path: Path) -> None:
    record = Record(tmp_path)
    trials = [
        trial("head_sigmoid", model={"head": "sigmoid"}),
        trial("head_softmax", model={"head": "softmax"}),
        trial("every", training={"every_epoch": True}),
        trial("every_last", training={"every_epoch": True}, picked_by="last"),
        trial("few", dataset={"train_fraction": 0.5}).model_copy(update={"name": "tests/fractions"}),
        trial("all", dataset={"train_fraction": 1.0}, training={"epochs": 3}).model_copy(
            update={"name": "tests/fractions"}
        ),
    ]
    variants = ["", "", "", "", "dataset.train_fraction=0.5", "dataset.train_fraction=1.0"]
    asked = [replace(record.identity(one), variant=variant) for one, variant in zip(trials, variants, strict=True)]
    record.do(asked)
    for one in asked:
        parent, children = record.family(one)
        for again in (False, True)[: 2 if one is asked[0] else 1]:  # a second time, as when a seed is added
            summary.sum_up(record.where, SummaryTask(parent, children, f"stamp {again}"), lambda _: None)
    runs = queries.all_runs(record.client, record.experiment)
    names = {one.parent_key: " ".join(filter(None, [one.trial.short_name, one.variant])) for one in asked}
    compared = comparison.compare(record.client, runs, names, [])
    assert [one.data for one in compared] == ["simulated"]

    found = dict(which.figures(record.client, "tests", compared, runs, asked, []))
    assert set(found) == {"heads", "picked", "by_cardinality", "sweep_dataset_train_fraction"}
    assert [axes.get_title().splitlines()[-1] for axes in found["heads"].axes] == ["identical"]
    epochs = [line.get_xdata().tolist() for line in found["heads"].axes[0].lines]
    assert epochs == [[1, 2, 3, 4]] * 2
    assert [tick.get_text() for tick in found["picked"].axes[0].get_yticklabels()] == ["last", "macro AP"]
    assert found["sweep_dataset_train_fraction"].axes[0].lines[0].get_xdata().tolist() == [0.5, 1.0]
    told = [text.get_text() for text in found["by_cardinality"].axes[0].texts[:2]]
    first = next(row.name for row in compared[0].rows)
    run = next(run for run in runs if run.data.tags.get("kind") == "run" and names[parent_key(run)] == first)
    part = reading.scores(record.client, run.info.run_id, "test")
    single = part.y.sum(axis=1) == 1
    right = ((part.scores[single] >= 0.5) == (part.y[single] > 0)).all(axis=1).mean()
    assert told[1] == f"all right {right:.2f}"


class Workers:
    """Stand in for the engine: each task is done here, or its worker dies of it."""

    def __init__(self, *, die: bool) -> None:
        self.die, self.done = die, 0

    def map(self, function: Callable[..., Any], tasks: list[Any], *_: Any) -> Iterator[tuple[int, Any]]:
        for position, task in enumerate(tasks):
            self.done += 1
            yield position, None if self.die else function(task, lambda _: None)


def test_a_trial_is_summed_up_until_it_is_finished_and_a_worker_that_dies_of_it_is_told(tmp_path: Path) -> None:
    record = Record(tmp_path)
    one = record.identity(trial("summed"))
    record.do([one])
    parent, _ = record.family(one)

    def sum_up(*, die: bool = False) -> tuple[int, list[str], str]:
        recorded = queries.heads(record.client, record.experiment)
        plan = Plan("tests", record.experiment, [one], recorded, [], 1, None)
        workers, progress = Workers(die=die), Progress()
        progress.console.quiet = True
        counted = running._sum_up(record.client, plan, record.where, workers, progress)  # type: ignore[arg-type]
        assert counted == (workers.done > 0)
        return counted, progress.failures, record.client.get_run(parent).info.status

    said = "tests/summed: not summed up: its worker died again and again (out of memory?)"
    assert sum_up(die=True) == (1, [said], "RUNNING")
    assert sum_up() == (1, [], "FINISHED")
    assert sum_up() == (0, [], "FINISHED")
    record.client.set_terminated(parent, "KILLED")  # cut off after its last tag and before its end
    assert sum_up() == (1, [], "FINISHED")


def test_a_reason_is_one_line_without_a_password() -> None:
    error = OSError("API request to http://me:s3cret@host:5000/api failed\nand more")
    assert errors.failure(error) == "OSError: API request to http://me:***@host:5000/api failed"
    assert errors.failure(ValueError("postgresql+psycopg://me:p:w@db/mlflow")).endswith("//me:***@db/mlflow")
    odd = OSError("postgresql+psycopg://me:p/a@ss:w?rd@host:5432/runs, postgresql:///runs?user=me&password=s3cret")
    shown = "OSError: postgresql+psycopg://me:***@host:5432/runs, postgresql:///runs?user=me&password=***"
    assert errors.failure(odd) == shown
    assert errors.failure(ValueError("see http://host/a@b")) == "ValueError: see http://host/a@b"
    assert errors.failure(ValueError()) == "ValueError: "


def test_data_are_named_by_what_sets_them_apart() -> None:
    films = [{"dataset.kind": "movies", "dataset.labels": str(n), "dataset.rows": "all"} for n in (3, 8)]
    simulated = {"dataset.kind": "simulated", "dataset.sets": "None", "dataset.dependence": "independent"}
    sets = simulated | {"dataset.sets": "12", "dataset.dependence": "label_sets"}
    assert comparison._names(films) == ["movies (labels 3)", "movies (labels 8)"]
    assert comparison._names([films[0], simulated]) == ["movies", "simulated"]
    assert comparison._names([simulated, sets]) == [
        "simulated (dependence independent)",
        "simulated (dependence label_sets, sets 12)",
    ]
    # a group of trials with several fractions shares none, so it sets nothing apart
    assert comparison._names([films[0] | {"dataset.train_fraction": "1.0"}, films[1]])[0] == "movies (labels 3)"
