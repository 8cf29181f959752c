"""Hand tasks to Dask workers, a process each. This is the only module that imports dask.

Without a scheduler's address, the workers are processes of this machine. With an address, they are the workers that
the scheduler has, on a laptop or a cluster. Everything else is the same. Workers have one thread each. The parent
process never imports TensorFlow.

A worker does one task at a time. Its next task is of the same group if there is such a task: then the worker can use
its compiled program again. Nothing frees compiled programs, so a worker grows. It is restarted between tasks when it
has become too large.
"""

from __future__ import annotations

import asyncio
import ctypes
import importlib
import logging
import os
import signal
import socket
import sys
import threading
import time
import uuid
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import dask
import psutil
from distributed import Client, Future, KilledWorker, LocalCluster, Security, WorkerPlugin, get_worker, wait
from distributed.comm import CommClosedError
from distributed.core import Status
from distributed.system import MEMORY_LIMIT

from rarelabels import __version__
from rarelabels.errors import UserError

T = TypeVar("T")
R = TypeVar("R")
Event = dict[str, Any]
Function = Callable[[T, Callable[[Event], None]], R]
OnEvent = Callable[[int, Event], None]

ADDRESS = "DASK_SCHEDULER_ADDRESS"  # as Dask calls it
WORKER_BYTES = 2 * 2**30  # a TensorFlow worker takes 1 GB to begin with
FULL_BYTES, GROWN_BYTES = 21 * 2**26, 2**28  # 1.3125 GiB, and 0.25 more than after its first task: then restarted
KEY = "rarelabels-"  # begins the names of our tasks, on a scheduler that may have others
UNFETCHED = ("executing", "memory")  # states of a task whose result the parent process does not have yet
CONNECT_SECONDS = 10
WAIT_SECONDS = 120  # for a scheduler's first worker, or for a worker to come back
GLANCE_SECONDS = 1.0  # how often new workers are looked for
# A training step frees and takes megabytes at a time. Dask makes malloc give them back to the system each time, and a
# run on the films then takes 17 s instead of 7 s. With these settings malloc keeps them. The keys are from malloc.h.
KEEP_MEMORY = {-1: 2**31 - 1, -2: 2**26, -3: 2**30}  # M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD


class Engine:
    """Workers of one thread each; a context manager. The first task starts them, or connects to them.

    Args:
        count: workers to start on this machine; as many as cores if None.
        scheduler: address of a running Dask scheduler, whose workers are used instead: ``tcp://host:port``, or
            ``tls://host:port`` with the keys that Dask's settings name.
    """

    def __init__(self, count: int | None = None, scheduler: str | None = None) -> None:
        self._count, self.scheduler = count or os.cpu_count() or 1, scheduler
        self._topic = f"rarelabels-{uuid.uuid4().hex}"  # others may use the same scheduler
        self._open = ExitStack()
        self._beginning: threading.Thread | None = None
        self._imports: list[Future] = []

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *error: object) -> None:
        if self._beginning:
            self._beginning.join()
        self._open.close()

    def begin(self, modules: Sequence[str]) -> None:
        """Start the workers in the background and let them import modules. The first task waits for them to start.

        Call this only if there will be tasks: if everything is finished, no worker is needed.
        """
        self._beginning = threading.Thread(target=self._begin, args=(modules,), daemon=True)
        self._beginning.start()

    def _begin(self, modules: Sequence[str]) -> None:
        with suppress(Exception):  # the first task will raise the same error
            for worker in self._workers():
                key = f"import-{uuid.uuid4().hex}"  # not KEY: a worker that restarts need not wait for it
                future = self._client.submit(_import, modules, workers=[worker], key=key)
                future.add_done_callback(lambda done: done.release())
                self._imports.append(future)

    @property
    def count(self) -> int:
        """The number of workers, or of those that will be started."""
        return len(self._workers()) if self.scheduler else self._count

    def other_machines(self) -> list[str]:
        """Return the names of the other machines that have workers."""
        if not self.scheduler:
            return []
        return sorted(set(self._client.run(socket.gethostname).values()) - {socket.gethostname()})

    def map(
        self,
        function: Function[T, R],
        tasks: Sequence[T],
        on_event: OnEvent,
        group: Callable[[T], Hashable] = lambda _: None,
    ) -> Iterator[tuple[int, R | None]]:
        """Yield (position of the task, result) as tasks end; the result is None where a task killed its workers.

        Args:
            function: called in a worker with a task and a function that sends events back.
            tasks: picklable; begun in this order, except that groups may change it.
            on_event: called in another thread with the position of the task and an event.
            group: returns the group of a task. A worker gets tasks of its last group first, then tasks of a group that
                no other worker is busy with.

        Raises:
            UserError: the scheduler does not answer (any more), or has no worker.
        """
        if not tasks:
            return
        client = self._client
        client.subscribe_topic(self._topic, lambda event: on_event(event[1]["task"], event[1]))
        groups = {i: group(task) for i, task in enumerate(tasks)}
        waiting, flying = list(groups), dict[Future, int]()
        last: list[Hashable] = []  # groups of the workers that have just ended a task
        idle_since = time.monotonic()
        try:
            while waiting or flying:
                for _ in range(min(len(waiting), len(self._workers()) - len(flying))):
                    group_before = last.pop() if last else None
                    position = _choice(waiting, groups, group_before, {groups[i] for i in flying.values()})
                    waiting.remove(position)
                    key = f"{KEY}{uuid.uuid4().hex}"
                    future = client.submit(_call, function, tasks[position], position, self._topic, key=key)
                    flying[future] = position
                last.clear()
                if flying:
                    idle_since = time.monotonic()
                    results = [(flying.pop(future), _result(future)) for future in _ended(client, list(flying))]
                    last.extend(groups[position] for position, _ in results)
                    yield from results
                elif time.monotonic() - idle_since > WAIT_SECONDS:
                    raise UserError(f"no worker has come for {WAIT_SECONDS} s; {self._how_to_start()}")
                else:
                    time.sleep(0.1)
        except (CommClosedError, CancelledError) as error:
            raise _gone() from error
        finally:
            with suppress(Exception):  # of a scheduler that is gone
                client.cancel(list(flying), force=True)
                client.unsubscribe_topic(self._topic)

    def _workers(self) -> list[str]:
        """Return the addresses of the workers that take tasks; a worker that restarts takes none.

        Raises:
            UserError: the scheduler is gone.
        """
        info = self._client.scheduler_info()
        if "workers" not in info:  # so the client answers once the connection is lost
            raise _gone()
        return [address for address, worker in info["workers"].items() if worker["status"] == "running"]

    @cached_property
    def _client(self) -> Client:
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        client = self._connected() if self.scheduler else self._started()
        self._open.callback(client.close)  # a client that is entered as a context belongs to the thread that entered it
        client.register_plugin(_Setting(is_local=not self.scheduler))
        return client

    def _started(self) -> Client:
        from rarelabels.study import tls_keys  # not needed where there is a scheduler

        # A local cluster looks for a lost worker once, after a timeout. If the worker happens to restart at that
        # moment, the cluster ends the worker's nanny for good. The long timeout keeps the cluster from looking.
        dask.config.set({"distributed.deploy.lost-worker-timeout": "365d"})
        dask.config.set({"distributed.comm.timeouts.connect": "60s", "distributed.worker.profile.enabled": False})
        self._open.enter_context(_main_hidden())
        cluster = LocalCluster(
            n_workers=self._count,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            memory_limit=max(WORKER_BYTES, MEMORY_LIMIT // self._count),
            silence_logs=logging.CRITICAL,
            security=Security(require_encryption=True, **tls_keys.make()),
        )
        self._open.enter_context(cluster)
        return Client(cluster)

    def _connected(self) -> Client:
        try:
            client = Client(self.scheduler, timeout=CONNECT_SECONDS)
        except (OSError, ValueError, ImportError) as error:
            raise UserError(
                f"the Dask scheduler {self.scheduler!r} does not answer ({type(error).__name__}); start it (`dask "
                f"scheduler`), correct --scheduler or {ADDRESS}, or leave both out to use this machine"
            ) from error
        try:
            client.wait_for_workers(1, timeout=WAIT_SECONDS)
            _check(client)
        except TimeoutError as error:
            client.close()
            raise UserError(f"{self.scheduler} has no worker; {self._how_to_start()}") from error
        except UserError:
            client.close()
            raise
        return client

    def _how_to_start(self) -> str:
        return f"`dask worker {self.scheduler} --nthreads 1` starts one" if self.scheduler else "call the command again"


@contextmanager
def _main_hidden() -> Iterator[None]:
    """Keep workers from importing the user's script, which may have no ``if __name__ == "__main__":``.

    From two attributes of ``__main__``, ``multiprocessing`` knows which script a spawned process is to import. A worker
    that imports such a script would start the study once more. No task needs the script.
    """
    main = vars(sys.modules["__main__"])
    hidden: dict[str, Any] = {name: main.pop(name) for name in ("__file__", "__spec__") if name in main}
    main["__spec__"] = None
    try:
        yield
    finally:
        main.update(hidden)


@dataclass
class _Process:
    """The state of a worker process: its lock, and its memory in bytes after its first task."""

    one_at_a_time: threading.Lock = field(default_factory=threading.Lock)
    first_bytes: int = 0


_PROCESS = _Process()


@dataclass
class _Setting(WorkerPlugin):  # type: ignore[misc]  # distributed is untyped
    """The settings of a worker process, on this machine or another."""

    is_local: bool
    name: str = "rarelabels"
    idempotent: bool = True  # another study may have set it

    def setup(self, worker: Any) -> None:
        """Make the worker keep freed memory and never pause. A worker of this machine also ignores Ctrl-C."""
        with suppress(AttributeError, OSError):  # other systems have other allocators
            for parameter, value in KEEP_MEMORY.items():
                ctypes.CDLL(None).mallopt(parameter, value)
        # A worker that Dask pauses for its memory would wait for ever: compiled programs fill the memory, and nothing
        # frees them. Instead, a worker that reaches 95 % of its limit is restarted, and its run is repeated.
        memory = worker.memory_manager
        memory.memory_pause_fraction = memory.memory_spill_fraction = memory.memory_target_fraction = False
        if self.is_local:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers: they need no traceback


def _import(modules: Sequence[str]) -> None:
    for name in modules:
        importlib.import_module(name)


def _call(function: Function[T, R], task: T, position: int, topic: str) -> R:
    worker = get_worker()
    with _PROCESS.one_at_a_time:
        result = function(task, lambda event: worker.log_event(topic, event | {"task": position}))
    taken = psutil.Process().memory_info().rss
    _PROCESS.first_bytes = _PROCESS.first_bytes or taken
    if worker.nanny and taken > max(FULL_BYTES, _PROCESS.first_bytes + GROWN_BYTES):
        worker.loop.add_callback(_restart, worker)
    return result


async def _restart(worker: Any) -> None:
    """Take no more tasks, wait until every result has been fetched, and let the nanny start another process.

    Dask's ``close_gracefully(restart=True)`` does not wait (2026.8). If no other worker can take a result, the result
    is lost and its task is done twice. The nanny may also end with its worker.
    """
    worker.status = Status.paused
    while any(one.state in UNFETCHED and str(one.key).startswith(KEY) for one in worker.state.tasks.values()):
        await asyncio.sleep(0.1)
    await worker.close(nanny=False)


def _result(future: Future) -> Any:
    """Fetch a result, then let the worker forget it; return None if the task killed its workers."""
    error = future.exception()
    if error is not None and not isinstance(error, KilledWorker):
        raise error
    result = None if error is not None else future.result()
    future.release()
    return result


def _choice(waiting: list[int], groups: dict[int, Hashable], last: Hashable, taken: set[Hashable]) -> int:
    """Return the position of a worker's next task.

    It is the first task of the worker's last group, else the first of a group that no worker is busy with, else the
    first that waits.
    """
    same = (i for i in waiting if groups[i] == last)
    free = (i for i in waiting if groups[i] not in taken)
    return next(same, next(free, waiting[0]))


def _ended(client: Client, futures: list[Future]) -> list[Future]:
    """Return the futures that have ended; wait for the first one for ``GLANCE_SECONDS`` at most.

    Raises:
        UserError: the scheduler is gone.
    """
    with suppress(TimeoutError):
        wait(futures, timeout=GLANCE_SECONDS, return_when="FIRST_COMPLETED")
    if client.status not in ("running", "connecting") or any(one.status in ("lost", "cancelled") for one in futures):
        raise _gone()
    return [one for one in futures if one.done()]


def _gone() -> UserError:
    return UserError("the Dask scheduler is gone; start it, and the same command goes on where this one stopped")


def _check(client: Client) -> None:
    """Refuse workers that cannot do a task, or would do two at once in one process."""
    threads = client.nthreads()
    if several := [f"{worker} has {n}" for worker, n in threads.items() if n != 1]:
        raise UserError(f"workers must have one thread each: {', '.join(several)}; start them with --nthreads 1")
    try:
        versions = {client.run_on_scheduler(_version), *client.run(_version).values()}
    except ImportError as error:
        raise UserError(f"the scheduler or its workers cannot import rarelabels ({error}); install it there") from error
    if others := sorted(versions - {__version__}):
        raise UserError(f"there is rarelabels {', '.join(others)} there, and {__version__} here; install the same")


def _version() -> str:
    return __version__
