"""Vectors, names with values, n-grams and row weights, from a file to predicted rows, as in training."""

from __future__ import annotations

import json
import random
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest

import things as things_study
from project import Project
from rarelabels.declare import declarations
from rarelabels.errors import UserError
from rarelabels.record import connection
from rarelabels.serve import deployment, predictor
from served import load, of_file, recorded

INPUTS = ["plot", "bag", "embedding"]
BASE = """
extends: ../../conf/base.yaml
dataset:
  kind: table
  path: ../../things.jsonl
  labels: {column: labels}
  text: [plot]
  tokens: [{column: plot, of: characters, ngrams: [2, 3]}]
  lists: [{column: bag}]
  vectors: [{column: embedding}]
  weight: counts
  id: id
training: {epochs: 2, batch_size: 32, learning_rate: 1.0e-2}
seeds: [0]
"""
TRIALS = {"net": "{kind: text_bag, width: 0, wide: true}", "linear": "{kind: linear}"}


def rows(n: int) -> list[dict[str, object]]:
    draw, made = random.Random(0), []
    for number in range(n):
        vector = [draw.gauss(0, 1) for _ in range(3)]
        words = draw.choices(["河川", "市場", "夜中", "男家"], k=3)
        bag = {name: draw.gauss(1, 1) for name in draw.sample(["sea", "sky", "sun", "rain"], 2)}
        labels = ["up"] * (vector[0] > 0) + ["river"] * ("河川" in words) + ["wet"] * ("rain" in bag)
        made.append(
            {
                "id": f"r{number}",
                "plot": "".join(words),
                "bag": bag,
                "embedding": vector,
                "counts": draw.choice((0.5, 1, 4)),
                "labels": labels,
            }
        )
    return made


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(tmp_path_factory.mktemp("things"))
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows(300))
    (project.folder / "things.jsonl").write_text(lines, encoding="utf-8")
    things_study.run(project, BASE, {name: f"model: {model}" for name, model in TRIALS.items()})
    return project


@pytest.mark.long
@pytest.mark.parametrize("name", TRIALS)
def test_the_test_rows_get_the_recorded_scores_and_new_rows_are_read_alike(things: Project, name: str) -> None:
    client = connection.connect(things.record)
    (run,) = [one for one in things.runs(study="things") if one.data.tags["trial"] == f"things/{name}"]
    trial = declarations.load_trial(things.folder / "experiments" / "things" / f"{name}.yaml")
    version = client.get_model_version("rarelabels-things", deployment.register(client, run, trial, "per_label", {}))
    folder = Path(mlflow.artifacts.download_artifacts(version.source, tracking_uri=things.record))
    model, (test_rows, scores) = load(folder), recorded(things, run)
    assert model.columns == tuple(INPUTS)  # the weight is for training alone
    (batch,) = of_file(things.folder / "things.jsonl", INPUTS)
    np.testing.assert_array_equal(model.predict(batch).probabilities[test_rows], scores)

    frame = pd.DataFrame([{name: row[name] for name in INPUTS} for row in rows(300)])
    predicted = model.predict(predictor.as_batch(frame)).probabilities
    np.testing.assert_array_equal(predicted[test_rows], scores)
    served = mlflow.pyfunc.load_model(str(folder)).predict(frame)
    np.testing.assert_allclose(served.filter(like="probability/").to_numpy(), predicted, atol=1e-6)
    as_arrays = frame.assign(embedding=[np.array(vector) for vector in frame["embedding"]])
    np.testing.assert_array_equal(model.predict(predictor.as_batch(as_arrays)).probabilities, predicted)
    with pytest.raises(
        UserError, match="column 'embedding': the vector has 2 numbers, but those the model was trained"
    ):
        model.predict(predictor.as_batch(frame.assign(embedding=[[0.5, 1.0]] * 300)))

    # What was weighed is recorded.
    notes = [value for key, value in run.data.tags.items() if "note" in key]
    assert any("Training weighs rows by the column 'counts'" in note for note in notes)
    assert 0 < run.data.metrics["training/effective_sample_share"] < 1
