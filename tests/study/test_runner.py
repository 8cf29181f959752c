"""One run, recorded in a real MLflow: what is trained, copied, picked afterwards and cross-validated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from plain_trial import TRIAL
from project import REPOSITORY
from rarelabels.data import loading, splits
from rarelabels.declare import declarations, own_measures, variants
from rarelabels.declare.trial import Trial
from rarelabels.errors import UserError
from rarelabels.judging import metrics
from rarelabels.judging.own import NOTHING_OWN
from rarelabels.record import connection, opening, queries, reading
from rarelabels.study import runner, selection
from small_record import Record, trial


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    return Record(tmp_path_factory.mktemp("record"))


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


def test_a_run_whose_rules_fail_leaves_those_that_share_its_training_alone(tmp_path, monkeypatch):
    client = connection.connect(f"sqlite:///{tmp_path}/mlflow.db")
    experiment = opening.open_experiment(client, "movies")
    trial = declarations.load_trial(REPOSITORY / "experiments" / "movies" / "floor_prior.yaml")
    others = [variants.with_values(trial, {"thresholds.min_positives": n}) for n in (5, 7, 9)]
    digest = loading.digest(trial.dataset)
    runs = [selection.identity(one, "", 0, digest, "") for one in others]
    judge = runner.judge

    def fail_once(identity, *rest):
        if identity.trial.thresholds.min_positives == 5:
            raise ValueError("no rule")
        judge(identity, *rest)

    monkeypatch.setattr(runner, "judge", fail_once)
    pairs = tuple((one, opening.open_parent(client, experiment, one).run_id) for one in runs)
    reason = runner.run(runner.Task(experiment, pairs, (), {}), client.tracking_uri, print).failure
    assert reason == "movies/floor_prior: ValueError: no rule"
    ended = [run.info.status for run in queries.all_runs(client, experiment, "run")]
    assert ended == ["FAILED", "FINISHED", "FINISHED"]


def test_another_version_of_a_package_than_was_planned_with_ends_a_run_before_it_trains(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trial = Trial.model_validate({**TRIAL, "own_metrics": ("cost",)})
    monkeypatch.setattr(own_measures, "versions", lambda _: {"costs": "1.1"})
    monkeypatch.setattr(own_measures, "of", lambda _: NOTHING_OWN)
    task = runner.Task("0", (), (), {})
    with pytest.raises(UserError, match=r"has costs 1\.1, which is not the version that this run was planned with"):
        runner.own_of(trial, task)
    planned = replace(task, own_packages=frozenset({("costs", "1.1"), ("others", "3")}))
    assert runner.own_of(trial, planned) is NOTHING_OWN
