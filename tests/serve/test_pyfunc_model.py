"""A registered model as MLflow loads and serves it: rows that are odd, and rows that are refused."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException

import my_study
from project import wait_for
from rarelabels.errors import UserError
from rarelabels.record import connection, registry
from rarelabels.serve import predictor
from served import INPUTS, NUMBER, TAGS, TEXT, WEIGHT, frame_of, recorded


@pytest.mark.parametrize("name", ["linear", "bce"])
def test_through_mlflow_one_row_and_any_order_and_company_give_the_same_bits(project, registered, name):
    run, folder = registered(name)
    rows, scores = recorded(project, run)
    model = mlflow.pyfunc.load_model(str(folder))
    frame = pd.read_csv(project.folder / "my.csv", keep_default_na=False).iloc[rows]
    columns = [column for column in predictor_columns(model) if column.startswith("probability/")]
    np.testing.assert_array_equal(model.predict(frame)[columns].to_numpy(), scores)
    np.testing.assert_array_equal(model.predict(frame.iloc[::-1])[columns].to_numpy(), scores[::-1])
    for row in (0, 7, len(rows) - 1):
        np.testing.assert_array_equal(model.predict(frame.iloc[[row]])[columns].to_numpy(), scores[[row]])


def predictor_columns(model) -> list[str]:
    return model.metadata.get_output_schema().input_names()


@pytest.fixture(scope="module")
def model(registered):
    return mlflow.pyfunc.load_model(str(registered("bce")[1]))


def test_columns_in_another_order_and_further_ones_change_nothing(model):
    plain = frame_of()
    more = plain.assign(labels="dog", other=None)[["other", WEIGHT, "labels", TAGS, NUMBER, TEXT]]
    pd.testing.assert_frame_equal(model.predict(more), model.predict(plain))
    assert list(model.predict(plain).columns) == ["labels", *(f"probability/{name}" for name in labels_of(model))]


def labels_of(model) -> tuple[str, ...]:
    return model.unwrap_python_model().predictor.labels


@pytest.mark.parametrize("column", INPUTS)
def test_a_missing_column_is_an_error_that_names_it(model, column):
    with pytest.raises(MlflowException, match=column.replace("[", r"\[").replace("]", r"\]")):
        model.predict(frame_of().drop(columns=column))
    inner = model.unwrap_python_model().predictor
    with pytest.raises(UserError, match="has no column"):
        inner.predict(predictor.as_batch(frame_of().drop(columns=column)))


@pytest.mark.parametrize("nothing", ["", None, np.nan])
def test_a_missing_text_is_an_empty_one(model, nothing):
    empty, unknown = frame_of(**{TEXT: ""}), frame_of(**{TEXT: "Neverseen WORDS!"})
    given = model.predict(frame_of(**{TEXT: nothing}))
    pd.testing.assert_frame_equal(given, model.predict(empty))
    pd.testing.assert_frame_equal(given, model.predict(unknown))
    assert not given.iloc[0].equals(given.iloc[1])


def test_a_column_without_any_text_is_empty(model):
    frame = frame_of().assign(**{TEXT: np.nan, TAGS: np.nan})  # as pandas reads two empty columns: of floats
    pd.testing.assert_frame_equal(model.predict(frame), model.predict(frame.assign(**{TEXT: "", TAGS: ""})))


@pytest.mark.parametrize("bad", ["three", "1_000", np.inf])
def test_what_is_no_number_is_refused_as_in_training(model, bad):
    frame = frame_of(**{NUMBER: bad}).iloc[::-1]
    with pytest.raises(MlflowException, match=r"input: row 2, column 'n° 1': .* is not a finite number"):
        model.predict(frame)


@pytest.mark.parametrize("nothing", ["", np.nan, "NaN"])
def test_a_number_may_be_missing_in_any_way(model, nothing):
    given = model.predict(frame_of(**{NUMBER: nothing}))
    pd.testing.assert_frame_equal(given, model.predict(frame_of(**{NUMBER: None})))
    assert np.isfinite(given.filter(like="probability/").to_numpy()).all()


@pytest.mark.parametrize("number", [3, 3.0, "3", " 3.0 ", np.int8(3), np.float32(3)])
def test_a_number_may_be_written_in_any_way(model, number):
    pd.testing.assert_frame_equal(model.predict(frame_of(**{NUMBER: number})), model.predict(frame_of()))


def test_whole_numbers_of_64_bits_and_with_gaps_elsewhere_are_taken(model):
    whole = pd.DataFrame({TEXT: ["a", "b"], TAGS: ["t1", "t2"], NUMBER: np.array([1, 2], np.int64), WEIGHT: [1, 2]})
    pd.testing.assert_frame_equal(model.predict(whole), model.predict(whole.astype({NUMBER: float, WEIGHT: float})))


def test_no_rows_give_no_rows_under_the_same_columns(model):
    answer = model.predict(frame_of().iloc[:0])
    assert len(answer) == 0
    assert list(answer.columns) == list(model.predict(frame_of()).columns)


def test_the_index_is_kept(model):
    frame = frame_of().set_axis(["b", "a"])
    assert list(model.predict(frame).index) == ["b", "a"]


@pytest.mark.long
@pytest.mark.parametrize("name", ["linear", "bce"])
def test_mlflow_serves_it(project, registered, name, tmp_path):
    run, folder = registered(name)
    rows, scores = recorded(project, run)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--env-manager", "local", "--workers", "1"]
    versions = registry.versions(connection.connect(project.record), "my")
    version = next(one.version for one in versions if one.run_id == run.info.run_id)
    command += ["--model-uri", f"models:/rarelabels-my/{version}", "--host", "127.0.0.1", "--port", str(port)]
    beside = Path(sys.executable).parent  # MLflow calls uvicorn by name
    environment = os.environ | {"MLFLOW_TRACKING_URI": project.record, "PATH": f"{beside}:{os.environ['PATH']}"}
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        wait_for(lambda: is_up(port) or server.poll() is not None)
        assert server.poll() is None, (tmp_path / "log").read_text()
        made = my_study.rows(600)
        sent = [{column: made[row][column] for column in INPUTS} for row in rows]
        status, answer = post(port, json.dumps({"dataframe_records": sent}))
        assert status == 200, answer
        served = pd.DataFrame(answer["predictions"])
        model = mlflow.pyfunc.load_model(str(folder))
        np.testing.assert_array_equal(served[predictor_columns(model)[1:]].to_numpy(), scores)
        assert served["labels"].tolist() == model.predict(pd.DataFrame(sent))["labels"].tolist()
        split = {"columns": [NUMBER, "extra", TEXT, TAGS, WEIGHT], "data": [[3, 1, None, "Tag 1|t3", 1.5]]}
        assert post(port, json.dumps({"dataframe_split": split}))[0] == 200
        assert post(port, json.dumps({"dataframe_records": [sent[0] | {NUMBER: None}]}))[0] == 200
        for changed, told in (({NUMBER: "three"}, "input: row 1, column 'n° 1'"), ({"drop": WEIGHT}, WEIGHT)):
            row = {**sent[0], **changed}
            row.pop(str(changed.get("drop")), None)
            status, answer = post(port, json.dumps({"dataframe_records": [row]}))
            assert (status, told in answer["message"]) == (400, True), answer
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=300)


def is_up(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def post(port: int, body: str) -> tuple[int, dict]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/invocations", body.encode())
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
