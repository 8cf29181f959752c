"""A table with missing numbers and categories, from its file to predicted rows, under each kind of model."""

import random
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest

import my_study
import things as things_study
from project import Project
from rarelabels.declare import declarations
from rarelabels.record import connection
from rarelabels.serve import deployment, predictor
from served import load, of_file, recorded

INPUTS = ["height", "width", "colour"]
COLOURS = ("red", "green", "blue", "", "dark grey")
BASE = """
extends: ../../conf/base.yaml
dataset:
  kind: table
  path: ../../things.csv
  labels: {column: labels, separator: "|"}
  numeric: [height, width]
  categories: [colour]
  id: id
training: {epochs: 2, batch_size: 32, learning_rate: 1.0e-2}
seeds: [0]
"""
TRIALS = {"net": "{kind: mlp, hidden: [8]}", "linear": "{kind: linear}", "boosted": "{kind: gradient_boosting}"}


def rows(n: int) -> list[dict[str, str]]:
    """Rows whose heights are often missing, and whose widths never are."""
    draw, made = random.Random(0), []
    for number in range(n):
        height, colour = draw.gauss(0, 1), draw.choice(COLOURS)
        labels = ["tall"] * (height > 0) + ["warm"] * (colour in ("red", "")) + ["odd"] * (draw.random() < 0.3)
        cell = "" if draw.random() < 0.2 else f"{height:.3f}"
        cells = {"id": f"r{number}", "height": cell, "width": f"{draw.gauss(0, 1):.3f}", "colour": colour}
        made.append(cells | {"labels": "|".join(labels)})
    return made


@pytest.fixture(scope="module")
def things(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("things"))
    my_study.write(project.folder / "things.csv", rows(400), ("id", *INPUTS, "labels"))
    things_study.run(project, BASE, {name: f"model: {model}" for name, model in TRIALS.items()})
    return project


def registered(things, name):
    client = connection.connect(things.record)
    (run,) = [one for one in things.runs(study="things") if one.data.tags["trial"] == f"things/{name}"]
    trial = declarations.load_trial(things.folder / "experiments" / "things" / f"{name}.yaml")
    version = client.get_model_version("rarelabels-things", deployment.register(client, run, trial, "per_label", {}))
    return run, Path(mlflow.artifacts.download_artifacts(version.source, tracking_uri=things.record))


@pytest.mark.long
@pytest.mark.parametrize("name", TRIALS)
def test_the_test_rows_get_the_recorded_scores_and_new_rows_are_read_alike(things, name):
    run, folder = registered(things, name)
    model, (test_rows, scores) = load(folder), recorded(things, run)
    (batch,) = of_file(things.folder / "things.csv", INPUTS)
    np.testing.assert_array_equal(model.predict(batch).probabilities[test_rows], scores)

    new = {
        "height": ["1.5", None, "nan", "1.5"],
        "width": ["0", "0.5", "", "0"],
        "colour": ["red", "", "pink", "black"],
    }
    frame = pd.DataFrame(new)
    predicted = model.predict(predictor.as_batch(frame)).probabilities
    assert np.isfinite(predicted).all()
    alone = [model.predict(predictor.as_batch(frame.iloc[[row]])).probabilities[0] for row in range(4)]
    np.testing.assert_array_equal(predicted, alone)
    other = model.predict(predictor.as_batch(frame.assign(colour="unknown, too"))).probabilities
    np.testing.assert_array_equal(other[2:], predicted[2:])  # one unknown value is as good as another
    served = mlflow.pyfunc.load_model(str(folder)).predict(frame)
    np.testing.assert_allclose(served.filter(like="probability/").to_numpy(), predicted, atol=1e-6)
