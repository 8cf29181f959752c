"""Read MLflow's own database without MLflow: its tables of experiments, runs and registered models.

A SQLite file is read with Python's own module, other databases with SQLAlchemy.
"""

from __future__ import annotations

import sqlite3
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from rarelabels.record import moved
from rarelabels.record.clock import Clock
from rarelabels.record.entities import Experiment, Point, Run, RunData, RunInfo, Version

if TYPE_CHECKING:
    from sqlalchemy import Engine

SQLITE = "sqlite:///"
KINDS = ("sqlite", "postgresql", "mysql", "mssql")  # the databases that MLflow supports
LOCKED_SECONDS = 20.0  # wait so long for a file that a writer has locked; the same as MLflow

_RUN = "select r.run_uuid, r.experiment_id, r.name, r.status, r.start_time, r.end_time, r.artifact_uri from runs r "
_SOME = "r.experiment_id = :experiment and r.lifecycle_stage = 'active' and (:kind = '' or exists " + (
    "(select 1 from tags k where k.run_uuid = r.run_uuid and k.key = 'kind' and k.value = :kind)) "
)
_ONE = "r.run_uuid = :run "
_BY_AGE = "order by r.start_time, r.run_uuid"
_RUNNING = "r.status = 'RUNNING' and r.lifecycle_stage = 'active' "
_OF_RUNS = "select t.run_uuid, t.key, t.value from {table} t join runs r on r.run_uuid = t.run_uuid where "
_METRICS = _OF_RUNS.format(table="latest_metrics").replace("t.value", "t.value, t.is_nan")
_POINTS = """
select key, value, is_nan, timestamp, step from metrics
where run_uuid = :run and {which} order by key, timestamp, step, value
"""
_VERSIONS = """
select version, run_id, source from model_versions where name = :name and current_stage <> 'Deleted_Internal'
order by version desc
"""
_NOW = {  # by kind of database: seconds since 1970
    "postgresql": "select extract(epoch from clock_timestamp())",
    "mysql": "select unix_timestamp(sysdate(6))",
    "mssql": "select datediff_big(millisecond, '1970-01-01', sysutcdatetime()) / 1000.0",
}
Row = Sequence[Any]


def file_of(where: str) -> Path:
    """Return the file of a local record."""
    return Path(where.removeprefix(SQLITE).partition("?")[0])


def folders_of(where: str) -> tuple[Path, ...]:
    """Return the folder of a local record, then the folder of its database file, both without symbolic links.

    They differ if the database file is itself a link.
    """
    return file_of(where).parent.resolve(), file_of(where).resolve().parent


class _Open(Protocol):
    """An open connection."""

    def rows(self, statement: str, **values: object) -> list[Row]:
        """Return the rows that a statement selects; ``:name`` in it stands for the value ``name``."""


class Database:
    """The database of a record.

    Args:
        where: its URL.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._clock = Clock(self._ask_time)

    @staticmethod
    def is_one(where: str) -> bool:
        """Return whether a tracking URI is a database."""
        return _kind(where) in KINDS

    def is_begun(self) -> bool:
        """Return whether MLflow has made all its tables. It has if there is an experiment, which MLflow adds last."""
        try:
            with self._open() as database:
                return bool(database.rows("select experiment_id from experiments limit 1"))
        except sqlite3.OperationalError:  # there is no file or table yet
            return False
        except Exception as error:  # a damaged file, or a database that does not answer: MLflow would retry for minutes
            if type(error).__name__ != "ProgrammingError":  # SQLAlchemy's: there is no table yet
                raise
            return False

    def experiments(self) -> list[Experiment]:
        """Return the experiments that are not deleted, sorted by name."""
        with self._open() as database:
            found = database.rows("select experiment_id, name from experiments where lifecycle_stage = 'active'")
            tags = database.rows("select experiment_id, key, value from experiment_tags")
        of: dict[int, dict[str, str]] = defaultdict(dict)
        for number, key, value in tags:
            of[number][key] = value
        return sorted((Experiment(str(n), name, of[n]) for n, name in found), key=lambda one: one.name)

    def experiment(self, name: str) -> str | None:
        """Return the id of an experiment; None if there is no such experiment."""
        with self._open() as database:
            found = database.rows("select experiment_id from experiments where name = :name", name=name)
        return str(found[0][0]) if found else None

    def runs(self, experiment: str, kind: str = "", *, with_metrics: bool = False) -> list[Run]:
        """Return the runs of an experiment that are not deleted, oldest first; ``kind`` selects runs of one kind."""
        values = {"experiment": int(experiment), "kind": kind}
        return self._runs(_SOME, _BY_AGE, with_metrics, values)

    def running(self, experiments: Sequence[str]) -> list[Run]:
        """Return the runs of these experiments whose status is RUNNING, oldest first."""
        found = self._runs(_RUNNING, _BY_AGE, False, {})
        return [run for run in found if run.info.experiment_id in experiments]

    def run(self, run_id: str) -> Run | None:
        """Return a run with its metrics; None if there is no such run."""
        found = self._runs(_ONE, "", True, {"run": run_id})
        return found[0] if found else None

    def tags(self, run_id: str) -> dict[str, str]:
        """Return the tags of a run; empty if there is no such run."""
        with self._open() as database:
            found = database.rows("select key, value from tags where run_uuid = :run", run=run_id)
        return {str(key): str(value) for key, value in found}

    def artifact_uri(self, run_id: str) -> str | None:
        """Return the present address of a run's files; None if there is no such run."""
        with self._open() as database:
            found = database.rows("select artifact_uri from runs where run_uuid = :run", run=run_id)
            here = self._here(database)
        return here(found[0][0]) if found else None

    def history(self, run_id: str, key: str) -> list[Point]:
        """Return all values of a metric, sorted by time, step and value."""
        return self._points("key = :key", run_id, key=key)

    def histories(self, run_id: str, prefix: str) -> list[Point]:
        """Return all values of the metrics whose names begin with ``prefix``, sorted by name, time, step and value."""
        return self._points("substr(key, 1, :length) = :prefix", run_id, length=len(prefix), prefix=prefix)

    def versions(self, name: str) -> list[Version]:
        """Return the versions of a registered model, newest first."""
        with self._open() as database:
            found = database.rows(_VERSIONS, name=name)
            tags = database.rows("select version, key, value from model_version_tags where name = :name", name=name)
            aliases = database.rows("select version, alias from registered_model_aliases where name = :name", name=name)
            here = self._here(database)
        return [
            Version(
                name,
                str(version),
                run_id or "",
                here(source),
                {key: value for of, key, value in tags if of == version},
                tuple(alias for of, alias in aliases if of == version),
            )
            for version, run_id, source in found
        ]

    def now(self) -> float:
        """Return the time by the clock of the database server, in seconds since 1970; for a file, by this machine's."""
        return self._clock.now() if _kind(self._where) in _NOW else time.time()

    def _ask_time(self) -> float:
        with self._open() as database:
            return float(database.rows(_NOW[_kind(self._where)])[0][0])

    def _runs(self, which: str, order: str, with_metrics: bool, values: dict[str, object]) -> list[Run]:
        tags: dict[str, dict[str, str]] = defaultdict(dict)
        params: dict[str, dict[str, str]] = defaultdict(dict)
        metrics: dict[str, dict[str, float]] = defaultdict(dict)
        with self._open() as database:
            found = database.rows(_RUN + "where " + which + order, **values)
            for table, of in (("tags", tags), ("params", params)):
                for run_id, key, value in database.rows(_OF_RUNS.format(table=table) + which, **values):
                    of[run_id][key] = value
            for run_id, key, value, is_nan in database.rows(_METRICS + which, **values) if with_metrics else ():
                metrics[run_id][key] = float("nan") if is_nan else value
            here = self._here(database)
        return [
            Run(
                RunInfo(run_id, str(experiment), name, status, begun, ended, here(place)),
                RunData(metrics[run_id], params[run_id], tags[run_id]),
            )
            for run_id, experiment, name, status, begun, ended, place in found
        ]

    def _points(self, which: str, run_id: str, **values: object) -> list[Point]:
        with self._open() as database:
            found = database.rows(_POINTS.format(which=which), run=run_id, **values)
        return [Point(key, float("nan") if is_nan else value, when, step) for key, value, is_nan, when, step in found]

    def _here(self, database: _Open) -> Callable[[str], str]:
        """Return a function from a recorded address of files to its present address; see ``moved``."""
        if not self._where.startswith(SQLITE):
            return str
        here = folders_of(self._where)
        made = moved.made_in(here, database.rows(moved.MADE))
        return lambda address: moved.present(str(address), made, here[0])

    @contextmanager
    def _open(self) -> Iterator[_Open]:
        if self._where.startswith(SQLITE):
            place = quote(str(file_of(self._where)))
            with closing(sqlite3.connect(f"file:{place}?mode=ro", LOCKED_SECONDS, uri=True)) as file:
                yield _File(file)
            return
        with self._engine.connect() as connection:
            yield _Connection(connection)

    @cached_property
    def _engine(self) -> Engine:
        from sqlalchemy import create_engine

        from rarelabels.record import bounds  # noqa: F401  importing it sets the bounds

        return create_engine(self._where, pool_pre_ping=True)


def _kind(where: str) -> str:
    return where.partition(":")[0].partition("+")[0]


class _File:
    def __init__(self, file: sqlite3.Connection) -> None:
        self._file = file

    def rows(self, statement: str, **values: object) -> list[Row]:
        return self._file.execute(statement, values).fetchall()


class _Connection:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def rows(self, statement: str, **values: object) -> list[Row]:
        from sqlalchemy import text

        return list(self._connection.execute(text(statement), values))
