"""Records with everything that can be read: in a file, and behind a server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from filled_record import fill
from mlflow_server import MlflowServer
from rarelabels.record import connection, opening
from rarelabels.record.client import Client
from rarelabels.record.entities import Run


@pytest.fixture(scope="package")
def filled(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A record in a file whose name SQLite must not misread."""
    where = f"sqlite:///{tmp_path_factory.mktemp('a b#c')}/mlflow.db"
    fill(where)
    return where


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("server")
    with MlflowServer(folder) as one:
        fill(one.url)
        yield one.url


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Client:
    """A record in a file, without runs."""
    return connection.connect(f"sqlite:///{tmp_path_factory.mktemp('runs') / 'mlflow.db'}")


@pytest.fixture
def run(client: Client, tmp_path: Path) -> Run:
    """A run of an experiment of its own."""
    return client.create_run(opening.open_experiment(client, tmp_path.name))
