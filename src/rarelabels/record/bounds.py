"""Bounds on how long connections to PostgreSQL wait. Importing this module sets them.

They hold for connections of MLflow, of Optuna and of this package. Without bounds, a client waits for a vanished server
until TCP gives up, after 15 minutes or two hours. It waits for ever for a frozen server, and for a row that a frozen or
vanished process has locked.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, event

CONNECTION = {"connect_timeout": 30, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
CONNECTION |= {"tcp_user_timeout": 60_000}  # milliseconds; the names are libpq's
DRIVERS = ("psycopg", "psycopg2")  # the drivers that use libpq
IDLE_SECONDS = 60  # a silent process may lock rows for so long; a transaction takes milliseconds


@event.listens_for(Engine, "do_connect")
def _set_bounds(dialect: Any, _: Any, __: list[Any], named: dict[str, Any]) -> None:
    """Bound how long a connection waits for a silent server. Settings in the address itself take precedence."""
    if dialect.driver in DRIVERS:
        named |= CONNECTION | named


@event.listens_for(Engine, "connect")
def _let_go(connection: Any, _: Any) -> None:
    """Make the server end a transaction of this process if the process freezes or vanishes in the middle of it."""
    if type(connection).__module__.partition(".")[0] not in DRIVERS:
        return
    with connection.cursor() as cursor:
        cursor.execute(f"set idle_in_transaction_session_timeout = {IDLE_SECONDS * 1000}")
    connection.commit()
