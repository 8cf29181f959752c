"""A trial as YAML, as flat keys, and as the schema for editors."""

import json
from pathlib import Path

import pytest

from declared_trials import FLOOR, FOCAL, HEAD, trial_of
from rarelabels.declare import as_yaml, declarations, override
from rarelabels.declare.trial import Trial

pytestmark = pytest.mark.usefixtures("house")


@pytest.mark.parametrize("text", [FOCAL, FLOOR, HEAD + "vary: {training.learning_rate: [1.0e-5, 2]}\nseeds: [3, 1]"])
def test_a_dumped_trial_loads_equal(text: str, tmp_path: Path):
    trial = trial_of(text.replace("Does focal loss do better?", '"no: is #1 → 1e-3\\n better?"'))
    path = tmp_path / "copy" / "movies" / "t.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(as_yaml.dump(trial), encoding="utf-8")
    assert declarations.load_trial(path) == trial
    assert "extends" not in path.read_text()


def test_flat_keys_are_those_of_set():
    trial = trial_of(FOCAL + "model: {hidden: [64, 32]}")
    flat = as_yaml.flat(trial)
    assert flat["training.epochs"] == 12
    assert flat["loss.kind"] == "binary_focal"
    assert flat["model.hidden"] == "[64, 32]"
    assert flat["watch"] == '["auc"]'
    assert not {"name", "question", "thread", "vary"} & set(flat)
    again = trial_of(
        FOCAL,
        dict(
            override.parse_override(f"{key}={json.dumps(value) if value is None else value}")
            for key, value in flat.items()
        ),
    )
    assert again == trial


def test_the_json_schema_is_that_of_a_file_as_written():
    schema = as_yaml.json_schema()
    assert schema["additionalProperties"] is False
    assert "extends" in schema["properties"]
    assert "name" not in schema["properties"]
    assert set(Trial.model_fields) - {"name"} <= set(schema["properties"])
    text = json.dumps(schema)
    assert '"required"' not in text
    assert "oneOf" not in text  # {min_rows: 3} without a kind fits two models
    assert schema["$defs"]["BinaryFocal"]["properties"]["kind"]["const"] == "binary_focal"


TABLE = "dataset: {kind: table, path: %s, labels: {column: tags}, text: [plot]}\n"


@pytest.mark.parametrize("vary", ["", "vary: {dataset.path: [a.csv, b.csv]}"])
def test_a_dumped_trial_on_a_table_loads_equal_anywhere(vary: str, tmp_path: Path):
    trial = trial_of(HEAD + TABLE % "a.csv" + vary)
    path = tmp_path / "copy/movies/t.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(as_yaml.dump(trial))
    assert declarations.load_trial(path) == trial
