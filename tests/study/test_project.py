"""The project and its record are found from any folder of the project."""

from __future__ import annotations

from pathlib import Path

import pytest

from old_record import unpack
from project import Project
from rarelabels.record import connection, opening
from rarelabels.study import project


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return unpack(tmp_path_factory.mktemp("old"))


def test_the_nearest_record_and_experiments_upwards(
    old: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for folder in (old.folder, old.folder / "experiments" / "films"):
        monkeypatch.chdir(folder)
        assert project.tracking_uri() == old.record
        assert project.experiments() == old.folder / "experiments"
    monkeypatch.chdir(tmp_path)
    assert project.tracking_uri() == connection.uri()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    assert project.tracking_uri() == "http://127.0.0.1:5000"


def test_a_block_in_the_project_and_back(old: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    below = old.folder / "experiments" / "films"
    monkeypatch.chdir(below)
    with project.entered():
        assert Path.cwd() == old.folder
    assert Path.cwd() == below
    with pytest.raises(FileNotFoundError), project.entered():
        Path("gone").read_text()
    assert Path.cwd() == below


def test_the_record_here_has_no_run_of_a_process_that_is_gone(old: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(old.folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    client = connection.connect(old.record)
    run = client.create_run(
        opening.open_experiment(client, "films"), tags={"kind": "run", "lease": "0", "owner": "nobody 0 0"}
    )
    assert project.record_here() == old.record
    assert client.get_run(run.info.run_id).info.status == "KILLED"
