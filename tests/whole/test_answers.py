"""A command whose record is damaged or cannot grow, or whose answer cannot be printed, ends in one line that helps."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from old_record import unpack
from project import Project

SIZE = 4096  # of a page of SQLite's
COMMANDS = (
    *(("run", "films"), ("results", "films"), ("results", "table", "--by", "rule"), ("findings",), ("best", "table")),
    *(("report",), ("predict", "table", "new.csv"), ("ui",)),
)
PRINTING = (
    *(("results", "films"), ("results", "films", "--format", "csv"), ("findings",), ("list",), ("validate",)),
    *(("schema",), ("predict", "table", "new.csv"), ("judge", "scores.csv"), ("best", "table"), ("run", "films")),
)


def garble(record: Path) -> None:
    with record.open("r+b") as file:
        file.write(b"garbage " * 64)


def cut(record: Path) -> None:
    os.truncate(record, record.stat().st_size // 2 // SIZE * SIZE)


def empty(record: Path) -> None:
    os.truncate(record, 0)


def replace(record: Path) -> None:
    record.write_text("<html>not found</html>", "utf-8")


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = unpack(tmp_path_factory.mktemp("old"))
    scores = pd.DataFrame({"true/a": [0, 1, 0, 1], "score/a": [0.1, 0.9, 0.4, 0.2]})
    scores = scores.assign(**{"true/b": [1, 0, 0, 1], "score/b": [0.5, 0.4, 0.3, 0.8]})
    scores.to_csv(project.folder / "scores.csv", index=False)
    return project


@pytest.fixture(scope="module", params=[garble, cut, empty, replace], ids=lambda damage: damage.__name__)
def damaged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = unpack(tmp_path_factory.mktemp("damaged"))
    damage: Callable[[Path], None] = request.param
    damage(project.folder / "runs" / "mlflow.db")
    return project


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_damaged_record_is_called_that_and_left_as_it_is(damaged: Project, command: tuple[str, ...]) -> None:
    record = damaged.folder / "runs" / "mlflow.db"
    before = record.read_bytes()
    out, err = damaged.do(*command, code=2)
    (line,) = err.splitlines()
    assert line.startswith(f"rarelabels: {record} is damaged (")
    assert "put back a copy of it" in line
    assert "MLFLOW_TRACKING_URI" not in line
    assert out == ""
    assert record.read_bytes() == before


def test_a_record_that_was_just_begun_has_no_byte_and_is_no_damage(tmp_path: Path) -> None:
    project = unpack(tmp_path)
    record = project.folder / "runs" / "mlflow.db"
    record.rename(tmp_path / "away.db")
    (project.folder / "runs" / "artifacts").rename(tmp_path / "away")
    record.touch()
    assert "nothing is recorded of films yet" in project.do("results", "films")[0]
    assert record.stat().st_size


def test_a_file_that_is_no_record_of_mlflow_is_called_that(tmp_path: Path) -> None:
    project = unpack(tmp_path)
    other = tmp_path / "other.db"
    other.mkdir()
    project.environment["MLFLOW_TRACKING_URI"] = f"sqlite:///{other}"
    _, err = project.do("results", "films", code=2)
    (line,) = err.splitlines()
    assert line.startswith(
        f"rarelabels: {other} cannot be opened or written (unable to open database file): let this user"
    )


@pytest.mark.long
@pytest.mark.parametrize("command", [("run", "films/floor_prior", "--seeds", "9"), ("ui", "--port", "1")])
def test_a_record_that_cannot_grow_is_called_that(tmp_path: Path, command: tuple[str, ...]) -> None:
    """As on a full disk: no file may become larger than the record is."""
    project = unpack(tmp_path)
    record = project.folder / "runs" / "mlflow.db"
    size = record.stat().st_size // 4

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    process = project.start(*command, preexec_fn=full, RARELABELS_PATIENCE="1")
    _, err = process.communicate(timeout=600)
    assert process.returncode == 2
    assert f"rarelabels: {record} cannot grow (disk I/O error): make room on its disk" in err.splitlines()[-1]
    assert "Traceback" not in err


def call(project: Project, command: tuple[str, ...], stdout: int) -> tuple[int, str]:
    """Return how a command ended that prints there, and what it said beside it."""
    ended = subprocess.run(
        [sys.executable, "-m", "rarelabels", *command],
        cwd=project.folder,
        env=project.environment,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
    )
    return ended.returncode, ended.stderr


@pytest.mark.long
@pytest.mark.parametrize("command", PRINTING, ids=" ".join)
def test_an_answer_that_nobody_can_keep_is_one_line_and_one_that_nobody_reads_any_more_is_none(
    old: Project, command: tuple[str, ...]
) -> None:
    with Path("/dev/full").open("w") as full:
        code, err = call(old, command, full.fileno())
    assert code == 2
    assert err.splitlines()[-1].startswith("rarelabels: the output cannot be written to stdout: No space left")
    assert "Traceback" not in err
    reader, writer = os.pipe()
    os.close(reader)
    code, err = call(old, command, writer)
    os.close(writer)
    assert code == 0
    assert "Error" not in err
    assert "Exception" not in err


@pytest.mark.long
def test_runs_that_failed_are_told_though_nobody_reads_the_comparison(old: Project) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    diverging = ("run", "films/bce", "--seeds", "4", "--set", "training.learning_rate=1e30")
    code, err = call(old, diverging, writer)
    os.close(writer)
    assert code == 1
    assert "FAILED films/bce seed 4" in err.splitlines()[-1]
