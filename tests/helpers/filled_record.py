"""A record with everything that can be read, and what holds a reader of ours against MLflow's own client."""

from __future__ import annotations

import math
from itertools import chain

from mlflow import MlflowClient
from mlflow.entities import Metric

from rarelabels.record import connection, opening, registry
from rarelabels.record.client import RecordReader, reader

CURVE = [(1, 0.5, 1000), (2, math.inf, 1000), (3, math.nan, 1500), (1, 0.25, 2000)]  # the last: told once more


def fill(where: str) -> None:
    """Make runs with everything that can be read, and one that was deleted."""
    client = MlflowClient(where)
    opening.open_experiment(connection.connect(where), "empty")
    experiment = opening.open_experiment(connection.connect(where), "filled/tuning")
    for kind in ("run", "run", "trial", "deleted"):
        run = client.create_run(experiment, tags={"kind": kind, "note": "äöü\nΣ"}, run_name=f"a {kind}").info.run_id
        client.log_param(run, "dataset.kind", "movies")
        points = [Metric("curve/loss", value, when, step) for step, value, when in CURVE]
        client.log_batch(run, metrics=[*points, Metric("curve/val_loss", 2.0, 1, 1), Metric("test/f1", 1 / 3, 5, 0)])
        client.log_text(run, "one\n", "one.txt")
        client.log_text(run, "two\n", "scores/deep/two.txt")
        if kind == "trial":
            client.set_terminated(run, "FAILED")
        if kind == "deleted":
            client.delete_run(run)
    name = registry.registered_name("filled")
    client.create_registered_model(name)
    for number in range(3):
        client.create_model_version(name, f"runs:/{run}/one.txt", run, {"number": str(number), "rule": "half"})
    client.set_registered_model_alias(name, "best", "2")
    client.delete_model_version(name, "3")


def check(where: str, kind: type) -> None:
    """Hold everything that is read against MLflow's own client."""
    read, client = reader(where), MlflowClient(where)
    assert isinstance(read, kind)
    assert read.is_begun()
    known = {one.name: one for one in client.search_experiments()}
    assert [(one.experiment_id, one.name, one.tags) for one in read.experiments()] == [
        (one.experiment_id, name, one.tags) for name, one in sorted(known.items())
    ]
    assert read.experiment("nothing") is None
    for name, one in known.items():
        assert read.experiment(name) == one.experiment_id
        for wanted in ("", "run", "trial", "nothing"):
            check_runs(read, client, one.experiment_id, wanted)
    assert read.run("0" * 32) is None
    assert read.artifact_uri("0" * 32) is None
    for model in client.search_registered_models():
        check_versions(read, client, model.name)
    assert read.versions("nothing") == []


def check_runs(read: RecordReader, client: MlflowClient, experiment: str, kind: str) -> None:
    wanted = f"tags.kind = '{kind}'" if kind else ""
    expected = client.search_runs([experiment], wanted, order_by=["start_time ASC"])
    found = read.runs(experiment, kind, with_metrics=True)
    assert [shown(run) for run in found] == [shown(run) for run in expected]
    assert [shown(run)[:-1] for run in read.runs(experiment, kind)] == [shown(run)[:-1] for run in expected]
    for run in expected[:3]:
        run_id = run.info.run_id
        assert shown(read.run(run_id)) == shown(run)
        assert read.artifact_uri(run_id) == run.info.artifact_uri
        names = sorted(key for key in run.data.metrics if key.startswith("curve/"))
        histories = [points(client.get_metric_history(run_id, key)) for key in names]
        assert [points(read.history(run_id, key)) for key in names] == histories
        assert points(read.histories(run_id, "curve/")) == list(chain.from_iterable(histories))
    assert kind == "nothing" or not expected or read.history(expected[0].info.run_id, "no such metric") == []


def check_versions(read: RecordReader, client: MlflowClient, name: str) -> None:
    expected = client.search_model_versions(f"name = '{name}'")
    aliases = client.get_registered_model(name).aliases
    assert [(one.version, one.run_id, one.source, one.tags) for one in read.versions(name)] == [
        (str(one.version), one.run_id, one.source, one.tags)
        for one in sorted(expected, key=lambda one: int(one.version), reverse=True)
    ]
    found = {alias: int(one.version) for one in read.versions(name) for alias in one.aliases}
    assert found == {alias: int(version) for alias, version in aliases.items()}


def shown(run) -> tuple:
    """A run of either kind; numbers that are none as text, for they are not equal to themselves."""
    info = run.info
    told = (info.run_id, info.experiment_id, info.run_name, info.status, info.start_time, info.end_time)
    metrics = {key: repr(value) for key, value in run.data.metrics.items()}
    return *told, info.artifact_uri, run.data.params, run.data.tags, metrics


def points(found) -> list[tuple]:
    return [(one.key, repr(one.value), one.timestamp, one.step) for one in found]
