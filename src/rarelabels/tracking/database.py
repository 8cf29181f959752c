"""Read what is small of the runs in MLflow's own database, past MLflow: its tables of runs, tags and parameters.

Whatever this process keeps in PostgreSQL, be it MLflow's, Optuna's or read here, its connections have the bounds that
are set here.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from mlflow.entities import Param, Run, RunData, RunInfo, RunTag
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST
from mlflow.store.db.db_types import DATABASE_ENGINES
from sqlalchemy import Engine, create_engine, event, text

# Without these a server that vanished is waited for as long as TCP goes on, a quarter of an hour or two hours; one that
# is frozen, and a row that a frozen or vanished process holds, for ever. The names are libpq's.
CONNECTION = {"connect_timeout": 30, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
CONNECTION |= {"tcp_user_timeout": 60_000}  # milliseconds
DRIVERS = ("psycopg", "psycopg2")  # what uses libpq
IDLE_SECONDS = 60  # that a process may hold rows and say nothing; a transaction takes milliseconds

_RUNS = """
select r.run_uuid, r.name, r.user_id, r.status, r.start_time, r.end_time, r.artifact_uri from runs r
where r.experiment_id = :experiment and r.lifecycle_stage = 'active' and (:kind = '' or exists
  (select 1 from tags k where k.run_uuid = r.run_uuid and k.key = 'kind' and k.value = :kind))
order by r.start_time, r.run_uuid
"""
_OF_RUNS = """
select t.run_uuid, t.key, t.value from {table} t join runs r on r.run_uuid = t.run_uuid
where r.experiment_id = :experiment and r.lifecycle_stage = 'active'
"""


def is_one(where: str) -> bool:
    """Return whether a tracking URI is a database that this process reads itself."""
    return where.partition(":")[0].partition("+")[0] in DATABASE_ENGINES


def heads(where: str, experiment: str, kind: str) -> list[Run]:
    """Return the runs of an experiment, or those of a kind, oldest first, without metrics and inputs.

    Args:
        where: URL of the database.
        experiment: MLflow's id.
        kind: what the tag of that name says; all runs if empty.
    """
    asked = {"experiment": int(experiment), "kind": kind}
    tags: dict[str, list[RunTag]] = {}
    params: dict[str, list[Param]] = {}
    with _engine(where).connect() as open_:
        found = open_.execute(text(_RUNS), asked).all()
        for run_id, key, value in open_.execute(text(_OF_RUNS.format(table="tags")), asked):
            tags.setdefault(run_id, []).append(RunTag(key, value))
        for run_id, key, value in open_.execute(text(_OF_RUNS.format(table="params")), asked):
            params.setdefault(run_id, []).append(Param(key, value))
    return [
        Run(
            RunInfo(run_id, experiment, user, status, begun, ended, "active", place, name),
            RunData([], params.get(run_id, []), tags.get(run_id, [])),
        )
        for run_id, name, user, status, begun, ended, place in found
    ]


def artifact_uri(where: str, run_id: str) -> str:
    """Return where the files of a run are.

    Raises:
        MlflowException: there is no such run.
    """
    with _engine(where).connect() as open_:
        found = open_.execute(text("select artifact_uri from runs where run_uuid = :run"), {"run": run_id}).scalar()
    if found is None:
        raise MlflowException(f"Run with id={run_id} not found", error_code=RESOURCE_DOES_NOT_EXIST)
    return str(found)


@lru_cache(maxsize=4)
def _engine(where: str) -> Engine:
    return create_engine(where, pool_pre_ping=True)


@event.listens_for(Engine, "do_connect")
def _set_bounds(dialect: Any, _: Any, __: list[Any], named: dict[str, Any]) -> None:
    """Let no connection wait for ever for a server that says nothing; what the address says itself goes first."""
    if dialect.driver in DRIVERS:
        named |= CONNECTION | named


@event.listens_for(Engine, "connect")
def _let_go(connection: Any, _: Any) -> None:
    """Have the server end this process's transaction, should the process be frozen or vanish in the middle of one."""
    if type(connection).__module__.partition(".")[0] not in DRIVERS:
        return
    with connection.cursor() as cursor:
        cursor.execute(f"set idle_in_transaction_session_timeout = {IDLE_SECONDS * 1000}")
    connection.commit()
