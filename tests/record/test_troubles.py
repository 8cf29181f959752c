"""An error of a record, or of its disk, is one line that says what to do."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

import pytest
import requests
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import PERMISSION_DENIED

from rarelabels.record import troubles

SERVER = "http://me:s3cret@127.0.0.1:5000"


def of_sqlite(code: int) -> Exception:
    """An error of MLflow's that came from SQLite."""
    cause = sqlite3.OperationalError("it failed")
    cause.sqlite_errorcode = code
    error = MlflowException("the store failed")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (sqlite3.SQLITE_CORRUPT, "is damaged (it failed): put back a copy of it"),
        (sqlite3.SQLITE_FULL, "cannot grow (it failed): make room on its disk"),
        (sqlite3.SQLITE_READONLY, "cannot be opened or written (it failed): let this user write to it"),
        (sqlite3.SQLITE_BUSY, "is locked by another process (it failed): call the same command again"),
        (sqlite3.SQLITE_MISMATCH, "is no record that MLflow can read (it failed): put back a copy of it"),
    ],
)
def test_what_sqlite_says_of_a_file(code: int, says: str, tmp_path: Path) -> None:
    told = str(troubles.of_record(f"sqlite:///{tmp_path}/mlflow.db", of_sqlite(code)))
    assert told.startswith(f"{tmp_path}/mlflow.db {says}")
    assert "\n" not in told


def test_a_file_that_is_locked_may_answer_in_a_moment_and_a_damaged_one_never() -> None:
    assert troubles.is_passing(of_sqlite(sqlite3.SQLITE_BUSY))
    assert not troubles.is_passing(of_sqlite(sqlite3.SQLITE_CORRUPT))
    assert troubles.is_passing(requests.ConnectionError("refused"))


def test_a_server_that_lets_nobody_in_and_one_that_is_away() -> None:
    refused = troubles.of_record(SERVER, MlflowException("no", error_code=PERMISSION_DENIED))
    assert "'http://me:***@127.0.0.1:5000' does not let this user do that: set MLFLOW_TRACKING_USERNAME" in str(refused)
    away = troubles.of_record(SERVER, requests.ConnectionError("refused"))
    assert "'http://me:***@127.0.0.1:5000' does not answer (ConnectionError); start the server" in str(away)


def test_a_database_without_its_driver_says_which_extra_installs_it() -> None:
    lacking = ModuleNotFoundError("No module named 'psycopg'", name="psycopg")
    assert str(troubles.of_record("postgresql+psycopg://me:s3cret@db/mlflow", lacking)) == (
        "MLFLOW_TRACKING_URI 'postgresql+psycopg://me:***@db/mlflow' needs psycopg, of the extra postgres: "
        "pip install 'rarelabels[postgres]'"
    )


def test_a_whole_file_is_read_to_see_what_is_wrong_with_it(tmp_path: Path) -> None:
    file = tmp_path / "mlflow.db"
    where = f"sqlite:///{file}"
    with sqlite3.connect(file) as database:
        database.execute("create table a (b text)")
        database.executemany("insert into a values (?)", [("x" * 500,)] * 200)
    database.close()
    assert troubles.trouble_of_file(where) == ""
    assert troubles.trouble_of_file(SERVER) == ""
    content = bytearray(file.read_bytes())
    content[8192:16384] = bytes(8192)
    file.write_bytes(content)
    assert troubles.trouble_of_file(where).startswith(f"{file} is damaged (")
    file.write_bytes(b"no database at all" * 100)
    assert troubles.trouble_of_file(where).startswith(f"{file} is damaged (")


def test_a_full_disk_is_told_and_another_error_is_not() -> None:
    full = OSError(errno.ENOSPC, "No space left on device", "runs/scores.parquet")
    assert troubles.of_disk(full) == (
        "runs/scores.parquet: No space left on device; make room, or let this user write there, and call the same "
        "command again"
    )
    assert troubles.of_disk(OSError(errno.ENOENT, "No such file")) is None
