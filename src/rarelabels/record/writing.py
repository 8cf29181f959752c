"""Write one run of the record."""

from __future__ import annotations

import json
import math
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from itertools import zip_longest
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rarelabels.errors import without_password
from rarelabels.names import one_line
from rarelabels.record import lease, outbox, troubles
from rarelabels.record.client import Client
from rarelabels.record.database import SQLITE
from rarelabels.record.digests import digests
from rarelabels.record.outbox import Entry, Outbox

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput, Run

NOTE = "mlflow.note.content"  # what MLflow's page shows as the description
DESCRIBED = 2  # paragraphs in the description of a new run: its question and its thread
BATCH, PARAMS, TAGS = 800, 100, 100  # MLflow takes at most 100 parameters, 100 tags, and 1,000 things in all, at once
EVERY_SECONDS = 2.0  # so curves are soon visible; a call for each number would cost more than the training
PAUSE_SECONDS = 5.0  # between two attempts to reach a record that is away
PATIENCE = 600.0  # seconds that a server may be away
PATIENCE_HERE = float(os.environ.get("RARELABELS_PATIENCE", "60"))  # seconds that a file here may be locked
RETRIES = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
AWAY = (  # MLflow's error codes; the last comes from a gateway while the server behind it restarts
    *("INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED"),
    "ENDPOINT_NOT_FOUND",
)
OF_A_STATEMENT = ("DataError", "IntegrityError", "ProgrammingError")  # the statement is wrong, so retrying is useless
REFUSED, BUSY = range(400, 500), (408, 429)  # HTTP: a later attempt gets the same answer, except for BUSY


class WaitingError(Exception):
    """A run has ended, but the record does not answer. The results of the run wait on disk."""


class Record:
    """One open MLflow run. Its status is written last, so a run that is cut off is never FINISHED.

    With an outbox, every entry is on disk before it is sent. Entries are sent in their order. An entry that cannot be
    sent now is sent later. Without an outbox, an entry is sent at once, and MLflow's errors are raised.
    """

    def __init__(self, client: Client, run_id: str, box: Outbox | None = None, described: str = "") -> None:
        self.client, self.run_id, self._box, self._described = client, run_id, box, described
        self._next = time.monotonic() + EVERY_SECONDS  # time of the next attempt to send
        self._away: Exception | None = None  # the error of the last attempt that failed

    def alive(self) -> AbstractContextManager[None]:
        """Renew the run's lease while a block runs."""
        return lease.renewed(lambda: self.client.set_tag(self.run_id, "lease", lease.until(self.client.now())))

    def curve(self, epoch: int, values: Mapping[str, float]) -> None:
        """Log one epoch of ``curve/<name>``; visible within seconds."""
        self.metrics({f"curve/{name}": value for name, value in values.items()}, step=epoch)

    def metrics(self, values: Mapping[str, float], step: int = 0) -> None:
        """Log metrics under their full names."""
        self.curves((name, step, value) for name, value in values.items())

    def curves(self, points: Iterable[tuple[str, int, float]]) -> None:
        """Log points of curves: (full name, epoch, value)."""
        self._tell({"metrics": [(name, _plain(value), _now(), step) for name, step, value in points]})

    def params(self, values: Mapping[str, object]) -> None:
        """Log flat dotted parameters."""
        self._tell({"params": {key: str(value)[:6000] for key, value in values.items()}})

    def tags(self, values: Mapping[str, object]) -> None:
        """Set tags."""
        if values:
            self._tell({"tags": {key: str(value)[:5000] for key, value in values.items()}})

    def data(self, name: str, digest: str, summary: Mapping[str, Any]) -> None:
        """Log the data set as an MLflow dataset input."""
        source, profile = json.dumps({"kind": name}), json.dumps(summary["rows"])
        self._tell({"data": {"name": name, "digest": digest[:36], "source": source, "profile": profile}})

    def data_of(self, run: Run) -> None:
        """Log the data set of another run."""
        for one in run.inputs.dataset_inputs:
            data = one.dataset
            self._tell({"data": {key: getattr(data, key) for key in ("name", "digest", "source", "profile")}})

    def notes(self, sentences: Sequence[str]) -> None:
        """Record sentences that a reader of the results must know, as a tag and below the run's description."""
        if sentences:
            described = self._described or self.client.get_run(self.run_id).data.tags.get(NOTE, "")
            lines = [one_line(sentence) for sentence in sentences]  # a label in it may have line breaks
            shown = [*described.split("\n\n")[:DESCRIBED], *lines]
            self.tags({"notes": "\n".join(lines), NOTE: "\n\n".join(shown)})

    def text(self, name: str, content: str) -> None:
        """Log a text file."""
        with self.folder() as folder:
            (folder / name).write_text(content, encoding="utf-8")

    @contextmanager
    def folder(self, said: Mapping[str, object] = MappingProxyType({})) -> Iterator[Path]:
        """Yield an empty folder, and log all files that the block puts into it as artifacts.

        After the files, their digests and the tags ``said`` are written in one call. If two processes write the same
        files at once, files and digests do not match, and the damage is noticed. The block may still fill ``said``: it
        is read when the block has ended.
        """
        if self._box:
            with self._box.files() as place:
                yield place
                told = digests(place)
            self.tags({**told, **said})
            return
        with tempfile.TemporaryDirectory() as name:
            yield Path(name)
            told = digests(Path(name))
            self.client.log_artifacts(self.run_id, name)
        self.tags({**told, **said})

    def finish(self) -> None:
        """End the run as FINISHED, after everything else is written.

        Raises:
            WaitingError: the record is away for too long, see ``PATIENCE``; the results wait on disk.
        """
        self._end("FINISHED")

    def fail(self, reason: str) -> None:
        """End the run as FAILED, with a reason of one line. Passwords in it are hidden.

        Raises:
            WaitingError: see :meth:`finish`.
        """
        reason = without_password(reason)
        try:
            self.tags({"reason": reason})
            self._end("FAILED")
        except Exception as error:
            if not self._box or isinstance(error, WaitingError) or is_away(error):
                raise
            # The record refuses an entry of this run, perhaps a file that is too large. Send at least the reason.
            _send(self.client, self.run_id, [{"tags": {"reason": reason}}, _ended("FAILED")], Path())
            self._box.remove()

    def stop(self, reason: str) -> None:
        """End the run as KILLED, early but on purpose, with a reason of one line. Passwords in it are hidden."""
        self.tags({"reason": without_password(reason)})
        self._end("KILLED")

    def go_on(self) -> None:
        """Set the run to RUNNING again, with this process as its owner."""
        self.tags({"owner": lease.owner(), "lease": lease.until(self.client.now())})
        self.client.update_run(self.run_id, status="RUNNING")

    def _tell(self, entry: Entry) -> None:
        if not self._box:
            _send(self.client, self.run_id, [entry], Path())
            return
        self._box.add(entry)
        self._try()

    def _try(self) -> None:
        """Send the waiting entries, unless the last attempt was a moment ago."""
        assert self._box
        if time.monotonic() < self._next:
            return
        try:
            with _asking_once():
                _deliver(self.client, self._box)
            self._next = time.monotonic() + EVERY_SECONDS
        except Exception as error:
            if not is_away(error):
                raise
            self._away, self._next = error, time.monotonic() + PAUSE_SECONDS

    def _end(self, status: str) -> None:
        if self._box:
            self._box.add(_ended(status))
            self._wait()
        else:
            _send(self.client, self.run_id, [_ended(status)], Path())
        if status == "FINISHED":
            _forget_reason(self.client, self.run_id)
        if self._box:
            self._box.remove()

    def _wait(self) -> None:
        """Try to send until no entry waits any more; raise WaitingError after some time."""
        assert self._box
        until = time.monotonic() + (PATIENCE_HERE if str(self.client.tracking_uri).startswith(SQLITE) else PATIENCE)
        while self._box.waiting:
            self._next = 0.0
            self._try()
            if self._box.waiting:
                if time.monotonic() > until:
                    self._box.leave()
                    raise WaitingError(
                        f"done, but the record does not answer{troubles.short(self._away)}: the results wait in "
                        f"{self._box.folder}, and the same command delivers them"
                    )
                time.sleep(PAUSE_SECONDS)


@contextmanager
def _asking_once() -> Iterator[None]:
    """Switch off MLflow's retries while a block runs. They take minutes, and a training would have to wait.

    Its entries are safe on disk, and are sent later.
    """
    said = os.environ.get(RETRIES)
    os.environ[RETRIES] = "0"
    try:
        yield
    finally:
        os.environ.pop(RETRIES)
        if said is not None:
            os.environ[RETRIES] = said


def is_of_record(error: BaseException) -> bool:
    """Return whether an error comes from MLflow, a database, or a request to a server."""
    return not {"mlflow", "sqlalchemy", "sqlite3", "requests"}.isdisjoint(_libraries(error))


def is_away(error: BaseException) -> bool:
    """Return whether a later attempt may succeed, because the record, its database or its disk does not answer now."""
    if "mlflow" in _libraries(error):
        # MLflow reports most errors of a database as bad requests
        return getattr(error, "error_code", "") in AWAY or _is_of_database(error.__cause__)
    answer = getattr(getattr(error, "response", None), "status_code", None)  # errors of requests are OSErrors
    if answer in REFUSED and answer not in BUSY:
        return False
    return isinstance(error, OSError) or _is_of_database(error)


def _is_of_database(error: BaseException | None) -> bool:
    names = {one.__name__ for one in type(error).__mro__}
    return not {"sqlalchemy", "sqlite3"}.isdisjoint(_libraries(error)) and names.isdisjoint(OF_A_STATEMENT)


def _libraries(error: BaseException | None) -> set[str]:
    """Return the names of the libraries that define an error's classes. To import the libraries would take seconds."""
    return {one.__module__.partition(".")[0] for one in type(error).__mro__}


def deliver_left(client: Client, where: str, place: Path) -> int:
    """Send the entries that ended processes have left in ``place``; return how many runs are now complete.

    If the record knows a run but refuses its entries, the entries stay where they are.
    """
    delivered = 0
    for box in outbox.left(place, where):
        status = box.status
        try:
            if status:
                _deliver(client, box)
        except Exception as error:
            if is_away(error) or _knows(client, box.run_id):
                box.leave()
                continue
        else:
            delivered += bool(status)
            if status == "FINISHED":
                _forget_reason(client, box.run_id)
        box.remove()  # delivered, cut off before its end, or of a run that was deleted
    return delivered


def _knows(client: Client, run_id: str) -> bool:
    try:
        return bool(client.get_run(run_id).info.lifecycle_stage == "active")
    except Exception as error:
        return getattr(error, "error_code", "") != "RESOURCE_DOES_NOT_EXIST"


def _deliver(client: Client, box: Outbox) -> None:
    _send(client, box.run_id, box.waiting, box.folder)
    box.sent()


def _send(client: Client, run_id: str, entries: Sequence[Entry], folder: Path) -> None:
    """Send entries in as few calls as MLflow allows, the status last. ``folder`` holds the files of the entries."""
    from mlflow.entities import Dataset as LoggedDataset
    from mlflow.entities import DatasetInput, Metric, Param, RunTag

    points = [point for entry in entries for point in entry.get("metrics", ())]
    metrics = [Metric(name, float(value), when, step) for name, value, when, step in points]
    params = [Param(*pair) for entry in entries for pair in entry.get("params", {}).items()]
    tags = {key: value for entry in entries for key, value in entry.get("tags", {}).items()}
    of_tags = [RunTag(*pair) for pair in tags.items()]
    for batch in zip_longest(_cut(metrics, BATCH), _cut(params, PARAMS), _cut(of_tags, TAGS), fillvalue=()):
        client.log_batch(run_id, *batch)
    for entry in entries:
        if data := entry.get("data"):
            dataset = LoggedDataset(data["name"], data["digest"], "rarelabels", data["source"], profile=data["profile"])
            _log_data(client, run_id, DatasetInput(dataset, []))
        if (name := entry.get("files")) and (folder / name).is_dir():  # else it was sent before
            client.log_artifacts(run_id, str(folder / name))
    for entry in entries:
        if status := entry.get("status"):
            client.set_terminated(run_id, status, entry["at"])


def _log_data(client: Client, run_id: str, data: DatasetInput) -> None:
    """Log a data set, in two attempts.

    MLflow adds a data set that it does not have yet. If two runs log the same data set at once, one of them is refused.
    """
    try:
        client.log_inputs(run_id, [data])
    except Exception as error:
        if is_away(error):
            raise
        client.log_inputs(run_id, [data])  # the other run has added it by now


def _cut(things: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (things[first : first + size] for first in range(0, len(things), size))


def _forget_reason(client: Client, run_id: str) -> None:
    """Delete a reason that another process gave, which thought that the run was cut off. The run has ended."""
    with suppress(Exception):  # mostly there is no reason to delete; and the run stays FINISHED in any case
        client.delete_tag(run_id, "reason")


def _ended(status: str) -> Entry:
    return {"status": status, "at": _now()}


def _plain(value: float) -> float | str:
    """Return a number as JSON can hold it: as text, which ``float`` reads, if it is not finite."""
    return float(value) if math.isfinite(value) else str(float(value))


def _now() -> int:
    return int(time.time() * 1000)
