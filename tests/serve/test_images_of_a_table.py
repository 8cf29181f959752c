"""Models of images in one's own table: new rows name files below a folder, and are scored as in training."""

from __future__ import annotations

import csv
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException
from PIL import Image

import rarelabels as rl
import things as things_study
from project import Project
from rarelabels.declare import declarations
from rarelabels.errors import UserError
from rarelabels.record import connection
from rarelabels.serve import deployment
from served import load, of_file, recorded

INPUTS = ["price", "photo"]
COLUMNS = {"block": ("photo",), "words": ("note", "price", "photo")}
BASE = """
extends: ../../conf/base.yaml
dataset:
  kind: table
  path: ../../things.csv
  labels: {column: labels, separator: "|"}
  numeric: [price]
  images: {column: photo, folder: ../../raw}
  backbone: {kind: efficientnet_lite0, weights: random}
  id: id
training: {epochs: 2, batch_size: 32, learning_rate: 1.0e-2}
seeds: [0]
"""
CUT = "{numeric: [], backbone: {kind: efficientnet_lite0, weights: random, output: last_block}}"
TRIALS = {
    "net": "model: {kind: mlp, hidden: [8]}",
    "linear": "model: {kind: linear}",
    "boosted": "model: {kind: gradient_boosting, max_iter: 2, most_seconds: 600}",
    "words": "dataset: {text: [note]}\nmodel: {kind: text_bag, width: 0, wide: true, numeric_weight: 0.03}",
    "block": f"dataset: {CUT}\nmodel: {{kind: last_block}}",
}


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(tmp_path_factory.mktemp("things"))
    draw = np.random.default_rng(0)
    (project.folder / "raw").mkdir()
    for i in range(12):
        pixels = draw.integers(100 * (i % 3), 100 * (i % 3) + 50, (16, 16, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(project.folder / "raw" / f"{i}.png")
    with (project.folder / "things.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "price", "photo", "note", "labels"])
        for row in range(120):
            i, price = int(draw.integers(12)), float(draw.normal())
            labels = [["dark"], [], ["bright"]][i % 3] + ["dear"] * (price > 0) + ["odd"] * bool(draw.random() < 0.3)
            writer.writerow([f"r{row}", f"{price:.3f}" if row % 7 else "", f"{i}.png", f"word{i}", "|".join(labels)])
    things_study.run(project, BASE, TRIALS)
    return project


@pytest.mark.long
@pytest.mark.parametrize("name", TRIALS)
def test_the_test_rows_get_the_recorded_scores(things: Project, name: str) -> None:
    client, images = connection.connect(things.record), things.folder / "raw"
    (run,) = [one for one in things.runs(study="things") if one.data.tags["trial"] == f"things/{name}"]
    trial = declarations.load_trial(things.folder / "experiments" / "things" / f"{name}.yaml")
    version = client.get_model_version("rarelabels-things", deployment.register(client, run, trial, "per_label", {}))
    folder = Path(mlflow.artifacts.download_artifacts(version.source, tracking_uri=things.record))
    model, (test_rows, scores) = load(folder), recorded(things, run)
    assert model.columns == COLUMNS.get(name, tuple(INPUTS))
    assert str(things.folder) not in (folder / "artifacts/predictor/trial.json").read_text()
    (batch,) = of_file(things.folder / "things.csv", ["note", *INPUTS])
    np.testing.assert_array_equal(model.predict(batch, images).probabilities[test_rows], scores)

    # A server reads no files that a request names.
    frame = pd.DataFrame({name: batch.cells[name] for name in model.columns})
    with pytest.raises(MlflowException, match="column 'photo' names image files, and no folder is given"):
        mlflow.pyfunc.load_model(str(folder)).predict(frame)


@pytest.mark.long
def test_new_rows_name_files_below_the_folder_that_is_given(things: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    out, _ = things.do("best", "things")
    assert "registered: rarelabels-things" in out
    monkeypatch.chdir(things.folder)
    new = things.folder / "new.csv"
    new.write_text("photo,price,note\n0.png,1,\n2.png,,word2\n0.png,-1,\n")
    _, err = things.do("predict", "things", "new.csv", code=2)
    assert "new.csv: row 1 (line 2), column 'photo': there is no image '0.png' in ." in err
    out, _ = things.do("predict", "things", "new.csv", "--images", "raw")
    assert [line.split(",")[0] for line in out.splitlines()] == ["id", "1", "2", "3"]
    (things.folder / "raw/new.csv").write_text(new.read_text())
    beside, _ = things.do("predict", "things", "raw/new.csv")
    assert beside == out

    model = rl.load_model("things")
    frame = model.predict(pd.read_csv(new), images="raw")
    np.testing.assert_array_equal(frame.filter(like="probability/"), _numbers(out))
    with pytest.raises(UserError, match=r"rl\.load_model\(STUDY\)\.predict\(rows, images=FOLDER\)"):
        model.predict(pd.read_csv(new))

    (things.folder / "raw/cut.png").write_bytes((things.folder / "raw/0.png").read_bytes()[:60])
    new.write_text("photo,price,note\n0.png,1,\ncut.png,2,\n")
    out, err = things.do("predict", "things", "new.csv", "--images", "raw", code=2)
    assert out == ""
    assert "cut.png: not an image of PNG, JPEG, GIF or BMP format, or a damaged one (row '2')" in err


def _numbers(out: str) -> list[list[float]]:
    return [[float(cell) for cell in line.split(",")[2:]] for line in out.splitlines()[1:]]
