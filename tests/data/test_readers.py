"""What is read past MLflow, of a database and of a server, is what MLflow's own client gives."""

from __future__ import annotations

import errno
import math
import os
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric

from mlflow_server import MlflowServer
from old_record import unpack
from postgres import Postgres
from rarelabels.record import client as record_client
from rarelabels.record import connection, moved, opening, queries, registry, run_files
from rarelabels.record.client import Reader, reader
from rarelabels.record.database import Database
from rarelabels.record.server import Server

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


def check_runs(read: Reader, client: MlflowClient, experiment: str, kind: str) -> None:
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


def check_versions(read: Reader, client: MlflowClient, name: str) -> None:
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


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A record in a file whose name SQLite must not misread."""
    where = f"sqlite:///{tmp_path_factory.mktemp('a b#c')}/mlflow.db"
    fill(where)
    return where


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("server")
    with MlflowServer(folder) as one:
        fill(one.url)
        yield one.url


def test_a_file_is_read_as_mlflow_reads_it(filled: str) -> None:
    check(filled, Database)


def test_a_server_is_read_as_mlflow_reads_it(server: str) -> None:
    check(server, Server)


@pytest.mark.long
def test_postgresql_is_read_as_mlflow_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # MLflow puts the files of such a record there
    with Postgres() as postgres:
        fill(postgres.create("readers"))
        check(postgres.url("readers"), Database)


def test_the_record_of_0_4_2_is_read_as_mlflow_reads_it(tmp_path: Path) -> None:
    record = unpack(tmp_path).record
    record_client.mend(record)  # MLflow reads addresses as they are
    check(record, Database)


@pytest.mark.parametrize("record", ["filled", "server"])
def test_files_of_a_run_are_found_and_read(record: str, request: pytest.FixtureRequest) -> None:
    client = connection.connect(request.getfixturevalue(record))
    experiment = queries.find_experiment(client, "filled/tuning")
    run = queries.heads(client, experiment)[0].info.run_id
    assert run_files.file_names(client, run) == {"one.txt", "scores"}
    assert run_files.file(client, run, "one.txt").read_text("utf-8") == "one\n"
    assert (run_files.file(client, run, "scores") / "deep" / "two.txt").read_text("utf-8") == "two\n"
    assert run_files.file(client, run, "scores/deep/two.txt").read_text("utf-8") == "two\n"
    with pytest.raises(run_files.DamagedError, match=r"none\.txt is missing"):
        run_files.file(client, run, "none.txt")
    with pytest.raises(LookupError, match="is not in the record"):
        run_files.file(client, "0" * 32, "one.txt")


def test_files_in_another_store_are_found_by_mlflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = f"sqlite:///{tmp_path}/mlflow.db"
    client = connection.connect(where)
    run = client.create_run(client.create_experiment("elsewhere", (tmp_path / "files").as_uri())).info.run_id
    client.log_text(run, "one\n", "one.txt")
    monkeypatch.setattr(moved, "path_of", lambda _: None)
    assert run_files.file_names(client, run) == {"one.txt"}
    assert run_files.file(client, run, "one.txt").read_text("utf-8") == "one\n"


def test_a_record_that_is_not_there_yet_is_made(tmp_path: Path) -> None:
    for name, content in (("none", None), ("empty", b"")):  # the second: cut off before there was a table
        where = f"sqlite:///{tmp_path / name / 'mlflow.db'}"
        if content is not None:
            (tmp_path / name).mkdir()
            (tmp_path / name / "mlflow.db").write_bytes(content)
        assert not reader(where).is_begun()
        assert queries.find_experiment(connection.connect(where), "movies") is None
        assert reader(where).is_begun()


def test_a_file_of_a_run_appears_whole_or_stays_as_it_was(
    filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full leaves what was there, and a link is replaced, not followed."""
    client = connection.connect(filled)
    run = client.create_run(client.create_experiment("whole", (tmp_path / "there").as_uri())).info.run_id
    (tmp_path / "new" / "deep").mkdir(parents=True)
    (tmp_path / "new" / "deep" / "one.txt").write_text("one\n", "utf-8")
    client.log_artifacts(run, str(tmp_path / "new"), "below")
    place = run_files.file(client, run, "below/deep/one.txt")
    (tmp_path / "new" / "deep" / "one.txt").write_text("two\n", "utf-8")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        client.log_artifacts(run, str(tmp_path / "new"), "below")
    monkeypatch.undo()
    assert [(path.name, path.read_text("utf-8")) for path in place.parent.iterdir()] == [("one.txt", "one\n")]
    place.rename(tmp_path / "elsewhere.txt")
    place.symlink_to(tmp_path / "elsewhere.txt")
    client.log_artifacts(run, str(tmp_path / "new"), "below")
    assert (place.is_symlink(), place.read_text("utf-8")) == (False, "two\n")
    assert (tmp_path / "elsewhere.txt").read_text("utf-8") == "one\n"


def test_a_server_cannot_name_a_file_above_the_folder_it_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("x/one.txt", "..", "x/..", "/", "/etc/passwd", "x/../../two.txt")
    told = {"files": [{"path": name, "is_dir": False} for name in names]}
    monkeypatch.setattr(Server, "_ask", lambda *_: told)
    assert set(Server("http://here").list_files("x")) == {"one.txt", "passwd", "two.txt"}
