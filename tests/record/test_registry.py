"""Who may write to a registry or to files of a record can change numbers, never run code; what was changed is said."""

from __future__ import annotations

import doctest
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
import requests
from mlflow.exceptions import MlflowException
from mlflow.utils.validation import _validate_model_name

import mlflow_page
from old_record import unpack
from project import Project
from rarelabels.record import client as record_client
from rarelabels.record import connection, registry
from rarelabels.record.entities import Version

NAME = "rarelabels-table"
ANEW = "the model is not used. Ask who registered it; `rarelabels best table` registers a model anew"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A study whose best model is registered."""
    project = unpack(tmp_path_factory.mktemp("made"))
    project.do("best", "table")
    return project


@pytest.fixture
def project(trained: Project, tmp_path: Path) -> Project:
    """A copy of it, to be tampered with."""
    shutil.copytree(trained.folder, tmp_path / "proj")
    copied = Project(tmp_path / "proj", declared=False)
    record_client.mend(copied.record)
    return copied


def best(project: Project) -> Version:
    found = registry.registered(connection.connect(project.record), "table")
    assert found is not None
    return found


def model(project: Project) -> Path:
    """The folder of the registered model."""
    return Path(best(project).source.removeprefix("file://"))


def refused(project: Project) -> str:
    """What ``predict`` says, in one line."""
    out, err = project.do("predict", "table", "new.csv", code=2)
    assert not out
    assert err.count("\n") == 1
    return err


def register(project: Project, source: str, run_id: str, alias: str = "best") -> str:
    """Register a model by hand, as anyone may who may write to the record."""
    client = connection.connect(project.record).mlflow
    version = client.create_model_version(NAME, source, run_id).version
    client.set_registered_model_alias(NAME, alias, version)
    return str(version)


def trap(folder: Path) -> tuple[Path, Path]:
    """Write a model of MLflow's whose loader leaves a file, and return the model and that file."""
    code, sprung = folder / "loader.py", folder / "sprung"
    code.write_text(
        f"from pathlib import Path\nPath({str(sprung)!r}).touch()\n"
        "import mlflow\nclass M(mlflow.pyfunc.PythonModel):\n    def predict(self, model_input, params=None): ...\n"
        "mlflow.models.set_model(M())\n"
    )
    mlflow.pyfunc.save_model(folder / "trap", python_model=str(code), pip_requirements=[])
    sprung.unlink(missing_ok=True)
    mlflow.pyfunc.load_model(str(folder / "trap"))
    assert sprung.exists()  # it is one
    sprung.unlink()
    return folder / "trap", sprung


def test_code_in_the_artifact_does_not_run(project: Project) -> None:
    expected, sprung = project.do("predict", "table", "new.csv"), project.folder / "sprung"
    assert expected[1] == ""
    for file in model(project).rglob("*.py"):
        file.write_text(f"{file.read_text('utf-8')}\nopen({str(sprung)!r}, 'w').close()\n", "utf-8")
    (model(project) / "python_env.yaml").unlink()
    assert project.do("predict", "table", "new.csv") == expected
    assert "registered: rarelabels-table version 2 " in project.do("best", "table")[0]
    assert not sprung.exists()


def test_thresholds_that_were_changed_are_refused_and_best_registers_anew(project: Project) -> None:
    expected = project.do("predict", "table", "new.csv")
    thresholds = model(project) / "artifacts" / "predictor" / "thresholds.json"
    before = best(project)
    thresholds.write_text("".join(c if c not in "123456789" else "0" for c in thresholds.read_text("utf-8")), "utf-8")
    assert refused(project) == (
        f"rarelabels: {NAME} version 2 (run {before.run_id}): its file thresholds.json is not what was recorded; "
        f"{ANEW}\n"
    )
    assert "registered: rarelabels-table version 3 (alias best)" in project.do("best", "table")[0]
    assert best(project).source == f"{before.source.removesuffix('-2')}-3"
    assert project.do("predict", "table", "new.csv") == expected


def test_a_file_more_is_not_read(project: Project) -> None:
    expected = project.do("predict", "table", "new.csv")
    (model(project) / "artifacts" / "predictor" / "calibration.json").write_text("{}")
    assert project.do("predict", "table", "new.csv") == expected


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-9])


def link(file: Path) -> None:
    file.rename(file.with_name("elsewhere"))
    file.symlink_to(file.with_name("elsewhere"))


def link_folder(file: Path) -> None:
    file.parent.rename(file.parent.with_name("elsewhere"))
    file.parent.symlink_to(file.parent.with_name("elsewhere"))


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (cut, r"weights.npz has [\d,]+ of the [\d,]+ bytes that were recorded"),
        (Path.unlink, "weights.npz is missing, or no plain file"),
        (link, "weights.npz is missing, or no plain file"),
        (link_folder, "preprocessing.json is missing, or no plain file"),
    ],
)
def test_weights_that_are_not_what_was_registered_are_refused(
    project: Project, harm: Callable[[Path], None], says: str
) -> None:
    harm(model(project) / "artifacts" / "predictor" / "model" / "weights.npz")
    assert re.search(f": its file model/{says}; {re.escape(ANEW)}\n", refused(project))


def test_a_version_of_another_experiment_is_refused_and_nothing_runs(project: Project, tmp_path: Path) -> None:
    """It has the name, the alias and the tags of a good one, and code that would run if MLflow loaded it."""
    folder, sprung = trap(tmp_path)
    good, client = best(project), connection.connect(project.record)
    run = client.create_run(client.create_experiment("mine", (tmp_path / "mine").as_uri()), tags={"kind": "run"})
    shutil.copytree(model(project) / "artifacts", folder / "artifacts")
    client.log_artifacts(run.info.run_id, str(folder), "registered/0/half")
    client.set_terminated(run.info.run_id)
    version = register(project, f"{run.info.artifact_uri}/registered/0/half", run.info.run_id)
    for key, value in good.tags.items():
        client.set_model_version_tag(NAME, version, key, value)
    run_id = run.info.run_id
    assert f"{NAME} version {version} (run {run_id}): its run is none of the trials of table; {ANEW}\n" in refused(
        project
    )
    # One that says that it is of the good run, with files of its own.
    version = register(project, f"{run.info.artifact_uri}/registered/0/half", good.run_id)
    assert f"(run {good.run_id}): its files are not among those of its run; {ANEW}\n" in refused(project)
    assert not sprung.exists()
    assert "registered: rarelabels-table version 2 (alias best)" in project.do("best", "table")[0]
    assert project.do("predict", "table", "new.csv")[1] == ""
    assert not sprung.exists()


@pytest.mark.parametrize("way", ["/../../x", "/registered/../../x", "//etc", "/registered/%2e%2e/x", ""])
def test_a_source_that_leads_elsewhere_is_refused(project: Project, way: str) -> None:
    """MLflow itself refuses some of these: they are written to its database."""
    good = best(project)
    source = good.source.partition("/registered/")[0] + way
    with closing(sqlite3.connect(project.folder / "runs" / "mlflow.db")) as record, record:
        record.execute("update model_versions set source = ?", (source,))
    assert "its files are not among those of its run" in refused(project)


def test_a_run_that_is_no_finished_one_of_a_trial_is_refused(project: Project) -> None:
    good, client = best(project), connection.connect(project.record)
    client.update_run(good.run_id, status="FAILED")
    assert f"its run is not finished, but FAILED; {ANEW}\n" in refused(project)
    client.update_run(good.run_id, status="FINISHED")
    client.set_tag(good.run_id, "kind", "tried")
    assert f"its run is none of the trials of table; {ANEW}\n" in refused(project)
    register(project, good.source, "")
    assert f"(run unknown): its run is not in the record; {ANEW}\n" in refused(project)


SECRET = "a long enough one"


@pytest.mark.long
def test_on_a_server_with_login_another_users_model_is_refused(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user was first to take the name of the study's model, whose trials somebody else ran."""
    folder, sprung = trap(tmp_path)
    connection.connect(project.record).delete_registered_model(NAME)
    with mlflow_page.served(project, "--host", "0.0.0.0", MLFLOW_AUTH_ADMIN_PASSWORD=SECRET) as links:
        here = f"http://127.0.0.1:{links['table'].partition('/#')[0].rpartition(':')[2]}"
        user = {"username": "mallory", "password": f"{SECRET} too"}
        asked = requests.post(f"{here}/api/2.0/mlflow/users/create", json=user, auth=("admin", SECRET), timeout=30)
        asked.raise_for_status()
        good = next(run for run in project.runs(study="table") if run.data.tags["trial"] == "table/linear")
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", user["username"])
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", user["password"])
        theirs = mlflow.MlflowClient(here)
        run = theirs.create_run(
            theirs.create_experiment("theirs", (tmp_path / "theirs").as_uri()), tags={"kind": "run"}
        )
        theirs.log_artifacts(run.info.run_id, str(folder), "registered/0/half")
        theirs.set_terminated(run.info.run_id)
        theirs.create_registered_model(NAME)
        with pytest.raises(MlflowException):  # the study is not theirs
            theirs.set_tag(good.info.run_id, "sha256.registered/0/half/trial.json", "")
        project.environment |= {"MLFLOW_TRACKING_URI": here, "MLFLOW_TRACKING_USERNAME": "admin"}
        project.environment["MLFLOW_TRACKING_PASSWORD"] = SECRET
        source = f"{run.info.artifact_uri}/registered/0/half"
        version = theirs.create_model_version(NAME, source, run.info.run_id).version
        theirs.set_registered_model_alias(NAME, "best", version)
        assert f"(run {run.info.run_id}): its run is none of the trials of table; {ANEW}\n" in refused(project)
        assert "registered: rarelabels-table version 2 (alias best)" in project.do("best", "table")[0]
        assert project.do("predict", "table", "new.csv")[1] == ""
        theirs.set_registered_model_alias(NAME, "best", version)  # the name is theirs
        assert f"{NAME} version 1 (run {run.info.run_id})" in refused(project)
        project.environment["MLFLOW_TRACKING_PASSWORD"] = "of yesterday"
        for command in (("results", "table"), ("predict", "table", "new.csv")):
            err = project.do(*command, code=2)[1]
            assert (err.count("\n"), f"{here!r} does not let this user do that: set" in err) == (1, True)
    assert not sprung.exists()


def test_files_that_nobody_checked_and_cannot_be_read_are_one_line(tmp_path: Path) -> None:
    project = unpack(tmp_path / "old")
    (file,) = (project.folder / "runs").glob(
        "artifacts/table/*/artifacts/registered/*/*/artifacts/predictor/model/*.npz"
    )
    whole = file.read_bytes()
    np.savez(file, coefficients=np.array([{"a": 1}], dtype=object), intercepts=np.zeros(1))
    err = project.do("predict", "table", "new.csv", code=2)[1]
    assert "cannot be read: Object arrays cannot be loaded when allow_pickle=False; `rarelabels" in err
    cut(file)
    err = project.do("predict", "table", "new.csv", code=2)[1]
    assert "cannot be read: File is not a zip file; `rarelabels best table` registers a model anew\n" in err
    file.write_bytes(whole)
    raw = file.parents[1] / "raw.json"
    raw.write_text("{")
    err = project.do("predict", "table", "new.csv", code=2)[1]
    assert (err.count("\n"), "cannot be read: " in err) == (2, True)


def test_what_best_registers_is_loaded_by_mlflow_too(trained: Project) -> None:
    """The model stays for others, who trust its code."""
    rows = pd.read_csv(trained.folder / "new.csv", keep_default_na=False, nrows=5)
    assert len(mlflow.pyfunc.load_model(str(model(trained))).predict(rows)) == 5


def test_each_study_has_a_model_of_a_name_that_mlflow_takes() -> None:
    studies = ["movies", "a:b", "a-b", "it's", 'it"s', "猫", "x" * 255]
    names = [registry.registered_name(study) for study in studies]
    assert names[0] == "rarelabels-movies"
    assert len(set(names)) == len(studies)
    for name in names:
        _validate_model_name(name)
        assert len(name) <= registry.LONGEST_NAME
        assert "'" not in name
    assert doctest.testmod(registry).failed == 0
