"""A temporary record takes what logs to MLflow by itself, and leaves nothing behind."""

from __future__ import annotations

import os
from pathlib import Path

import mlflow
import pytest

from rarelabels.record.scratch import scratch_record


def test_what_is_logged_arrives_there_and_the_users_record_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = f"sqlite:///{tmp_path}/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", where)
    with scratch_record() as record, record.run() as run:
        mlflow.log_metric("loss", 0.5, step=1)
        mlflow.log_metric("loss", 0.25, step=2)
        assert run.steps() == {"loss": [1, 2]}
    assert os.environ["MLFLOW_TRACKING_URI"] == where
    assert list(tmp_path.iterdir()) == []


def test_a_scratch_record_leaves_the_record_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = f"sqlite:///{tmp_path / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", where)
    with scratch_record() as record:
        with record.run() as run:
            assert run.steps() == {}
        assert os.environ["MLFLOW_TRACKING_URI"] != where
    assert os.environ["MLFLOW_TRACKING_URI"] == where
    assert not (tmp_path / "mlflow.db").exists()
