"""Read a record through MLflow itself.

That is done if the record is neither a database nor a server, or if only MLflow can log in to the server.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rarelabels.record.clock import Clock
from rarelabels.record.entities import Experiment, Point, Run, Version
from rarelabels.record.server import ADDRESSES, time_of

if TYPE_CHECKING:
    from mlflow import MlflowClient

PAGE = 5000


class ThroughMlflow:
    """Reads a record through MLflow, whose objects have the attributes of those in ``entities``.

    Args:
        where: the tracking URI.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._clock = Clock(lambda: time_of(where))

    def is_begun(self) -> bool:
        """Return False: MLflow itself makes a record that does not exist."""
        return False

    def experiments(self) -> list[Experiment]:
        """Return the experiments that are not deleted, sorted by name."""
        found: Any = self._client.search_experiments(order_by=["name ASC"], max_results=1000)
        return list(found)

    def experiment(self, name: str) -> str | None:
        """Return the id of an experiment; None if there is no such experiment."""
        found = self._client.get_experiment_by_name(name)
        return str(found.experiment_id) if found else None

    def runs(self, experiment: str, kind: str = "", *, with_metrics: bool = False) -> list[Run]:
        """Return the runs of an experiment that are not deleted, oldest first; ``kind`` selects runs of one kind."""
        del with_metrics  # MLflow always returns runs with their metrics
        return self._found([experiment], f"tags.kind = '{kind}'" if kind else "")

    def running(self, experiments: Sequence[str]) -> list[Run]:
        """Return the runs of these experiments whose status is RUNNING, oldest first."""
        return self._found(experiments, "attributes.status = 'RUNNING'") if experiments else []

    def run(self, run_id: str) -> Run | None:
        """Return a run with its metrics; MLflow raises an error if there is no such run."""
        found: Any = self._client.get_run(run_id)
        return found  # type: ignore[no-any-return]  # MLflow's own run, which ``entities.Run`` has the shape of

    def tags(self, run_id: str) -> dict[str, str]:
        """Return the tags of a run; MLflow raises an error if there is no such run."""
        found = self.run(run_id)
        return found.data.tags if found else {}

    def artifact_uri(self, run_id: str) -> str | None:
        """Return the address of a run's files; MLflow raises an error if there is no such run."""
        found = self.run(run_id)
        return found.info.artifact_uri if found else None

    def history(self, run_id: str, key: str) -> list[Point]:
        """Return all values of a metric."""
        found: Any = self._client.get_metric_history(run_id, key)
        return list(found)

    def histories(self, run_id: str, prefix: str) -> list[Point]:
        """Return all values of the metrics whose names begin with ``prefix``, sorted by name."""
        found = self.run(run_id)
        keys = sorted(key for key in found.data.metrics if key.startswith(prefix)) if found else []
        return [point for key in keys for point in self.history(run_id, key)]

    def versions(self, name: str) -> list[Version]:
        """Return the versions of a registered model, newest first."""
        found = self._client.search_model_versions(f"name = '{name}'")
        made = [
            Version(name, str(one.version), one.run_id or "", one.source, one.tags, tuple(one.aliases)) for one in found
        ]
        return sorted(made, key=lambda one: int(one.version), reverse=True)

    def now(self) -> float:
        """Return the time by the server's clock, or by this machine's if there is no server, in seconds since 1970."""
        return self._clock.now() if self._where.startswith(ADDRESSES) else time.time()

    def _found(self, experiments: Sequence[str], wanted: str) -> list[Run]:
        token, runs = None, list[Any]()
        while True:
            page = self._client.search_runs(list(experiments), wanted, 1, PAGE, ["start_time ASC"], token)
            runs += page
            token = page.token
            if not token:
                return runs

    @cached_property
    def _client(self) -> MlflowClient:
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=self._where)
