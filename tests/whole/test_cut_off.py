"""Runs that were cut off are marked by the next command, whichever it is; and whose clock says that they were."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from mlflow_server import MlflowServer
from old_record import unpack
from postgres import Postgres
from project import Project, wait_for
from rarelabels.record import clock, connection, lease, opening, queries
from rarelabels.record.client import reader
from rarelabels.show import ui

REASON = "cut off: the process that ran it is gone, or silent for minutes"
HOUR = 3600.0
PR_CAPBSET_DROP = 24  # of Linux's prctl
SIGNALS = (signal.SIGHUP, signal.SIGTERM, signal.SIGKILL)
COMMANDS = (
    *(
        ("results", "films"),
        ("results", "table", "--by", "rule"),
        ("findings",),
        ("best", "table"),
        ("report", "films"),
    ),
    *(("predict", "table", "new.csv"), ("run", "films"), ("ui",)),
)


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return unpack(tmp_path_factory.mktemp("old"))


@pytest.fixture(scope="module")
def gone() -> str:
    """The owner of a run whose process has ended."""
    code = "from rarelabels.record import lease; print(lease.owner())"
    return subprocess.check_output([sys.executable, "-c", code], text=True).strip()


def begin(where: str, owner: str) -> list[str]:
    """Begin a run of a seed, a trial that is searched, and a run of scores made elsewhere; return their ids."""
    client = connection.connect(where)
    made = []
    for study, kind in (("films", "run"), ("table/tuning", "tried"), ("judged", "judged")):
        tags = {"kind": kind, "owner": owner, "trial": f"{study}/x"}
        experiment = opening.open_experiment(client, study)
        made.append(str(client.create_run(experiment, tags=tags, run_name="cut off").info.run_id))
    return made


def states(where: str, run_ids: list[str]) -> list[tuple[str, str]]:
    """How runs ended, and why."""
    runs = [connection.connect(where).run(run_id) for run_id in run_ids]
    return [(run.info.status, run.data.tags.get("reason", "")) for run in runs]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_any_command_marks_what_was_cut_off_in_the_whole_record(
    old: Project, gone: str, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, alive = begin(old.record, gone), begin(old.record, lease.owner())
    monkeypatch.setattr(ui, "open_ui", lambda *_: None)
    old.do(*command)
    assert states(old.record, begun) == [("KILLED", REASON)] * 3
    assert states(old.record, alive) == [("RUNNING", "")] * 3
    for run_id in alive:
        connection.connect(old.record).set_terminated(run_id, "FAILED")


@pytest.mark.long
def test_after_a_hang_up_a_termination_and_kill_nine_the_runs_in_flight_are_marked_by_a_command_that_reads(
    tmp_path: Path,
) -> None:
    project = unpack(tmp_path)

    def of(seed: int) -> list[tuple[str, str]]:
        runs = [one for one in project.runs("run", "films") if one.data.tags["seed"] == str(seed)]
        return [(run.info.status, run.data.tags.get("reason", "")) for run in runs]

    for seed, number in enumerate(SIGNALS, start=7):
        process = project.start("run", "films/bce", "--seeds", str(seed), "--set", "training.epochs=500")
        wait_for(lambda seed=seed: of(seed) == [("RUNNING", "")])
        process.send_signal(number)
        process.communicate(timeout=300)
        wait_for(lambda: not project.processes(), 300)
        project.do("results", "films")
        assert of(seed) == [("KILLED", REASON)], number
        assert "RUNNING" not in {one.info.status for one in project.runs("trial", "films")}


def without_privileges() -> None:
    """Let root be an ordinary user to the files of the program that comes next: each of its capabilities is dropped."""
    for capability in range(64):
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


@pytest.mark.long
def test_a_record_that_can_only_be_read_is_read_and_stays_as_it_is(tmp_path: Path, gone: str) -> None:
    project = unpack(tmp_path)
    begun = begin(project.record, gone)
    for path in (tmp_path, *tmp_path.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o222)
    before = (tmp_path / "runs" / "mlflow.db").read_bytes()
    for command in (("results", "films"), ("findings", "films"), ("predict", "table", "new.csv")):
        process = project.start(*command, preexec_fn=without_privileges)
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        assert out
        assert "Traceback" not in err
    for command in (
        ("run", "films/floor_prior", "--seeds", "9"),
        ("best", "films", "--metric", "half/micro_f1"),
        ("report",),
    ):
        process = project.start(*command, preexec_fn=without_privileges)
        _, err = process.communicate(timeout=300)
        assert process.returncode == 2, (command, err)
        assert "Traceback" not in err
        assert len(err.splitlines()[-1]) < 400
    assert (tmp_path / "runs" / "mlflow.db").read_bytes() == before
    assert states(project.record, begun) == [("RUNNING", "")] * 3


# Clocks


class WrongClock(BaseHTTPRequestHandler):
    """Hands everything on to a server of MLflow's, whose clock is an hour fast by what it says."""

    behind = ""

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {"Content-Type": self.headers.get("Content-Type", "application/json")}
        answer = requests.request(self.command, self.behind + self.path, data=body, headers=headers, timeout=60)
        self.send_response_only(answer.status_code)
        self.send_header("Date", formatdate(time.time() + HOUR, usegmt=True))
        self.send_header("Content-Type", answer.headers.get("Content-Type", ""))
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815  as http.server wants it

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def fast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server whose clock is an hour before this machine's: to it, this machine is an hour slow."""
    with MlflowServer(tmp_path_factory.mktemp("server")) as server:
        door = ThreadingHTTPServer(("127.0.0.1", 0), type("Door", (WrongClock,), {"behind": server.url}))
        threading.Thread(target=door.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{door.server_port}"
        door.shutdown()


@pytest.mark.long
def test_a_machine_whose_clock_is_wrong_loses_no_run_and_keeps_none_for_ever(fast: str) -> None:
    """By its own clock a lease would end before it begins, and one that is over would last for another hour."""
    there = time.time() + HOUR
    assert abs(reader(fast).now() - there) < 3
    client = connection.connect(fast)
    experiment = opening.open_experiment(client, "films")
    ends = {"own": lease.until(client.now()), "silent": f"{there - 60:.0f}", "alive": f"{there + 60:.0f}"}
    begun = {
        name: client.create_run(experiment, tags={"owner": "elsewhere 1 1", "lease": end}, run_name=name).info.run_id
        for name, end in ends.items()
    }
    assert abs(float(ends["own"]) - there - lease.SECONDS) < 3
    queries.end_cut_off(fast)
    assert states(fast, list(begun.values())) == [("RUNNING", ""), ("KILLED", REASON), ("RUNNING", "")]


@pytest.mark.long
def test_the_clock_of_a_database_is_that_of_its_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    with Postgres() as started:
        true = time.time
        monkeypatch.setattr(time, "time", lambda: true() - HOUR)  # this machine's clock is an hour slow
        asked = reader(started.url())
        assert abs(asked.now() - true()) < 3


def test_a_clock_is_asked_once_a_minute_and_goes_on_between(monkeypatch: pytest.MonkeyPatch) -> None:
    passing, asked = [100.0], list[float]()
    monkeypatch.setattr(clock.time, "clock_gettime", lambda _: passing[0])

    def ask() -> float:
        asked.append(passing[0])
        return 5_000.0 + passing[0]

    told = clock.Clock(ask)
    seen = []
    for seconds in (0, 1, 59, 1, 30):
        passing[0] += seconds
        seen.append(told.now())
    assert seen == [5_100.0, 5_101.0, 5_160.0, 5_161.0, 5_191.0]
    assert asked == [100.0, 161.0]
    told.says(9_000.0)  # with an answer that was asked for something else
    assert told.now() == 9_000.0


def test_a_file_has_the_clock_of_this_machine(tmp_path: Path) -> None:
    assert abs(reader(f"sqlite:///{tmp_path / 'mlflow.db'}").now() - time.time()) < 1
