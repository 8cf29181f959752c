"""A record. It is read without MLflow, whose import takes seconds; MLflow does everything else, such as writing."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rarelabels import whole_files
from rarelabels.record import (
    mending,
    mlflow_settings,  # noqa: F401  to import it is to set them
)
from rarelabels.record.database import Database
from rarelabels.record.entities import Experiment, Point, Run, Version
from rarelabels.record.moved import path_of
from rarelabels.record.server import ADDRESSES, Server
from rarelabels.record.through_mlflow import ThroughMlflow

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import FileInfo
    from mlflow.store.artifact.artifact_repo import ArtifactRepository

OTHER_WAYS = ("MLFLOW_TRACKING_AUTH", "MLFLOW_TRACKING_AWS_SIGV4")  # ways to log in to a server that only MLflow knows


def mend(where: str) -> None:
    """Mend the addresses of files in a local record that was copied or moved, and report it on stderr.

    Raises:
        UserError: see ``mending.mend``.
    """
    if said := mending.mend(where):
        print(f"rarelabels: {said}", file=sys.stderr)


class RecordReader(Protocol):
    """Reads a record, in a database, on a server or through MLflow."""

    def is_begun(self) -> bool:
        """Return whether there is a record. If False, MLflow must make it, or report what is wrong."""

    def experiments(self) -> list[Experiment]:
        """Return the experiments that are not deleted, sorted by name."""

    def experiment(self, name: str) -> str | None:
        """Return the id of an experiment; None if there is no such experiment."""

    def runs(self, experiment: str, kind: str = "", *, with_metrics: bool = False) -> list[Run]:
        """Return the runs of an experiment that are not deleted, oldest first; ``kind`` selects runs of one kind."""

    def running(self, experiments: Sequence[str]) -> list[Run]:
        """Return the runs of these experiments whose status is RUNNING, oldest first."""

    def run(self, run_id: str) -> Run | None:
        """Return a run with its metrics; None if there is no such run."""

    def tags(self, run_id: str) -> dict[str, str]:
        """Return the tags of a run; empty if there is no such run."""

    def artifact_uri(self, run_id: str) -> str | None:
        """Return the address of a run's files; None if there is no such run."""

    def history(self, run_id: str, key: str) -> list[Point]:
        """Return all values of a metric, sorted by time, step and value."""

    def histories(self, run_id: str, prefix: str) -> list[Point]:
        """Return all values of the metrics whose names begin with ``prefix``, sorted by name, time, step and value."""

    def versions(self, name: str) -> list[Version]:
        """Return the versions of a registered model, newest first."""

    def now(self) -> float:
        """Return the time by the record's own clock, or by this machine's if it has none, in seconds since 1970."""


@lru_cache(maxsize=8)
def reader(where: str) -> RecordReader:
    """Return the reader of the record at a tracking URI."""
    if Database.is_one(where):
        return Database(where)
    if where.startswith(ADDRESSES) and not any(os.environ.get(name) for name in OTHER_WAYS):
        return Server(where)
    return ThroughMlflow(where)


@lru_cache(maxsize=4096)
def place_of(where: str, run_id: str) -> str:
    """Return the address of a run's files. It never changes, so it is cached.

    Raises:
        LookupError: there is no such run.
    """
    found = reader(where).artifact_uri(run_id)
    if found is None:
        raise LookupError(f"run {run_id} is not in the record")
    return found


@lru_cache(maxsize=4096)
def repository(place: str, where: str) -> ArtifactRepository:
    """Return the MLflow object that reads and writes files at ``place``, for the record at ``where``."""
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    return get_artifact_repository(place, tracking_uri=where)


class Client:
    """A record. Any method that is not defined here is the method of ``MlflowClient`` with the same name.

    Attributes:
        tracking_uri: where the record is.
        read: reads the record.
    """

    def __init__(self, where: str) -> None:
        self.tracking_uri, self.read = where, reader(where)

    @cached_property
    def mlflow(self) -> MlflowClient:
        """MLflow's own client. It writes files to the addresses in the record, so these are mended first."""
        from mlflow import MlflowClient

        from rarelabels.record import bounds  # noqa: F401  importing it sets the bounds

        mend(self.tracking_uri)
        return MlflowClient(tracking_uri=self.tracking_uri)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.mlflow, name)

    # MLflow's client remembers the address of a run's files from the first record in which this process saw the run.
    # But a run of a copied record is in two records. So these methods look the address up in this record.

    def log_artifacts(self, run_id: str, folder: str, path: str | None = None) -> None:
        """Add all files of a folder to the files of a run, below ``path`` if it is given.

        On this machine, each file is replaced as a whole, because another process may be reading it.
        """
        mend(self.tracking_uri)  # a record that cannot be mended is reported before anything is written
        place = path_of(place_of(self.tracking_uri, run_id))
        if place is None:
            self._files(run_id).log_artifacts(folder, path)
            return
        for file in sorted(file for file in Path(folder).rglob("*") if file.is_file()):
            target = place.joinpath(path or "", file.relative_to(folder))
            target.parent.mkdir(parents=True, exist_ok=True)
            whole_files.write(target, file.read_bytes())

    def list_artifacts(self, run_id: str, path: str | None = None) -> list[FileInfo]:
        """Return the files and folders of a run, or those in one of its folders."""
        return list(self._files(run_id).list_artifacts(path))

    def download_artifacts(self, run_id: str, path: str, folder: str | None = None) -> str:
        """Return the local path of a file or folder of a run, copied to ``folder`` if that is given."""
        return str(self._files(run_id).download_artifacts(path, folder))

    def _files(self, run_id: str) -> ArtifactRepository:
        return repository(place_of(self.tracking_uri, run_id), self.tracking_uri)

    def now(self) -> float:
        """Return the time by the record's clock, in seconds since 1970."""
        return self.read.now()

    def run(self, run_id: str) -> Run:
        """Return a run with its metrics.

        Raises:
            LookupError: there is no such run.
        """
        found = self.read.run(run_id)
        if found is None:
            raise LookupError(f"run {run_id} is not in the record")
        return found
