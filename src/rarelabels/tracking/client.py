"""A record: read past MLflow, whose import takes seconds; written, and all else, by MLflow."""

from __future__ import annotations

import os
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from rarelabels.tracking.database import Database
from rarelabels.tracking.entities import Experiment, Point, Run, Version
from rarelabels.tracking.server import ADDRESSES, Server
from rarelabels.tracking.through_mlflow import ThroughMlflow

if TYPE_CHECKING:
    from mlflow import MlflowClient

OTHER_WAYS = ("MLFLOW_TRACKING_AUTH", "MLFLOW_TRACKING_AWS_SIGV4")  # to be let in by a server, which MLflow knows alone


class Reader(Protocol):
    """What is read of a record, wherever it is."""

    def is_begun(self) -> bool:
        """Return whether there is a record; False where MLflow has to make it, or to say what is wrong."""

    def experiments(self) -> list[Experiment]:
        """Return those that are not deleted, by name."""

    def experiment(self, name: str) -> str | None:
        """Return the id of an experiment."""

    def runs(self, experiment: str, kind: str = "", *, with_metrics: bool = False) -> list[Run]:
        """Return the runs of an experiment that are not deleted, or those of a kind, oldest first."""

    def run(self, run_id: str) -> Run | None:
        """Return a run with its metrics."""

    def tags(self, run_id: str) -> dict[str, str]:
        """Return the tags of a run; none where there is no such run."""

    def artifact_uri(self, run_id: str) -> str | None:
        """Return where the files of a run are."""

    def history(self, run_id: str, key: str) -> list[Point]:
        """Return all values of a metric, by time, step and value."""

    def histories(self, run_id: str, prefix: str) -> list[Point]:
        """Return all values of the metrics whose names begin like that, by name, time, step and value."""

    def versions(self, name: str) -> list[Version]:
        """Return the versions of a registered model, newest first."""


@lru_cache(maxsize=8)
def reader(where: str) -> Reader:
    """Return what reads the record at a tracking URI."""
    if Database.is_one(where):
        return Database(where)
    if where.startswith(ADDRESSES) and not any(os.environ.get(name) for name in OTHER_WAYS):
        return Server(where)
    return ThroughMlflow(where)


class Client:
    """A record. What is not defined here is the method of that name of ``MlflowClient``.

    Attributes:
        tracking_uri: where it is.
        read: what reads it.
    """

    def __init__(self, where: str) -> None:
        self.tracking_uri, self.read = where, reader(where)

    @cached_property
    def mlflow(self) -> MlflowClient:
        """MLflow's own client."""
        from mlflow import MlflowClient

        from rarelabels.tracking import bounds  # noqa: F401  to import it is to set them

        return MlflowClient(tracking_uri=self.tracking_uri)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.mlflow, name)

    def run(self, run_id: str) -> Run:
        """Return a run with its metrics.

        Raises:
            LookupError: there is none.
        """
        found = self.read.run(run_id)
        if found is None:
            raise LookupError(f"run {run_id} is not in the record")
        return found
