"""What is read of a server past MLflow is what MLflow's own client gives."""

from __future__ import annotations

import pytest

from filled_record import check
from rarelabels.record.server import Server


def test_a_server_is_read_as_mlflow_reads_it(server: str) -> None:
    check(server, Server)


def test_a_server_cannot_name_a_file_above_the_folder_it_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("x/one.txt", "..", "x/..", "/", "/etc/passwd", "x/../../two.txt")
    told = {"files": [{"path": name, "is_dir": False} for name in names]}
    monkeypatch.setattr(Server, "_ask", lambda *_: told)
    assert set(Server("http://here").list_files("x")) == {"one.txt", "passwd", "two.txt"}
