"""Hand tasks to Dask workers, a process each: the only module that imports dask.

Processes are spawned, have one thread, and are told apart from the parent in one way only: the parent never imports
TensorFlow.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import cached_property
from typing import Any, TypeVar

import dask
from distributed import Client, KilledWorker, LocalCluster, WorkerPlugin, as_completed, get_worker
from distributed.system import MEMORY_LIMIT

T = TypeVar("T")
R = TypeVar("R")
Event = dict[str, Any]
Function = Callable[[T, Callable[[Event], None]], R]
OnEvent = Callable[[int, Event], None]

TOPIC = "rarelabels"
WORKER_BYTES = 2 * 2**30  # a TensorFlow worker takes 1 GB to begin with
# A training step frees and takes megabytes at a time. Dask makes malloc give them back to the system each time, which
# doubles the time of a run on the films (7 against 17 s); here it keeps them.
KEEP_MEMORY = {
    f"distributed.nanny.pre-spawn-environ.{name}": size
    for name, size in {
        "MALLOC_TRIM_THRESHOLD_": 2**31 - 1,
        "MALLOC_MMAP_THRESHOLD_": 2**30,
        "MALLOC_TOP_PAD_": 2**26,
    }.items()
}

# A worker that Dask pauses for its memory would wait for ever: what fills it is compiled programs, which nothing frees.
# One that reaches 95 % of its limit is restarted instead, and its run begun anew.
NEVER_PAUSE = {f"distributed.worker.memory.{state}": False for state in ("pause", "spill", "target")}


class Engine:
    """A local cluster of one-thread workers on the loopback interface, started by the first task; a context manager."""

    def __init__(self, count: int | None = None) -> None:
        self.count = count or os.cpu_count() or 1
        self._open = ExitStack()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def map(self, function: Function[T, R], tasks: Sequence[T], on_event: OnEvent) -> Iterator[tuple[int, R | None]]:
        """Yield (position of the task, result) as tasks end; the result is None where a task killed its workers.

        Args:
            function: called in a worker with a task and a function that sends events back.
            tasks: picklable; begun in this order.
            on_event: called with the position of the task and an event, in another thread.
        """
        if not tasks:
            return
        client = self._client
        client.subscribe_topic(TOPIC, lambda event: on_event(event[1]["task"], event[1]))
        futures = {client.submit(_call, function, task, i, pure=False, priority=-i): i for i, task in enumerate(tasks)}
        try:
            for future in as_completed(list(futures)):
                error = future.exception()
                if error is not None and not isinstance(error, KilledWorker):
                    raise error
                yield futures[future], None if error is not None else future.result()
        finally:
            client.cancel(list(futures), force=True)
            client.unsubscribe_topic(TOPIC)

    @cached_property
    def _client(self) -> Client:
        dask.config.set({"distributed.comm.timeouts.connect": "60s"} | KEEP_MEMORY | NEVER_PAUSE)
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        cluster = LocalCluster(
            n_workers=self.count,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            memory_limit=max(WORKER_BYTES, MEMORY_LIMIT // self.count),
            silence_logs=logging.CRITICAL,
        )
        self._open.enter_context(cluster)
        client = self._open.enter_context(Client(cluster))
        client.register_plugin(_LeaveInterruptsToTheParent())
        return client


class _LeaveInterruptsToTheParent(WorkerPlugin):  # type: ignore[misc]  # distributed is untyped
    """Ctrl-C reaches every process of a terminal: the parent ends its workers, so they need not say anything."""

    def setup(self, worker: object) -> None:  # noqa: ARG002  Dask calls it so
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _call(function: Function[T, R], task: T, position: int) -> R:
    worker = get_worker()
    return function(task, lambda event: worker.log_event(TOPIC, event | {"task": position}))
