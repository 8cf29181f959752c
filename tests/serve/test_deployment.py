"""The best model of a study goes into the registry, and out of it onto the rows of a file."""

import csv
import io
import json
import re
import subprocess
import sys
from types import SimpleNamespace

import mlflow
import numpy as np
import pandas as pd
import pytest

import my_study
from made_up_runs import House, order
from rarelabels.data import loading, raw
from rarelabels.data.table.batch import BATCH_ROWS, RawColumn
from rarelabels.data.table.dialect import Dialect
from rarelabels.declare import declarations, study_files
from rarelabels.declare.table import TableSpec
from rarelabels.errors import UserError
from rarelabels.judging.rules import definition
from rarelabels.learn.baselines import baseline
from rarelabels.record import connection, registry
from rarelabels.serve import deployment, predictor
from served import INPUTS, NUMBER, WEIGHT, load, of_file

TRIALS = list(my_study.TRIALS)
PARTS = ("crossfit", "test")


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


def with_delimiter(path, made, delimiter, encoding):
    sink = io.StringIO()
    writer = csv.DictWriter(sink, my_study.COLUMNS, delimiter=delimiter, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(made)
    path.write_bytes(sink.getvalue().encode(encoding))


@pytest.mark.parametrize(
    ("name", "delimiter", "encoding", "said"),
    [
        ("other.csv", ";", "utf-8", "';' between its cells in utf-8, as it looks; the training data had ',' in utf-8"),
        ("other.tsv", ",", "utf-8", ""),
        ("other.csv", "\t", "utf-16", "'\\t' between its cells in utf-16"),
        ("other.csv", ",", "utf-8-sig", ""),
    ],
)
def test_a_file_that_is_written_in_another_way_is_read_as_it_looks(project, best, name, delimiter, encoding, said):
    made = my_study.rows(20)
    my_study.write(project.folder / "usual.csv", made)
    with_delimiter(project.folder / name, made, delimiter, encoding)
    expected = project.do("predict", "my", "usual.csv")[0]
    out, err = project.do("predict", "my", name)
    assert out == expected
    assert said in err
    assert bool(said) == bool(err) or name.endswith(".tsv")


def test_an_old_encoding_of_the_training_data_does_not_garble_rows_in_utf_8(tmp_path):
    made = [{"text": "un café noir", "tags": "a"}] * 3
    path = tmp_path / "new.csv"
    loaded = SimpleNamespace(columns=("text",), dialect=Dialect(";", "cp1252"))
    lines, said = [], []
    for encoding in ("utf-8", "cp1252", "ascii"):
        text = "text;tags\n" + "".join(f"{row['text']};{row['tags']}\n" for row in made)
        path.write_bytes((text.replace("é", "e") if encoding == "ascii" else text).encode(encoding))
        said.append([])
        lines.append(deployment.dialect_of(loaded, path, said[-1].append))
    assert [one.encoding for one in lines] == ["utf-8", "cp1252", "cp1252"]
    assert [len(one) for one in said] == [1, 0, 0]


def test_a_file_without_a_header_is_told_so(project, best):
    made = my_study.rows(5)
    my_study.write(project.folder / "bare.csv", made)
    rows = (project.folder / "bare.csv").read_bytes().split(b"\n", 1)[1]
    (project.folder / "bare.csv").write_bytes(rows)
    _, err = project.do("predict", "my", "bare.csv", code=2)
    assert "bare.csv: has no columns 'what: it says', " in err
    assert "looks like data and not like the name of a column; if there is no header, write one above it" in err


def test_a_folder_of_images_is_refused_where_the_model_reads_none(project, best):
    my_study.write(project.folder / "few.csv", my_study.rows(5))
    out, err = project.do("predict", "my", "few.csv", "--images", "raw", code=2)
    assert (out, err) == ("", "rarelabels: --images: this model reads no images; leave the option out\n")


def test_a_file_without_rows_gives_the_header_alone(project, best):
    my_study.write(project.folder / "none.csv", [])
    assert [line[:2] for line in predicted(project, "none.csv")] == [["id", "labels"]]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("absent.csv", "absent.csv: there is no such file"),
        ("lacking.csv", "lacking.csv: has no column 'n° 1', which the model was trained on; the columns are 'ref'"),
        ("bad.csv", "bad.csv: row 3 (line 4), column 'weight': 'inf' is not a finite number; in all 1 in"),
        ("empty.csv", "empty.csv: is empty"),
    ],
)
def test_a_bad_file_is_one_line_and_nothing_is_written(project, registered, name, told):
    made, folder = my_study.rows(5), project.folder
    my_study.write(folder / "lacking.csv", made, tuple(column for column in my_study.COLUMNS if column != NUMBER))
    my_study.write(folder / "bad.csv", [row | {WEIGHT: "inf" if i == 2 else row[WEIGHT]} for i, row in enumerate(made)])
    (folder / "empty.csv").write_text("")
    out, path = io.StringIO(), folder / name
    with pytest.raises(UserError, match=re.escape(told)) as error:
        deployment.predict(load(registered("linear")[1]), path, deployment.column_names(path), out)
    assert (out.getvalue(), str(error.value).count("\n")) == ("", 0)


@pytest.mark.parametrize(
    ("vectors", "told"),
    [
        (
            ["embeding=a.npy"],
            "--vectors: 'embeding' is no column of vectors; did you mean 'embedding'?; the model reads",
        ),
        (["price=a.npy"], "--vectors: 'price' is no column of vectors; the model reads 'embedding'"),
        (["embedding=a.npy", "embedding=b.npy"], "--vectors: column 'embedding' is given twice; name it once"),
        (["embedding"], "--vectors: allowed COLUMN=FILE.npy"),
        (["embedding=\udcff.npy"], r"--vectors: must be UTF-8 text; given 'embedding=\udcff.npy'"),
    ],
)
def test_vectors_in_a_file_are_those_that_the_model_reads(tmp_path, monkeypatch, vectors, told):
    columns = (RawColumn("price", "number"), RawColumn("embedding", "vector", 3))
    monkeypatch.setattr(deployment, "load_best", lambda *_: SimpleNamespace(raw=raw.Raw(columns)))
    (tmp_path / "new.csv").write_text("price\n1\n")
    with pytest.raises(UserError) as error:
        deployment.predict_file("my", tmp_path / "new.csv", "", print, io.StringIO(), vectors)
    assert told in str(error.value)


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


@pytest.fixture
def house(monkeypatch):
    return House(declarations.load_trial(study_files.EXPERIMENTS / "movies" / "bce_accuracy.yaml"), monkeypatch)


def test_a_model_that_is_not_what_was_judged_is_passed_over_and_still_ranked(house):
    house.add("picked", (0.9, 0.9), tags={"model_is_judged": "no: the weights are those of another epoch"})
    house.add("plain", (0.2, 0.2))
    ranked = house.rank()
    chosen, told = deployment.choose(ranked)
    assert (order(ranked), chosen.name) == (["picked", "plain"], "plain")
    assert told == [
        "picked: its model is not registered: it is not what was judged: the weights are those of another epoch"
    ]


def test_data_without_raw_rows_have_no_model_to_register(house):
    simulated = declarations.load_trial(study_files.EXPERIMENTS / "two_by_two" / "simulated_sigmoid_bce.yaml").dataset
    house.add("net", (0.9, 0.9), dataset=simulated)
    with pytest.raises(
        UserError, match=r"net: its model is not registered: dataset.kind 'simulated' has no columns in which new rows"
    ):
        deployment.choose(house.rank())


def test_floors_alone_leave_nothing_to_register(house):
    floor = declarations.load_trial(study_files.EXPERIMENTS / "movies" / "floor_prior.yaml").model
    house.add("floor", (0.9, 0.9), model=floor)
    with pytest.raises(UserError, match="no trial with a model that learns is ranked"):
        deployment.choose(house.rank())
