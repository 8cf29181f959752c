"""Files on an MLflow server that are deleted or cut."""

from __future__ import annotations

from pathlib import Path

import pytest

from damaged_record import FAULTS, STUDY, Shown, check_whole, cut, declare, read, run_of
from mlflow_server import MlflowServer


@pytest.mark.long
def test_a_server(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    project, place = declare(tmp_path), tmp_path_factory.mktemp("server")
    with MlflowServer(place) as server:
        project.environment["MLFLOW_TRACKING_URI"] = server.url
        project.do("run", STUDY)
        before = Shown.of(project)
        assert project.do("check")[0].startswith("all is well")
        linear = run_of(project, "trial")
        (file,) = place.rglob(f"{linear.info.run_id}/artifacts/summary.csv")
        file.unlink()
        read(project, "results", FAULTS[0])
        assert "summary.csv is missing; its runs are summed up again" in project.do("run", STUDY)[1]
        (file,) = place.rglob(f"{run_of(project, 'run').info.run_id}/artifacts/scores/test.parquet")
        cut(file)
        assert "1 fault;" in project.do("check", code=1)[0]
        project.do("check", "--repair")
        project.do("run", STUDY)
        check_whole(project, before)
