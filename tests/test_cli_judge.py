"""Scores from elsewhere on the command line: what `judge` prints, records and refuses."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from user_commands import assert_refused, python, rarelabels

JUDGED_LABELS = ["Drama", "Sci-Fi, Fantasy", "Western"]


def write_scores(path: Path, seed: int, n: int = 60, ids: bool = True) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    y = (rng.random((n, 3)) < [0.5, 0.3, 0.2]).astype(int)
    scores = np.round(0.4 * y + 0.6 * rng.random((n, 3)), 3)
    frame = pd.DataFrame(y, columns=JUDGED_LABELS).add_prefix("true/")
    frame = frame.join(pd.DataFrame(scores, columns=JUDGED_LABELS).add_prefix("score/"))
    if ids:
        frame["id"] = [f"{path.stem} {row}" for row in range(n)]
    if path.suffix == ".parquet":
        frame.to_parquet(path, index=False)
    else:
        frame.to_csv(path, index=False)
    return frame


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    """Return a folder with ``validation.parquet``, ``test.csv`` and nothing else: no project is needed to judge."""
    write_scores(tmp_path / "validation.parquet", 1)
    write_scores(tmp_path / "test.csv", 2)
    return tmp_path


def test_judge_without_a_record_imports_neither_tensorflow_nor_mlflow(scores: Path):
    code = (
        "import atexit, sys\n"
        "heavy = ['tensorflow', 'keras', 'mlflow', 'dask', 'optuna', 'matplotlib']\n"
        "atexit.register(lambda: print('heavy:', [m for m in heavy if m in sys.modules], file=sys.stderr))\n"
        "from rarelabels import cli\n"
        "sys.argv = ['rarelabels', 'judge', 'validation.parquet', 'test.csv']\n"
        "cli.main()\n"
    )
    answer = python(scores, "-c", code)
    assert (answer.code, answer.err) == (0, "heavy: []\n")
    assert answer.out.startswith("test.csv: 60 rows × 3 labels, ")
    assert "Thresholds and base rates are from validation.parquet: 60 rows" in answer.out
    assert sorted(path.name for path in scores.iterdir()) == ["test.csv", "validation.parquet"]


def test_judge_one_file_alone(scores: Path):
    answer = rarelabels(scores, "judge", "test.csv")
    assert (answer.code, answer.err) == (0, "")
    assert (
        "Without a validation part no threshold is chosen: decisions are at 0.5, and oracle is only a bound."
        in answer.out
    )
    assert "per_label" not in answer.out


def test_judge_prints_every_number_of_the_labels_asked_for(scores: Path):
    labels = 'Western, "Sci-Fi, Fantasy"'
    answer = rarelabels(scores, "judge", "validation.parquet", "test.csv", "--labels", labels, "--format", "csv")
    assert (answer.code, answer.err) == (0, "")
    rows = list(csv.DictReader(io.StringIO(answer.out)))
    assert list(dict.fromkeys(row["label"] for row in rows)) == ["", "Western", "Sci-Fi, Fantasy"]
    values = {(row["metric"], row["label"]): row for row in rows}
    frame = pd.read_csv(scores / "test.csv")
    truths, given = (frame[[f"{what}/{label}" for label in JUDGED_LABELS[1:]]].to_numpy() for what in ("true", "score"))
    found = values["test/half/binary_accuracy", ""]
    assert float(found["value"]) == pytest.approx(((given >= 0.5) == truths).mean(), abs=1e-12)
    assert float(found["low"]) < float(found["value"]) < float(found["high"])
    assert float(values["positives", "Western"]["value"]) == truths[:, 1].sum()


def test_judge_tells_which_files_have_no_ids(tmp_path: Path):
    write_scores(tmp_path / "v.csv", 1, ids=False)
    write_scores(tmp_path / "t.csv", 2)
    answer = rarelabels(tmp_path, "judge", "v.csv", "t.csv")
    assert answer.code == 0
    assert re.fullmatch(r"rarelabels: v\.csv: .*\bids\b.* in both .*\n", answer.err)


def test_judge_with_a_name_is_recorded(scores: Path):
    where = f"sqlite:///{scores / 'record' / 'mlflow.db'}"
    args = ["judge", "validation.parquet", "test.csv", "--log", "my net", "--format", "csv"]
    answer = rarelabels(scores, *args, MLFLOW_TRACKING_URI=where)
    assert answer.code == 0, answer.err
    assert answer.err.endswith("Recorded as 'my net' in the experiment rarelabels/judged: `rarelabels ui`\n")
    rows = [row for row in csv.DictReader(io.StringIO(answer.out)) if not row["label"]]
    wanted = {row["metric"]: float(row["value"]) for row in rows}
    wanted |= {
        f"interval/{row['metric']}_{end}": float(row[end]) for row in rows for end in ("low", "high") if row[end]
    }
    client = MlflowClient(tracking_uri=where)
    (run,) = client.search_runs([client.get_experiment_by_name("rarelabels/judged").experiment_id])
    assert (run.info.run_name, run.info.status, run.data.tags["kind"]) == ("my net", "FINISHED", "judged")
    assert run.data.metrics == pytest.approx(wanted, rel=1e-12)
    assert {"test/per_label/macro_f1", "interval/test/half/micro_f1_low", "floor/prior/brier"} <= set(run.data.metrics)
    assert (run.data.params["validation"], run.data.params["test"]) == ("validation.parquet", "test.csv")
    kept = {item.path for item in client.list_artifacts(run.info.run_id)}
    assert kept == {"scores", "thresholds.json", "per_label.csv"}


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["wrong.csv"], "wrong.csv: score/Western, row 3 (id wrong 2): must be a probability, from 0 to 1; given 4.5"),
        (["validation.parquet", "tst.csv"], "tst.csv: there is no such file; did you mean 'test.csv'?"),
        (["test.csv", "./test.csv"], "test.csv: has the same rows as test.csv"),
        (["test.csv", "--labels", "Drama,Westen"], "--labels: 'Westen' is not a label of test.csv; did you mean 'W"),
        (["test.csv", "--labels", "Drama,Drama"], "--labels: allowed are different names, separated by commas"),
        (["test.csv", "--labels", ""], "--labels: allowed are different names, separated by commas; given ''"),
    ],
)
def test_wrong_scores_are_explained_and_not_recorded(scores: Path, args: list[str], says: str):
    frame = write_scores(scores / "wrong.csv", 3)
    frame.loc[2, "score/Western"] = 4.5
    frame.to_csv(scores / "wrong.csv", index=False)
    assert_refused(scores, ["judge", *args, "--log", "wrong"], says)


def test_judge_needs_a_name_and_a_record_that_answers(scores: Path):
    assert_refused(scores, ["judge", "test.csv", "--log", " "], "--log: must be a name for the run; given ' '")
    nobody = "http://127.0.0.1:9"
    assert_refused(
        scores, ["judge", "test.csv", "--log", "x"], f"{nobody!r} does not answer", MLFLOW_TRACKING_URI=nobody
    )
