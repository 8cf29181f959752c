"""A registered model gives the scores that were measured, however its rows come; what is wrong with them is said."""

import csv
import dataclasses
import io
import json
import os
import re
import shutil
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
from rarelabels.data import loading, raw
from rarelabels.data.sources import movies
from rarelabels.data.table import table_files
from rarelabels.data.table.batch import BATCH_ROWS, Batch, RawColumn
from rarelabels.declare import declarations, study_files
from rarelabels.declare.data import MoviesSpec, MulanSpec, SimulatedSpec, TableSpec, XedSpec
from rarelabels.errors import UserError
from rarelabels.judging.rules import definition
from rarelabels.learn import network
from rarelabels.learn.baselines import baseline
from rarelabels.record import connection, reading, registry
from rarelabels.serve import deployment, predictor

NUMBER, WEIGHT, TEXT, TAGS = "n° 1", "weight", "what: it says", "tags[]"
INPUTS = [TEXT, TAGS, NUMBER, WEIGHT]
TRIALS = list(my_study.TRIALS)
PARTS = ("crossfit", "test")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return my_study.run(tmp_path_factory.mktemp("my"))


@pytest.fixture(scope="module")
def registered(project):
    """The run of a trial's first seed, and where its model was registered; later ones take the alias over."""
    made = {}

    def register(name):
        if name not in made:
            client = connection.connect(project.record)
            run = next(
                one
                for one in project.runs(study=my_study.STUDY)
                if one.data.tags["trial"] == f"my/{name}" and one.data.tags["seed"] == "0"
            )
            trial = declarations.load_trial(project.folder / "experiments" / "my" / f"{name}.yaml")
            version = deployment.register(client, run, trial, "per_label", {})
            found = client.get_model_version("rarelabels-my", version)
            made[name] = run, Path(mlflow.artifacts.download_artifacts(found.source, tracking_uri=project.record))
        return made[name]

    return register


def load(folder: Path) -> predictor.Predictor:
    return predictor.load(folder / "artifacts" / predictor.FOLDER)


def of_file(path: Path, columns: list[str] = INPUTS) -> list[Batch]:
    return list(table_files.batches(path, columns))


def recorded(project, run) -> tuple[np.ndarray, np.ndarray]:
    """Which rows of the file are the test part, and their recorded scores, in that order."""
    client = connection.connect(project.record)
    scored = reading.scores(client, run.info.run_id, "test")
    return np.array([int(name[1:]) for name in scored.ids]), scored.scores


# The numbers


@pytest.mark.parametrize("name", ["linear", "bce", "platt"])
def test_the_test_rows_get_the_recorded_scores_bit_by_bit(project, registered, name):
    run, folder = registered(name)
    rows, scores = recorded(project, run)
    (batch,) = of_file(project.folder / "my.csv")
    predicted = load(folder).predict(batch)
    assert predicted.probabilities.dtype == np.float64
    np.testing.assert_array_equal(predicted.probabilities[rows], scores)
    chosen = reading.rules(connection.connect(project.record), run.info.run_id)["per_label"]
    np.testing.assert_array_equal(predicted.assigned[rows], chosen.assign(scores))


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


@pytest.mark.parametrize("size", [1, 64, 4096])
def test_another_batch_size_moves_scores_by_less_than_1e_5(project, registered, size, monkeypatch):
    run, folder = registered("bce")
    rows, scores = recorded(project, run)
    (batch,) = of_file(project.folder / "my.csv")
    monkeypatch.setattr(network, "PREDICT_BATCH", size)
    assert np.abs(load(folder).predict(batch).probabilities[rows] - scores).max() < 1e-5


# The command line


@pytest.fixture(scope="module")
def best(project):
    out, err = project.do("best", my_study.STUDY)
    assert not err
    return out


def test_best_ranks_on_validation_shows_test_and_registers_the_first_seeds_model_once(project, best):
    client = connection.connect(project.record)
    runs = {
        name: [one for one in project.runs(study="my") if one.data.tags["trial"] == f"my/{name}"] for name in TRIALS
    }
    means = {
        name: {part: np.mean([one.data.metrics[f"{part}/per_label/macro_f1"] for one in of]) for part in PARTS}
        for name, of in runs.items()
    }
    order = sorted((name for name in TRIALS if name != "floor"), key=lambda name: -means[name]["crossfit"])
    lines = [re.split(r"\s*│\s*", line)[1:-1] for line in best.splitlines() if line.startswith("│")]
    assert [line[1] for line in lines] == [*order, "floor (not ranked: learns nothing)"]
    for line, name in zip(lines, [*order, "floor"], strict=True):
        assert float(line[2]) == pytest.approx(means[name]["crossfit"], abs=5e-5)
        assert float(line[3].split()[0].rstrip("*")) == pytest.approx(means[name]["test"], abs=5e-5)
    assert "*" in lines[0][3]
    found = registry.registered(client, "my")
    first = next(one for one in runs[order[0]] if one.data.tags["seed"] == "0")
    assert (found.run_id, found.tags["trial"], found.tags["seed"]) == (first.info.run_id, f"my/{order[0]}", "0")
    assert (found.tags["metric"], found.tags["rule"]) == ("crossfit/per_label/macro_f1", "per_label")
    assert best.splitlines()[-1] == (
        f"registered: rarelabels-my version {found.version} (alias best): {order[0]}, seed 0, rule per_label"
    )
    count = len(registry.versions(client, "my"))
    assert project.do("best", "my")[0] == best
    assert len(registry.versions(client, "my")) == count


def test_a_test_metric_is_refused_in_one_line(project):
    out, err = project.do("best", "my", "--metric", "test/per_label/macro_f1", code=2)
    assert (out, err.count("\n")) == ("", 1)
    assert "is a test metric: the test part is touched once" in err


def predicted(project, *arguments: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(project.do("predict", "my", *arguments)[0])))


def test_predict_writes_a_header_and_a_line_for_each_row_in_order(project, best):
    made = my_study.rows(600)
    loaded = deployment.load_best("my", project.record, print)
    header, *lines = predicted(project, "my.csv")
    assert header == ["id", "labels", *(f"probability/{label}" for label in loaded.labels)]
    assert [line[0] for line in lines] == [row["ref"] for row in made]
    (batch,) = of_file(project.folder / "my.csv")
    answer = loaded.predict(batch)
    np.testing.assert_array_equal([[float(cell) for cell in line[2:]] for line in lines], answer.probabilities)
    for line, assigned in zip(lines, answer.assigned, strict=True):
        assert [name for name in line[1].split(";") if name] == [loaded.labels[i] for i in np.flatnonzero(assigned)]


def test_other_files_of_the_same_rows_give_the_same_lines_and_rows_without_names_are_numbered(project, best):
    made, folder = my_study.rows(5), project.folder
    my_study.write(folder / "few.csv", made)
    expected = predicted(project, "few.csv")
    reordered = [{name: row[name] for name in ["unused", *reversed(INPUTS)]} for row in made]
    (folder / "few.jsonl").write_text("\n".join(map(json.dumps, reordered)), encoding="utf-8")
    _, err = project.do("predict", "my", "few.jsonl")
    assert "has no column 'ref', which named the rows in training; rows are numbered from 1" in err
    numbered = predicted(project, "few.jsonl")
    assert [line[0] for line in numbered] == ["id", "1", "2", "3", "4", "5"]
    assert [line[1:] for line in numbered] == [line[1:] for line in expected]
    frame = pd.DataFrame(made).astype({NUMBER: np.int64, WEIGHT: float})
    frame.to_parquet(folder / "few.parquet")
    assert predicted(project, "few.parquet") == expected


def test_a_file_without_rows_gives_the_header_alone(project, best):
    my_study.write(project.folder / "none.csv", [])
    assert [line[:2] for line in predicted(project, "none.csv")] == [["id", "labels"]]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("absent.csv", "absent.csv: there is no such file"),
        ("lacking.csv", "lacking.csv: has no column 'n° 1', which the model was trained on; the columns are 'ref'"),
        ("bad.csv", "bad.csv: row 3 (line 4), column 'weight': an empty cell is not a finite number; in all 1 in"),
        ("empty.csv", "empty.csv: is empty"),
    ],
)
def test_a_bad_file_is_one_line_and_nothing_is_written(project, registered, name, told):
    made, folder = my_study.rows(5), project.folder
    my_study.write(folder / "lacking.csv", made, tuple(column for column in my_study.COLUMNS if column != NUMBER))
    my_study.write(folder / "bad.csv", [row | {WEIGHT: "" if i == 2 else row[WEIGHT]} for i, row in enumerate(made)])
    (folder / "empty.csv").write_text("")
    out, path = io.StringIO(), folder / name
    with pytest.raises(UserError, match=re.escape(told)) as error:
        deployment.predict(load(registered("linear")[1]), path, deployment.column_names(path), out)
    assert (out.getvalue(), str(error.value).count("\n")) == ("", 0)


def test_a_bad_row_far_down_ends_there_after_whole_lines(project, best):
    made = my_study.rows(9000)
    made[8500][NUMBER] = "x"
    my_study.write(project.folder / "late.csv", made)
    out, err = project.do("predict", "my", "late.csv", code=2)
    assert "late.csv: row 8501 (line 8502), column 'n° 1': 'x' is not a finite number" in err
    assert len(list(csv.reader(io.StringIO(out)))) == 1 + BATCH_ROWS


def test_a_reader_that_has_seen_enough_hears_no_complaint(project, best):
    my_study.write(project.folder / "long.csv", my_study.rows(20_000))
    process = project.start("predict", "my", "long.csv")
    assert process.stdout.readline().startswith("id,labels,")
    process.stdout.close()
    assert (process.wait(timeout=600), process.stderr.read()) == (0, "")


def test_without_a_registered_model_predict_says_how_to_get_one(project):
    _, err = project.do("predict", "movies", "my.csv", code=2)
    assert err == "rarelabels: no model of movies is registered yet; `rarelabels best movies` registers one\n"


# Rows that are odd or bad


def frame_of(**changed) -> pd.DataFrame:
    row = {TEXT: "dogword1 filler2", TAGS: "Tag 1|t3", NUMBER: 3, WEIGHT: 1.5}
    return pd.DataFrame([row | changed, row])


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


@pytest.mark.parametrize("bad", [np.nan, None, "", "three", np.inf])
def test_what_is_no_number_is_refused_as_in_training(model, bad):
    frame = frame_of(**{NUMBER: bad}).iloc[::-1]
    with pytest.raises(MlflowException, match=r"input: row 2, column 'n° 1': .* is not a finite number"):
        model.predict(frame)


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


# The files


def test_the_model_is_plain_files_with_what_it_needs_and_no_pickle(registered):
    _, folder = registered("bce")
    # to load a model leaves Python's cache of its code beside it
    others = {"code", "__pycache__"}
    stored = [path for path in folder.rglob("*") if path.is_file() and not others & {*path.relative_to(folder).parts}]
    assert {path.suffix for path in stored} <= {".json", ".npz", ".yaml", ".py", ".txt", ""}
    with np.load(folder / "artifacts/predictor/model/weights.npz", allow_pickle=False) as weights:
        assert all(weights[name].dtype != object for name in weights.files)
    flavor = mlflow.models.Model.load(str(folder)).flavors["python_function"]
    assert flavor["model_code_path"].endswith("pyfunc_model.py")
    assert "python_model" not in flavor
    trial = json.loads((folder / "artifacts/predictor/trial.json").read_text())
    assert trial["dataset"]["path"] == "my.csv"


def test_signature_example_and_requirements(registered):
    for name, with_network in (("linear", False), ("bce", True)):
        _, folder = registered(name)
        stored = mlflow.models.Model.load(str(folder))
        assert stored.get_input_schema().input_names() == INPUTS
        assert stored.get_output_schema().input_names()[0] == "labels"
        example = stored.load_input_example(str(folder))
        assert len(example) == 3
        assert example[NUMBER].tolist() == [float(row[NUMBER]) for row in my_study.rows(600)[:3]]
        pinned = (folder / "requirements.txt").read_text().split()
        assert all("==" in line for line in pinned)
        assert with_network == any(line.startswith("tensorflow==") for line in pinned)


BARE = """
import importlib.abc, sys

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent!r}:
            raise ImportError(f"not installed here: {{name}}")

sys.meta_path.insert(0, Absent())
sys.path[:] = [place for place in sys.path if not place.rstrip("/").endswith("src")]
sys.meta_path[:] = [one for one in sys.meta_path if "editable" not in repr(one)]
import mlflow
model = mlflow.pyfunc.load_model({folder!r})
example = model.input_example
answer = model.predict(example)
import rarelabels
assert rarelabels.__file__.startswith({folder!r}), rarelabels.__file__
loaded = {{name.partition(".")[0] for name in sys.modules}}
print(answer.to_json(orient="split"))
print("tensorflow" in loaded)
"""


@pytest.mark.parametrize("name", ["linear", "bce"])
def test_it_runs_where_rarelabels_and_what_only_studies_need_are_not_installed(registered, name, tmp_path):
    _, folder = registered(name)
    absent = {
        *("arff", "bokeh_sampledata", "dask", "distributed", "optuna", "ruamel", "typer"),
        *({"tensorflow", "keras"} if name == "linear" else ()),
    }
    code = BARE.format(absent=absent, folder=str(folder))
    environment = {"PATH": "/usr/bin", "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    answer, with_tensorflow = done.stdout.splitlines()
    model = mlflow.pyfunc.load_model(str(folder))
    assert answer == model.predict(model.input_example).to_json(orient="split")
    assert with_tensorflow == str(name == "bce")


def copied(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder / "artifacts" / predictor.FOLDER, tmp_path / "files"))


def test_labels_of_thresholds_or_calibration_in_another_order_are_refused(registered, tmp_path):
    files = copied(registered("platt")[1], tmp_path)
    for name, key in (("thresholds.json", "thresholds"), ("calibration.json", "labels")):
        path = files / name
        kept = path.read_text(encoding="utf-8")
        stored = json.loads(kept)
        block = stored["per_label"] if key == "thresholds" else stored
        block[key] = dict(reversed(block[key].items()))
        path.write_text(json.dumps(stored), encoding="utf-8")
        with pytest.raises(UserError, match=f"{name}: its labels are not those of the model"):
            predictor.load(files)
        path.write_text(kept, encoding="utf-8")
    assert predictor.load(files).labels == my_study_labels(registered)


def my_study_labels(registered) -> tuple[str, ...]:
    stored = json.loads((registered("platt")[1] / "artifacts/predictor/model/preprocessing.json").read_text("utf-8"))
    assert set(stored["labels"]) == set(my_study.LABELS)
    return tuple(stored["labels"])


def test_a_folder_without_a_model_says_which_file_is_missing(tmp_path):
    with pytest.raises(UserError, match=r"trial\.json: missing"):
        predictor.load(tmp_path)


@pytest.mark.parametrize(
    ("own", "labels", "separator"),
    [("", ("a", "b"), "|"), ("", ("a|b", "c"), ";"), ("", ("a|b;c", "d,e"), "\t"), (",", ("a|b", "c"), ",")],
)
def test_labels_are_parted_by_what_is_in_none_of_them(registered, own, labels, separator):
    loaded = load(registered("linear")[1])
    other = dataclasses.replace(loaded, labels=labels, raw=dataclasses.replace(loaded.raw, separator=own))
    assert other.separator == separator


# Kinds of data


def test_lists_may_be_lists_and_a_single_name_where_no_separator_is_declared():
    spec = TableSpec(kind="table", path="a.jsonl", labels={"prefix": "is_"}, lists=[{"column": "tags"}])
    columns = raw.describe(spec).columns
    batch = Batch(Path("input"), 1, 3, None, {"tags": [["a", " b "], "one, name", None]})
    assert [(one.name, one.holds) for one in columns] == [("tags", "list")]
    assert raw.part(spec, columns, batch).text["tags"].to_lists() == [["a", "b"], ["one, name"], []]


def test_arrays_from_pandas_are_lists():
    frame = pd.DataFrame({"tags": [np.array(["a", "b"], dtype=object), None], "n": [1, np.nan]})
    assert predictor.as_batch(frame).cells == {"tags": [["a", "b"], None], "n": [1.0, None]}


def test_films_are_read_as_in_training():
    spec = MoviesSpec(kind="movies", labels=17)
    described = raw.describe(spec)
    rows = raw.examples(spec, described.columns)
    batch = Batch(Path("input"), 1, 3, None, rows)
    part = raw.part(spec, described.columns, batch)
    read = movies.parse(spec)
    assert {field: tokens.to_lists() for field, tokens in part.text.items()} == {
        field: tokens.take([0, 1, 2]).to_lists() for field, tokens in read.text.items()
    }
    as_text = {name: ["" if cell is None else str(cell) for cell in cells] for name, cells in rows.items()}
    again = raw.part(spec, described.columns, dataclasses.replace(batch, cells=as_text))
    assert all(again.text[field].to_lists() == part.text[field].to_lists() for field in part.text)
    as_text["Year"][1] = "ninety"
    with pytest.raises(UserError, match="input: row 2, column 'Year': must be a number, or empty; given 'ninety'"):
        raw.part(spec, described.columns, dataclasses.replace(batch, cells=as_text))


def test_sentences_have_words_and_marks():
    spec = XedSpec(kind="xed")
    batch = Batch(Path("input"), 1, 2, None, {"sentence": ["Don't, [PERSON]!", None]})
    assert raw.part(spec, (), batch).text["sentence"].to_lists() == [["don't", "[person]", "!"], []]


def test_numbers_of_mulan_are_in_the_order_of_the_training_data():
    spec = MulanSpec(kind="mulan", name="emotions")
    columns = tuple(RawColumn(name, "number") for name in ("b", "a"))
    batch = Batch(Path("input"), 1, 2, None, {"a": [1, "2"], "b": [3.0, 4]})
    assert raw.part(spec, columns, batch).numeric.tolist() == [[3, 1], [4, 2]]


def test_what_has_no_raw_rows_is_refused_in_one_line():
    with pytest.raises(UserError, match=r"'simulated' has no raw rows.* allowed: table, movies, xed, mulan"):
        raw.checked(SimulatedSpec(kind="simulated"))


# Served


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
        for changed, told in (({NUMBER: None}, "input: row 1, column 'n° 1'"), ({"drop": WEIGHT}, WEIGHT)):
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


def test_a_table_of_lists_with_flags_for_labels_becomes_a_model(tmp_path):
    made = my_study.rows(200)
    lines = [
        {"tags": row["tags[]"].split("|")} | {f"is {name}": int(name in row["labels"]) for name in my_study.LABELS}
        for row in made
    ]
    path = tmp_path / "lists.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    declared = {"kind": "table", "path": str(path), "labels": {"prefix": "is "}, "lists": [{"column": "tags"}]}
    linear = declarations.load_trial(study_files.EXPERIMENTS / "your_table" / "linear.yaml")
    trial = linear.model_copy(update={"dataset": TableSpec.model_validate(declared)})
    data = loading.load(trial.dataset, 0)
    fitted = baseline.fit(trial, data, 0)
    fitted.save(tmp_path / "model")
    half = {"half": definition.Rule("half", np.full(len(data.labels), 0.5), fallbacks=0)}
    (tmp_path / "thresholds.json").write_text(json.dumps(definition.to_json(half, data.labels)), encoding="utf-8")
    described = raw.describe(trial.dataset)
    predictor.save(tmp_path / predictor.FOLDER, trial, described, "half", tmp_path)
    deployment.write_model(tmp_path / "out", tmp_path, trial, "half", raw.examples(trial.dataset, described.columns))
    model = mlflow.pyfunc.load_model(str(tmp_path / "out"))
    assert model.input_example["tags"].tolist() == [line["tags"] for line in lines[:3]]
    rows = [int(name) - 1 for name in data.test.ids]
    frame = pd.DataFrame([lines[row] for row in rows])
    answer = model.predict(frame)
    assert list(answer.columns) == ["labels", *(f"probability/{name}" for name in my_study.LABELS)]
    scores = fitted.scores(data.test)
    np.testing.assert_array_equal(answer.iloc[:, 1:].to_numpy(), scores)
    assigned = [[name for name, score in zip(data.labels, row, strict=True) if score >= 0.5] for row in scores]
    assert answer["labels"].tolist() == assigned
