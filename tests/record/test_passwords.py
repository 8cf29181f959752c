"""No password of a record's or a storage's address is printed or recorded by any command, however odd it is."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pandas as pd
import pytest
import requests
import sqlalchemy

from old_record import unpack
from postgres import Postgres
from project import Project, free_port, wait_for

pytestmark = pytest.mark.long

ODD = "s3/cr@t:%?&pw w"
QUOTED = quote(ODD, safe="")
FORMS = {ODD, QUOTED, quote(ODD), ODD.replace("@", "%40"), "s3/cr", "s3%2Fcr", "cr@t"}
FAILS = "training.learning_rate=1e30"
COMMANDS = (
    ("run", "films/floor_prior", "films/bce", "--seeds", "0", "--set", FAILS, "--workers", "1"),
    ("run", "table/tuned", "--seeds", "0", "--workers", "1"),
    *(("results", "films"), ("results", "table", "--format", "csv"), ("findings",), ("best", "table"), ("report",)),
    *(("predict", "table", "new.csv"), ("judge", "scores.csv", "--log", "mine", "--format", "csv")),
)
OF_A_SERVER = (
    *(("run", "films/floor_prior", "--seeds", "0", "--workers", "1"), ("results", "films")),
    ("judge", "scores.csv", "--log", "mine", "--format", "csv"),
)


def told(text: str) -> list[str]:
    """The lines of a text in which a password is, or much of one."""
    return [line for line in text.splitlines() if any(form in line for form in FORMS)]


def look(folder: Path) -> list[str]:
    """The files below a folder that have a password in them."""
    found = []
    for path in folder.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        found += [str(path) for form in FORMS if form.encode() in content]
    return found


def dump(url: str) -> str:
    """Everything that is in the tables of a database."""
    engine = sqlalchemy.create_engine(url)
    tables = sqlalchemy.MetaData()
    tables.reflect(engine)
    with engine.connect() as asked:
        rows = [str(row) for table in tables.sorted_tables for row in asked.execute(table.select())]
    engine.dispose()
    assert rows
    return "\n".join(rows)


def do_all(project: Project, commands: tuple[tuple[str, ...], ...]) -> list[str]:
    """Do commands in processes of their own; return the lines with a password that they print."""
    scores = pd.DataFrame({"true/a": [0, 1, 0, 1], "score/a": [0.1, 0.9, 0.4, 0.2]})
    scores = scores.assign(**{"true/b": [1, 0, 0, 1], "score/b": [0.5, 0.4, 0.3, 0.8]})
    scores.to_csv(project.folder / "scores.csv", index=False)
    found = []
    for command in commands:
        process = project.start(*command)
        out, err = process.communicate(timeout=900)
        assert process.returncode == (1 if FAILS in command else 0), (command, err)
        assert "Traceback" not in err
        found += told(out) + told(err)
    return found


def print_links(project: Project) -> list[str]:
    """Open the page, end it when it has printed its links, and return the lines with a password."""
    process = project.start("ui", "--port", str(free_port()))
    assert process.stdout is not None
    assert process.stderr is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "Ctrl-C" in line or "viewStateShareKey" in line:
            break
    process.terminate()
    out, err = process.communicate(timeout=120)
    assert any("/#/experiments/" in line for line in lines), err
    return told("".join(lines)) + told(out) + told(err)


def test_of_databases_for_the_record_and_for_searches(tmp_path: Path) -> None:
    project = unpack(tmp_path)
    (tmp_path / "runs").rename(tmp_path / "old")
    declared = tmp_path / "experiments" / "table" / "tuned.yaml"
    declared.write_text(declared.read_text("utf-8").replace("n_trials: 4", "n_trials: 1"), "utf-8")
    with Postgres() as started:
        urls = {}
        for name in ("mlflow", "optuna"):
            urls[name] = started.create(name).replace("me@", f"me:{QUOTED}@")
        project.environment |= {"MLFLOW_TRACKING_URI": urls["mlflow"], "OPTUNA_STORAGE": urls["optuna"]}
        assert do_all(project, COMMANDS) == []
        assert print_links(project) == []
        for url in urls.values():
            assert told(dump(url)) == []
    for name in ("runs", "mlruns", "mlartifacts"):
        assert look(tmp_path / name) == []
    # nothing answers any more, and an address may be written as nobody can read it
    for password in (QUOTED, ODD):
        for name, command in (("MLFLOW_TRACKING_URI", COMMANDS[2]), ("OPTUNA_STORAGE", COMMANDS[1])):
            project.environment.pop("MLFLOW_TRACKING_URI", None)
            project.environment |= {name: f"postgresql+psycopg://me:{password}@127.0.0.1:{started.port}/mlflow"}
            process = project.start(*command)
            out, err = process.communicate(timeout=900)
            assert process.returncode == 2, err
            assert told(out) + told(err) == []
            assert len([line for line in err.splitlines() if line.startswith("rarelabels: ")]) == 1, err


@pytest.fixture
def with_login(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A server that knows one user, with an odd password."""
    folder, port = tmp_path_factory.mktemp("server"), free_port()
    users = folder / "auth.ini"
    users.write_text(
        f"[mlflow]\ndefault_permission = READ\nadmin_username = admin\ndatabase_uri = sqlite:///{folder}/users.db\n"
    )
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder}/server.db", "--app-name", "basic-auth"]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    own = {"MLFLOW_AUTH_ADMIN_PASSWORD": ODD, "MLFLOW_AUTH_CONFIG_PATH": str(users)}
    own |= {"MLFLOW_FLASK_SERVER_SECRET_KEY": "k" * 32, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            command, env=os.environ | own, stdout=log, stderr=log, start_new_session=True, cwd=folder
        )
        try:
            wait_for(lambda: answers(f"http://127.0.0.1:{port}/health"), 120)
            yield f"http://admin:{QUOTED}@127.0.0.1:{port}", folder
        finally:
            os.killpg(server.pid, 9)
            server.wait()


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        time.sleep(0.2)
        return False


def test_of_a_server_with_login(tmp_path: Path, with_login: tuple[str, Path]) -> None:
    project = unpack(tmp_path)
    (tmp_path / "runs").rename(tmp_path / "old")
    project.environment["MLFLOW_TRACKING_URI"], server = with_login
    assert do_all(project, OF_A_SERVER) == []
    assert print_links(project) == []
    assert told(dump(f"sqlite:///{server}/server.db")) == []
    assert look(tmp_path / "runs") == look(server / "artifacts") == []
