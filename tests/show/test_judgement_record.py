"""A judgement in the record: everything under its usual name, and finished only if it is whole."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

import rarelabels as rl
from judged_parts import LABELS
from rarelabels.judging import score_files
from rarelabels.judging.statistics.estimate import interval_of
from rarelabels.record import connection, estimates, reading, writing


@pytest.fixture(scope="module")
def client(tmp_path_factory) -> MlflowClient:
    """Return a new record."""
    return connection.connect(f"sqlite:///{tmp_path_factory.mktemp('record') / 'mlflow.db'}")


def recorded(client: MlflowClient, name: str):
    experiment = client.get_experiment_by_name("rarelabels/judged")
    (run,) = client.search_runs([experiment.experiment_id], f"run_name = '{name}'")
    return run


@pytest.mark.parametrize("which", ["judgement", "alone"])
def test_everything_is_recorded_under_its_usual_name(client, request, tmp_path, monkeypatch, which):
    one = request.getfixturevalue(which)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", client.tracking_uri)
    one.log(f"my {which}", {"validation": "", "test": "test.parquet"})
    run = recorded(client, f"my {which}")
    assert run.info.status == "FINISHED"
    assert run.data.params == {"validation": "", "test": "test.parquet", "labels": "5"}
    limits = {f"interval/{name}_low": low for name, (low, _) in one.intervals.items()}
    limits |= {f"interval/{name}_high": high for name, (_, high) in one.intervals.items()}
    assert run.data.metrics == one.evaluation.metrics | limits
    parts = ["test"] if which == "alone" else ["test", "validation"]
    kept = Path(client.download_artifacts(run.info.run_id, "", str(tmp_path)))
    assert sorted(path.stem for path in (kept / "scores").iterdir()) == parts
    # What is recorded can be judged again.
    again = score_files.read(None, kept / "scores" / "test.parquet")
    np.testing.assert_array_equal(again.test.scores, one.evaluation.test.scores)
    chosen = json.loads((kept / "thresholds.json").read_text(encoding="utf-8"))
    assert set(chosen) == set(one.evaluation.rules)
    assert list(chosen["oracle"]["thresholds"]) == list(LABELS)
    per_label = pd.read_csv(io.BytesIO((kept / "per_label.csv").read_bytes()))
    assert per_label["positives"].tolist() == one.evaluation.per_label["positives"].tolist()


def test_what_is_not_known_comes_back_and_has_the_same_intervals(client, judgement, tmp_path, monkeypatch):
    rng, parts = np.random.default_rng(0), []
    for part in (judgement.evaluation.validation, judgement.evaluation.test):
        parts.append((np.where(rng.random(part.y.shape) < 0.3, np.nan, part.y), part.scores))
    one = rl.judge(*parts[1], validation=parts[0], labels=LABELS)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", client.tracking_uri)
    one.log("partly known")
    run = recorded(client, "partly known")
    assert run.data.metrics["test/count/known_share"] == one.evaluation.test.known.mean()
    for part, (y, _) in zip(("validation", "test"), parts, strict=True):
        np.testing.assert_array_equal(reading.scores(client, run.info.run_id, part).y_or_nan, y)
    made = estimates.of_runs(client, [run], ["test/per_label/macro_f1", "test/ranking/brier", "test/half/samples_f1"])
    assert len(made) == 3
    for name, estimate in made.items():
        assert interval_of(name, estimate) == pytest.approx(one.intervals[name])
    kept = Path(client.download_artifacts(run.info.run_id, "", str(tmp_path)))
    again = score_files.read(kept / "scores" / "validation.parquet", kept / "scores" / "test.parquet")
    assert rl.judge(again.test.y_or_nan, again.test.scores, labels=LABELS).per_label()["known"].tolist() == (
        one.per_label()["known"].tolist()
    )


def test_a_record_that_breaks_off_is_not_finished(client, alone, monkeypatch):
    def full(*_: object) -> None:
        raise OSError("no space left\non the disk")

    monkeypatch.setattr(writing.Record, "folder", full)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", client.tracking_uri)
    with pytest.raises(OSError, match="no space left"):
        alone.log("broken")
    run = recorded(client, "broken")
    assert (run.info.status, run.data.tags["reason"]) == ("FAILED", "OSError: no space left")
