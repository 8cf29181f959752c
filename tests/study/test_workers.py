"""The engine starts with the first task alone, and a scheduler that is open to others is known."""

from __future__ import annotations

from typing import Any

import pytest

from rarelabels.study import engine
from rarelabels.study.workers import Workers


class Started(engine.Engine):
    """An engine that starts no process."""

    count_of_starts = 0

    def __enter__(self) -> Started:
        Started.count_of_starts += 1
        return self

    def map(self, function: Any, tasks: Any, on_event: Any, group: Any = None) -> Any:
        yield from ((position, function(task, print)) for position, task in enumerate(tasks))


def test_without_a_task_nothing_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "Engine", Started)
    with Workers(3) as workers:
        assert workers.count == 3
        assert workers.other_machines() == []
        assert list(workers.map(lambda task, _: task, [], print)) == []
        assert Started.count_of_starts == 0
        assert list(workers.map(lambda task, _: task + 1, [1, 2], print)) == [(0, 2), (1, 3)]
        assert list(workers.map(lambda task, _: task, [5], print)) == [(0, 5)]
        assert Started.count_of_starts == 1


def test_there_are_as_many_as_cores_unless_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 7)
    assert Workers().count == 7


@pytest.mark.parametrize(
    ("address", "is_open"),
    [
        *(("tcp://10.0.0.1:8786", True), ("tcp://host:1", True), ("10.0.0.1:8786", True), ("ws://host:1", True)),
        *(("tls://10.0.0.1:8786", False), ("tcp://127.0.0.1:1", False), ("tcp://localhost:1", False)),
        *(("tcp://[::1]:1", False), (None, False)),
    ],
)
def test_a_scheduler_that_is_open_to_other_machines_is_known(address: str | None, is_open: bool) -> None:
    assert Workers(scheduler=address).is_open_to_others() == is_open
