"""Where the record is, whether it answers, and where its outboxes and the storage of searches are."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from pathlib import Path

from rarelabels.errors import UserError
from rarelabels.record import empty, troubles
from rarelabels.record.client import Client
from rarelabels.record.database import SQLITE, file_of
from rarelabels.record.server import ADDRESSES
from rarelabels.record.writing import PAUSE_SECONDS, is_away, is_of_record


def is_url(address: str) -> bool:
    """Return whether an address is a URL, not a path on this machine."""
    return "://" in address


KIND = "mlflow.experimentKind"  # unset, MLflow's page opens in its mode for language models
PING_SECONDS = 5  # a server must answer the first request within so many seconds


def uri() -> str:
    """Return where the record is: ``MLFLOW_TRACKING_URI``, else an absolute SQLite file in ``runs/`` of this folder."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{Path('runs').resolve() / 'mlflow.db'}"


def is_begun(where: str) -> bool:
    """Return whether there may be anything to read. The first run makes the file of a local record."""
    return not where.startswith(SQLITE) or file_of(where).exists()


def connect(where: str, patience: float = 0) -> Client:
    """Open the record. A local record is created if it does not exist.

    Args:
        where: the tracking URI.
        patience: seconds to wait for a record that does not answer.

    Raises:
        UserError: the record does not answer, cannot be made, or is damaged.
    """
    until = time.monotonic() + patience
    while True:
        try:
            if where.startswith(ADDRESSES):
                _ping(where)
            client = Client(where)
            if not client.read.is_begun():
                with _one_at_a_time(where):
                    if not is_begun(where):
                        empty.put(file_of(where))
                    if not client.read.is_begun():
                        _check_new(where)
                        client.search_experiments(max_results=1)
        except UserError:
            raise
        except Exception as error:
            if time.monotonic() >= until or not troubles.is_passing(error):
                raise troubles.of_record(where, error) from error
            time.sleep(PAUSE_SECONDS)
        else:
            return client


def one_sums_up(where: str) -> AbstractContextManager[None]:
    """Let only one process at a time write the summary of a trial into a local record."""
    return _one_at_a_time(where, ".summary.lock")


@contextmanager
def _one_at_a_time(where: str, lock: str = ".lock") -> Iterator[None]:
    """Let only one process at a time run a block on a local record. If two made its tables at once, one would fail."""
    if not where.startswith(SQLITE):
        yield
        return
    place = file_of(where)
    _make_folder(place.parent)
    with ExitStack() as opened:
        with suppress(OSError):  # a record that can only be read has its tables already
            fcntl.flock(opened.enter_context(place.with_suffix(lock).open("w")), fcntl.LOCK_EX)
        yield


@contextmanager
def answering(where: str) -> Iterator[None]:
    """Turn an error into a UserError of one line if the record does not answer any more while a block runs."""
    try:
        yield
    except Exception as error:
        if not (is_of_record(error) and is_away(error)):
            raise
        raise troubles.of_record(where, error) from error


def explained(error: Exception) -> UserError | None:
    """Return the message for an error of the record or the disk that ends a command; None for another error."""
    if is_of_record(error) and (is_away(error) or troubles.is_refusal(error)):
        return troubles.of_record(uri(), error)
    line = troubles.of_disk(error) if isinstance(error, OSError) else None
    return UserError(line) if line else None


def outboxes(where: str) -> Path:
    """Return the folder where results wait for a record: beside a local record, else ``runs/outbox`` of this folder."""
    runs = file_of(where).parent if where.startswith(SQLITE) else Path("runs").resolve()
    return runs / "outbox"


def storage_of_searches(where: str) -> str:
    """Return where searches are kept: ``OPTUNA_STORAGE``, else a folder beside a local record, else in ``runs/``.

    The folder has a file for each search. A common file would be slow, because all of it is read when it is opened.
    """
    return os.environ.get("OPTUNA_STORAGE") or str(outboxes(where).with_name("optuna"))


def _check_new(where: str) -> None:
    """Refuse a local record that cannot be made or that has lost its content. MLflow would retry for minutes.

    Raises:
        sqlite3.Error: the record cannot be made, or cannot be written.
        UserError: the record is an empty file, but files of runs are beside it. A new record has no files of runs.
    """
    place = file_of(where)
    if where.startswith(SQLITE):
        with closing(sqlite3.connect(place)) as tried:
            tried.execute("begin immediate")
    if (
        where.startswith(SQLITE)
        and place.exists()
        and not place.stat().st_size
        and any(place.parent.glob("artifacts/*"))
    ):
        raise UserError(troubles.damaged(place, "it is empty, though there are files of runs beside it"))


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder}: the record's folder cannot be made: {error.strerror}") from error


def _ping(where: str) -> None:
    """Ask a server once whether it is well. MLflow itself would go on asking for minutes."""
    import requests

    requests.get(f"{where.rstrip('/')}/health", timeout=PING_SECONDS).raise_for_status()
