"""A project that is copied, moved, renamed or reached by a link: its record goes with it, and writes into no other."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest

from old_record import MADE_IN, unpack
from project import OF_THE_MACHINE, Project, free_port
from rarelabels.errors import UserError
from rarelabels.record import client as record_client
from rarelabels.record import connection, moved, opening, outbox, run_files
from rarelabels.show import ui

SEED = ("run", "films/floor_prior", "--seeds", "0,1,2")  # 2 is a new one
SAID = " and is here now: its addresses are mended"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose record says that it is where it is, summed up as now, with a registered model."""
    project = unpack(tmp_path_factory.mktemp("made") / "proj")
    _, err = project.do("best", "table")
    assert err.count(SAID) == 1
    assert f"made in {MADE_IN}/runs" in err
    project.do("run", "films", "table")
    return project


def copy(project: Project, folder: Path) -> Project:
    shutil.copytree(project.folder, folder, symlinks=True)
    return Project(folder, declared=False)


def content(folder: Path) -> dict[str, str]:
    """The digest of every file, and for a database all its rows."""
    files = {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    return {str(path.relative_to(folder)): hashlib.sha256(held).hexdigest() for path, held in files.items()}


def addresses(project: Project) -> list[str]:
    """All addresses of files in a record, but for MLflow's own experiment, which nobody uses."""
    columns = (("experiments", "artifact_location"), ("runs", "artifact_uri"))
    columns += (("model_versions", "source"), ("model_versions", "storage_location"))
    with closing(sqlite3.connect(project.folder / "runs" / "mlflow.db")) as record:
        found = [row[0] for table, column in columns for row in record.execute(f"select {column} from {table}")]
    return [address for address in found if not address.endswith("/mlruns/0")]


def are_here(project: Project) -> bool:
    return all(address.startswith(f"file://{project.folder}/runs/artifacts/") for address in addresses(project))


def summary(project: Project) -> tuple[dict[str, float], pd.DataFrame]:
    """The aggregate of the floor, and what its intervals come from."""
    (parent,) = [run for run in project.runs("trial", "films") if run.data.tags["trial"] == "films/floor_prior"]
    numbers = {name: value for name, value in parent.data.metrics.items() if name not in OF_THE_MACHINE}
    table = run_files.file(connection.connect(project.record), parent.info.run_id, "by_seed.parquet")
    assert table.is_relative_to(project.folder)
    return numbers, pd.read_parquet(table)


READING = (
    *(("results", "films", "--format", "csv"), ("results", "table", "--by", "rule"), ("findings",)),
    *(("best", "table"), ("predict", "table", "new.csv"), ("run", "films", "table")),
)


@pytest.mark.long
def test_what_is_run_in_a_copy_changes_nothing_of_the_original(made: Project, tmp_path: Path) -> None:
    copied = copy(made, tmp_path / "copy")
    before = content(made.folder)
    _, err = copied.do(*SEED)
    assert "films: 1 run to do, 2 finished before" in err
    assert err.count(SAID) == 1
    assert content(made.folder) == before
    assert are_here(made)
    assert are_here(copied)
    assert "films: 0 runs to do, 6 finished before" in made.do("run", "films")[1]
    assert content(made.folder) == before
    assert SAID not in copied.do("run", "films")[1]
    # The same where it was never copied: figures and intervals are those of three seeds.
    apart = unpack(tmp_path / "apart")
    apart.do(*SEED)
    wanted, found, before_it = summary(apart), summary(copied), summary(made)
    assert found[0] == wanted[0] != before_it[0]
    pd.testing.assert_frame_equal(found[1], wanted[1], rtol=1e-12)
    assert not found[1].equals(before_it[1])


@pytest.fixture(scope="module")
def told(made: Project, tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, dict[str, str]]:
    """A project that was moved, and what commands printed before; its old folder is gone."""
    folder = tmp_path_factory.mktemp("moved")
    there = copy(made, folder / "there")
    there.do(*SEED)  # says that it is there
    printed = {" ".join(arguments): there.do(*arguments)[0] for arguments in READING}
    shutil.move(there.folder, folder / "ä new place & #1, 100%")
    return Project(folder / "ä new place & #1, 100%", declared=False), printed


def test_a_moved_project_is_read_as_before_and_reading_writes_nothing(told: tuple[Project, dict[str, str]]) -> None:
    here, printed = told
    before = content(here.folder)
    for arguments in READING:
        assert here.do(*arguments)[0] == printed[" ".join(arguments)], arguments
    assert content(here.folder) == before


@pytest.mark.long
def test_a_moved_project_goes_on(told: tuple[Project, dict[str, str]]) -> None:
    here, _ = told
    assert here.do("report")[0] == "runs/report.html: films, table\n"
    _, err = here.do("run", "films/floor_prior", "--seeds", "0,1,2,3")
    assert "films: 1 run to do, 3 finished before" in err
    places = [moved.path_of(address) for address in addresses(here)]
    assert all(place and place.is_relative_to(here.folder) for place in places)
    assert [folder.name for folder in here.folder.parent.iterdir()] == [here.folder.name]
    (parent,) = [run for run in here.runs("trial", "films") if run.data.tags["trial"] == "films/floor_prior"]
    assert parent.data.tags["seeds"] == "0 1 2 3"


def test_the_old_record_is_read_wherever_it_is_unpacked(tmp_path: Path) -> None:
    project = unpack(tmp_path / "proj")
    before = content(project.folder)
    for arguments in READING:
        if arguments[0] not in ("best", "run"):  # one registers a model anew, one sums up anew
            assert SAID not in project.do(*arguments)[1]
    assert content(project.folder) == before
    assert all(MADE_IN in address for address in addresses(project))
    assert SAID in project.do("best", "table")[1]
    assert are_here(project)


@pytest.mark.long
def test_a_link_to_the_folder_is_the_same_place(made: Project, tmp_path: Path) -> None:
    real = copy(made, tmp_path / "real")
    record_client.mend(real.record)
    (tmp_path / "link").symlink_to(real.folder)
    linked = Project(tmp_path / "link", declared=False)
    linked.environment["MLFLOW_TRACKING_URI"] = f"sqlite:///{linked.folder}/runs/mlflow.db"
    before = addresses(real)
    _, err = linked.do(*SEED)
    assert "films: 1 run to do, 2 finished before" in err
    assert SAID not in err
    assert are_here(real)
    assert set(before) < set(addresses(real))
    assert SAID not in real.do("run", "films")[1]


def test_a_record_made_through_a_link_does_not_depend_on_it(made: Project, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    client = connection.connect(f"sqlite:///{tmp_path}/link/mlflow.db")
    run = client.create_run(opening.open_experiment(client, "movies"))
    assert run.info.artifact_uri.startswith(f"file://{tmp_path}/real/artifacts/movies/")


def test_a_copy_that_cannot_be_written_is_read_and_says_so_when_it_has_to_be_written(
    made: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = copy(made, tmp_path / "copy")
    for path in (copied.folder / "runs").rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    if not os.getuid():  # root may write everything; SQLite's own word for a file that one may not
        real = sqlite3.connect
        monkeypatch.setattr(
            sqlite3, "connect", lambda place, *rest, **named: real(place.replace("mode=rw", "mode=ro"), *rest, **named)
        )
    before = content(copied.folder)
    for arguments in READING:
        copied.do(*arguments)
    assert content(copied.folder) == before
    _, err = copied.do(*SEED, code=2)
    last = err.splitlines()[-1]
    assert "was copied or moved here, and the addresses in it cannot be mended (attempt to write a readonly" in last
    assert "Traceback" not in err
    assert content(copied.folder) == before


def test_the_page_is_served_on_mended_addresses(made: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(*_: object) -> None:
        raise UserError("this test needs no server")

    monkeypatch.setattr(ui, "_start", start)
    first = copy(made, tmp_path / "first")
    assert "needs no server" in first.do("ui", "--port", str(free_port()), code=2)[1]  # its views are in the record now
    second = copy(first, tmp_path / "second")
    assert SAID in second.do("ui", "--port", str(free_port()), code=2)[1]
    assert are_here(second)


def test_results_that_wait_in_a_copied_outbox_are_delivered_to_the_copy(made: Project, tmp_path: Path) -> None:
    """Both records have the run, and each gets its files."""
    first = copy(made, tmp_path / "first")
    (run, *_) = first.runs("run", "films")
    box = outbox.of_run(connection.outboxes(first.record), first.record, run.info.run_id)
    with box.files() as folder:
        (folder / "late.txt").write_text("late", "utf-8")
    box.add({"status": "FINISHED", "at": run.info.end_time})
    box.leave()
    second = copy(first, tmp_path / "second")
    before = content(first.folder)
    assert "the results of 1 run waited on disk" in second.do("run", "films")[1]
    assert content(first.folder) == before
    assert "the results of 1 run waited on disk" in first.do("run", "films")[1]
    for project in (first, second):
        late = run_files.file(connection.connect(project.record), run.info.run_id, "late.txt")
        assert late.is_relative_to(project.folder)


# Which addresses are whose


def test_addresses_of_here_of_elsewhere_and_of_others() -> None:
    here = Path("/new/runs")
    experiments = [
        ("Default", "/old/mlruns/0"),
        ("rarelabels/movies", "file:///old/runs/artifacts/movies"),
        ("rarelabels/movies/tuning", "file:///ol%20d/runs/artifacts/movies/tuning"),
        ("rarelabels/own", "file:///mine/of/purpose"),
        ("other", "file:///third/artifacts/other"),
        ("rarelabels/served", "mlflow-artifacts:/7"),
        ("rarelabels/here", "file:///new/runs/artifacts/here"),
        ("rarelabels/beside_its_database", "file:///data/artifacts/beside_its_database"),
        ("rarelabels/nowhere", None),
    ]
    made = moved.made_in([here, Path("/data")], experiments)
    assert made == [Path("/old/runs"), Path("/ol d/runs")]
    for address, expected in (
        ("file:///old/runs/artifacts/movies/1/artifacts", "file:///new/runs/artifacts/movies/1/artifacts"),
        ("file:///ol%20d/runs/artifacts/x%23", "file:///new/runs/artifacts/x%23"),
        ("file:///old/runs/else", None),
        ("file:///old/runs/artifacts/../../secret", None),
        ("file:///mine/of/purpose/1", None),
        ("file://host/old/runs/artifacts/movies", None),
        ("mlflow-artifacts:/7/1/artifacts", None),
        ("s3://old/runs/artifacts/movies", None),
    ):
        assert moved.present(address, made, here) == (expected or address)
