"""A new local record beside one that MLflow makes by itself."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from mlflow import MlflowClient

from rarelabels.record import connection, empty

TIMES = ("creation_time", "last_update_time", "artifact_location")


def content(place: Path) -> dict[str, object]:
    """Tables, indices, columns and rows of a database, without when and where it was made.

    Constraints stand in another order each time that MLflow makes them.
    """
    with closing(sqlite3.connect(place)) as database:
        database.row_factory = sqlite3.Row
        names = database.execute("select type, name, tbl_name from sqlite_master").fetchall()
        found: dict[str, object] = {"": sorted(map(tuple, names))}
        for (name,) in database.execute("select name from sqlite_master where type = 'table'").fetchall():
            columns = [tuple(row) for row in database.execute(f'pragma table_info("{name}")')]
            rows = [dict(row) for row in database.execute(f'select * from "{name}"')]
            found[name] = columns, [{key: value for key, value in row.items() if key not in TIMES} for row in rows]
        return found


def location(place: Path) -> str:
    with closing(sqlite3.connect(place)) as database:
        return str(database.execute("select artifact_location from experiments").fetchone()[0])


def test_it_holds_what_mlflow_makes_and_a_place_of_its_own(tmp_path: Path) -> None:
    MlflowClient(f"sqlite:///{tmp_path / 'theirs.db'}").search_experiments()
    for name in ("first", "second"):
        connection.connect(f"sqlite:///{tmp_path / name / 'mlflow.db'}")
        assert content(tmp_path / name / "mlflow.db") == content(tmp_path / "theirs.db")
        assert location(tmp_path / name / "mlflow.db") == (tmp_path / name / "artifacts" / "0").as_uri()


def test_without_a_cache_mlflow_makes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("RARELABELS_CACHE", str(tmp_path / "file" / "cache"))
    empty.put(tmp_path / "mlflow.db")
    assert not (tmp_path / "mlflow.db").exists()
    client = connection.connect(f"sqlite:///{tmp_path / 'mlflow.db'}")
    assert client.read.is_begun()
