"""Connections to PostgreSQL have bounds, unless the address sets others; those to SQLite have none."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import create_engine

from rarelabels.record import bounds


class ConnectedError(Exception):
    """Stands for a connection; carries what it was asked for."""


@pytest.mark.parametrize(("query", "seconds"), [("", 30), ("?connect_timeout=3", "3")])
def test_a_connection_to_postgresql_has_bounds(query: str, seconds: object, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = create_engine(f"postgresql+psycopg://me@127.0.0.1:1/mlflow{query}")
    given: dict[str, Any] = {}

    def connect(*_: Any, **named: Any) -> None:
        given.update(named)
        raise ConnectedError

    monkeypatch.setattr(engine.dialect, "connect", connect)
    with pytest.raises(ConnectedError):
        engine.connect()
    assert given["connect_timeout"] == seconds
    assert {key: given[key] for key in bounds.CONNECTION if key != "connect_timeout"} == {
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 60_000,
    }


def test_a_file_is_opened_without_bounds() -> None:
    with create_engine("sqlite://").connect() as connection:
        assert connection.exec_driver_sql("select 1").scalar() == 1
