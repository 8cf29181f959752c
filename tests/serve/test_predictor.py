"""A stored model gives the scores that were measured, bit by bit; files that do not fit together are refused."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import my_study
from rarelabels.data import loading, raw
from rarelabels.data.sources import movies
from rarelabels.data.table.batch import Batch, RawColumn
from rarelabels.declare import declarations
from rarelabels.declare.data import MoviesSpec, MulanSpec, SimulatedSpec, XedSpec
from rarelabels.declare.table import TableSpec
from rarelabels.errors import UserError
from rarelabels.learn import network
from rarelabels.record import connection, reading
from rarelabels.serve import predictor
from served import NUMBER, WEIGHT, frame_of, load, of_file, recorded


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


@pytest.mark.parametrize("size", [1, 64, 4096])
def test_another_batch_size_moves_scores_by_less_than_1e_5(project, registered, size, monkeypatch):
    run, folder = registered("bce")
    rows, scores = recorded(project, run)
    (batch,) = of_file(project.folder / "my.csv")
    monkeypatch.setattr(network, "PREDICT_BATCH", size)
    assert np.abs(load(folder).predict(batch).probabilities[rows] - scores).max() < 1e-5


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
    with pytest.raises(UserError, match=r"'simulated' has no columns in which .* allowed: table, movies, xed, mulan"):
        raw.checked(SimulatedSpec(kind="simulated"))


@pytest.mark.parametrize("name", ["linear", "bce"])
def test_a_number_that_a_row_misses_is_the_median_of_the_training_part(project, registered, name, monkeypatch):
    _, folder = registered(name)
    monkeypatch.chdir(project.folder / "experiments" / "my")  # where the path of the table is declared
    spec = TableSpec.model_validate(declared(project, name))
    medians = np.median(loading.load(spec, 0).train.numeric, axis=0)
    model = load(folder)
    assert model.raw.medians == dict(zip([NUMBER, WEIGHT], medians.tolist(), strict=True))
    missing = model.predict(predictor.as_batch(frame_of(**{NUMBER: None, WEIGHT: float("nan")})))
    filled = model.predict(predictor.as_batch(frame_of(**{NUMBER: medians[0], WEIGHT: medians[1]})))
    np.testing.assert_array_equal(missing.probabilities, filled.probabilities)
    assert np.isfinite(missing.probabilities).all()


def declared(project, name) -> dict:
    trial = declarations.load_trial(project.folder / "experiments" / "my" / f"{name}.yaml")
    return trial.dataset.model_dump(mode="json")


def test_a_model_registered_before_numbers_could_be_missing_says_so(registered, tmp_path):
    files = copied(registered("linear")[1], tmp_path)
    stored = json.loads((files / "raw.json").read_text(encoding="utf-8"))
    del stored["medians"]
    (files / "raw.json").write_text(json.dumps(stored), encoding="utf-8")
    with pytest.raises(UserError, match=f"row 1, column '{NUMBER}': must be a number; given an empty cell; the model"):
        predictor.load(files).predict(predictor.as_batch(frame_of(**{NUMBER: None})))
