"""How long connections to PostgreSQL wait, be they MLflow's, Optuna's or our own; set once this is imported.

Without bounds a server that vanished is waited for as long as TCP goes on, a quarter of an hour or two hours; one that
is frozen, and a row that a frozen or vanished process holds, for ever.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, event

CONNECTION = {"connect_timeout": 30, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
CONNECTION |= {"tcp_user_timeout": 60_000}  # milliseconds; the names are libpq's
DRIVERS = ("psycopg", "psycopg2")  # what uses libpq
IDLE_SECONDS = 60  # that a process may hold rows and say nothing; a transaction takes milliseconds


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
