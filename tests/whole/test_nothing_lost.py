"""What machines do to a study: kill -9 of each part, a full disk, damaged files, two studies at once.

After each the same command finishes the rest, nothing is counted twice, no finished run is lost, and the numbers are
those of an undisturbed study, bit by bit.
"""

from __future__ import annotations

import resource
import signal
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pandas as pd
import psutil
import pytest

from mlflow_server import MlflowServer
from project import Project, wait_for
from rarelabels.record.writing import PAUSE_SECONDS

STUDY = ["run", "movies/floor_prior", "movies/linear_bce", "movies/bce_accuracy", "--seeds", "0,1"]
STUDY += ["--set", "training.epochs=8"]
RUNS = 6


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(tmp_path_factory.mktemp("undisturbed"), plain=True, genres=5)
    project.call(*STUDY)
    return project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path, plain=True, genres=5)


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    with MlflowServer(tmp_path_factory.mktemp("server")) as started:
        yield started


def check(project: Project, undisturbed: Project) -> None:
    """Every run counts once, and all numbers are the same bits."""
    runs = project.runs()
    assert {run.info.status for run in runs} <= {"FINISHED", "KILLED", "FAILED"}  # none RUNNING for ever
    assert len(project.counted()) == RUNS
    pd.testing.assert_frame_equal(project.counted(), undisturbed.counted(), check_exact=True)
    assert project.summaries() == undisturbed.summaries()


def statuses(project: Project) -> Counter[str]:
    return Counter(run.info.status for run in project.runs())


def workers(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """The processes of a command that have TensorFlow loaded."""
    found = []
    for child in psutil.Process(process.pid).children(recursive=True):
        try:
            if any("tensorflow" in file.path for file in child.memory_maps()):
                found.append(child)
        except psutil.Error:
            continue
    return found


def epochs_told(project: Project) -> int:
    """How many epochs of runs that still go on the outboxes have; those of finished runs are gone."""
    journals = (project.folder / "runs" / "outbox").glob("*/journal.jsonl")
    return sum(journal.read_text("utf-8").count('"curve/loss"') for journal in journals if journal.exists())


def is_training(project: Project) -> bool:
    try:
        return epochs_told(project) >= 2
    except OSError:  # a run has just ended
        return False


@pytest.mark.long
def test_kill_nine_of_a_worker_in_mid_epoch(project: Project, undisturbed: Project) -> None:
    process = project.start(*STUDY)
    wait_for(lambda: is_training(project))
    victim = workers(process)[0]
    victim.send_signal(signal.SIGKILL)
    _, err = process.communicate(timeout=1800)
    assert process.returncode == 0, err
    assert statuses(project)["KILLED"] == 1
    check(project, undisturbed)


@pytest.mark.long
def test_kill_nine_of_the_parent_in_mid_study(project: Project, undisturbed: Project) -> None:
    process = project.start(*STUDY)
    wait_for(lambda: is_training(project))
    process.kill()
    process.communicate(timeout=300)
    wait_for(lambda: not project.processes(), 300)  # no worker outlives it
    before = statuses(project)
    project.call(*STUDY)
    after = statuses(project)
    assert after["FINISHED"] == RUNS
    assert after["KILLED"] == before["RUNNING"] > 0
    check(project, undisturbed)


@pytest.fixture
def away(project: Project, server: MlflowServer) -> Iterator[subprocess.Popen[str]]:
    """The study in mid-epoch, whose server was killed a moment ago."""
    project.environment["MLFLOW_TRACKING_URI"] = server.url
    process = project.start(*STUDY)
    wait_for(lambda: is_training(project))
    server.kill()
    yield process
    process.kill()
    process.communicate()


def waiting(project: Project) -> int:
    """How many runs have ended, and wait on disk for their record."""
    journals = (project.folder / "runs" / "outbox").glob("*/journal.jsonl")
    return sum('{"status": "FINISHED"' in journal.read_text("utf-8") for journal in journals)


@pytest.mark.long
def test_a_server_that_is_killed_and_comes_back_after_a_while(
    project: Project, undisturbed: Project, server: MlflowServer, away: subprocess.Popen[str]
) -> None:
    """The same call of the command ends well; no training is made twice."""
    wait_for(lambda: waiting(project) > 0)
    time.sleep(2 * PAUSE_SECONDS)  # it has been looked for, and more than once
    assert away.poll() is None
    server.start()
    _, err = away.communicate(timeout=1800)
    assert away.returncode == 0, err
    assert statuses(project) == {"FINISHED": RUNS}
    check(project, undisturbed)
    assert not list((project.folder / "runs" / "outbox").iterdir())


@pytest.mark.long
def test_trained_runs_wait_on_disk_for_a_server_that_stays_away(
    project: Project, undisturbed: Project, server: MlflowServer, away: subprocess.Popen[str]
) -> None:
    """Everything is killed while results wait: the next call delivers them, and trains only what was not trained."""
    wait_for(lambda: waiting(project) > 0)
    away.kill()
    away.communicate(timeout=300)
    wait_for(lambda: not project.processes(), 300)
    trained = waiting(project)
    server.start()
    before = statuses(project)
    _, err = project.do(*STUDY)
    assert f"the results of {trained} run{'s' if trained > 1 else ''} waited on disk" in err
    assert f"{before['FINISHED'] + trained} finished before" in err
    assert statuses(project)["FINISHED"] == RUNS
    check(project, undisturbed)


@pytest.mark.long
def test_a_disk_that_is_full(project: Project, undisturbed: Project) -> None:
    """A file may not grow beyond a size: runs fail with one line, and with room again the same command goes on."""
    project.do("run", "movies/floor_prior", "--seeds", "0")
    size = (project.folder / "runs" / "mlflow.db").stat().st_size
    limit = size + 2**18

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    process = project.start(*STUDY, preexec_fn=full, RARELABELS_PATIENCE="5")
    _, err = process.communicate(timeout=1800)
    assert process.returncode in (1, 2), err
    assert "Traceback" not in err
    assert len(err.splitlines()[-1]) < 600
    project.do(*STUDY)
    check(project, undisturbed)


@pytest.mark.long
def test_damaged_files_of_the_cache(project: Project, undisturbed: Project) -> None:
    cache = project.folder / "cache"
    project.environment["RARELABELS_CACHE"] = str(cache)
    project.do("run", "movies/floor_prior", "--seeds", "0,1")
    files = [file for file in cache.rglob("*") if file.is_file()]
    assert files
    for number, file in enumerate(files):
        content = bytearray(file.read_bytes())
        if number % 2:
            del content[len(content) // 2 :]
        else:
            content[len(content) // 2] ^= 1
        file.write_bytes(content)
    _, err = project.call(*STUDY)
    assert "is damaged or not ours; building it again" in err
    check(project, undisturbed)


@pytest.mark.long
def test_two_studies_started_at_once_on_the_same_record(project: Project, undisturbed: Project) -> None:
    """They may do the same work; the record counts it once."""
    both = [project.start(*STUDY, "--workers", "1") for _ in range(2)]
    ends = [process.communicate(timeout=1800) for process in both]
    assert [process.returncode for process in both] == [0, 0], ends
    project.do(*STUDY)
    check(project, undisturbed)


@pytest.mark.stress
def test_two_hundred_runs_of_sixteen_workers_on_one_sqlite_file(project: Project) -> None:
    """None is told that the database is locked, and every metric arrives: each is counted."""
    names = ["movies/floor_zeros", "movies/floor_prior", "movies/linear_bce"]
    seeds = ",".join(map(str, range(67)))
    _, err = project.call("run", *names, "--seeds", seeds, "--workers", "16", timeout=1800)
    assert "locked" not in err
    runs = project.runs()
    assert Counter(run.data.tags["trial"] for run in runs) == dict.fromkeys(names, 67)
    assert {run.info.status for run in runs} == {"FINISHED"}
    one = {name: {len(run.data.metrics) for run in runs if run.data.tags["trial"] == name} for name in names}
    assert all(len(counts) == 1 for counts in one.values()), one
    with closing(sqlite3.connect(project.folder / "runs" / "mlflow.db")) as record:
        told = "select count(*) from metrics join tags on tags.run_uuid = metrics.run_uuid and tags.key = 'seed'"
        (count,) = record.execute(told).fetchone()
    assert count == sum(len(run.data.metrics) for run in runs)


def finished(project: Project) -> int:
    """Count the finished runs, without MLflow; none before there is a record."""
    told = "select count(*) from runs join tags on tags.run_uuid = runs.run_uuid and tags.key = 'seed' where status = ?"
    with suppress(sqlite3.OperationalError):
        address = f"file:{project.folder / 'runs' / 'mlflow.db'}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=60)) as record:
            (count,) = record.execute(told, ("FINISHED",)).fetchone()
            return int(count)
    return 0


@pytest.mark.stress
def test_three_hundred_fits_in_a_row_on_one_worker_stay_under_a_gibibyte_and_a_half(tmp_path: Path) -> None:
    project = Project(tmp_path)  # compiled, which is what fills a worker
    names = ["movies/bce_accuracy", "movies/pos_weight_ratio", "movies/focal_auc"]
    seeds = ",".join(map(str, range(100)))
    small = ["--set", "training.epochs=1", "--set", "dataset.train_fraction=0.1"]
    process = project.start("run", *names, "--seeds", seeds, "--workers", "1", *small)
    most = 0
    done = threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.wait(0.5):
            with_tensorflow = [child.memory_info().rss for child in workers(process)]
            if finished(project) < 300:  # then a hundred seeds of a trial are summed up, which is another matter
                most = max([most, *with_tensorflow])

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    _, err = process.communicate(timeout=3000)
    done.set()
    assert process.returncode == 0, err
    assert statuses(project) == {"FINISHED": 300}
    assert finished(project) == 300
    assert 2**28 < most < 1.5 * 2**30, f"{most / 2**30:.2f} GiB"
