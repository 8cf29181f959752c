"""What a run writes reaches the record whole, once, in the end."""

from __future__ import annotations

import json
import math
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
import sqlalchemy
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import (
    BAD_REQUEST,
    ENDPOINT_NOT_FOUND,
    PERMISSION_DENIED,
    RESOURCE_DOES_NOT_EXIST,
)
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError

from rarelabels.record import outbox, writing
from rarelabels.record.writing import Record, WaitingError


class Away:
    """A client whose calls raise while the record is away."""

    def __init__(self, client: MlflowClient, error: Exception) -> None:
        self._client, self.error, self.is_away = client, error, True

    def __getattr__(self, name: str) -> object:
        found = getattr(self._client, name)
        if not callable(found):
            return found

        def call(*args: object, **named: object) -> object:
            if self.is_away:
                raise self.error
            return found(*args, **named)

        return call


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PAUSE_SECONDS", "PATIENCE_HERE", "EVERY_SECONDS"):
        monkeypatch.setattr(writing, name, 0.0)


def tell_everything(told: Record) -> None:
    told.params({"loss.kind": "bce"})
    told.curve(1, {"loss": 0.5})
    told.curve(2, {"loss": 0.25})
    told.metrics({f"test/{i}": i / 7 for i in range(2_000)})
    told.text("trial.yaml", "question: why?")
    told.data("films", "d" * 64, {"rows": {"train": 3}})


def check(client: MlflowClient, run_id: str) -> None:
    found = client.get_run(run_id)
    assert found.info.status == "FINISHED"
    assert found.data.params == {"loss.kind": "bce"}
    curve = client.get_metric_history(run_id, "curve/loss")
    assert [(point.step, point.value) for point in curve] == [(1, 0.5), (2, 0.25)]
    assert {key: value for key, value in found.data.metrics.items() if key.startswith("test/")} == {
        f"test/{i}": i / 7 for i in range(2_000)
    }
    assert Path(client.download_artifacts(run_id, "trial.yaml")).read_text("utf-8") == "question: why?"
    assert [(one.dataset.name, one.dataset.digest) for one in found.inputs.dataset_inputs] == [("films", "d" * 36)]


AWAY = [
    MlflowException("API request failed", error_code=1),
    OperationalError("insert", {}, Exception("database is locked")),
    OSError(28, "No space left on device"),
]


@pytest.mark.parametrize("error", AWAY, ids=lambda error: type(error).__name__)
def test_a_record_that_comes_back_has_everything(client: MlflowClient, run: Run, tmp_path: Path, error) -> None:
    away = Away(client, error)
    told = Record(away, run.info.run_id, outbox.of_run(tmp_path / "box", str(client.tracking_uri), run.info.run_id))
    tell_everything(told)
    assert client.get_run(run.info.run_id).data.metrics == {}
    away.is_away = False
    told.finish()
    check(client, run.info.run_id)
    assert list((tmp_path / "box").iterdir()) == []


def test_one_that_does_not_gets_it_from_another_process_once(client: MlflowClient, run: Run, tmp_path: Path) -> None:
    where, run_id = str(client.tracking_uri), run.info.run_id
    told = Record(Away(client, AWAY[0]), run_id, outbox.of_run(tmp_path / "box", where, run_id))
    tell_everything(told)
    with pytest.raises(WaitingError, match=f"the results wait in {tmp_path / 'box'}"):
        told.finish()
    client.set_tag(run_id, "reason", "cut off: silent for minutes")
    client.set_terminated(run_id, "KILLED")
    assert writing.deliver_left(client, where, tmp_path / "box") == 1
    check(client, run_id)
    assert "reason" not in client.get_run(run_id).data.tags
    assert writing.deliver_left(client, where, tmp_path / "box") == 0


def test_what_was_sent_in_part_is_sent_again_and_is_there_once(client: MlflowClient, run: Run, tmp_path: Path) -> None:
    """A process that is killed between two calls leaves a journal of which a part is in the record."""
    where, run_id = str(client.tracking_uri), run.info.run_id
    box = outbox.of_run(tmp_path / "box", where, run_id)
    told = Record(client, run_id, box)
    tell_everything(told)
    box.add({"status": "FINISHED", "at": 1_000})
    box.leave()
    assert writing.deliver_left(client, where, tmp_path / "box") == 1
    check(client, run_id)
    assert client.get_run(run_id).info.end_time == 1_000


def answered(status: int) -> requests.HTTPError:
    response = requests.Response()
    response.status_code = status
    return requests.HTTPError(f"{status} for url: http://127.0.0.1:5000", response=response)


def of_mlflow(cause: Exception) -> MlflowException:
    error = MlflowException(str(cause), error_code=BAD_REQUEST)
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        *((answered(status), True) for status in (408, 429, 500, 502, 503, 504)),
        *((answered(status), False) for status in (400, 401, 403, 404, 413)),
        (requests.ConnectionError("refused"), True),
        (MlflowException("no such page", error_code=ENDPOINT_NOT_FOUND), True),
        (MlflowException("no such run", error_code=RESOURCE_DOES_NOT_EXIST), False),
        (of_mlflow(InterfaceError("select", {}, Exception("connection already closed"))), True),
        (of_mlflow(sqlalchemy.exc.TimeoutError("QueuePool limit")), True),
        (of_mlflow(IntegrityError("insert", {}, Exception("a key is there already"))), False),
        (ValueError("loss is NaN"), False),
    ],
    ids=str,
)
def test_what_a_later_attempt_may_do_and_what_it_may_not(error: Exception, expected: bool) -> None:
    assert writing.is_away(error) is expected


def test_a_run_whose_file_is_refused_fails_and_says_why(client: MlflowClient, run: Run, tmp_path: Path) -> None:
    """A gate before the server may take no file of that size: to wait would not help, nor to train again."""

    class Refusing(Away):
        def __getattr__(self, name: str) -> object:
            self.is_away = name == "log_artifacts"
            return super().__getattr__(name)

    box = outbox.of_run(tmp_path / "box", str(client.tracking_uri), run.info.run_id)
    told = Record(Refusing(client, answered(413)), run.info.run_id, box)
    told.metrics({"a": 1.0})
    with pytest.raises(requests.HTTPError, match="413"):
        told.text("scores.txt", "0.5")
    told.fail("HTTPError: 413")
    found = client.get_run(run.info.run_id)
    assert (found.info.status, found.data.tags["reason"], found.data.metrics) == ("FAILED", "HTTPError: 413", {"a": 1})
    assert list((tmp_path / "box").iterdir()) == []


def test_a_run_that_others_thought_cut_off_is_not_so_once_it_is_finished(
    client: MlflowClient, run: Run, tmp_path: Path
) -> None:
    """A machine that slept."""
    box = outbox.of_run(tmp_path / "box", str(client.tracking_uri), run.info.run_id)
    told = Record(client, run.info.run_id, box)
    client.set_tag(run.info.run_id, "reason", "cut off: silent for minutes")
    client.set_terminated(run.info.run_id, "KILLED")
    told.finish()
    found = client.get_run(run.info.run_id)
    assert found.info.status == "FINISHED"
    assert "reason" not in found.data.tags


def test_a_run_that_was_cut_off_is_not_told_and_nor_is_one_that_was_deleted(
    client: MlflowClient, run: Run, tmp_path: Path
) -> None:
    where = str(client.tracking_uri)
    half = outbox.of_run(tmp_path / "box", where, run.info.run_id)
    half.add({"tags": {"half": "told"}})
    half.leave()
    deleted = outbox.of_run(tmp_path / "box", where, "f" * 32)
    deleted.add({"status": "FINISHED", "at": 1})
    deleted.leave()
    assert writing.deliver_left(client, where, tmp_path / "box") == 0
    assert "half" not in client.get_run(run.info.run_id).data.tags
    assert list((tmp_path / "box").iterdir()) == []


def test_what_the_record_refuses_of_a_run_it_knows_is_kept(client: MlflowClient, run: Run, tmp_path: Path) -> None:
    """A wrong password, say: the results of a training must not be dropped for it."""
    where = str(client.tracking_uri)
    box = outbox.of_run(tmp_path / "box", where, run.info.run_id)
    box.add({"status": "FINISHED", "at": 1})
    box.leave()
    refused = Away(client, MlflowException("permission denied", error_code=PERMISSION_DENIED))
    assert writing.deliver_left(refused, where, tmp_path / "box") == 0
    assert writing.deliver_left(client, where, tmp_path / "box") == 1
    assert client.get_run(run.info.run_id).info.status == "FINISHED"


def test_what_the_record_refuses_is_raised_at_once(client: MlflowClient, run: Run, tmp_path: Path) -> None:
    """To wait would not help: a parameter cannot be changed."""
    told = Record(client, run.info.run_id, outbox.of_run(tmp_path / "box", str(client.tracking_uri), run.info.run_id))
    told.params({"loss.kind": "bce"})
    with pytest.raises(MlflowException, match="Changing param values"):
        told.params({"loss.kind": "focal"})


def test_runs_that_name_a_new_data_set_at_the_same_moment_all_have_it(client: MlflowClient, run: Run) -> None:
    """Ten rounds of four runs: MLflow alone refused about one a round."""
    runs = [run, *(client.create_run(run.info.experiment_id) for _ in range(3))]
    rounds = [f"films {i}" for i in range(10)]
    together = threading.Barrier(len(runs))

    def name_all(one: Run) -> None:
        for name in rounds:
            together.wait(60)
            Record(client, one.info.run_id).data(name, "d" * 64, {"rows": {"train": 3}})

    with ThreadPoolExecutor(len(runs)) as pool:
        list(pool.map(name_all, runs))
    for one in runs:
        found = client.get_run(one.info.run_id).inputs.dataset_inputs
        assert sorted(logged.dataset.name for logged in found) == rounds


def test_a_journal_is_plain_json(client: MlflowClient, run: Run, tmp_path: Path) -> None:
    box = outbox.of_run(tmp_path / "box", str(client.tracking_uri), run.info.run_id)
    Record(client, run.info.run_id, box).metrics({"a": float("nan"), "b": 0.1})
    (line,) = (box.folder / "journal.jsonl").read_text("utf-8").splitlines()
    (first, second) = json.loads(line)["metrics"]
    assert (first[0], second[:2]) == ("a", ["b", 0.1])


def test_numbers_that_are_not_finite_wait_as_json_and_arrive(client: MlflowClient, run: Run, tmp_path: Path) -> None:
    where, run_id = str(client.tracking_uri), run.info.run_id
    told = Record(Away(client, AWAY[0]), run_id, outbox.of_run(tmp_path / "box", where, run_id))
    told.metrics({"a": float("nan"), "b": float("-inf"), "c": 0.1})
    with pytest.raises(WaitingError):
        told.finish()
    (journal,) = (tmp_path / "box").glob("*/journal.jsonl")
    for line in journal.read_text("utf-8").splitlines():
        json.loads(line, parse_constant=pytest.fail)
    assert writing.deliver_left(client, where, tmp_path / "box") == 1
    found = client.get_run(run_id).data.metrics
    assert math.isnan(found["a"])
    assert found["b"] < -1e300  # MLflow keeps the lowest number in its place
    assert found["c"] == 0.1
