"""Read a record on an MLflow server without MLflow, by the same requests that MLflow makes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from configparser import ConfigParser
from email.utils import parsedate_to_datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from rarelabels.record.clock import Clock
from rarelabels.record.entities import Experiment, Point, Run, RunData, RunInfo, Version

if TYPE_CHECKING:
    import requests

SETTINGS = (  # MLflow's environment variables for requests to a server
    *("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_INSECURE_TLS"),
    *("MLFLOW_TRACKING_SERVER_CERT_PATH", "MLFLOW_TRACKING_CLIENT_CERT_PATH"),
)
ADDRESSES = ("http://", "https://")
API, FILES = "/api/2.0/mlflow", "/api/2.0/mlflow-artifacts/artifacts"
SECONDS = 120.0  # a request may take so long; the same as MLflow
BUSY = (408, 429, 500, 502, 503, 504)  # answers after which a request is repeated; the same as MLflow
PAGE = {"experiments": 1000, "runs": 5000, "metrics": 25_000, "model_versions": 1000}


class Server:
    """Reads a record from an MLflow server.

    The methods raise an error of ``requests`` if the server does not answer as it should.

    Args:
        where: the server's address.
    """

    def __init__(self, where: str) -> None:
        self._where = where.rstrip("/")
        self._clock = Clock(lambda: time_of(where))

    def is_begun(self) -> bool:
        """Return True; raise an error of ``requests`` if the server does not answer or refuses this user."""
        self._ask("POST", f"{API}/experiments/search", {"max_results": 1})
        return True

    def experiments(self) -> list[Experiment]:
        """Return the experiments that are not deleted, sorted by name."""
        found = self._pages("POST", "/experiments/search", "experiments", {})
        return sorted((_experiment(one) for one in found), key=lambda one: one.name)

    def experiment(self, name: str) -> str | None:
        """Return the id of an experiment; None if there is no such experiment."""
        answer = self._ask("GET", f"{API}/experiments/get-by-name", {"experiment_name": name}, absent=True)
        return str(answer["experiment"]["experiment_id"]) if answer else None

    def runs(self, experiment: str, kind: str = "", *, with_metrics: bool = False) -> list[Run]:
        """Return the runs of an experiment that are not deleted, oldest first; with ``kind``, only runs of that kind.

        A server always sends runs with their metrics, so ``with_metrics`` has no effect.
        """
        del with_metrics
        asked = {"experiment_ids": [experiment], "order_by": ["start_time ASC"], "run_view_type": "ACTIVE_ONLY"}
        asked |= {"filter": f"tags.kind = '{kind}'"} if kind else {}
        return [_run(one) for one in self._pages("POST", "/runs/search", "runs", asked)]

    def running(self, experiments: Sequence[str]) -> list[Run]:
        """Return the runs of these experiments whose status is RUNNING, oldest first."""
        asked = {"experiment_ids": list(experiments), "order_by": ["start_time ASC"], "run_view_type": "ACTIVE_ONLY"}
        asked["filter"] = "attributes.status = 'RUNNING'"
        return [_run(one) for one in self._pages("POST", "/runs/search", "runs", asked)] if experiments else []

    def run(self, run_id: str) -> Run | None:
        """Return a run with its metrics; None if there is no such run."""
        answer = self._ask("GET", f"{API}/runs/get", {"run_id": run_id}, absent=True)
        return _run(answer["run"]) if answer else None

    def tags(self, run_id: str) -> dict[str, str]:
        """Return the tags of a run; empty if there is no such run."""
        found = self.run(run_id)
        return found.data.tags if found else {}

    def artifact_uri(self, run_id: str) -> str | None:
        """Return the address of a run's files; None if there is no such run."""
        found = self.run(run_id)
        return found.info.artifact_uri if found else None

    def history(self, run_id: str, key: str) -> list[Point]:
        """Return all values of a metric, sorted by time, step and value."""
        found = self._pages("GET", "/metrics/get-history", "metrics", {"run_id": run_id, "metric_key": key})
        return [Point(one["key"], float(one["value"]), int(one["timestamp"]), int(one.get("step", 0))) for one in found]

    def histories(self, run_id: str, prefix: str) -> list[Point]:
        """Return all values of the metrics whose names begin with ``prefix``, sorted by name, time, step and value."""
        found = self.run(run_id)
        keys = sorted(key for key in found.data.metrics if key.startswith(prefix)) if found else []
        return [point for key in keys for point in self.history(run_id, key)]

    def versions(self, name: str) -> list[Version]:
        """Return the versions of a registered model, newest first."""
        model = self._ask("GET", f"{API}/registered-models/get", {"name": name}, absent=True)
        if model is None:
            return []
        aliases = [(one["alias"], one["version"]) for one in model["registered_model"].get("aliases", ())]
        found = self._pages("GET", "/model-versions/search", "model_versions", {"filter": f"name = '{name}'"})
        made = [
            Version(
                name,
                str(one["version"]),
                one.get("run_id", ""),
                one["source"],
                _pairs(one.get("tags", ())),
                tuple(alias for alias, of in aliases if of == one["version"]),
            )
            for one in found
        ]
        return sorted(made, key=lambda one: int(one.version), reverse=True)

    def now(self) -> float:
        """Return the time by the server's clock, in seconds since 1970. Every answer of a server states its time."""
        return self._clock.now()

    def list_files(self, place: str) -> dict[str, bool]:
        """Return the names in a folder of the server's own store; the value tells whether it is a folder."""
        answer = self._ask("GET", FILES, {"path": place})
        assert answer is not None
        found = {Path(one["path"]).name: bool(one["is_dir"]) for one in answer.get("files", ())}
        return {name: is_folder for name, is_folder in found.items() if name not in ("", "..")}  # nothing leads upwards

    def download(self, place: str, target: Path) -> None:
        """Write a file of the server's own store to ``target``."""
        address = f"{self._where}{FILES}/{quote(place)}"
        with self._session.get(address, timeout=SECONDS, stream=True) as answer:
            if answer.status_code == 404:
                raise FileNotFoundError(f"{place}: is not in the record")
            answer.raise_for_status()
            with target.open("wb") as file:
                for chunk in answer.iter_content(1 << 20):
                    file.write(chunk)

    def _pages(self, method: str, path: str, name: str, asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
        asked = asked | {"max_results": PAGE[name]}
        while True:
            answer = self._ask(method, API + path, asked)
            assert answer is not None
            yield from answer.get(name, ())
            if not answer.get("next_page_token"):
                return
            asked["page_token"] = answer["next_page_token"]

    def _ask(self, method: str, path: str, asked: dict[str, Any], *, absent: bool = False) -> dict[str, Any] | None:
        """Return the server's answer; None for a missing resource if ``absent`` is allowed."""
        how: dict[str, Any] = {"params": asked} if method == "GET" else {"json": asked}
        answer = self._session.request(method, self._where + path, timeout=SECONDS, **how)
        if absent and answer.status_code == 404 and answer.json().get("error_code") == "RESOURCE_DOES_NOT_EXIST":
            return None
        answer.raise_for_status()
        self._clock.says(_time_of(answer))
        found: dict[str, Any] = answer.json()
        return found

    @property
    def _session(self) -> requests.Session:
        settings = {name: os.environ.get(name, "") for name in SETTINGS}
        return _session(*_credentials(), tuple(settings.items()))


@lru_cache(maxsize=4)
def _session(name: str, password: str, settings: tuple[tuple[str, str], ...]) -> requests.Session:
    """Return a session for a login and settings, cached.

    The caller reads both from the environment for each request. So a notebook's user can correct a wrong password.
    """
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    of = dict(settings)
    session = requests.Session()
    again = Retry(
        total=int(of["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] or 7),
        backoff_factor=2,
        backoff_jitter=1,
        status_forcelist=BUSY,
        allowed_methods=None,  # all methods may be repeated, because no request here changes anything
        raise_on_status=False,
    )
    for scheme in ADDRESSES:
        session.mount(scheme, HTTPAdapter(max_retries=again))
    if name:
        session.auth = name, password
    elif token := of["MLFLOW_TRACKING_TOKEN"]:
        session.headers["Authorization"] = f"Bearer {token}"
    if of["MLFLOW_TRACKING_INSECURE_TLS"].lower() in ("true", "1"):
        session.verify = False
    elif certificate := of["MLFLOW_TRACKING_SERVER_CERT_PATH"]:
        session.verify = certificate
    if own := of["MLFLOW_TRACKING_CLIENT_CERT_PATH"]:
        session.cert = own
    return session


def time_of(where: str) -> float:
    """Return the time by a server's clock, in whole seconds since 1970. A server that refuses a user tells it too."""
    import requests

    return _time_of(requests.get(f"{where.rstrip('/')}/health", timeout=SECONDS))


def _time_of(answer: requests.Response) -> float:
    """Return the time of an answer by the server's clock, or this machine's time if the answer has no date."""
    said = answer.headers.get("Date")
    return parsedate_to_datetime(said).timestamp() if said else time.time()


def _credentials() -> tuple[str, str]:
    """Return user name and password from the same places as MLflow: the environment, else its file of credentials."""
    names = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD")
    kept = ConfigParser(interpolation=None)
    kept.read(Path("~/.mlflow/credentials").expanduser())
    found = [os.environ.get(one) or kept.get("mlflow", one.lower(), fallback="") or "" for one in names]
    return found[0], found[1]


def _experiment(found: dict[str, Any]) -> Experiment:
    return Experiment(str(found["experiment_id"]), found["name"], _pairs(found.get("tags", ())))


def _run(found: dict[str, Any]) -> Run:
    info, data = found["info"], found.get("data", {})
    return Run(
        RunInfo(
            info["run_id"],
            str(info["experiment_id"]),
            info.get("run_name", ""),
            info["status"],
            int(info["start_time"]),
            int(info["end_time"]) if "end_time" in info else None,
            info["artifact_uri"],
        ),
        RunData(
            {one["key"]: float(one["value"]) for one in data.get("metrics", ())},
            _pairs(data.get("params", ())),
            _pairs(data.get("tags", ())),
        ),
    )


def _pairs(found: Any) -> dict[str, str]:
    return {one["key"]: one.get("value", "") for one in found}
