"""A temporary record, for code that logs to MLflow by itself, such as Keras callbacks."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rarelabels.record import empty
from rarelabels.record.database import SQLITE

if TYPE_CHECKING:
    from mlflow import MlflowClient


@dataclass(frozen=True)
class ScratchRun:
    """A run of a temporary record, open in MLflow's own way."""

    client: MlflowClient
    run_id: str

    def steps(self) -> dict[str, list[int]]:
        """Wait for MLflow, which writes in the background; then return the steps of each recorded metric."""
        import mlflow

        mlflow.flush_async_logging()
        names = self.client.get_run(self.run_id).data.metrics
        return {name: [point.step for point in self.client.get_metric_history(self.run_id, name)] for name in names}


@dataclass(frozen=True)
class ScratchRecord:
    """A temporary record, and the experiment in it."""

    client: MlflowClient
    experiment: str

    @contextmanager
    def run(self) -> Iterator[ScratchRun]:
        """Open a run as MLflow's active run while a block runs. Code that logs by itself logs to it."""
        import mlflow

        with mlflow.start_run(experiment_id=self.experiment) as run:
            yield ScratchRun(self.client, run.info.run_id)


@contextmanager
def scratch_record() -> Iterator[ScratchRecord]:
    """Let MLflow log to a temporary record while a block runs. The user's record is not touched.

    Afterwards MLFLOW_TRACKING_URI has its old value.
    """
    import mlflow
    from mlflow import MlflowClient

    said = os.environ.get("MLFLOW_TRACKING_URI")
    with tempfile.TemporaryDirectory() as folder:
        where = f"{SQLITE}{folder}/mlflow.db"
        empty.put(Path(folder, "mlflow.db"))
        client = MlflowClient(tracking_uri=where)
        experiment = client.create_experiment("scratch", Path(folder, "artifacts").as_uri())
        try:
            mlflow.set_tracking_uri(where)
            yield ScratchRecord(client, experiment)
        finally:
            mlflow.set_tracking_uri(None)
            if said is not None:
                os.environ["MLFLOW_TRACKING_URI"] = said
