"""What is read of a database past MLflow is what MLflow's own client gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from filled_record import check, fill
from old_record import unpack
from postgres import Postgres
from rarelabels.record import client as record_client
from rarelabels.record.database import Database


def test_a_file_is_read_as_mlflow_reads_it(filled: str) -> None:
    check(filled, Database)


@pytest.mark.long
def test_postgresql_is_read_as_mlflow_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # MLflow puts the files of such a record there
    with Postgres() as postgres:
        fill(postgres.create("readers"))
        check(postgres.url("readers"), Database)


def test_the_record_of_0_4_2_is_read_as_mlflow_reads_it(tmp_path: Path) -> None:
    record = unpack(tmp_path).record
    record_client.mend(record)  # MLflow reads addresses as they are
    check(record, Database)
