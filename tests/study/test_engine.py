"""Tasks in real worker processes, of this machine and behind a real Dask scheduler."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dask
import psutil
import pytest
from distributed import LocalCluster

from project import free_port, is_listening, wait_for
from rarelabels.errors import UserError
from rarelabels.study import engine, tls_keys
from rarelabels.study.engine import Engine

Say = Callable[[dict[str, Any]], None]


def process() -> Callable[[Any, Say], int]:
    """By value: workers elsewhere do not know this file."""

    def pid(_: Any, __: Say) -> int:
        import os

        return os.getpid()

    return pid


pid = process()


def looking() -> Callable[[int, Say], bool]:
    """By value, too."""

    def has_colorsys(_: int, __: Say) -> bool:
        import sys

        return "colorsys" in sys.modules

    return has_colorsys


has_colorsys = looking()


def nothing(*_: Any) -> None:
    return None


@pytest.fixture(scope="module")
def two() -> Iterator[Engine]:
    """Two workers for one study after another."""
    with Engine(2) as workers:
        yield workers


def test_events_arrive_with_their_task_and_results_with_their_position(two: Engine) -> None:
    def tell(task: str, say: Say) -> str:
        say({"epoch": task})
        return task.upper()

    told: list[tuple[int, str]] = []
    found = dict(two.map(tell, ["a", "b", "c"], lambda i, event: told.append((i, event["epoch"]))))
    assert found == {0: "A", 1: "B", 2: "C"}
    wait_for(lambda: len(told) == 3, 120)
    assert sorted(told) == [(0, "a"), (1, "b"), (2, "c")]


def test_workers_that_are_begun_early_have_imported_what_tasks_need() -> None:
    with Engine(2) as workers:
        workers.begin(["colorsys", "no_such_module"])
        found = dict(workers.map(has_colorsys, [0, 1], nothing))
    assert found == {0: True, 1: True}
    with Engine(1) as idle:  # and nobody starts one for nothing
        assert dict(idle.map(has_colorsys, [], nothing)) == {}
        assert "_client" not in vars(idle)


def test_a_group_stays_with_its_worker_and_no_worker_is_idle_for_it(two: Engine) -> None:
    def where(task: str, _: Say) -> int:
        time.sleep({"a": 1.0, "b": 2.4, "c": 2.5}[task])  # of two that end at once the next might change places
        return os.getpid()

    tasks = ["a", "a", "a", "b", "b", "b", "c", "c", "c"]
    found = dict(two.map(where, tasks, nothing, group=lambda task: task))
    assert len({found[i] for i in range(3)}) == 1
    assert len({found[i] for i in range(3, 6)}) == 1
    assert found[0] != found[3]
    assert len({found[i] for i in range(6, 9)}) == 2  # the last group is shared, for nothing else is left


def test_workers_are_never_paused_and_leave_ctrl_c_to_the_parent(two: Engine) -> None:
    def setting(_: str, __: Say) -> tuple[object, ...]:
        from distributed import get_worker

        memory = get_worker().memory_manager
        fractions = memory.memory_pause_fraction, memory.memory_spill_fraction, memory.memory_target_fraction
        return *fractions, signal.getsignal(signal.SIGINT) == signal.SIG_IGN

    assert dict(two.map(setting, ["x"], nothing)) == {0: (False, False, False, True)}


def test_a_worker_that_is_full_is_begun_anew_between_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has grown by 700 MB since its first task, and no task is done twice for it."""

    def grow(task: int, _: Say) -> int:
        if task == 1:
            globals()["kept"] = bytearray(os.urandom(1)) * (1_400 * 2**20)
        return os.getpid()

    with Engine(1) as workers:
        found = dict(workers.map(grow, range(5), nothing))
    assert list(found) == [0, 1, 2, 3, 4]
    assert found[0] == found[1] != found[2] == found[3] == found[4]


@pytest.mark.long
def test_workers_that_are_full_after_every_task_lose_no_result_and_no_worker(tmp_path: Path) -> None:
    """Both begin anew in the same moment, again and again, while the parent is slow to fetch what they have made.

    Dask's own way of doing it lost results, and after 15 s, at the wrong moment, a worker.
    """

    def fill(task: int, _: Say) -> int:
        engine.FULL_BYTES, engine.GROWN_BYTES = 0, -(2**40)
        with (tmp_path / str(task)).open("a") as file:
            file.write("begun\n")
        return os.getpid()

    found = {}
    with Engine(2) as workers:
        for task, by in workers.map(fill, range(16), nothing):
            found[task] = by
            time.sleep(3 if task < 2 else 0)  # longer than a worker takes to begin anew
    assert sorted(found) == list(range(16))
    assert len(set(found.values())) == 16
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {str(i): "begun\n" for i in range(16)}


def test_a_task_that_kills_its_workers_is_given_up_and_the_others_are_done(two: Engine) -> None:
    def die(task: int, _: Say) -> int:
        if task == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return task

    assert dict(two.map(die, range(4), nothing)) == {0: 0, 1: None, 2: 2, 3: 3}


def test_an_error_of_a_task_is_raised_here(two: Engine) -> None:
    def fail(_: int, __: Say) -> None:
        raise UserError("the record does not answer")

    with pytest.raises(UserError, match="the record does not answer"):
        list(two.map(fail, [1], nothing))


UNGUARDED = """
from rarelabels.study.engine import Engine

print("started")
with Engine(1) as workers:
    print(dict(workers.map(lambda task, _: task + 1, [1, 2], print)))
"""


@pytest.mark.parametrize("way", ["script", "-c", "-m"])
def test_a_script_without_a_main_guard_is_not_run_again_by_its_workers(tmp_path: Path, way: str) -> None:
    script = tmp_path / "unguarded.py"
    script.write_text(UNGUARDED, encoding="utf-8")
    command = {"script": [str(script)], "-c": ["-c", UNGUARDED], "-m": ["-m", "unguarded"]}[way]
    ended = subprocess.run([sys.executable, *command], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert (ended.returncode, ended.stdout) == (0, "started\n{0: 2, 1: 3}\n"), ended.stderr


def test_main_is_as_it_was_after_the_workers_have_ended() -> None:
    main = sys.modules["__main__"]
    before = dict(vars(main))
    with engine._main_hidden():
        assert main.__spec__ is None
        assert not hasattr(main, "__file__")
    assert dict(vars(main)) == before


# Doors

# What another user of the machine does: he tries every port that listens, without keys and with keys of his own, and
# speaks to a scheduler or a worker where he is let in (it then runs what it is sent).
INTRUDER = """
import asyncio, os, sys
from distributed import Security
from distributed.comm import connect
from rarelabels.study import tls_keys

own = Security(require_encryption=True, **tls_keys.make()).get_connection_args("client")
os.setgid(65534)
os.setuid(65534)  # after the imports: he may have a Python of his own, and cannot read this one

async def ask(port, scheme, arguments):
    comm = await connect(f"{scheme}://127.0.0.1:{port}", timeout=2, **arguments)
    await comm.write({"op": "identity", "reply": True})
    return (await comm.read())["type"]

async def ask_all():
    doors = [(port, *how) for port in sys.argv[1:] for how in (("tcp", {}), ("tls", own))]
    return await asyncio.gather(*(asyncio.wait_for(ask(*door), 4) for door in doors), return_exceptions=True)

print(asyncio.run(ask_all()))
"""


def intrude(pid: int) -> str:
    """What a user without rights gets out of a process's ports and those of its children."""
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    ports = {str(one.laddr.port) for member in family for one in member.net_connections() if one.status == "LISTEN"}
    assert ports
    command = [sys.executable, "-c", INTRUDER, *sorted(ports)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.skipif(os.getuid() != 0, reason="only root becomes another user")
def test_no_other_user_of_the_machine_gets_in(two: Engine) -> None:
    assert len(dict(two.map(pid, range(2), nothing))) == 2
    assert "'Scheduler'" not in intrude(os.getpid())
    with LocalCluster(n_workers=1, host="127.0.0.1", dashboard_address=None):
        assert "'Scheduler'" in intrude(os.getpid()), "the intruder gets in where nobody keeps him out"


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Dask's usual settings for TLS, in the environment, with keys in files."""
    made = tls_keys.make()
    for name in ("tls_scheduler_cert", "tls_scheduler_key"):
        (tmp_path / name).write_text(made[name])
    settings = {"REQUIRE_ENCRYPTION": "True", "TLS__CA_FILE": str(tmp_path / "tls_scheduler_cert")}
    for role in ("SCHEDULER", "WORKER", "CLIENT"):
        settings |= {f"TLS__{role}__CERT": str(tmp_path / "tls_scheduler_cert")}
        settings |= {f"TLS__{role}__KEY": str(tmp_path / "tls_scheduler_key")}
    return {f"DASK_DISTRIBUTED__COMM__{name}": value for name, value in settings.items()}


def test_workers_behind_a_scheduler_with_tls_do_the_tasks(
    keys: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in keys.items():
        monkeypatch.setenv(name, value)
    dask.config.refresh()
    port = free_port()
    address = f"tls://127.0.0.1:{port}"
    processes = [start("scheduler", "--host", "tls://127.0.0.1", "--port", str(port), "--no-dashboard")]
    try:
        wait_for(lambda: is_listening(port))
        processes.append(start("worker", address, "--nthreads", "1", "--no-dashboard"))
        with Engine(scheduler=address) as workers:
            assert len(dict(workers.map(pid, range(3), nothing))) == 3
    finally:
        for process in processes:
            process.kill()
            process.wait()
        monkeypatch.undo()
        dask.config.refresh()


# Behind a scheduler


def start(*command: str) -> subprocess.Popen[bytes]:
    quiet = subprocess.DEVNULL
    return subprocess.Popen([sys.executable, "-m", "dask", *command], stdout=quiet, stderr=quiet)


def end(worker: subprocess.Popen[bytes]) -> None:
    """End a worker; one whose scheduler is gone was once seen to ignore SIGTERM for good."""
    worker.terminate()
    try:
        worker.wait(timeout=10)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()


@pytest.fixture
def scheduler() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    port = free_port()
    process = start("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
    wait_for(lambda: is_listening(port))
    yield f"tcp://127.0.0.1:{port}", process
    process.kill()
    process.wait()


def test_workers_of_a_scheduler_do_the_tasks_and_outlive_the_study(
    scheduler: tuple[str, subprocess.Popen[bytes]],
) -> None:
    address, process = scheduler
    workers = [start("worker", address, "--nthreads", "1", "--no-dashboard") for _ in range(2)]
    try:
        for _ in range(2):
            with Engine(scheduler=address) as first:
                found = dict(first.map(pid, range(4), nothing))
                assert len(found) == 4
                assert os.getpid() not in found.values()
                assert first.other_machines() == []
        assert all(worker.poll() is None for worker in workers)
        with Engine(scheduler=address) as last:
            found = last.map(pid, range(10_000), nothing)
            next(found)
            process.kill()
            with pytest.raises(UserError, match="scheduler is gone"):
                list(found)
    finally:
        for worker in workers:
            end(worker)


def test_a_worker_with_two_threads_is_refused(scheduler: tuple[str, subprocess.Popen[bytes]]) -> None:
    address, _ = scheduler
    worker = start("worker", address, "--nthreads", "2", "--no-dashboard")
    try:
        with Engine(scheduler=address) as workers, pytest.raises(UserError, match=r"one thread each: .* has 2; start"):
            list(workers.map(pid, [1], nothing))
    finally:
        end(worker)


def test_no_scheduler_and_no_worker_are_said_in_one_line(
    scheduler: tuple[str, subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "WAIT_SECONDS", 3)
    with Engine(scheduler=scheduler[0]) as idle, pytest.raises(UserError, match=r"no worker; `dask worker tcp://.*"):
        list(idle.map(pid, [1], nothing))
    monkeypatch.setattr(engine, "CONNECT_SECONDS", 1)
    for address in ("tcp://127.0.0.1:9", "nonsense"):
        with Engine(scheduler=address) as nobody, pytest.raises(UserError, match="does not answer"):
            list(nobody.map(pid, [1], nothing))
