"""Where the record is, and what is told if it does not answer."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy

from rarelabels.errors import UserError
from rarelabels.record import connection, queries
from rarelabels.record.client import reader


def test_a_record_that_is_not_there_yet_is_made(tmp_path: Path) -> None:
    for name, content in (("none", None), ("empty", b"")):  # the second: cut off before there was a table
        where = f"sqlite:///{tmp_path / name / 'mlflow.db'}"
        if content is not None:
            (tmp_path / name).mkdir()
            (tmp_path / name / "mlflow.db").write_bytes(content)
        assert not reader(where).is_begun()
        assert queries.find_experiment(connection.connect(where), "movies") is None
        assert reader(where).is_begun()


def test_a_database_that_goes_away_in_a_transaction_is_one_line() -> None:
    """MLflow tries to roll back, which raises what no handler of its own sees."""
    went = sqlalchemy.exc.OperationalError("ROLLBACK", {}, Exception("terminating connection"))
    with pytest.raises(UserError, match="does not answer"), connection.answering("postgresql://me@here/mlflow"):
        raise went
    wrong = sqlalchemy.exc.ProgrammingError("select", {}, Exception("no such table"))
    with pytest.raises(sqlalchemy.exc.ProgrammingError), connection.answering("postgresql://me@here/mlflow"):
        raise wrong
